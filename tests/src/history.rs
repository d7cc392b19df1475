//! Originals between those that have a package: compiled from the source
//! packages of the kernel that the archive keeps.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kbuild_rs::dialect::{Dialect, Version};

use crate::apt::{Package, SOURCE, Suite};
use crate::cache;
use crate::layouts::{PRELUDE, STUBS};
use crate::original::{Kernel, SINCE_6_5, SINCE_6_14, Target};

/// A source package of the kernel.
#[derive(Debug)]
pub struct Source {
    /// The suite that has it.
    suite: &'static str,
    /// Its version.
    package: &'static str,
}

/// One before and one after each change of a series, as far as the archive
/// has them.
pub static SOURCES: &[Source] = &[
    Source { suite: "bullseye", package: "5.10.13-1" },
    Source { suite: "bullseye", package: "5.10.46-4" },
    Source { suite: "bullseye", package: "5.10.223-1" },
    Source { suite: "bullseye-security", package: "5.10.251-1" },
    Source { suite: "bullseye-security", package: "5.10.257-1" },
    Source { suite: "bookworm", package: "6.1.4-1" },
    Source { suite: "bookworm-security", package: "6.1.164-1" },
    Source { suite: "bookworm-security", package: "6.1.187-1" },
    Source { suite: "trixie", package: "6.12.8-1" },
    Source { suite: "trixie", package: "6.12.38-1" },
    Source { suite: "trixie-security", package: "6.12.105-1" },
    Source { suite: "trixie-backports", package: "6.17.8-1~bpo13+1" },
    Source { suite: "trixie-backports", package: "6.18.5-1~bpo13+1" },
    Source { suite: "trixie-backports", package: "6.18.15-1~bpo13+1" },
    Source { suite: "trixie-backports", package: "6.19.11-1~bpo13+1" },
    Source { suite: "trixie-backports", package: "7.1.3-1~bpo13+1" },
    Source { suite: "trixie-backports", package: "7.1.13-1~bpo13+1" },
    Source { suite: "trixie-backports", package: "7.2.6-1~bpo13+1" },
];

/// What the programs are made of.
const PARTS: &[&str] = &[
    "*/scripts/mod",
    "*/scripts/include",
    "*/tools/include/linux/list.h",
    "*/include/linux/mod_devicetable.h",
    "*/include/linux/device-id",
    "*/include/linux/license.h",
    "*/include/linux/module_symbol.h",
];

/// How kbuild has the compiler tell offsets, instead of `linux/kbuild.h`.
const KBUILD_H: &str = "#define DEFINE(name, value) asm volatile(\"\\n->\" #name \" %0\" : : \"i\"(value))
#define offsetof(type, member) __builtin_offsetof(type, member)
";

const TARGETS: [(Target, &str, &str); 4] = [
    (Target::Lsb64, "64", "LSB"),
    (Target::Msb64, "64", "MSB"),
    (Target::Lsb32, "32", "LSB"),
    (Target::Msb32, "32", "MSB"),
];

fn succeed(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))))
}

/// Unpacks what the programs are made of.
///
/// # Errors
/// If the archive isn't one of the kernel's source.
pub fn extract(archive: &Path, dir: &Path) -> io::Result<()> {
    let tar = Command::new("tar")
        .args(["-xJ", "--wildcards", "--strip-components=1", "-f"])
        .arg(archive)
        .args(PARTS)
        .current_dir(dir)
        .stderr(Stdio::null())
        .status()?;
    // No kernel has all of the parts: tar's complaint is no failure.
    let found = dir.join("scripts/mod/modpost.c").exists();
    if found { Ok(()) } else { Err(io::Error::other(format!("{}: {tar}", archive.display()))) }
}

/// Writes `devicetable-offsets.h` as the compiler lays out structures with
/// `-m64` or `-m32`.
fn write_offsets(dir: &Path, model: &str) -> io::Result<()> {
    let stubs = dir.join("stubs");
    for stub in STUBS {
        let path = stubs.join(stub);
        fs::create_dir_all(path.parent().unwrap_or(&stubs))?;
        fs::write(path, "")?;
    }
    fs::write(stubs.join("linux/kbuild.h"), KBUILD_H)?;
    fs::write(dir.join("prelude.h"), PRELUDE)?;
    succeed(
        Command::new("gcc")
            .args(["-w", model, "-S", "-o", "offsets.s", "-nostdinc", "-I", "stubs", "-I", "include"])
            .args(["-include", "prelude.h", "scripts/mod/devicetable-offsets.c"])
            .current_dir(dir),
    )?;
    let assembler = fs::read_to_string(dir.join("offsets.s"))?;
    let mut header = String::new();
    for (name, value) in assembler.lines().filter_map(|line| line.strip_prefix("->")?.split_once(" $")) {
        let _ = writeln!(header, "#define {name} {value}");
    }
    fs::write(dir.join("scripts/mod/devicetable-offsets.h"), header)
}

/// Compiles the program for each target into `dir`, with more arguments for the
/// compiler, and each target's own layouts or a 64-bit kernel's.
///
/// # Errors
/// If something doesn't compile.
pub fn compile(dir: &Path, arguments: &[&str], own_layouts: bool) -> io::Result<()> {
    let scripts = dir.join("scripts/mod");
    for (target, class, data) in TARGETS {
        write_offsets(dir, if own_layouts && class == "32" { "-m32" } else { "-m64" })?;
        let config = format!(
            "#define KERNEL_ELFCLASS ELFCLASS{class}\n#define KERNEL_ELFDATA ELFDATA2{data}\n\
             #define HOST_ELFCLASS ELFCLASS64\n#define HOST_ELFDATA ELFDATA2LSB\n"
        );
        fs::write(scripts.join("elfconfig.h"), config)?;
        let sources = ["modpost.c", "file2alias.c", "sumversion.c", "symsearch.c"];
        succeed(
            Command::new("gcc")
                .args(["-O2", "-w", "-I", "../include", "-I", "../../tools/include", "-I", ".", "-o"])
                .arg(dir.join(target.program()))
                .args(sources.iter().filter(|name| scripts.join(name).exists()))
                .args(arguments)
                .current_dir(&scripts),
        )?;
    }
    Ok(())
}

impl Source {
    /// The kernel's version.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.package.split('-').next().unwrap_or(self.package)
    }

    fn compiled(&self) -> io::Result<PathBuf> {
        cache::once(&format!("originals/{}", self.version()), |dir| {
            let suite = Suite { name: self.suite, architecture: SOURCE };
            let archive = Package { suite, name: "linux", version: self.package }.download()?;
            extract(&archive, dir)?;
            fs::remove_file(archive)?;
            compile(dir, &[], false)
        })
    }

    /// The kernel with its original, for as long as the program runs.
    ///
    /// # Errors
    /// If the source can't be had or doesn't compile.
    pub fn kernel(&self) -> io::Result<&'static Kernel> {
        let dir = self.compiled()?;
        let version = self.version();
        let dialect = Dialect::new(Version::parse(version.as_bytes()).unwrap_or(Version::DEFAULT));
        let variants = match (dialect.extended_versions, dialect.trim_option) {
            (true, _) => SINCE_6_14,
            (false, true) => SINCE_6_5,
            (false, false) => &[],
        };
        let release = version.rsplit_once('.').map_or(version, |(release, _)| release);
        Ok(Box::leak(Box::new(Kernel::compiled(version, release, variants, dir))))
    }
}
