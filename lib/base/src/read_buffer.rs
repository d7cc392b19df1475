//! Memory that files are read into.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::ops::{Deref, DerefMut};

/// What a system call says when there is no memory, `ENOMEM`.
#[must_use]
pub fn no_memory() -> io::Error {
    io::Error::from_raw_os_error(12)
}

/// A processor's cache line, in bytes.
const LINE: usize = 64;

/// The most memory allocated for a file before any of it has been read, in bytes.
const MAX_BELIEVED: usize = 1 << 26;

/// Bytes whose first is the first of a cache line, in memory that is kept for the next
/// file.
///
/// The C library begins what is large 16 bytes after a page, and the page cache has a
/// file from a page's first byte on. Between two such places the kernel copies at half
/// the speed on some processors (AMD's Zen 3 and 4: glibc's bug 30994).
#[derive(Debug, Default)]
pub struct ReadBuffer {
    /// More than is in use; never shrinks.
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl ReadBuffer {
    /// Forgets the contents.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Forgets what follows the first bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Makes it so long. What it has stays; what is new has any value.
    ///
    /// # Errors
    /// `ENOMEM` if there is no memory for it.
    pub fn resize(&mut self, len: usize) -> io::Result<()> {
        let wanted = len.checked_add(LINE).ok_or_else(no_memory)?;
        if let Some(lacking @ 1..) = wanted.checked_sub(self.memory.len()) {
            self.memory.try_reserve(lacking).map_err(|_| no_memory())?;
            self.memory.resize(wanted, 0);
        }
        if self.len == 0 {
            self.start = self.memory.as_ptr().align_offset(LINE) % LINE;
        }
        self.len = len;
        Ok(())
    }

    /// Replaces the contents by the file's: as much as fstat(2) says, to which a pipe is
    /// empty.
    ///
    /// # Errors
    /// Those of fstat(2) and read(2), and `ENOMEM` if there is no memory for it.
    pub fn read(&mut self, mut file: &File) -> io::Result<()> {
        let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let mut len = 0;
        self.clear();
        while len < size {
            self.resize(size.min(len + MAX_BELIEVED))?;
            match file.read(&mut self[len..]) {
                Ok(0) => break,
                Ok(read) => len += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.truncate(len);
        Ok(())
    }
}

impl Deref for ReadBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl DerefMut for ReadBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_cache() -> io::Result<()> {
        let mut buffer = ReadBuffer::default();
        assert!(buffer.is_empty());
        for len in [1, 100, 1 << 20, 5, 3 << 20] {
            buffer.clear();
            buffer.resize(len)?;
            assert_eq!((buffer.len(), buffer.as_ptr().align_offset(LINE)), (len, 0));
        }
        Ok(())
    }

    #[test]
    fn contents_stay() -> io::Result<()> {
        let mut buffer = ReadBuffer::default();
        buffer.resize(3)?;
        buffer.copy_from_slice(b"abc");
        buffer.resize(1 << 20)?;
        assert_eq!(buffer[..3], *b"abc");
        buffer.truncate(2);
        assert_eq!(*buffer, *b"ab");
        assert!(buffer.resize(usize::MAX).is_err());
        assert!(buffer.resize(usize::MAX / 4).is_err());
        assert_eq!(*buffer, *b"ab");
        Ok(())
    }
}
