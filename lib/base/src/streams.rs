//! Standard streams that the caller closed.

use std::fs::{self, File};
use std::io::{self, Stdout, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// The device number of `/dev/null`.
const NULL: u64 = 1 << 8 | 3;
/// How it is opened for reading and writing (`O_RDWR`).
const READ_AND_WRITE: u64 = 2;

/// What write(2) says of a stream that is closed.
pub(crate) const EBADF: i32 = 9;

/// Standard output. If the caller closed it, nothing can be written to it.
#[derive(Debug)]
pub struct Output(Option<Stdout>);

impl Output {
    /// That of this program.
    #[must_use]
    pub fn new() -> Self {
        let stdout = io::stdout();
        Self((!was_closed(&stdout)).then_some(stdout))
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

/// Whether a standard stream was closed when the program began. Rust's runtime puts
/// `/dev/null` there, opened for reading and writing, where a shell opens it for one
/// of them.
#[must_use]
pub fn was_closed(stream: impl AsFd) -> bool {
    let stream = stream.as_fd();
    let metadata = stream.try_clone_to_owned().and_then(|file| File::from(file).metadata());
    if !metadata.is_ok_and(|metadata| metadata.file_type().is_char_device() && metadata.rdev() == NULL) {
        return false;
    }
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", stream.as_raw_fd())).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    flags.and_then(|flags| u64::from_str_radix(flags.trim(), 8).ok()).is_some_and(|flags| flags & 3 == READ_AND_WRITE)
}
