//! Originals between those that have a package: compiled from the source
//! packages of the kernel that the archive keeps.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kbuild_rs_debian::{Found, SOURCE, Suite, Unavailable, cache, package};
use kernel::Version;
use modpost::dialect::Dialect;

use crate::command::output;
use crate::host::{self, Host};
use crate::layouts::write_stubs;
use crate::original::{Kernel, SINCE_6_5, SINCE_6_14, Target, Variants};

/// A source package of the kernel.
#[derive(Clone, Debug)]
pub struct Source {
    package: Found,
}

/// The suites that have some.
const SUITES: &[&str] = &[
    "bullseye",
    "bullseye-security",
    "bookworm",
    "bookworm-security",
    "trixie",
    "trixie-security",
    "trixie-backports",
];

/// What the archive has.
#[derive(Debug, Default)]
pub struct Sources {
    /// Every version, oldest first.
    pub sources: Vec<Source>,
    /// The suites that can't be asked, and why.
    pub failures: Vec<(&'static str, Unavailable)>,
}

/// Asks all suites.
#[must_use]
pub fn sources() -> Sources {
    let Sources { mut sources, mut failures } = Sources::default();
    for name in SUITES {
        match package::versions(Suite { name, architecture: SOURCE }, "linux") {
            Err(error) => failures.push((*name, error)),
            Ok(packages) => sources.extend(packages.into_iter().map(|package| Source { package })),
        }
    }
    sources.sort_by_key(Source::number);
    sources.dedup_by_key(|source| source.number());
    Sources { sources, failures }
}

/// Of sources in order, the first and the last of each row of versions that
/// are alike by our table: one on each side of every change that it knows.
#[must_use]
pub fn edges(sources: &[Source]) -> Vec<&Source> {
    let flags = |source: &Source| Dialect::new(source.number()).flags();
    let is_alike = |a: &Source, b: &Source| {
        let release = |source: &Source| (source.number().major, source.number().minor);
        release(a) == release(b) && flags(a) == flags(b)
    };
    let mut edges = Vec::new();
    for row in sources.chunk_by(is_alike) {
        edges.extend(row.first());
        edges.extend(row.last().filter(|_| row.len() > 1));
    }
    edges
}

/// What the programs are made of.
const PARTS: &[&str] = &[
    "*/scripts/mod",
    "*/scripts/basic",
    "*/scripts/genksyms",
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
    let stubs = write_stubs(dir)?;
    fs::write(stubs.join("linux/kbuild.h"), KBUILD_H)?;
    output(
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

/// Compiles fixdep and genksyms into `dir`, as kbuild does.
fn compile_others(dir: &Path, compiler: impl Fn() -> Command) -> io::Result<()> {
    let scripts = dir.join("scripts");
    let (basic, genksyms) = (scripts.join("basic"), scripts.join("genksyms"));
    output(compiler().args(["-I", "../include", "-o"]).arg(dir.join("fixdep")).arg("fixdep.c").current_dir(basic))?;
    let bison = ["-o", "parse.tab.c", "--defines=parse.tab.h", "-t", "-l", "parse.y"];
    output(Command::new("bison").args(bison).current_dir(&genksyms))?;
    output(Command::new("flex").args(["-olex.lex.c", "-L", "lex.l"]).current_dir(&genksyms))?;
    output(
        compiler()
            .args(["-I", "../include", "-I", ".", "-o"])
            .arg(dir.join("genksyms"))
            .args(["genksyms.c", "parse.tab.c", "lex.lex.c"])
            .current_dir(&genksyms),
    )
    .map(drop)
}

/// Compiles modpost for each target into `dir`, for another machine if one is
/// given, with more arguments for the compiler, and each target's own layouts or a
/// 64-bit kernel's; and fixdep and genksyms.
///
/// # Errors
/// If something doesn't compile.
pub fn compile(dir: &Path, host: Option<&Host>, arguments: &[&str], own_layouts: bool) -> io::Result<()> {
    let compiler = host.map_or("gcc".to_owned(), |host| format!("{}-gcc", host.gnu));
    let compiler = || {
        let mut command = Command::new(&compiler);
        command.args(host.map(|_| "-static")).args(["-O2", "-w"]);
        command
    };
    compile_others(dir, compiler)?;
    let class_of_host = if host.is_none_or(|host| host.is_64) { "64" } else { "32" };
    let data_of_host = if host.is_some_and(|host| host.is_big) { "MSB" } else { "LSB" };
    let scripts = dir.join("scripts/mod");
    for (target, class, data) in TARGETS {
        write_offsets(dir, if own_layouts && class == "32" { "-m32" } else { "-m64" })?;
        let config = format!(
            "#define KERNEL_ELFCLASS ELFCLASS{class}\n#define KERNEL_ELFDATA ELFDATA2{data}\n\
             #define HOST_ELFCLASS ELFCLASS{class_of_host}\n#define HOST_ELFDATA ELFDATA2{data_of_host}\n"
        );
        fs::write(scripts.join("elfconfig.h"), config)?;
        let sources = ["modpost.c", "file2alias.c", "sumversion.c", "symsearch.c"];
        output(
            compiler()
                .args(["-I", "../include", "-I", "../../tools/include", "-I", ".", "-o"])
                .arg(dir.join(target.program()))
                .args(sources.iter().filter(|name| scripts.join(name).exists()))
                .args(arguments)
                .current_dir(&scripts),
        )?;
    }
    Ok(())
}

/// The sets of options that the kbuild of a kernel may give, by its name.
#[must_use]
pub fn variants(kernel: &str) -> Variants {
    let dialect = Dialect::named(kernel.as_bytes()).unwrap_or_else(|| Dialect::new(Version::DEFAULT));
    match (dialect.extended_versions, dialect.trim_option) {
        (true, _) => SINCE_6_14,
        (false, true) => SINCE_6_5,
        (false, false) => &[],
    }
}

impl Source {
    /// The kernel's version.
    #[must_use]
    pub fn version(&self) -> &str {
        self.package.upstream()
    }

    fn number(&self) -> Version {
        Version::parse(self.version().as_bytes()).unwrap_or(Version::DEFAULT)
    }

    fn compiled(&self) -> io::Result<PathBuf> {
        let host = host::current()?;
        let place = host.map_or("compiled".to_owned(), |host| format!("compiled-{}", host.name));
        cache::once(&format!("{place}/{}", self.version()), |dir| {
            let archive = self.package.download()?;
            extract(&archive, dir)?;
            fs::remove_file(archive)?;
            compile(dir, host, &[], false)
        })
    }

    /// The kernel with its original, for as long as the program runs.
    ///
    /// # Errors
    /// If the source can't be had or doesn't compile.
    pub fn kernel(&self) -> io::Result<&'static Kernel> {
        let dir = self.compiled()?;
        // As long as the program runs, like the kernels that have a package.
        let version: &'static str = self.version().to_owned().leak();
        let variants = variants(version);
        let release = version.rsplit_once('.').map_or(version, |(release, _)| release);
        Ok(Box::leak(Box::new(Kernel::compiled(version, release, variants, dir))))
    }
}
