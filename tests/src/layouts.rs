//! Device-id structures as compilers lay them out: the kernels' own headers,
//! compiled for a machine of each class of alignment, against our description.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use elf::arch::Abi;
use kbuild_rs_debian::{Found, Unavailable};
use modpost::alias::TABLES;
use modpost::alias::layout::Layout;
use modpost::dialect::Dialect;

use crate::command::output;
use crate::needs;
use crate::original::Kernel;

/// A compiler, and the ABI that it is for.
#[derive(Debug)]
pub struct Compiler {
    /// What it is called in reports.
    pub name: &'static str,
    command: &'static [&'static str],
    /// The package that has it.
    package: &'static str,
    abi: Abi,
}

/// One for each class of alignment.
pub static COMPILERS: &[Compiler] = &[
    Compiler { name: "LP64", command: &["gcc", "-m64"], package: "gcc", abi: Abi { word: 8, max_align: 8 } },
    Compiler { name: "ILP32", command: &["gcc", "-m32"], package: "gcc", abi: Abi { word: 4, max_align: 4 } },
    Compiler {
        name: "m68k",
        command: &["m68k-linux-gnu-gcc"],
        package: "gcc-m68k-linux-gnu",
        abi: Abi { word: 4, max_align: 2 },
    },
];

/// What the header wants to be there when it is not compiled for the kernel.
const PRELUDE: &str = "typedef unsigned char __u8; typedef unsigned short __u16; typedef unsigned int __u32;
typedef unsigned long kernel_ulong_t;
typedef struct { __u8 b[16]; } guid_t, uuid_t, uuid_le;
#define UUID_STRING_LEN 36
#define BITS_PER_LONG (8 * (int)sizeof(long))
";

/// Headers that it includes, for which empty files will do.
const STUBS: &[&str] = &["linux/mei.h", "linux/mei_uuid.h", "linux/types.h", "linux/uuid.h"];

/// The package with a kernel's headers.
///
/// # Errors
/// If the archive can't be reached or doesn't have it.
pub fn package(kernel: &Kernel) -> Result<Found, Unavailable> {
    kernel.package("linux-headers-*-common", "amd64")
}

/// The directory of a kernel's headers.
///
/// # Errors
/// If their package can't be had.
pub fn headers(kernel: &Kernel) -> io::Result<PathBuf> {
    let package = package(kernel)?.unpacked()?;
    for entry in fs::read_dir(package.join("usr/src"))? {
        let include = entry?.path().join("include");
        if include.join("linux/mod_devicetable.h").exists() {
            return Ok(include);
        }
    }
    Err(io::Error::other(format!("{}: no mod_devicetable.h", package.display())))
}

fn program(dialect: &Dialect) -> String {
    let abi = Abi { word: 8, max_align: 8 };
    let mut source = String::from("#include <linux/mod_devicetable.h>\nvoid f(void) {\n");
    for table in TABLES.iter().filter(|table| table.is_known(dialect)) {
        let name = table.structure.name;
        let _ = writeln!(source, "asm volatile(\"\\n->SIZE_{name} %0\" : : \"i\"(sizeof(struct {name})));");
        for place in Layout::new(table.structure, abi, dialect, None).places {
            let field = place.name;
            let _ = writeln!(
                source,
                "asm volatile(\"\\n->OFF_{name}_{field} %0\" : : \"i\"(__builtin_offsetof(struct {name}, {field})));"
            );
        }
    }
    source + "}\n"
}

/// Writes what a kernel's headers want of others, in a directory `stubs`, which is
/// returned, and a `prelude.h`.
///
/// # Errors
/// If it can't be written.
pub fn write_stubs(dir: &Path) -> io::Result<PathBuf> {
    let stubs = dir.join("stubs");
    for stub in STUBS {
        let path = stubs.join(stub);
        fs::create_dir_all(path.parent().unwrap_or(&stubs))?;
        fs::write(path, "")?;
    }
    fs::write(dir.join("prelude.h"), PRELUDE)?;
    Ok(stubs)
}

/// Compiles the header; returns sizes and offsets by name.
fn compiled(compiler: &Compiler, include: &Path, dialect: &Dialect) -> io::Result<BTreeMap<String, usize>> {
    let dir = tempfile::tempdir()?;
    write_stubs(dir.path())?;
    fs::write(dir.path().join("layout.c"), program(dialect))?;
    let (gcc, flags) = (compiler.command[0], &compiler.command[1..]);
    output(
        Command::new(gcc)
            .args(flags)
            .args(["-w", "-S", "-o", "layout.s", "-nostdinc", "-I", "stubs", "-include", "prelude.h", "-I"])
            .arg(include)
            .arg("layout.c")
            .current_dir(dir.path()),
    )?;
    let assembler = fs::read_to_string(dir.path().join("layout.s"))?;
    let value = |line: &str| {
        let (name, number) = line.strip_prefix("->")?.split_once(' ')?;
        // Immediates begin with the machine's own sign.
        Some((name.to_owned(), number.trim_start_matches(['$', '#']).trim().parse().ok()?))
    };
    Ok(assembler.lines().filter_map(value).collect())
}

impl Compiler {
    /// Whether it is installed.
    ///
    /// # Errors
    /// If it isn't.
    pub fn available(&self) -> io::Result<()> {
        needs::program(self.command[0], self.package)
    }
}

/// Compares every structure of a kernel; returns how many numbers agree, and
/// what differs.
///
/// # Errors
/// If the compiler can't be run.
pub fn compare(kernel: &Kernel, headers: &Path, compiler: &Compiler) -> io::Result<(usize, String)> {
    let dialect = kernel.dialect();
    let found = compiled(compiler, headers, &dialect)?;
    let mut expected = BTreeMap::new();
    for table in TABLES.iter().filter(|table| table.is_known(&dialect)) {
        let name = table.structure.name;
        let layout = Layout::new(table.structure, compiler.abi, &dialect, None);
        expected.insert(format!("SIZE_{name}"), layout.size);
        for place in layout.places {
            expected.insert(format!("OFF_{name}_{}", place.name), place.offset);
        }
    }
    let mut report = String::new();
    let mut agreeing = 0;
    for (name, ours) in &expected {
        match found.get(name) {
            Some(theirs) if theirs == ours => agreeing += 1,
            theirs => report += &format!("  {name}: the compiler has {theirs:?}, we have {ours}\n"),
        }
    }
    Ok((agreeing, report))
}
