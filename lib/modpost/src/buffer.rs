//! The buffer that `.mod.c`, `Module.symvers` and their like are made in.

use base::message::{Fatal, text};
use memchr::memchr;

use crate::kind;

/// The size of the original's scratch buffer for one formatted piece.
const SZ: usize = 500;

/// Bytes to be written to a file, with the manners of the original's
/// `buf_printf()` and `buf_write()` (`scripts/mod/modpost.c`): a formatted
/// piece of 500 bytes or more is cut to 499 and padded with NULs to its
/// length, and whatever is copied is copied up to its first NUL and padded
/// likewise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buffer {
    bytes: Vec<u8>,
    cut: Option<CutLine>,
}

/// A formatted piece that was too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutLine {
    /// The part that is kept.
    kept: Vec<u8>,
    /// How long it was.
    len: usize,
}

impl CutLine {
    /// What is kept of the pieces as one formatted piece, if they are too long.
    #[must_use]
    pub fn of(pieces: &[&[u8]]) -> Option<Self> {
        let len = pieces.iter().map(|piece| piece.len()).sum();
        (len >= SZ).then(|| {
            let mut kept = pieces.concat();
            kept.truncate(SZ - 1);
            Self { kept, len }
        })
    }

    /// The error that later kernels end with.
    #[must_use]
    pub fn fatal(&self) -> Fatal {
        let text = text!(
            "buf_printf output truncated for string {}: {} bytes needed, {} available\n",
            self.kept,
            (self.len + 1).to_string(),
            SZ.to_string()
        );
        Fatal::new(kind::LINE_TOO_LONG, text)
    }
}

impl Buffer {
    /// An empty buffer with room for so many bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), cut: None }
    }

    /// Appends the pieces as one formatted piece, as `buf_printf()` does.
    pub fn format(&mut self, pieces: &[&[u8]]) {
        let start = self.bytes.len();
        for piece in pieces {
            self.bytes.extend_from_slice(piece);
        }
        if let Some(cut) = CutLine::of(pieces) {
            self.cut.get_or_insert(cut);
            self.bytes[start + SZ - 1..].fill(0);
        }
    }

    /// Appends another buffer's bytes, as `buf_write()` does.
    pub fn write(&mut self, bytes: &[u8]) {
        let end = memchr(0, bytes).unwrap_or(bytes.len());
        self.bytes.extend_from_slice(&bytes[..end]);
        self.bytes.resize(self.bytes.len() + bytes.len() - end, 0);
    }

    /// The first piece that was cut.
    #[must_use]
    pub const fn cut(&self) -> Option<&CutLine> {
        self.cut.as_ref()
    }

    /// What is in the buffer.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_pieces_are_cut_and_padded() {
        let mut buffer = Buffer::default();
        buffer.format(&[&[b'a'; 400], &[b'b'; 99]]);
        assert!(!buffer.bytes().contains(&0));
        let mut buffer = Buffer::default();
        buffer.format(&[&[b'a'; 400], &[b'b'; 101]]);
        assert_eq!(buffer.bytes()[498..], [b'b', 0, 0]);
        let mut copy = Buffer::default();
        copy.write(b"a\0b");
        assert_eq!(copy.bytes(), b"a\0\0");
    }
}
