//! A directory of a kernel tree whose programs are replaced, and what it uses.

use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::adopt;
use crate::change::Watch;
use crate::directory::Directory;
use crate::error::{Error, at};
use crate::found_file::{FileDigest, FoundFile, SET_ID};
use crate::group::{Group, INSTALLED, KBUILD, MAKEFILE, RECORDS};
use crate::kept::{Lock, Manifest, State};
use crate::machine::Machine;
use crate::ours::Ours;

/// No Makefile or record is larger, in bytes.
const MAX_TEXT: u64 = 1 << 20;

/// The origin of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileOrigin {
    Missing,
    Ours,
    Original,
}

/// A program, or the file for kbuild.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// The name of our program that replaces it; `None` for the file for kbuild.
    pub(crate) ours: Option<&'static str>,
    pub(crate) found: Option<FoundFile>,
    pub(crate) origin: FileOrigin,
}

/// A directory whose programs are replaced.
#[derive(Debug)]
pub struct Place {
    /// Which programs.
    pub group: &'static Group,
    /// The directory.
    pub(crate) directory: Directory,
    pub(crate) entries: Vec<Entry>,
    /// The record of the originals that are kept.
    pub(crate) manifest: Option<Manifest>,
    /// The lock, which a swap and an undo hold from the first look on.
    pub(crate) lock: Option<Lock>,
}

/// The programs that a directory uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its originals.
    Original,
    /// Ours, as the kernel that was recorded, if one was.
    Swapped(Option<String>),
    /// Ours and originals.
    InPart,
    /// Originals that are newer than those that are kept.
    Upgraded,
    /// Ours, and no originals are kept.
    NotKept,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Original => f.write_str("has its originals"),
            Self::Swapped(None) => f.write_str("uses kbuild-rs"),
            Self::Swapped(Some(kernel)) => write!(f, "uses kbuild-rs for kernel {kernel}"),
            Self::InPart => f.write_str("uses kbuild-rs in part: run kbuild-rs-swap again"),
            Self::Upgraded => f.write_str("was swapped, and has new originals since: run kbuild-rs-swap again"),
            Self::NotKept => f.write_str("uses kbuild-rs, and the originals that it replaced are not kept"),
        }
    }
}

/// The purpose of opening a directory of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Nothing is changed, and nothing is locked.
    Look,
    /// It is locked until it is dropped.
    Change,
}

impl Place {
    /// The directory of a group in a tree; `None` if the tree has nothing there that could
    /// be replaced or given its originals again.
    ///
    /// # Errors
    /// If its files can't be read, or another process is changing it.
    pub fn find(
        tree: &Path,
        group: &'static Group,
        state: &State,
        ours: &Ours,
        purpose: Purpose,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Self>, Error> {
        let path = tree.join("scripts").join(group.directory);
        let directory = match Directory::open(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            directory => at(&path, directory)?,
        };
        // The lock comes first, so that nobody changes what is read now.
        let is_old = adopt::is_due(state, directory.path())?;
        let mut lock = (is_old || purpose == Purpose::Change).then(|| state.lock(directory.path())).transpose()?;
        if let Some(lock) = lock.as_ref().filter(|_| is_old) {
            adopt::adopt(state, lock, &directory, group, watch)?;
        }
        let manifest = match &lock {
            Some(lock) => lock.manifest()?,
            None => state.manifest(directory.path())?,
        };
        lock = lock.filter(|_| purpose == Purpose::Change);
        let is_source = [group.source, KBUILD].map(|name| directory.metadata_of(name).map(|found| found.is_some()));
        let [has_source, has_kbuild] = is_source.map(|is_there| at(directory.path(), is_there));
        let file_for_kbuild = (has_source? || has_kbuild?).then_some((KBUILD, None));
        let programs = group.names.iter().map(|(name, ours)| (*name, Some(*ours)));
        let installed = installed(&directory, manifest.as_ref())?;
        let mut entries = Vec::new();
        for (name, replacement) in file_for_kbuild.into_iter().chain(programs) {
            let found = at(&directory.join(name), FoundFile::find(&directory, name))?;
            let is_kept = manifest.as_ref().is_some_and(|manifest| manifest.original(name).is_some());
            let origin = match &found {
                None => FileOrigin::Missing,
                Some(file) if installed.contains(&file.digest) || is_ours(name, file, &directory, ours)? => {
                    FileOrigin::Ours
                }
                Some(_) => FileOrigin::Original,
            };
            if replacement.is_none() || found.is_some() || is_kept {
                entries.push(Entry { name, ours: replacement, found, origin });
            }
        }
        Ok((!entries.is_empty()).then_some(Self { group, directory, entries, manifest, lock }))
    }

    /// The path of the directory, without symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    fn has(&self, origin: FileOrigin) -> bool {
        self.entries.iter().any(|entry| entry.origin == origin)
    }

    /// The kept original of an entry.
    pub(crate) fn kept(&self, entry: &Entry) -> Option<&crate::kept::KeptOriginal> {
        self.manifest.as_ref().and_then(|manifest| manifest.original(entry.name))
    }

    /// Whether an entry is an original that isn't kept yet.
    pub(crate) fn is_new(&self, entry: &Entry) -> bool {
        let is_kept = |found: &FoundFile| self.kept(entry).is_some_and(|kept| kept.digest == found.digest);
        entry.origin == FileOrigin::Original && !entry.found.as_ref().is_some_and(is_kept)
    }

    /// Whether a swap has left something in it.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.manifest.is_some() || self.has(FileOrigin::Ours)
    }

    /// What it uses.
    #[must_use]
    pub fn status(&self) -> Status {
        let has_new = self.entries.iter().any(|entry| self.is_new(entry));
        match (self.has(FileOrigin::Ours), self.has(FileOrigin::Original), self.manifest.is_some()) {
            (true, false, true) => Status::Swapped(self.recorded_kernel()),
            (true, true, true) => Status::InPart,
            (true, _, false) => Status::NotKept,
            (false, true, true) if has_new => Status::Upgraded,
            _ => Status::Original,
        }
    }

    fn recorded_kernel(&self) -> Option<String> {
        let record = self.directory.child(RECORDS).and_then(|records| records.read("kernel", MAX_TEXT)).ok()??;
        let record = String::from_utf8_lossy(&record).into_owned();
        record.lines().find_map(|line| line.strip_prefix("kernel ")).map(str::to_owned)
    }

    /// Whether it has the file for kbuild, or is to have it.
    pub(crate) fn has_kbuild(&self) -> bool {
        self.entries.iter().any(|entry| entry.ours.is_none())
    }

    /// The first original that is a program, with the machine that it is for.
    #[must_use]
    pub fn original(&self) -> Option<(PathBuf, &'static Machine)> {
        let is_original = |entry: &&Entry| entry.ours.is_some() && entry.origin == FileOrigin::Original;
        let entry = self.entries.iter().find(is_original)?;
        Some((self.directory.join(entry.name), entry.found.as_ref()?.machine?))
    }

    /// The names of the originals, and their paths in the tree or among the kept ones.
    #[must_use]
    pub fn originals(&self, state: &State) -> Vec<(&'static str, PathBuf)> {
        let path = |entry: &Entry| match (entry.origin, self.kept(entry)) {
            (FileOrigin::Original, _) => Some(self.directory.join(entry.name)),
            (_, Some(kept)) => Some(state.entry(self.path()).join(kept.digest.to_string())),
            _ => None,
        };
        let programs = self.entries.iter().filter(|entry| entry.ours.is_some());
        programs.filter_map(|entry| Some((entry.name, path(entry)?))).collect()
    }

    /// Checks that everything in it is what it should be.
    fn check(&self) -> Result<(), Error> {
        for entry in &self.entries {
            let Some(found) = &entry.found else { continue };
            let refused = |why: &str| Err(Error::refused(self.directory.join(entry.name), why));
            if entry.ours.is_none() && entry.origin == FileOrigin::Original {
                return refused("is not of kbuild-rs");
            } else if entry.ours.is_some() && found.machine.is_none() {
                return refused("is not an ELF program");
            } else if found.attributes.mode & SET_ID != 0 {
                return refused("is set-user-id or set-group-id, which no program of a kernel's build is");
            }
        }
        Ok(())
    }

    /// Checks that ours can be put into it.
    ///
    /// # Errors
    /// If something in it is not what it should be.
    pub fn check_swap(&self) -> Result<(), Error> {
        self.check()?;
        let records = at(self.path(), self.directory.metadata_of(RECORDS))?;
        if records.is_some_and(|records| !records.is_dir()) {
            return Err(Error::refused(self.directory.join(RECORDS), "is not a directory"));
        }
        self.check_0_1_0()?;
        if self.has_kbuild() {
            let makefile = self.directory.join(MAKEFILE);
            let text = at(&makefile, self.directory.read(MAKEFILE, MAX_TEXT))?.unwrap_or_default();
            if self.group.ours.iter().any(|name| memchr::memmem::find(&text, name.as_bytes()).is_none()) {
                return Err(Error::refused(makefile, format!("doesn't make {}", self.group.ours.join(" and "))));
            }
        }
        Ok(())
    }

    /// Version 0.1.0 has kept originals in the tree, where whoever owns the tree decides
    /// what an undo installs.
    fn check_0_1_0(&self) -> Result<(), Error> {
        let records = match self.directory.child(RECORDS) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
            records => at(self.path(), records)?,
        };
        match at(records.path(), records.metadata_of(".time"))? {
            Some(_) => Err(Error::refused(records.path(), "was made by version 0.1.0, which has to undo its own swap")),
            None => Ok(()),
        }
    }

    /// Checks that everything that a swap has replaced is there to be given back.
    ///
    /// # Errors
    /// If something isn't.
    pub fn check_undo(&self) -> Result<(), Error> {
        self.check_0_1_0()?;
        // What our Kbuild has made, the next make makes anew. But in a headers package,
        // packed from a swapped tree, there is no source to make it of.
        let sources = ["../../init/main.c", "../../source/init/main.c"];
        let can_be_built = sources.iter().any(|source| self.directory.join(source).exists());
        let is_lost =
            |entry: &&Entry| entry.ours.is_some() && entry.origin == FileOrigin::Ours && self.kept(entry).is_none();
        if let Some(entry) = self.entries.iter().find(is_lost).filter(|_| !can_be_built) {
            let why = "is of kbuild-rs, its original isn't kept, and it can't be built here: nothing is changed";
            return Err(Error::refused(self.directory.join(entry.name), why));
        }
        if let (Some(lock), Some(manifest)) = (&self.lock, &self.manifest) {
            manifest.originals.iter().try_for_each(|original| lock.verify(original).map(drop))?;
        }
        self.check()
    }
}

/// Where a state keeps originals of a directory of programs; `None` if it keeps none.
#[must_use]
pub fn kept_at(state: &State, directory: &Path) -> Option<PathBuf> {
    let is_kept = state.manifest(directory).ok().flatten().is_some();
    let old = || adopt::is_due(state, directory).unwrap_or(false).then(|| adopt::path_of(state, directory));
    if is_kept { Some(state.entry(directory)) } else { old() }
}

/// Reads the digests of all files that a swap has put into a directory. A copy of a swapped
/// tree has them, too. A user who can change this record can change the files as well.
fn installed(directory: &Directory, manifest: Option<&Manifest>) -> Result<BTreeSet<FileDigest>, Error> {
    let mut digests = manifest.map(|manifest| manifest.installed.clone()).unwrap_or_default();
    let records = match directory.child(RECORDS) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(digests),
        records => at(&directory.join(RECORDS), records)?,
    };
    let text = at(&records.join(INSTALLED), records.read(INSTALLED, MAX_TEXT))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    digests.extend(text.lines().filter_map(|line| line.split(' ').next()?.parse::<FileDigest>().ok()));
    Ok(digests)
}

/// Whether a file of a tree is what would be installed now, as in a tree whose Kbuild has
/// copied it.
fn is_ours(name: &str, file: &FoundFile, directory: &Directory, ours: &Ours) -> Result<bool, Error> {
    if name != KBUILD {
        return Ok(ours.has(file.digest));
    }
    let text = at(&directory.join(name), directory.read(name, MAX_TEXT))?;
    Ok(text.is_some_and(|text| ours.is_kbuild(&text)))
}
