//! One change of a file.

use std::fmt;
use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::error::{Error, at};

/// One change of a file.
#[derive(Clone, Debug)]
pub enum Step {
    /// Makes a directory, and those that it is in.
    MakeDirectory(PathBuf),
    /// Writes a file.
    Write(PathBuf, Vec<u8>),
    /// Copies a file with all that it has beside its contents: mode, owner, times, access
    /// control list, extended attributes.
    Copy(PathBuf, PathBuf),
    /// Writes a file that has the mode, owner and time of another: make must not see a
    /// reason to rebuild anything.
    WriteLike {
        /// The other.
        like: PathBuf,
        /// What is in the new file.
        contents: Vec<u8>,
        /// The new file.
        path: PathBuf,
    },
    /// Gives a file or directory another name, in place of what had it.
    Rename(PathBuf, PathBuf),
    /// Removes a file, or a directory and all that is in it, if it is there.
    Remove(PathBuf),
    /// Removes directories that are empty, from the first path up to below the second.
    Prune(PathBuf, PathBuf),
    /// Sets the time of a file's last change.
    Date(PathBuf, SystemTime),
    /// Replaces a clone's list of what git doesn't show, as far as that may be done: the
    /// build doesn't depend on it.
    Exclude(PathBuf, Vec<u8>),
}

impl Step {
    /// Does it.
    ///
    /// # Errors
    /// If it can't be done.
    pub fn take(&self) -> Result<(), Error> {
        match self {
            Self::MakeDirectory(path) => at(path, fs::create_dir_all(path)),
            Self::Write(path, contents) => at(path, write(path, contents)),
            Self::Copy(from, to) => copy(from, to),
            Self::WriteLike { like, contents, path } => at(path, write_like(like, contents, path)),
            Self::Rename(from, to) => at(to, fs::rename(from, to)),
            Self::Remove(path) => at(path, remove(path)),
            Self::Prune(path, root) => {
                let dirs = path.ancestors().take_while(|dir| dir.starts_with(root) && dir != root);
                dirs.map_while(|dir| fs::remove_dir(dir).ok()).for_each(drop);
                Ok(())
            }
            Self::Date(path, time) => at(path, date(path, *time)),
            Self::Exclude(list, contents) => {
                let new = list.with_extension("new");
                if write(&new, contents).and_then(|()| fs::rename(&new, list)).is_err() {
                    let _ = fs::remove_file(new);
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MakeDirectory(path) => write!(f, "make {}", path.display()),
            Self::Write(path, _) | Self::WriteLike { path, .. } | Self::Exclude(path, _) => {
                write!(f, "write {}", path.display())
            }
            Self::Copy(from, to) => write!(f, "copy {} to {}", from.display(), to.display()),
            Self::Rename(from, to) => write!(f, "rename {} to {}", from.display(), to.display()),
            Self::Remove(path) => write!(f, "remove {}", path.display()),
            Self::Prune(path, root) => write!(f, "remove {} if empty, up to {}", path.display(), root.display()),
            Self::Date(path, _) => write!(f, "date {} as before", path.display()),
        }
    }
}

/// Writes a new file, all of it to the disk: after a crash of the system, a rename of it
/// may be there.
fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

/// By cp(1), which knows what file systems keep of a file.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let status = at(Path::new("cp"), Command::new("cp").arg("-a").arg("--").args([from, to]).status())?;
    status.success().then_some(()).ok_or_else(|| Error::refused(to, "can't be copied there"))
}

fn write_like(like: &Path, contents: &[u8], path: &Path) -> io::Result<()> {
    let like = fs::metadata(like)?;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(contents)?;
    // Only root can give a file to somebody else; anyone else's new file is their own.
    match chown(path, Some(like.uid()), Some(like.gid())) {
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => return Err(error),
        _ => {}
    }
    file.set_permissions(like.permissions())?;
    file.set_times(FileTimes::new().set_accessed(like.accessed()?).set_modified(like.modified()?))?;
    file.sync_all()
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn date(path: &Path, time: SystemTime) -> io::Result<()> {
    File::open(path)?.set_times(FileTimes::new().set_modified(time))
}
