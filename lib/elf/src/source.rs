//! Where an object's bytes come from.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// `EINVAL`: what mmap(2), by which the originals read, says of an empty file.
const EINVAL: i32 = 22;
/// `ENODEV`: what mmap(2) says of a folder.
const ENODEV: i32 = 19;

/// An object's bytes: a file that is read piece by piece where needed, or
/// memory (a decompressed module).
#[derive(Debug)]
pub enum Source {
    /// A file and its size when it was opened.
    File(File, u64),
    /// The whole object.
    Memory(Vec<u8>),
}

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    /// Those of open(2) and fstat(2), and, since users grep for them, the
    /// ones of the original's mmap(2): `EINVAL` for an empty file, `ENODEV`
    /// for a folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from_raw_os_error(ENODEV));
        }
        if metadata.len() == 0 {
            return Err(io::Error::from_raw_os_error(EINVAL));
        }
        Ok(Self::File(file, metadata.len()))
    }

    /// The size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::File(_, size) => *size,
            Self::Memory(bytes) => bytes.len() as u64,
        }
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
    pub fn read_at(&self, offset: u64, bytes: &mut [u8]) -> bool {
        match self {
            Self::File(file, _) => file.read_exact_at(bytes, offset).is_ok(),
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
