//! Writing files: whole or not at all, and as make wants it: one that would
//! not change is left alone.
//!
//! A file that is new, or a regular one that has no other name, is written
//! beside its place and renamed into it: at any moment, and however the run ends,
//! there is either the old one or the new one. What is reached through a symbolic
//! link, has several links, is set-user-id, or is no regular file, is written in
//! place, as the original writes all of them.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::message::Fatal;
use crate::textfile;

/// Set-user-id and set-group-id, which the system removes when anyone but root
/// writes to a file.
const SPECIAL: u32 = 0o6000;

/// Whether the file has these contents already. `old` is where they are read.
#[must_use]
pub fn is_current(name: &[u8], contents: &[u8], old: &mut Vec<u8>) -> bool {
    let mut same = || -> io::Result<bool> {
        let mut file = File::open(textfile::path(name))?;
        if file.metadata()?.len() != contents.len() as u64 {
            return Ok(false);
        }
        old.resize(contents.len(), 0);
        file.read_exact(old)?;
        Ok(old == contents)
    };
    same().unwrap_or(false)
}

/// A file beside its place. Unless it is put there, it is removed.
#[derive(Debug)]
pub struct Beside {
    path: PathBuf,
    place: PathBuf,
    is_put: bool,
}

impl Beside {
    /// Writes a file beside its place; `None` if it is to be written in place.
    ///
    /// # Errors
    /// If the disk is full, or the file there must not be written.
    pub fn write(name: &[u8], contents: &[u8]) -> io::Result<Option<Self>> {
        let Some((beside, file)) = Self::create(textfile::path(name))? else { return Ok(None) };
        write_and_close(file, contents)?;
        Ok(Some(beside))
    }

    /// Creates an empty file beside a place, with the owner and mode of the file there;
    /// `None` if that is to be written in place.
    fn create(place: &Path) -> io::Result<Option<(Self, File)>> {
        let old = match fs::symlink_metadata(place) {
            Ok(old) if old.is_file() && old.nlink() == 1 && old.mode() & SPECIAL == 0 => {
                // Permission to write the directory does not imply permission to write
                // the file.
                OpenOptions::new().write(true).open(place)?;
                Some(old)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            _ => return Ok(None),
        };
        let Some((file, path)) = create_beside(place)? else { return Ok(None) };
        let beside = Self { path, place: place.to_owned(), is_put: false };
        let alike = old.is_none_or(|old| make_alike(&file, &old).is_ok());
        Ok(alike.then_some((beside, file)))
    }

    /// Renames it into its place.
    ///
    /// # Errors
    /// If it can't be renamed to that.
    pub fn put(mut self) -> io::Result<()> {
        let result = fs::rename(&self.path, &self.place);
        self.is_put = result.is_ok();
        result
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.is_put {
            // Who could create it can remove it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a file beside a place, by a name that `make clean` knows; `None` if
/// none can be made there, full disks aside.
fn create_beside(place: &Path) -> io::Result<Option<(File, PathBuf)>> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let Some(name) = place.file_name() else { return Ok(None) };
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut beside = OsString::from(".");
        beside.push(name);
        beside.push(format!(".{}.{number}.tmp", std::process::id()));
        let path = place.with_file_name(beside);
        match File::create_new(&path) {
            Ok(file) => return Ok(Some((file, path))),
            Err(error) => match error.kind() {
                // Of a run that was killed.
                ErrorKind::AlreadyExists => {}
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => return Err(error),
                _ => return Ok(None),
            },
        }
    }
}

/// Writes all of a file. A file system of another machine may say only when the file is
/// closed that its disk is full.
fn write_and_close(mut file: File, contents: &[u8]) -> io::Result<()> {
    file.write_all(contents)?;
    Ok(nix::unistd::close(file)?)
}

/// Gives a new file the old one's owner and mode.
fn make_alike(file: &File, old: &Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(file, Some(old.uid()), Some(old.gid()))?;
    }
    if new.mode() != old.mode() {
        file.set_permissions(fs::Permissions::from_mode(old.mode()))?;
    }
    Ok(())
}

/// The file of a path, as the system knows it.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).map(|file| (file.dev(), file.ino())).ok()
}

/// Whether a standard stream reads from a file or writes to it.
fn is_standard_stream(place: &Path) -> bool {
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let streams = [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()];
    let identity_of = |stream: BorrowedFd<'_>| {
        let file = File::from(stream.try_clone_to_owned().ok()?).metadata().ok()?;
        Some((file.dev(), file.ino()))
    };
    identity(place).is_some_and(|place| streams.into_iter().any(|stream| identity_of(stream) == Some(place)))
}

/// A file that a run writes at its end. It is opened when the run begins, so that what
/// keeps it from being written is known then, and is not changed before it is written,
/// unless it is a standard stream's, too: what is in that depends on when it is emptied.
#[derive(Debug)]
pub struct Deferred {
    place: PathBuf,
    how: How,
}

/// The ways to write a deferred file.
#[derive(Debug)]
enum How {
    /// Beside its place.
    Beside(Beside, File),
    /// The file is opened in its place, and emptied when it is written.
    InPlace(File),
    /// A standard stream uses the file, too. It was emptied when it was opened.
    Shared(File),
    /// A symbolic link leads to a file that doesn't exist yet.
    New,
}

impl Deferred {
    /// Opens a file. If it is a pipe with a name, that waits for a reader.
    ///
    /// # Errors
    /// The system's, if the program mayn't write the file.
    pub fn open(place: &Path) -> io::Result<Self> {
        if is_standard_stream(place) {
            return Ok(Self { place: place.to_owned(), how: How::Shared(File::create(place)?) });
        }
        let how = match Beside::create(place)? {
            Some((beside, file)) => How::Beside(beside, file),
            None => match OpenOptions::new().write(true).open(place) {
                Ok(file) => How::InPlace(file),
                Err(error) if error.kind() == ErrorKind::NotFound && place.is_symlink() => How::New,
                // This fails, and its error tells the reason.
                Err(error) if error.kind() == ErrorKind::NotFound => How::InPlace(File::create(place)?),
                Err(error) => return Err(error),
            },
        };
        Ok(Self { place: place.to_owned(), how })
    }

    /// Whether it is the file of this path.
    #[must_use]
    pub fn is_at(&self, path: &Path) -> bool {
        self.place == path || identity(&self.place).is_some_and(|this| identity(path) == Some(this))
    }

    /// Writes the contents, instead of what the file had.
    ///
    /// # Errors
    /// If they can't be written. A file that is not written in place keeps what it had.
    pub fn write(self, contents: &[u8]) -> io::Result<()> {
        let file = match self.how {
            How::Beside(beside, file) => {
                write_and_close(file, contents)?;
                if beside.put().is_ok() {
                    return Ok(());
                }
                File::create(self.place)?
            }
            How::InPlace(file) => {
                // A pipe or device has no length.
                if file.metadata()?.is_file() {
                    file.set_len(0)?;
                }
                file
            }
            How::Shared(file) => file,
            How::New => File::create(self.place)?,
        };
        write_and_close(file, contents)
    }
}

/// Writes a file.
///
/// # Errors
/// The end of the run.
pub fn write(name: &[u8], contents: &[u8]) -> Result<(), Fatal> {
    let write = || {
        if Beside::write(name, contents)?.is_some_and(|beside| beside.put().is_ok()) {
            return Ok(());
        }
        write_and_close(File::create(textfile::path(name))?, contents)
    };
    write().map_err(|error| Fatal::perror(name, error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn what_is_beside_goes_unless_put() -> io::Result<()> {
        let dir = std::env::temp_dir().join(format!("kbuild-rs-output-{}", std::process::id()));
        fs::create_dir(&dir)?;
        let path = dir.join("file");
        let name = path.as_os_str().as_bytes();
        let count = || fs::read_dir(&dir).map(Iterator::count);
        let beside = Beside::write(name, b"a")?;
        assert_eq!((beside.is_some(), path.exists(), count()?), (true, false, 1));
        drop(beside);
        assert_eq!(count()?, 0);
        let (first, second) = (Beside::write(name, b"b")?, Beside::write(name, b"c")?);
        first.map_or(Ok(()), Beside::put)?;
        second.map_or(Ok(()), Beside::put)?;
        assert_eq!((fs::read(&path)?, count()?), (b"c".to_vec(), 1));
        fs::hard_link(&path, dir.join("other"))?;
        assert!(Beside::write(name, b"d")?.is_none());
        fs::remove_dir_all(&dir)
    }

    #[test]
    fn a_deferred_file_is_there_when_it_is_written() -> io::Result<()> {
        let dir = std::env::temp_dir().join(format!("kbuild-rs-deferred-{}", std::process::id()));
        fs::create_dir(&dir)?;
        let count = || fs::read_dir(&dir).map(Iterator::count);
        let [file, link, dangling, new] = ["file", "link", "dangling", "new"].map(|name| dir.join(name));
        fs::write(&file, "old")?;
        std::os::unix::fs::symlink(&file, &link)?;
        std::os::unix::fs::symlink(&new, &dangling)?;
        for place in [&file, &link] {
            drop(Deferred::open(place)?);
            assert_eq!((fs::read(&file)?, count()?), (b"old".to_vec(), 3), "{}", place.display());
            let deferred = Deferred::open(place)?;
            assert!(deferred.is_at(&file) && !deferred.is_at(&new));
            deferred.write(b"n")?;
            assert_eq!((fs::read(&file)?, count()?), (b"n".to_vec(), 3), "{}", place.display());
            fs::write(&file, "old")?;
        }
        assert!(link.is_symlink());
        drop(Deferred::open(&dangling)?);
        assert!(!new.exists());
        Deferred::open(&dangling)?.write(b"new")?;
        assert_eq!(fs::read(&new)?, b"new");
        fs::remove_file(&new)?;
        drop(Deferred::open(&new)?);
        assert!(!new.exists());
        Deferred::open(&new)?.write(b"new")?;
        assert_eq!((fs::read(&new)?, count()?), (b"new".to_vec(), 4));
        let missing = Deferred::open(&dir.join("missing/file")).map_err(|error| error.kind());
        assert_eq!(missing.err(), Some(ErrorKind::NotFound));
        let directory = Deferred::open(&dir).map_err(|error| error.raw_os_error());
        assert_eq!(directory.err(), Some(Some(21)));
        fs::remove_dir_all(&dir)
    }
}
