//! Reading text files as the original does: whole, up to the first NUL.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use memchr::memchr;

use crate::diag::Fatal;

/// A path in the bytes it was given in.
#[must_use]
pub fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// The file's contents.
///
/// # Errors
/// The end of the run: the original goes no further if a text file that it
/// needs can't be read.
pub fn read(name: &[u8]) -> Result<Vec<u8>, Fatal> {
    let read = || {
        let file = File::open(path(name))?;
        // As much as fstat(2) tells: a pipe is as empty as it looks.
        let size = file.metadata()?.len();
        let mut text = Vec::with_capacity(usize::try_from(size).unwrap_or(0).min(1 << 26));
        file.take(size).read_to_end(&mut text)?;
        Ok(text)
    };
    let mut text = read().map_err(|error| Fatal::perror(name, &error))?;
    if let Some(end) = memchr(0, &text) {
        text.truncate(end);
    }
    Ok(text)
}

/// The lines of a text, without their ends. What follows the last newline is
/// a line only if it isn't empty.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").map_or(Some(text).filter(|text| !text.is_empty()), Some);
    text.into_iter().flat_map(|text| text.split(|&byte| byte == b'\n'))
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
