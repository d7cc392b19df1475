//! Our programs, in the directory that a swap takes them from.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use base::regular;

use crate::error::{Error, at};
use crate::found_file::{FileDigest, MAX_PROGRAM};
use crate::group::KBUILD;
use crate::machine::MACHINES;

/// The beginning of the line that names this directory.
const ASSIGNMENT: &str = "KBUILD_RS ?=";

/// Our programs for all machines.
#[derive(Debug, Default)]
pub struct Ours {
    directory: PathBuf,
    digests: BTreeSet<FileDigest>,
    /// The file for kbuild as it is installed.
    kbuild: Option<String>,
}

impl Ours {
    /// The programs of these names in a directory, and in those for other machines below
    /// it. Not all need be there.
    ///
    /// # Errors
    /// It returns the system's error if an existing file can't be read.
    pub fn in_directory(directory: &Path, names: &[&str]) -> Result<Self, Error> {
        let read = |path: PathBuf| match regular::read(&path, MAX_PROGRAM) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            contents => at(&path, contents).map(Some),
        };
        let mut digests = BTreeSet::new();
        let machines = MACHINES.iter().map(|machine| directory.join(machine.name));
        for programs in [directory.to_owned()].into_iter().chain(machines) {
            for name in names {
                digests.extend(read(programs.join(name))?.map(|contents| FileDigest::of(&contents)));
            }
        }
        let kbuild = read(directory.join(KBUILD))?.and_then(|text| String::from_utf8(text).ok());
        Ok(Self { directory: directory.to_owned(), digests, kbuild })
    }

    /// Whether a program is one of them.
    pub(crate) fn has(&self, digest: FileDigest) -> bool {
        self.digests.contains(&digest)
    }

    /// Whether a text is the file for kbuild, for this directory or another.
    pub(crate) fn is_kbuild(&self, text: &[u8]) -> bool {
        let lines = |text: &str| -> Vec<String> {
            text.lines().filter(|line| !line.starts_with(ASSIGNMENT)).map(str::to_owned).collect()
        };
        let ours = self.kbuild.as_deref().map(lines);
        ours.is_some_and(|ours| std::str::from_utf8(text).is_ok_and(|text| lines(text) == ours))
    }

    /// The text of the file for kbuild, which copies the programs of this directory.
    ///
    /// # Errors
    /// It returns `ENOENT` if the directory has no such file.
    pub fn kbuild(&self) -> Result<Vec<u8>, Error> {
        let missing = || Error::Io(self.directory.join(KBUILD), io::Error::from(ErrorKind::NotFound));
        let text = self.kbuild.as_deref().ok_or_else(missing)?;
        let line = |line: &str| match line.strip_prefix(ASSIGNMENT) {
            Some(_) => format!("{ASSIGNMENT} {}\n", self.directory.display()),
            None => format!("{line}\n"),
        };
        Ok(text.lines().map(line).collect::<String>().into_bytes())
    }
}
