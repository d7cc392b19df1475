//! A directory of a kernel tree whose programs are replaced, and its state.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, at};
use crate::machine::{self, Machine};

/// The directory of the state below which originals are kept.
pub(crate) const KEPT: &str = "kept";
/// A file beside what is kept: its time is that of the directory before a swap.
pub(crate) const TIME: &str = ".time";
/// Where a swap records what was proved, in the directory of the programs.
pub(crate) const RECORDS: &str = ".kbuild-rs";
/// The file by which kbuild copies our programs.
pub(crate) const KBUILD: &str = "Kbuild";
/// What all our files have in them, and no original.
const OURS: &[u8] = b"KBUILD_RS";

/// Programs that are replaced together.
#[derive(Debug)]
pub struct Group {
    /// Their directory, in a tree's `scripts`.
    pub directory: &'static str,
    /// The tool that is proved to be the same.
    pub tool: &'static str,
    /// A file of its C source.
    source: &'static str,
    /// Our programs.
    pub ours: &'static [&'static str],
    /// Every name that an original can have, and which of ours takes its place. Debian's
    /// modpost is a wrapper around one program for each class and byte order.
    names: &'static [(&'static str, &'static str)],
}

/// All of them.
pub static GROUPS: [Group; 3] = [
    Group {
        directory: "mod",
        tool: "modpost",
        source: "modpost.c",
        ours: &["modpost", "mk_elfconfig"],
        names: &[
            ("modpost", "modpost"),
            ("modpost.real-lsb-32", "modpost"),
            ("modpost.real-lsb-64", "modpost"),
            ("modpost.real-msb-32", "modpost"),
            ("modpost.real-msb-64", "modpost"),
            ("mk_elfconfig", "mk_elfconfig"),
        ],
    },
    Group { directory: "basic", tool: "fixdep", source: "fixdep.c", ours: &["fixdep"], names: &[("fixdep", "fixdep")] },
    Group {
        directory: "genksyms",
        tool: "genksyms",
        source: "genksyms.c",
        ours: &["genksyms"],
        names: &[("genksyms", "genksyms")],
    },
];

/// What a file of a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    Missing,
    Ours,
    Theirs,
}

/// A program, or the file for kbuild.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// Which of ours takes its place; `None` for the file for kbuild.
    pub(crate) ours: Option<&'static str>,
    pub(crate) is: Is,
    /// Its original is kept.
    pub(crate) is_kept: bool,
}

/// A directory whose programs are replaced.
#[derive(Debug)]
pub struct Place {
    /// Which programs.
    pub group: &'static Group,
    /// The directory, without symbolic links in its path.
    pub dir: PathBuf,
    /// Where its originals are kept.
    pub kept: PathBuf,
    /// The directory of the state.
    pub(crate) state: PathBuf,
    pub(crate) entries: Vec<Entry>,
    /// It was swapped.
    pub(crate) is_swapped: bool,
}

/// What a place uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its originals.
    Original,
    /// Ours, as the kernel that was recorded, if one was.
    Swapped(Option<String>),
    /// Ours and new originals.
    InPart,
    /// New originals.
    Upgraded,
    /// Ours, and nothing else is kept.
    NotKept,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Original => f.write_str("has its originals"),
            Self::Swapped(None) => f.write_str("uses kbuild-rs"),
            Self::Swapped(Some(kernel)) => write!(f, "uses kbuild-rs for kernel {kernel}"),
            Self::InPart => f.write_str("uses kbuild-rs in part: run kbuild-rs-swap again"),
            Self::Upgraded => f.write_str("was swapped, and has new originals since: run kbuild-rs-swap again"),
            Self::NotKept => f.write_str("uses kbuild-rs, and what that has replaced isn't kept"),
        }
    }
}

/// Whether a file is one of ours.
///
/// # Errors
/// If it can't be read.
pub fn is_ours(path: &Path) -> io::Result<bool> {
    Ok(memchr::memmem::find(&fs::read(path)?, OURS).is_some())
}

impl Place {
    /// The place of a group in a tree; `None` if the tree has nothing that could be
    /// replaced or given back there.
    ///
    /// # Errors
    /// If its files can't be read.
    pub fn find(tree: &Path, group: &'static Group, state: &Path) -> Result<Option<Self>, Error> {
        let Ok(dir) = fs::canonicalize(tree.join("scripts").join(group.directory)) else { return Ok(None) };
        let mut kept = state.join(KEPT).join(dir.strip_prefix("/").unwrap_or(&dir));
        // Version 0.1.0 kept them there.
        let records = dir.join(RECORDS);
        if records.join(TIME).exists() {
            kept = records;
        }
        let mut entries = Vec::new();
        let file_for_kbuild = (dir.join(group.source).exists() || dir.join(KBUILD).exists()).then_some((KBUILD, None));
        let programs = group.names.iter().map(|(name, ours)| (*name, Some(*ours)));
        for (name, ours) in file_for_kbuild.into_iter().chain(programs) {
            let (path, is_kept) = (dir.join(name), kept.join(name).exists());
            let is = match is_ours(&path) {
                Ok(true) => Is::Ours,
                Ok(false) => Is::Theirs,
                // A link that leads nowhere, or a directory.
                Err(_) if path.symlink_metadata().is_ok() => Is::Theirs,
                Err(error) if error.kind() == io::ErrorKind::NotFound => Is::Missing,
                Err(error) => return Err(Error::Io(path, error)),
            };
            if ours.is_none() || is != Is::Missing || is_kept {
                entries.push(Entry { name, ours, is, is_kept });
            }
        }
        let is_swapped = kept.is_dir();
        let place = Self { group, dir, kept, state: state.to_owned(), entries, is_swapped };
        Ok((!place.entries.is_empty()).then_some(place))
    }

    fn has(&self, is: Is) -> bool {
        self.entries.iter().any(|entry| entry.is == is)
    }

    /// Whether a swap has left something in it.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.is_swapped || self.has(Is::Ours)
    }

    /// Whether version 0.1.0 has swapped it.
    pub(crate) fn is_of_0_1_0(&self) -> bool {
        self.kept == self.dir.join(RECORDS)
    }

    /// What it uses.
    #[must_use]
    pub fn status(&self) -> Status {
        match (self.has(Is::Ours), self.has(Is::Theirs), self.is_swapped) {
            (true, false, true) => {
                let record = fs::read_to_string(self.dir.join(RECORDS).join("kernel")).unwrap_or_default();
                let kernel = record.lines().find_map(|line| line.strip_prefix("kernel "));
                Status::Swapped(kernel.map(str::to_owned))
            }
            (true, true, true) => Status::InPart,
            (true, _, false) => Status::NotKept,
            (false, true, true) => Status::Upgraded,
            _ => Status::Original,
        }
    }

    /// Whether it has the file for kbuild, or is to have it.
    pub(crate) fn has_kbuild(&self) -> bool {
        self.entries.iter().any(|entry| entry.ours.is_none())
    }

    /// The first original that is a program, with the machine that it is for.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn original(&self) -> Result<Option<(PathBuf, &'static Machine)>, Error> {
        let Some(entry) = self.entries.iter().find(|entry| entry.ours.is_some() && entry.is == Is::Theirs) else {
            return Ok(None);
        };
        let path = self.dir.join(entry.name);
        Ok(at(&path, machine::of(&path))?.map(|machine| (path, machine)))
    }

    /// Checks that everything in it is what it should be.
    fn check(&self) -> Result<(), Error> {
        for entry in self.entries.iter().filter(|entry| entry.is != Is::Missing) {
            let path = self.dir.join(entry.name);
            let metadata = at(&path, path.symlink_metadata())?;
            if metadata.is_symlink() {
                return Err(Error::refused(path, "is a symbolic link"));
            } else if !metadata.is_file() {
                return Err(Error::refused(path, "is not a file"));
            } else if entry.ours.is_none() && entry.is == Is::Theirs {
                return Err(Error::refused(path, "is not of kbuild-rs"));
            } else if entry.ours.is_some() && at(&path, machine::of(&path))?.is_none() {
                return Err(Error::refused(path, "is not an ELF program"));
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
        if self.has_kbuild() {
            let makefile = self.dir.join("Makefile");
            let text = fs::read(&makefile).unwrap_or_default();
            if self.group.ours.iter().any(|name| memchr::memmem::find(&text, name.as_bytes()).is_none()) {
                return Err(Error::refused(makefile, format!("doesn't make {}", self.group.ours.join(" and "))));
            }
        }
        Ok(())
    }

    /// Checks that all that a swap has replaced can be had again.
    ///
    /// # Errors
    /// If something can't.
    pub fn check_undo(&self) -> Result<(), Error> {
        // What our Kbuild has made, the next make makes anew. But in a headers package,
        // packed from a swapped tree, there is nothing to make it of.
        let sources = ["../../init/main.c", "../../source/init/main.c"];
        let can_be_built = sources.iter().any(|source| self.dir.join(source).exists());
        let is_lost = |entry: &&Entry| entry.ours.is_some() && entry.is == Is::Ours && !entry.is_kept;
        match self.entries.iter().find(is_lost) {
            Some(entry) if !can_be_built => {
                let why = "is of kbuild-rs, its original isn't kept, and it can't be built here: nothing is changed";
                Err(Error::refused(self.dir.join(entry.name), why))
            }
            _ => self.check(),
        }
    }
}
