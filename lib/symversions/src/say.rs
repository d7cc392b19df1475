//! Messages, dumps and versions: kept in order, and where in the source they are.

use std::io::{self, Write};

use base::blocks::{BLOCK, Blocks};
use base::message::text;

/// What was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    /// `-w`: warnings.
    pub(crate) warnings: bool,
    /// `-d`: definitions, how often it was given.
    pub(crate) debug: u32,
    /// `-D`: what symbols consist of.
    pub(crate) dump: bool,
    /// `-p`: versions must not change.
    pub(crate) preserve: bool,
    /// `-R`: versions' places are relative.
    pub(crate) relative: bool,
}

/// Where messages and versions go.
pub(crate) struct Say<'a> {
    out: Blocks<'a>,
    /// Why versions are lost.
    lost: Option<io::Error>,
    err: &'a mut dyn Write,
    kept_err: Vec<u8>,
    pub(crate) wanted: Wanted,
    /// The file of the last line marker.
    pub(crate) file: Option<Vec<u8>>,
    /// The line, an `int` in the original.
    pub(crate) line: i32,
    /// Whether there was an error.
    pub(crate) failed: bool,
}

impl<'a> Say<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        let (kept_err, wanted) = (Vec::new(), Wanted::default());
        Self { out: Blocks::new(Some(out)), lost: None, err, kept_err, wanted, file: None, line: 1, failed: false }
    }

    /// Adds to standard error. What can't be written is lost, as in the original.
    pub(crate) fn err(&mut self, bytes: &[u8]) {
        self.kept_err.extend_from_slice(bytes);
        if self.kept_err.len() > BLOCK {
            self.flush_err();
        }
    }

    fn flush_err(&mut self) {
        let _ = self.err.write_all(&self.kept_err);
        self.kept_err.clear();
    }

    /// Adds to standard output.
    pub(crate) fn out(&mut self, bytes: &[u8]) {
        self.out.kept.extend_from_slice(bytes);
        if self.out.is_due() {
            self.flush_err();
            let written = self.out.write_blocks();
            self.lost = self.lost.take().or(written.err());
        }
    }

    /// Writes all.
    ///
    /// # Errors
    /// The first error of standard output. The original ignores it, and modules lose their
    /// versions. A closed standard output is no error to Rust's runtime, as to the original.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.flush_err();
        let written = self.out.finish();
        self.lost.take().map_or(written, Err)
    }

    /// The file and line, before a message.
    pub(crate) fn location(&mut self) {
        let file = self.file.as_deref().unwrap_or(b"<stdin>");
        let location = text!("{}:{}: ", file, self.line.to_string());
        self.err(&location);
    }

    /// An error, which is told and counts if warnings are wanted.
    pub(crate) fn error(&mut self, text: &[u8]) {
        if self.wanted.warnings {
            self.location();
            self.err(text);
            self.err(b"\n");
            self.failed = true;
        }
    }
}
