//! Originals that are kept outside the tree, and the lock of a directory of programs.
//!
//! `STATE/trees/KEY` belongs to one directory of programs, such as
//! `/usr/src/linux/scripts/mod`. KEY is the SHA-256 of the directory's path, so that no two
//! directories share anything. In it are:
//!
//! | name | contents |
//! | --- | --- |
//! | `directory` | the path, in bytes |
//! | `manifest.json` | a [`Manifest`] |
//! | a SHA-256 | an original with this digest |
//!
//! The manifest is replaced as a whole, after everything that it names is on the disk. So
//! it always describes originals that are there. flock(2) on `STATE/trees/KEY` is the lock.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base::json;
use serde::{Deserialize, Serialize};

use crate::change::{Change, Watch};
use crate::directory::{Ancestor, Directory};
use crate::error::{Damage, Error, at};
use crate::found_file::{self, Attributes, FileDigest, FoundFile, MAX_PROGRAM, Times};
use crate::owner;

/// The directory of the state that has a directory for each directory of programs.
const TREES: &str = "trees";
const DIRECTORY: &str = "directory";
const MANIFEST: &str = "manifest.json";
/// A file's name until it is complete.
const TEMPORARY: &str = "new";
/// No manifest or path is larger, in bytes.
const MAX_TEXT: u64 = 1 << 20;
/// The version of manifests that this program writes and reads.
const FORMAT: u32 = 1;
/// The mode of a kept program: a proof runs it, and nobody writes to it.
const KEPT: u32 = 0o500;
/// The mode of texts in the state.
const TEXT: u32 = 0o600;

/// An original that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptOriginal {
    /// Its name in the tree's directory.
    pub name: String,
    /// Its digest, which is also the name of the kept file.
    pub digest: FileDigest,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// The mode, owner, times and extended attributes that an undo restores.
    pub(crate) attributes: Attributes,
}

/// The record of a swapped directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format's version.
    version: u32,
    /// The path of the directory, as JSON writes bytes.
    directory: String,
    /// The directory's times before the swap.
    pub(crate) times: Times,
    /// Each original that was replaced.
    pub originals: Vec<KeptOriginal>,
    /// The digests of all files that were ever put into the directory.
    pub(crate) installed: BTreeSet<FileDigest>,
}

impl Manifest {
    /// A manifest of a directory without originals.
    pub(crate) fn new(place: &Path, times: Times) -> Self {
        let (originals, installed) = (Vec::new(), BTreeSet::new());
        Self { version: FORMAT, directory: name_of(place), times, originals, installed }
    }

    /// The original of a name.
    #[must_use]
    pub fn original(&self, name: &str) -> Option<&KeptOriginal> {
        self.originals.iter().find(|original| original.name == name)
    }
}

fn name_of(place: &Path) -> String {
    json::text(place.as_os_str().as_bytes()).as_str().unwrap_or_default().to_owned()
}

fn key_of(place: &Path) -> String {
    FileDigest::of(place.as_os_str().as_bytes()).to_string()
}

/// The store of originals.
#[derive(Clone, Debug)]
pub struct State {
    path: PathBuf,
    /// Root trusts only what root alone can change.
    is_roots: bool,
}

impl State {
    /// The state in a directory, which need not be there yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), is_roots: rustix::process::geteuid().is_root() }
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the kept originals of a directory of programs.
    #[must_use]
    pub fn entry(&self, place: &Path) -> PathBuf {
        self.path.join(TREES).join(key_of(place))
    }

    fn check(&self, ancestors: &[Ancestor]) -> Result<(), Error> {
        if self.is_roots { owner::check_roots(ancestors) } else { Ok(()) }
    }

    /// Opens a directory of the state; `None` if it isn't there.
    pub(crate) fn open(&self, path: &Path) -> Result<Option<Directory>, Error> {
        let (directory, ancestors) = match Directory::walk(path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            walked => at(path, walked)?,
        };
        self.check(&ancestors)?;
        Ok(Some(directory))
    }

    /// Reads the manifest of a directory of programs; `None` if it isn't swapped.
    ///
    /// # Errors
    /// If the manifest can't be read, or is corrupted.
    pub fn manifest(&self, place: &Path) -> Result<Option<Manifest>, Error> {
        match self.open(&self.entry(place))? {
            Some(directory) => manifest_in(&directory, place),
            None => Ok(None),
        }
    }

    /// The directories of programs that are swapped.
    ///
    /// # Errors
    /// If the state can't be read.
    pub fn directories(&self) -> Result<Vec<PathBuf>, Error> {
        let trees = self.path.join(TREES);
        let Some(directory) = self.open(&trees)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for key in at(&trees, directory.names())? {
            let path = directory.join(&key);
            let entry = at(&path, directory.child(&key))?;
            let place = at(&path, entry.read(DIRECTORY, MAX_TEXT))?.map(OsString::from_vec).map(PathBuf::from);
            let is_kept = at(&path, entry.metadata_of(MANIFEST))?.is_some();
            found.extend(place.filter(|place| is_kept && key_of(place).as_str() == key));
        }
        found.sort();
        Ok(found)
    }

    /// Locks a directory of programs, until the lock is dropped.
    ///
    /// # Errors
    /// If another process has locked it, or nothing can be kept in the state.
    pub fn lock(&self, place: &Path) -> Result<Lock, Error> {
        let path = self.path.join(TREES);
        let state = |error| Error::State(self.path.clone(), error);
        let key = key_of(place);
        loop {
            let trees = Directory::open_or_make(&path, |ancestors| self.check(ancestors).map_err(Failure::Other));
            let trees = trees.map_err(|failure| failure.named(state))?;
            self.check(&Directory::walk(&path).map_err(state)?.1)?;
            let entry = match trees.make(&key) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => trees.child(&key),
                // The last process to use the state has removed the empty directory.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                made => made,
            };
            let entry = match entry {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                entry => entry.map_err(state)?,
            };
            if !entry.lock().map_err(state)? {
                return Err(Error::Busy(place.to_owned()));
            }
            // Whoever held the lock may have removed the directory that was opened.
            let is_there = trees.child(&key).and_then(|again| Ok(again.metadata()?.ino() == entry.metadata()?.ino()));
            if is_there.unwrap_or(false) {
                return Ok(Lock { state: self.clone(), place: place.to_owned(), trees, entry, key });
            }
        }
    }
}

/// An error while the directories of the state are opened.
enum Failure {
    Io(io::Error),
    Other(Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Failure {
    fn named(self, name: impl FnOnce(io::Error) -> Error) -> Error {
        match self {
            Self::Io(error) => name(error),
            Self::Other(error) => error,
        }
    }
}

fn manifest_in(entry: &Directory, place: &Path) -> Result<Option<Manifest>, Error> {
    let path = entry.join(MANIFEST);
    let Some(text) = at(&path, entry.read(MANIFEST, MAX_TEXT))? else { return Ok(None) };
    let corrupted = |why: String| Error::refused(&path, format!("is corrupted: {why}: nothing is changed"));
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| corrupted(error.to_string()))?;
    if manifest.version != FORMAT {
        let why = format!("has format {} and this version of kbuild-rs reads {FORMAT}", manifest.version);
        return Err(Error::refused(&path, why));
    } else if manifest.directory != name_of(place) {
        return Err(corrupted(format!("it is about {}", manifest.directory)));
    }
    Ok(Some(manifest))
}

/// The lock of a directory of programs, and its kept originals.
#[derive(Debug)]
pub struct Lock {
    state: State,
    place: PathBuf,
    trees: Directory,
    entry: Directory,
    key: String,
}

impl Lock {
    /// Reads the manifest; `None` if the directory isn't swapped.
    ///
    /// # Errors
    /// If the manifest can't be read, or is corrupted.
    pub fn manifest(&self) -> Result<Option<Manifest>, Error> {
        manifest_in(&self.entry, &self.place)
    }

    /// Copies an original to where it is kept, and has it written to the disk. The copy
    /// must have the contents that were found before.
    pub(crate) fn keep(
        &self,
        from: &Directory,
        name: &str,
        found: &FoundFile,
        watch: &mut Watch<'_>,
    ) -> Result<KeptOriginal, Error> {
        let path = from.join(name);
        let changed = || Error::Changed(path.clone());
        let file = at(&path, from.open_file(name))?.ok_or_else(changed)?;
        if !at(&path, found.is_still(from, name))? {
            return Err(changed());
        }
        let original = KeptOriginal {
            name: name.to_owned(),
            digest: found.digest,
            size: found.size,
            attributes: found.attributes.clone(),
        };
        let kept = found.digest.to_string();
        if self.verify(&original).is_ok() {
            return Ok(original);
        }
        watch(&Change::Keep(path.clone()))?;
        let to = self.entry.join(&kept);
        at(&to, self.entry.remove(TEMPORARY))?;
        let mut copy = at(&to, self.entry.create(TEMPORARY))?;
        let (digest, ..) = at(&to, found_file::copy(&file, &mut copy, MAX_PROGRAM))?;
        if digest != found.digest {
            return Err(changed());
        }
        at(&to, copy.set_permissions(std::fs::Permissions::from_mode(KEPT)))?;
        at(&to, copy.sync_all())?;
        at(&to, self.entry.rename(TEMPORARY, &self.entry, &kept))?;
        // The file is read again, because the written bytes may not be those on the disk.
        self.verify(&original)?;
        Ok(original)
    }

    /// Opens a kept original, after its contents were compared with what was kept.
    ///
    /// # Errors
    /// It returns [`Error::Damaged`] if the contents differ.
    pub(crate) fn verify(&self, original: &KeptOriginal) -> Result<std::fs::File, Error> {
        let kept = original.digest.to_string();
        let path = self.entry.join(&kept);
        let damaged = |what| Error::Damaged { path: path.clone(), original: self.place.join(&original.name), what };
        let open = || -> io::Result<_> { self.entry.open_file(&kept) };
        let file = at(&path, open())?.ok_or_else(|| damaged(Damage::Missing))?;
        let found = at(&path, file.metadata())?.len();
        if found != original.size {
            return Err(damaged(Damage::Size { kept: original.size, found }));
        }
        let (digest, ..) = at(&path, found_file::copy(&file, &mut io::sink(), MAX_PROGRAM))?;
        if digest != original.digest {
            return Err(damaged(Damage::Contents));
        }
        // It is read from its beginning again.
        at(&path, open())?.ok_or_else(|| damaged(Damage::Missing))
    }

    /// The path of a kept original, to run it.
    #[must_use]
    pub fn path_of(&self, original: &KeptOriginal) -> PathBuf {
        self.entry.join(original.digest.to_string())
    }

    /// Replaces the manifest, once all that it names is on the disk, and removes what no
    /// manifest names any more.
    pub(crate) fn record(&self, manifest: &Manifest, watch: &mut Watch<'_>) -> Result<(), Error> {
        for original in &manifest.originals {
            self.verify(original)?;
        }
        let path = self.entry.join(MANIFEST);
        if self.manifest()?.as_ref() != Some(manifest) {
            watch(&Change::Record(path.clone()))?;
            let bytes = self.place.as_os_str().as_bytes();
            at(&path, self.entry.write(DIRECTORY, TEMPORARY, bytes, TEXT))?;
            at(&path, self.entry.sync())?;
            at(&path, self.entry.write(MANIFEST, TEMPORARY, &json::line(manifest), TEXT))?;
            // The directories that lead to it are new, perhaps.
            at(&path, self.trees.sync())?;
            let up = self.state.path.parent().into_iter().chain([self.state.path()]);
            for directory in up {
                at(directory, Directory::open(directory).and_then(|directory| directory.sync()))?;
            }
        }
        let named: BTreeSet<_> = manifest.originals.iter().map(|original| original.digest.to_string()).collect();
        for name in at(&path, self.entry.names())? {
            let is_known = [DIRECTORY, MANIFEST].iter().any(|known| name == *known)
                || name.to_str().is_some_and(|name| named.contains(name));
            if !is_known {
                at(&self.entry.join(&name), self.entry.remove(&name))?;
            }
        }
        Ok(())
    }

    /// Removes the kept originals. They are in the tree again, and on its disk.
    pub(crate) fn forget(&self, watch: &mut Watch<'_>) -> Result<(), Error> {
        watch(&Change::Forget(self.entry.path().to_owned()))?;
        // Without its manifest, the rest is what an interrupted swap leaves.
        let path = self.entry.join(MANIFEST);
        at(&path, self.entry.remove(MANIFEST))?;
        at(&path, self.entry.sync())
    }
}

impl Drop for Lock {
    /// Removes the directory if nothing is kept there, and the empty directories above it.
    fn drop(&mut self) {
        if matches!(self.entry.metadata_of(MANIFEST), Ok(None)) {
            for name in self.entry.names().unwrap_or_default() {
                let _ = self.entry.remove(name);
            }
            if self.trees.remove_empty(&self.key) && std::fs::remove_dir(self.trees.path()).is_ok() {
                let _ = std::fs::remove_dir(&self.state.path);
            }
        }
        self.entry.unlock();
    }
}
