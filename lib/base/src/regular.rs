//! Files that belong to somebody else, opened so that nobody can make the program
//! wait or fill the memory.
//!
//! This module reads regular files only. A FIFO makes open(2) wait for a writer, a device such as
//! `/dev/zero` has no end, and a sparse file of gigabytes costs its owner nothing. All of
//! them are refused at once, by what fstat(2) reports for the handle that is read from.
//!
//! The drop-ins open their files with [`textfile`](crate::textfile) instead, because they
//! have to treat special files as the original programs do.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::read_buffer::no_memory;

/// Why a file is refused that the system would open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is something other than a regular file, such as `a FIFO`.
    Special(&'static str),
    /// It holds more bytes than this limit.
    TooLarge(u64),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Special(what) => write!(f, "is {what}, not a regular file"),
            Self::TooLarge(limit) => write!(f, "is larger than the limit of {}", size(*limit)),
        }
    }
}

impl Error for Refusal {}

impl Refusal {
    /// The refusal that an error holds; `None` for an error of the system.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::Special("a directory") => ErrorKind::IsADirectory,
            Refusal::Special(_) => ErrorKind::InvalidInput,
            Refusal::TooLarge(_) => ErrorKind::FileTooLarge,
        };
        Self::new(kind, refusal)
    }
}

/// The words for a number of bytes, in the largest unit that divides it.
fn size(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.iter().find(|(shift, _)| bytes > 0 && bytes.trailing_zeros() >= *shift);
    unit.map_or_else(|| format!("{bytes} bytes"), |(shift, unit)| format!("{} {unit}", bytes >> shift))
}

/// The test for a file type, and the type's name.
type Named = (fn(&FileType) -> bool, &'static str);

/// File types that are never read.
const SPECIAL: &[Named] = &[
    (FileType::is_dir, "a directory"),
    (FileTypeExt::is_fifo, "a FIFO"),
    (FileTypeExt::is_char_device, "a character device"),
    (FileTypeExt::is_block_device, "a block device"),
    (FileTypeExt::is_socket, "a socket"),
];

/// The name of a file type that is never read; `None` for a regular file.
fn special(file_type: FileType) -> Option<&'static str> {
    if file_type.is_file() {
        return None;
    }
    Some(SPECIAL.iter().find(|(is_type, _)| is_type(&file_type)).map_or("a special file", |(_, name)| name))
}

/// Checks that metadata describes a regular file. Files in `/proc` and `/sys` are regular
/// files of size 0.
///
/// # Errors
/// The [`Refusal`], for anything but a regular file.
pub fn check(metadata: &Metadata) -> io::Result<()> {
    special(metadata.file_type()).map_or(Ok(()), |what| Err(Refusal::Special(what).into()))
}

/// Opens a regular file for reading. Symbolic links are followed.
///
/// # Errors
/// It returns the errors of stat(2) and open(2), and a [`Refusal`] for anything but a
/// regular file.
pub fn open(path: &Path) -> io::Result<File> {
    // Opening a device can act on it: a tape is rewound, a watchdog is started. A device
    // that takes the file's place after this check is opened, but nothing is read from it.
    check(&fs::metadata(path)?)?;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    // The flags of open(2) are an `int`, and each is below 2^31.
    let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// Opens a regular file of at most `limit` bytes for reading.
///
/// # Errors
/// It returns the errors of [`open`], and a [`Refusal`] for a file that is larger.
pub fn open_limited(path: &Path, limit: u64) -> io::Result<File> {
    let file = open(path)?;
    check_size(file.metadata()?.len(), limit)?;
    Ok(file)
}

/// Reads a whole regular file of at most `limit` bytes.
///
/// # Errors
/// It returns the errors of [`open`] and [`read_handle`].
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_handle(&open(path)?, limit)
}

/// Reads the rest of an open regular file of at most `limit` bytes. A file that grows
/// while it is read is refused as soon as it passes the limit.
///
/// # Errors
/// It returns the errors of fstat(2) and read(2), `ENOMEM` if there is no memory for the
/// contents, and a [`Refusal`] for a file that is larger or isn't regular.
pub fn read_handle(file: &File, limit: u64) -> io::Result<Vec<u8>> {
    let metadata = file.metadata()?;
    check(&metadata)?;
    check_size(metadata.len(), limit)?;
    let mut bytes = Vec::new();
    // One more byte, so that the end is found without more memory.
    let expected = usize::try_from(metadata.len()).map_err(|_| no_memory())?;
    bytes.try_reserve_exact(expected.saturating_add(1)).map_err(|_| no_memory())?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    check_size(bytes.len() as u64, limit)?;
    Ok(bytes)
}

/// Checks a size in bytes against a limit.
///
/// # Errors
/// The [`Refusal`] of a file that is larger.
pub fn check_size(size: u64, limit: u64) -> io::Result<()> {
    if size > limit { Err(Refusal::TooLarge(limit).into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn words<T>(result: io::Result<T>) -> (Option<ErrorKind>, String) {
        result.map_or_else(|error| (Some(error.kind()), error.to_string()), |_| (None, String::new()))
    }

    #[test]
    fn only_regular_files_are_opened() -> io::Result<()> {
        let dir = std::env::temp_dir().join(format!("kbuild-rs-regular-{}", std::process::id()));
        fs::create_dir(&dir)?;
        let [socket, fifo, link] = ["socket", "fifo", "link"].map(|name| dir.join(name));
        let _listener = UnixListener::bind(&socket)?;
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR)?;
        std::os::unix::fs::symlink(&fifo, &link)?;
        let refused = |path: &Path| words(open(path));
        let invalid = |text: &str| (Some(ErrorKind::InvalidInput), text.to_owned());
        assert_eq!(refused(&fifo), invalid("is a FIFO, not a regular file"));
        assert_eq!(refused(&link), invalid("is a FIFO, not a regular file"));
        assert_eq!(refused(&socket), invalid("is a socket, not a regular file"));
        assert_eq!(refused(Path::new("/dev/zero")), invalid("is a character device, not a regular file"));
        assert_eq!(refused(&dir), (Some(ErrorKind::IsADirectory), "is a directory, not a regular file".into()));
        assert_eq!(refused(&dir.join("none")).0, Some(ErrorKind::NotFound));
        let refusal = |path: &Path| open(path).err().and_then(|error| Refusal::of(&error).cloned());
        assert_eq!((refusal(&fifo), refusal(&dir.join("none"))), (Some(Refusal::Special("a FIFO")), None));
        fs::remove_dir_all(&dir)
    }

    #[test]
    fn large_files_are_refused_before_they_are_read() -> io::Result<()> {
        let path = std::env::temp_dir().join(format!("kbuild-rs-regular-size-{}", std::process::id()));
        fs::write(&path, b"12345")?;
        assert_eq!(read(&path, 5)?, b"12345");
        assert_eq!(
            words(read(&path, 4)),
            (Some(ErrorKind::FileTooLarge), "is larger than the limit of 4 bytes".into())
        );
        File::create(&path)?.set_len(1 << 40)?;
        assert_eq!(words(read(&path, 3 << 20)).1, "is larger than the limit of 3 MiB");
        fs::remove_file(&path)
    }

    #[test]
    fn files_of_proc_are_read_to_their_end() -> io::Result<()> {
        let path = Path::new("/proc/self/status");
        assert_eq!(fs::metadata(path)?.len(), 0);
        assert!(read(path, 1 << 20)?.starts_with(b"Name:"));
        assert_eq!(words(read(path, 10)).1, "is larger than the limit of 10 bytes");
        Ok(())
    }

    #[test]
    fn sizes_have_the_largest_unit() {
        let sizes =
            [(0, "0 bytes"), (1023, "1023 bytes"), (1 << 10, "1 KiB"), (3 << 20, "3 MiB"), (1 << 40, "1024 GiB")];
        sizes.iter().for_each(|(bytes, words)| assert_eq!(size(*bytes), *words));
    }
}
