//! Writing files as make wants it: one that would not change is left alone.

use std::fs::File;
use std::io::{self, Read, Write};

use crate::diag::Fatal;
use crate::textfile;

/// Whether the file has these contents already. `old` is where they are read.
#[must_use]
pub fn is_current(name: &[u8], contents: &[u8], old: &mut Vec<u8>) -> bool {
    let mut same = || -> io::Result<bool> {
        let mut file = File::open(textfile::path(name))?;
        if file.metadata()?.len() != contents.len() as u64 {
            return Ok(false);
        }
        old.resize(contents.len(), 0);
        file.read_exact(old)?;
        Ok(old == contents)
    };
    same().unwrap_or(false)
}

/// Writes a file.
///
/// # Errors
/// The end of the run.
pub fn write(name: &[u8], contents: &[u8]) -> Result<(), Fatal> {
    let result = File::create(textfile::path(name)).and_then(|mut file| file.write_all(contents));
    result.map_err(|error| Fatal::perror(name, &error))
}
