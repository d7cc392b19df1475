//! The changes that a swap and an undo make, one by one, for whoever watches them.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A change that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An original is copied to where it is kept.
    Keep(PathBuf),
    /// The manifest of the kept originals, or the record of the kernel, is written.
    Record(PathBuf),
    /// A new file is written. It doesn't replace the old one yet.
    Prepare(PathBuf),
    /// A file is replaced.
    Replace(PathBuf),
    /// A file or directory is removed.
    Remove(PathBuf),
    /// A directory gets the times that it had before a swap.
    Date(PathBuf),
    /// A clone's list of files that git doesn't show is replaced.
    Exclude(PathBuf),
    /// Kept originals, which are all in the tree again, are removed.
    Forget(PathBuf),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, path): (_, &Path) = match self {
            Self::Keep(path) => ("keep", path),
            Self::Record(path) => ("record in", path),
            Self::Prepare(path) => ("prepare", path),
            Self::Replace(path) => ("replace", path),
            Self::Remove(path) => ("remove", path),
            Self::Date(path) => ("restore the times of", path),
            Self::Exclude(path) => ("write", path),
            Self::Forget(path) => ("forget", path),
        };
        write!(f, "{what} {}", path.display())
    }
}

/// A function that is called before each change, and can end the run with an error.
/// [`Error::Interrupted`] ends it as if the process were killed: nothing is tidied up.
pub type Watch<'a> = dyn FnMut(&Change) -> Result<(), Error> + 'a;
