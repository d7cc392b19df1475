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

/// A complete file beside its place. Unless it is put there, it is removed.
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
        let place = textfile::path(name);
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
        let Some((mut file, path)) = create_beside(place)? else { return Ok(None) };
        let beside = Self { path, place: place.to_owned(), is_put: false };
        file.write_all(contents)?;
        let alike = old.is_none_or(|old| make_alike(&file, &old).is_ok());
        Ok(Some(beside).filter(|_| alike))
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

/// Writes a file.
///
/// # Errors
/// The end of the run.
pub fn write(name: &[u8], contents: &[u8]) -> Result<(), Fatal> {
    let write = || {
        if Beside::write(name, contents)?.is_some_and(|beside| beside.put().is_ok()) {
            return Ok(());
        }
        File::create(textfile::path(name))?.write_all(contents)
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
}
