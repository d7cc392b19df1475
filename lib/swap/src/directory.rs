//! Directories that are opened once, and changes of files relative to their handles.
//!
//! A path is resolved a single time. After that, nobody who can rename a directory or put
//! a symbolic link into its place decides where a file is read or written.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use base::regular;
use rustix::fs::{AtFlags, Dir, Mode, OFlags, RenameFlags, Timestamps};
use rustix::io::Errno;

/// The name of the root directory.
const ROOT: &str = "/";

/// A directory of files that change together, by its handle.
#[derive(Debug)]
pub struct Directory {
    handle: OwnedFd,
    path: PathBuf,
}

/// A directory on the way from `/` to another, the last one included.
#[derive(Debug)]
pub struct Ancestor {
    /// Its path, without symbolic links.
    pub path: PathBuf,
    /// The number of its owner.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
    /// Its mode: permissions, and the sticky bit.
    pub mode: u32,
}

/// What changes when a file is written to or replaced: device, inode, size, and time of
/// the last change of its contents in seconds and nanoseconds. A rename leaves them alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity([u64; 3], [i64; 2]);

impl Identity {
    /// The identity of a file.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self([metadata.dev(), metadata.ino(), metadata.size()], [metadata.mtime(), metadata.mtime_nsec()])
    }
}

fn open_at(handle: impl AsFd, name: &OsStr, flags: OFlags) -> io::Result<OwnedFd> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(handle, name, flags, Mode::empty())?)
}

/// Turns "no such file" into `None`.
fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

impl Directory {
    /// Opens a directory, which may be named through symbolic links.
    ///
    /// # Errors
    /// It returns the error of realpath(3) and open(2).
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::walk(path).map(|(directory, _)| directory)
    }

    /// Opens a directory, and names all directories on the way to it. After symbolic
    /// links are resolved, each of them is opened from the one before.
    ///
    /// # Errors
    /// It returns the error of realpath(3) and open(2).
    pub fn walk(path: &Path) -> io::Result<(Self, Vec<Ancestor>)> {
        let path = fs::canonicalize(path)?;
        let names: Vec<_> = path.components().filter(|component| matches!(component, Component::Normal(_))).collect();
        let mut ancestors = Vec::new();
        let mut reached = PathBuf::from(ROOT);
        // On the way, only a name is looked up, which an unreadable directory allows.
        let flags_of = |number: usize| if number == names.len() { OFlags::RDONLY } else { OFlags::PATH };
        let mut handle = rustix::fs::open(ROOT, flags_of(0) | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        for number in 0..=names.len() {
            let metadata = File::from(handle.try_clone()?).metadata()?;
            let (uid, gid, mode) = (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
            ancestors.push(Ancestor { path: reached.clone(), uid, gid, mode });
            if let Some(name) = names.get(number) {
                handle = open_at(&handle, name.as_os_str(), flags_of(number + 1) | OFlags::DIRECTORY)?;
                reached.push(name);
            }
        }
        Ok((Self { handle, path }, ancestors))
    }

    /// Opens a directory in this one.
    ///
    /// # Errors
    /// It returns the error of open(2), which is `ENOTDIR` for a symbolic link.
    pub fn child(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let name = name.as_ref();
        let handle = open_at(&self.handle, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
        Ok(Self { handle, path: self.path.join(name) })
    }

    /// Makes a directory in this one, which nobody else may enter yet, and opens it.
    ///
    /// # Errors
    /// It returns the error of mkdir(2) and open(2).
    pub fn make(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        rustix::fs::mkdirat(&self.handle, name.as_ref(), Mode::RWXU)?;
        self.child(name)
    }

    /// Its path, without symbolic links, for messages and records.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a name in it, for messages and records.
    #[must_use]
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Its own metadata.
    ///
    /// # Errors
    /// It returns the error of stat(2).
    pub fn metadata(&self) -> io::Result<Metadata> {
        File::from(self.handle.try_clone()?).metadata()
    }

    /// The metadata of a name in it, whatever has that name; `None` if nothing has.
    ///
    /// # Errors
    /// It returns the error of stat(2).
    pub fn metadata_of(&self, name: impl AsRef<OsStr>) -> io::Result<Option<Metadata>> {
        if_there(open_at(&self.handle, name.as_ref(), OFlags::PATH).and_then(|handle| File::from(handle).metadata()))
    }

    /// Opens a regular file in it for reading; `None` if nothing has the name.
    ///
    /// # Errors
    /// It returns the error of open(2), and refuses anything but a regular file.
    pub fn open_file(&self, name: impl AsRef<OsStr>) -> io::Result<Option<File>> {
        let Some(metadata) = self.metadata_of(&name)? else { return Ok(None) };
        if metadata.is_symlink() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "is a symbolic link"));
        }
        regular::check(&metadata)?;
        let file = open_at(&self.handle, name.as_ref(), OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY);
        let Some(file) = if_there(file)?.map(File::from) else { return Ok(None) };
        regular::check(&file.metadata()?)?;
        Ok(Some(file))
    }

    /// Reads a regular file of at most `limit` bytes; `None` if nothing has the name.
    ///
    /// # Errors
    /// It returns errors of open(2) and read(2), and refuses any other file.
    pub fn read(&self, name: impl AsRef<OsStr>, limit: u64) -> io::Result<Option<Vec<u8>>> {
        self.open_file(name)?.map(|file| regular::read_handle(&file, limit)).transpose()
    }

    /// Makes a file in it that nobody else may open yet. Nothing may have the name.
    ///
    /// # Errors
    /// It returns the error of open(2).
    pub fn create(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.handle, name.as_ref(), flags, Mode::RUSR | Mode::WUSR)?.into())
    }

    /// Replaces a file of this process's own by another with these contents and this
    /// mode. At any moment, and after a crash of the system, there is the old one or the
    /// new one. A name of its own, which no one else uses, serves for the new file.
    ///
    /// # Errors
    /// It returns the system's error.
    pub fn write(&self, name: &str, temporary: &str, contents: &[u8], mode: u32) -> io::Result<()> {
        self.remove(temporary)?;
        let mut file = self.create(temporary)?;
        file.write_all(contents)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        self.rename(temporary, self, name)?;
        self.sync()
    }

    /// Gives a file another name, in place of what has that.
    ///
    /// # Errors
    /// It returns the error of rename(2).
    pub fn rename(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.handle, name, &to.handle, new)?)
    }

    /// Gives a file a name that nothing has yet.
    ///
    /// # Errors
    /// It returns the error of rename(2), which is `EEXIST` if something has the name.
    pub fn rename_to_new(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        match rustix::fs::renameat_with(&self.handle, name, &to.handle, new, RenameFlags::NOREPLACE) {
            // The file system can't do it in one call.
            Err(Errno::INVAL | Errno::NOSYS) => match to.metadata_of(new)? {
                Some(_) => Err(ErrorKind::AlreadyExists.into()),
                None => self.rename(name, to, new),
            },
            result => Ok(result?),
        }
    }

    /// Exchanges two files; returns false if the file system can't do that in one call.
    ///
    /// # Errors
    /// It returns the error of rename(2).
    pub fn exchange(&self, name: &str, with: &Self, other: &str) -> io::Result<bool> {
        match rustix::fs::renameat_with(&self.handle, name, &with.handle, other, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS) => Ok(false),
            result => result.map(|()| true).map_err(io::Error::from),
        }
    }

    /// The names in it, sorted.
    ///
    /// # Errors
    /// It returns the error of readdir(3).
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.handle)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Removes a name, and all that is below it if it is a directory. Symbolic links are
    /// not followed. A name that nothing has is fine.
    ///
    /// # Errors
    /// It returns the system's error.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = name.as_ref();
        let Some(metadata) = self.metadata_of(name)? else { return Ok(()) };
        let flags = if metadata.is_dir() {
            let child = self.child(name)?;
            for inner in child.names()? {
                child.remove(inner)?;
            }
            AtFlags::REMOVEDIR
        } else {
            AtFlags::empty()
        };
        if_there(rustix::fs::unlinkat(&self.handle, name, flags).map_err(io::Error::from)).map(drop)
    }

    /// Removes a directory in it if that is empty; says whether that was so.
    pub fn remove_empty(&self, name: impl AsRef<OsStr>) -> bool {
        rustix::fs::unlinkat(&self.handle, name.as_ref(), AtFlags::REMOVEDIR).is_ok()
    }

    /// Sets its times.
    ///
    /// # Errors
    /// It returns the error of futimens(3).
    pub fn set_times(&self, times: &Timestamps) -> io::Result<()> {
        Ok(rustix::fs::futimens(&self.handle, times)?)
    }

    /// Sets its mode.
    ///
    /// # Errors
    /// It returns the error of chmod(2).
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::fchmod(&self.handle, Mode::from_raw_mode(mode))?)
    }

    /// Has the names in it written to the disk.
    ///
    /// # Errors
    /// It returns the error of fsync(2).
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.handle)?)
    }

    /// Locks it for this process alone, until it is dropped; returns false if another
    /// process has locked it.
    ///
    /// # Errors
    /// It returns the error of flock(2).
    pub fn lock(&self) -> io::Result<bool> {
        match rustix::fs::flock(&self.handle, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Ok(false),
            result => result.map(|()| true).map_err(io::Error::from),
        }
    }

    /// Unlocks it, also where a process that is just being started has its handle, too.
    pub(crate) fn unlock(&self) {
        let _ = rustix::fs::flock(&self.handle, rustix::fs::FlockOperation::Unlock);
    }

    /// Opens a directory, and makes it and those above it where they are missing. `check`
    /// judges the directories that exist before anything is made in them.
    ///
    /// # Errors
    /// It returns errors of the system and of `check`.
    pub fn open_or_make<E: From<io::Error>>(
        path: &Path,
        check: impl Fn(&[Ancestor]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut names = Vec::new();
        let mut existing = path;
        let (mut directory, ancestors) = loop {
            match (Self::walk(existing), existing.parent(), existing.file_name()) {
                (Err(error), Some(parent), Some(name)) if error.kind() == ErrorKind::NotFound => {
                    names.push(name);
                    existing = parent;
                }
                (walked, ..) => break walked?,
            }
        };
        check(&ancestors)?;
        for name in names.into_iter().rev() {
            let made = match directory.make(name) {
                // Another process was faster.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => directory.child(name),
                made => made,
            };
            directory = made?;
        }
        Ok(directory)
    }
}
