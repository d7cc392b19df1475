//! Writing files as make wants it: one that would not change is left alone.

use std::fs::{self, File};
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

/// A file that wasn't there and was written before its turn in the order of
/// outputs. Unless it is kept, it goes again.
#[derive(Debug)]
pub struct Early {
    name: Vec<u8>,
    kept: bool,
}

impl Early {
    /// Writes a file that isn't there. `None` if it can't be: whose turn it is
    /// will find out why.
    #[must_use]
    pub fn write(name: &[u8], contents: &[u8]) -> Option<Self> {
        let mut file = File::create_new(textfile::path(name)).ok()?;
        let early = Self { name: name.to_vec(), kept: false };
        file.write_all(contents).ok().map(|()| early)
    }

    /// Its turn has come.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Early {
    fn drop(&mut self) {
        if !self.kept {
            // Whoever could make it can remove it.
            let _ = fs::remove_file(textfile::path(&self.name));
        }
    }
}

/// Writes a file.
///
/// # Errors
/// The end of the run.
pub fn write(name: &[u8], contents: &[u8]) -> Result<(), Fatal> {
    let result = File::create(textfile::path(name)).and_then(|mut file| file.write_all(contents));
    result.map_err(|error| Fatal::perror(name, &error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn what_is_early_goes_unless_kept() {
        let path = std::env::temp_dir().join(format!("kbuild-rs-early-{}", std::process::id()));
        let name = path.as_os_str().as_bytes();
        drop(Early::write(name, b"a"));
        assert!(!path.exists());
        Early::write(name, b"b").expect("a file in the folder for temporary files").keep();
        assert!(Early::write(name, b"c").is_none());
        assert_eq!(fs::read(&path).ok(), Some(b"b".to_vec()));
        fs::remove_file(&path).expect("the file is there");
    }
}
