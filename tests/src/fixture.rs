//! Small sources of our own, compiled into real objects when the tests run.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// The directory of fixture sources.
#[must_use]
pub fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
}

/// Every object that was made: kernels' cases are made of the same ones.
static MADE: Mutex<BTreeMap<String, Vec<u8>>> = Mutex::new(BTreeMap::new());

fn compile(command: &mut Command, source: &[u8]) -> io::Result<Vec<u8>> {
    let name = format!("{command:?} {}", source.escape_ascii());
    if let Some(object) = MADE.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
        return Ok(object.clone());
    }
    let object = compile_anew(command, source)?;
    MADE.lock().unwrap_or_else(PoisonError::into_inner).insert(name, object.clone());
    Ok(object)
}

fn compile_anew(command: &mut Command, source: &[u8]) -> io::Result<Vec<u8>> {
    let dir = tempfile::tempdir()?;
    let object = dir.path().join("fixture.o");
    let mut child =
        command.arg("-o").arg(&object).current_dir(directory()).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(source)?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))));
    }
    std::fs::read(object)
}

/// An object from assembler source.
///
/// # Errors
/// If it doesn't assemble.
pub fn assemble(source: &str) -> io::Result<Vec<u8>> {
    assemble_for("--64", source)
}

/// The same, of a class: `--64`, or `--32`, whose relocations have no addends.
///
/// # Errors
/// As for [`assemble`].
pub fn assemble_for(class: &str, source: &str) -> io::Result<Vec<u8>> {
    compile(Command::new("as").args([class, "-"]), source.as_bytes())
}

/// An object from a C source in the directory of fixtures.
///
/// # Errors
/// If it doesn't compile.
pub fn compile_c(name: &str, flags: &[&str]) -> io::Result<Vec<u8>> {
    let base = ["-c", "-O1", "-std=gnu11", "-fno-pic", "-fno-asynchronous-unwind-tables", "-w"];
    compile(Command::new("gcc").args(base).args(flags).arg(name), b"")
}
