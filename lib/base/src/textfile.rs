//! Reading text files as the original does: whole, up to the first NUL.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use memchr::memchr;

use crate::message::Fatal;
use crate::read_buffer::ReadBuffer;

/// A path in the bytes it was given in.
#[must_use]
pub fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// How a file is opened: by `File::open`, as the original does, or by a function that
/// refuses some files.
pub type Open = fn(&Path) -> io::Result<File>;

/// Opens a file as the original does, which waits for the writer of a FIFO.
///
/// # Errors
/// It returns the errors of open(2).
pub fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// The file's contents.
///
/// # Errors
/// The end of the run: the original goes no further if a text file that it
/// needs can't be read.
pub fn read(name: &[u8]) -> Result<ReadBuffer, Fatal> {
    let mut text = ReadBuffer::default();
    read_into(name, open, &mut text)?;
    Ok(text)
}

/// Replaces `text` by the contents of a file that `open` opens.
///
/// # Errors
/// As for [`read`].
pub fn read_into(name: &[u8], open: Open, text: &mut ReadBuffer) -> Result<(), Fatal> {
    let read = open(path(name)).and_then(|file| text.read(&file));
    read.map_err(|error| Fatal::perror(name, error))?;
    if let Some(end) = memchr(0, text) {
        text.truncate(end);
    }
    Ok(())
}

/// The lines of a text, without their ends. What follows the last newline is
/// a line only if it isn't empty.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', rest);
        let line = &rest[..end.unwrap_or(rest.len())];
        rest = end.map_or(&[][..], |end| &rest[end + 1..]);
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn lines_end_in_newlines() {
        let collect = |text: &'static str| {
            lines(text.as_bytes()).map(|l| std::str::from_utf8(l).unwrap_or("?")).collect::<Vec<_>>()
        };
        assert_eq!(collect(""), [""; 0]);
        assert_eq!(collect("\n"), [""]);
        assert_eq!(collect("a"), ["a"]);
        assert_eq!(collect("a\n"), ["a"]);
        assert_eq!(collect("a\n\nb\n"), ["a", "", "b"]);
    }
}
