//! Where an object's bytes come from.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// `EINVAL`: what mmap(2), by which the originals read, says of an empty file.
const EINVAL: i32 = 22;
/// `ENODEV`: what mmap(2) says of a directory.
const ENODEV: i32 = 19;

/// An object's bytes: a file that is read piece by piece where needed, or
/// memory (a decompressed module).
///
/// As with a `FILE` of stdio, reading says only whether it succeeded, and
/// [`Source::check`] whether it was the system that failed: see that nobody
/// takes what couldn't be read for something that isn't there.
#[derive(Debug)]
pub enum Source {
    /// A file.
    File(ObjectFile),
    /// The whole object.
    Memory(Vec<u8>),
}

/// An object's file.
#[derive(Debug)]
pub struct ObjectFile {
    file: File,
    /// Its size when it was opened, in bytes.
    size: u64,
    /// The first read error.
    failure: Mutex<Option<Error>>,
}

impl ObjectFile {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> bool {
        match self.file.read_exact_at(bytes, offset) {
            Ok(()) => true,
            Err(error) => {
                let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert(Error::Unreadable { offset, error });
                false
            }
        }
    }
}

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    /// Those of open(2) and fstat(2), and, since users grep for them, the
    /// ones of the original's mmap(2): `EINVAL` for an empty file, `ENODEV`
    /// for a directory.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::of(File::open(path)?)
    }

    /// Reads from a file that is open.
    ///
    /// # Errors
    /// It returns the errors of fstat(2), and `EINVAL` or `ENODEV` as [`Source::open`] does.
    pub fn of(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from_raw_os_error(ENODEV));
        }
        if metadata.len() == 0 {
            return Err(io::Error::from_raw_os_error(EINVAL));
        }
        Ok(Self::File(ObjectFile { file, size: metadata.len(), failure: Mutex::new(None) }))
    }

    /// The size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::File(file) => file.size,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Checks that the system failed no read, reads past the end of the file
    /// aside.
    ///
    /// # Errors
    /// The first read error since the last check.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::File(file) => {
                let failure = file.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
                failure.map_or(Ok(()), Err)
            }
            Self::Memory(_) => Ok(()),
        }
    }

    /// A result, unless the system failed a read.
    ///
    /// # Errors
    /// Those of [`Source::check`], and then the result's.
    pub fn checked<T>(&self, result: Result<T>) -> Result<T> {
        self.check()?;
        result
    }

    /// Replaces `buffer` by the `len` bytes at `offset`. `false` if the
    /// source ends before, or can't be read there, or there is no memory.
    pub fn read_exact(&self, offset: u64, len: u64, buffer: &mut Vec<u8>) -> bool {
        buffer.clear();
        if offset.checked_add(len).is_none_or(|end| end > self.size()) {
            return false;
        }
        let Ok(len) = usize::try_from(len) else {
            return false;
        };
        if buffer.try_reserve(len).is_err() {
            return false;
        }
        buffer.resize(len, 0);
        self.read_at(offset, buffer)
    }

    /// Fills `bytes` from `offset` on. `false` if the source ends before, or
    /// can't be read there.
    pub(crate) fn read_at(&self, offset: u64, bytes: &mut [u8]) -> bool {
        match self {
            Self::File(file) => file.read_at(offset, bytes),
            Self::Memory(memory) => {
                let rest = usize::try_from(offset).ok().and_then(|offset| memory.get(offset..));
                let Some(read) = rest.and_then(|rest| rest.get(..bytes.len())) else {
                    return false;
                };
                bytes.copy_from_slice(read);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_are_kept() -> io::Result<()> {
        // Reading a directory is EISDIR.
        let file = ObjectFile { file: File::open("/")?, size: 100, failure: Mutex::new(None) };
        let source = Source::File(file);
        let mut buffer = Vec::new();
        assert!(!source.read_exact(90, 20, &mut buffer));
        assert!(source.check().is_ok());
        assert!(!source.read_exact(10, 20, &mut buffer));
        assert!(!source.read_exact(20, 20, &mut buffer));
        let Err(Error::Unreadable { offset: 10, error }) = source.check() else {
            return Err(io::Error::other("another error"));
        };
        assert_eq!(error.raw_os_error(), Some(21));
        assert!(source.check().is_ok());
        Ok(())
    }
}
