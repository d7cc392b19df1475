//! Standard streams that the caller closed. `../streams.c` puts something in their place.

use std::io::{self, Stdout, Write};
use std::os::fd::AsFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// What write(2) says of a stream that is closed.
pub(crate) const EBADF: i32 = 9;

/// Standard output. If it is closed or can't be written, each write fails, where Rust's
/// own standard output ignores that.
#[derive(Debug)]
pub struct Output(Option<Stdout>);

impl Output {
    /// That of this program.
    #[must_use]
    pub fn new() -> Self {
        let stdout = io::stdout();
        let is_read_only = access(&stdout).is_some_and(|flags| flags & OFlag::O_ACCMODE == OFlag::O_RDONLY);
        Self((!is_read_only).then_some(stdout))
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_mut().map_or_else(|| Err(io::Error::from_raw_os_error(EBADF)), |stdout| stdout.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// The flags that a stream was opened with.
fn access(stream: impl AsFd) -> Option<OFlag> {
    fcntl(stream, FcntlArg::F_GETFL).ok().map(OFlag::from_bits_retain)
}

/// Whether standard output was closed when the program began.
#[must_use]
pub fn was_output_closed() -> bool {
    let flags = access(io::stdout()).map(|flags| flags & (OFlag::O_ACCMODE | OFlag::O_APPEND));
    flags == Some(OFlag::O_RDONLY | OFlag::O_APPEND)
}

/// Whether standard input can be read. Rust's own seems to be empty if it can't.
#[must_use]
pub fn is_input_readable() -> bool {
    access(io::stdin()).is_none_or(|flags| flags & OFlag::O_ACCMODE != OFlag::O_WRONLY)
}
