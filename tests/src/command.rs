//! Programs that have to succeed.

use std::io;
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
