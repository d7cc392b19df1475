//! What stdio keeps until it has a block: how much of an output is written, and when,
//! shows where it can't be written or is mixed with another.

use std::io::{self, Write};

use crate::streams::EBADF;

/// How many bytes stdio keeps: `st_blksize` of pipes and of most files.
pub const BLOCK: usize = 4096;
/// How many it keeps of a stream that is closed: `BUFSIZ`.
const BLOCK_IF_CLOSED: usize = 8192;

/// A stream that is written by blocks.
pub struct Blocks<'a> {
    to: Option<&'a mut dyn Write>,
    /// What was not written yet.
    pub kept: Vec<u8>,
}

impl<'a> Blocks<'a> {
    /// Nothing, for a stream that may be closed.
    #[must_use]
    pub fn new(to: Option<&'a mut dyn Write>) -> Self {
        Self { to, kept: Vec::new() }
    }

    fn block(&self) -> usize {
        if self.to.is_some() { BLOCK } else { BLOCK_IF_CLOSED }
    }

    /// Whether stdio would have written something by now.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.kept.len() > self.block()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let to = self.to.as_mut().ok_or_else(|| io::Error::from_raw_os_error(EBADF))?;
        to.write_all(bytes)?;
        to.flush()
    }

    /// Writes all whole blocks.
    ///
    /// # Errors
    /// If they can't be written. They are lost then.
    pub fn write_blocks(&mut self) -> io::Result<()> {
        let rest = self.kept.split_off(self.kept.len() / self.block() * self.block());
        let blocks = std::mem::replace(&mut self.kept, rest);
        self.write(&blocks)
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn finish(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.kept);
        self.write(&rest)
    }
}
