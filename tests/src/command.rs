//! Programs that have to succeed.

use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

fn failed(command: &Command, status: ExitStatus, said: &[u8]) -> io::Error {
    io::Error::other(format!("{command:?}: {status} {}", String::from_utf8_lossy(said)))
}

/// Runs a program; returns what it wrote to standard output.
///
/// # Errors
/// If it can't be run or fails, with what it said.
pub fn output(command: &mut Command) -> io::Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() { Ok(output.stdout) } else { Err(failed(command, output.status, &output.stderr)) }
}

/// Runs a program that shows what it does on standard error.
///
/// # Errors
/// If it can't be run or fails.
pub fn run(command: &mut Command) -> io::Result<()> {
    let status = command.stdout(io::stderr()).status()?;
    if status.success() { Ok(()) } else { Err(failed(command, status, b"")) }
}

/// Writes a program that this process may then run. Another process writes it: what
/// one of our threads has open for writing, no other can run.
///
/// # Errors
/// If it can't be written.
pub fn write_executable(path: &Path, text: &str) -> io::Result<()> {
    let write = ["-c", "printf '%s' \"$1\" >\"$0\" && chmod 755 \"$0\""];
    output(Command::new("sh").args(write).arg(path).arg(text)).map(drop)
}

/// Copies a directory with all modes and times.
///
/// # Errors
/// If that fails.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    run(Command::new("cp").args(["-a", "--reflink=auto"]).args([from, to]))
}
