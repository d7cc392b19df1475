//! The source, read as it is needed: of some megabytes, the parser looks at a line or a
//! function at a time.

use std::io::{ErrorKind, Read};

use memchr::memrchr;

use crate::symbols::MOST_NAMES;
use crate::undefined::Stopped;

/// How much is read at once: what a pipe holds.
const BLOCK: usize = 1 << 16;

/// A part of the source.
pub(crate) struct Input<'a> {
    /// `None` if it is closed.
    reader: Option<&'a mut dyn Read>,
    bytes: Vec<u8>,
    /// How many of the bytes were read.
    filled: usize,
    /// The end of the last line that was read whole.
    end: usize,
    /// How much of the source comes before this part.
    before: usize,
    /// The source ends here.
    is_last: bool,
}

impl<'a> Input<'a> {
    pub(crate) fn new(reader: Option<&'a mut dyn Read>) -> Self {
        Self { reader, bytes: Vec::new(), filled: 0, end: 0, before: 0, is_last: false }
    }

    /// Whole lines; at the end of the source, all that is left.
    pub(crate) fn text(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// Whether the source ends where the text does.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Where a place of the text is in the source.
    pub(crate) fn position(&self, at: usize) -> u32 {
        (self.before + at) as u32
    }

    /// Where a position in the source is in the text.
    pub(crate) fn place(&self, position: u32) -> usize {
        position as usize - self.before
    }

    /// Reads at least another line, and gives up what comes before a place, which is the
    /// text's first then.
    pub(crate) fn read(&mut self, keep: usize) -> Result<(), Stopped> {
        self.bytes.copy_within(keep..self.filled, 0);
        self.filled -= keep;
        self.end -= keep;
        self.before += keep;
        // What is kept is scanned again: with twice as much each time, that takes no longer
        // than the source is.
        let (whole, enough) = (self.end, 2 * self.filled);
        while !self.is_last && (self.end == whole || self.filled < enough) {
            self.bytes.resize(self.bytes.len().max(self.filled + BLOCK), 0);
            let begin = self.filled;
            self.filled += self.read_block()?;
            self.is_last = self.filled == begin;
            if self.before + self.filled >= MOST_NAMES {
                return Err(Stopped::TooLarge);
            }
            match memrchr(b'\n', &self.bytes[begin..self.filled]) {
                Some(line) => self.end = begin + line + 1,
                None if self.is_last => self.end = self.filled,
                None => {}
            }
        }
        Ok(())
    }

    /// Reads behind what was read; returns how much, which is nothing at the end.
    fn read_block(&mut self) -> Result<usize, Stopped> {
        let reader = self.reader.as_mut().ok_or(Stopped::Unreadable)?;
        loop {
            match reader.read(&mut self.bytes[self.filled..]) {
                Ok(length) => return Ok(length),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Stopped::Unreadable),
            }
        }
    }
}
