//! Programs that comparisons take and that a machine may not have.

use std::io;
use std::process::{Command, Stdio};

/// Whether a program is installed.
///
/// # Errors
/// If it isn't: which package has it.
pub fn program(name: &str, package: &str) -> io::Result<()> {
    let found = Command::new(name).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).status();
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(io::Error::other(format!("{name} is not installed: it is in Debian's package {package}")))
        }
        other => other.map(drop),
    }
}
