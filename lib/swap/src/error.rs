//! Why a tree was not swapped or given its originals again.

use std::path::{Path, PathBuf};
use std::{error, fmt, io};

use base::message::strerror;

/// Why a tree was not swapped or given its originals again.
#[derive(Debug)]
pub enum Error {
    /// The system refused something about a file or directory.
    Io(PathBuf, io::Error),
    /// Originals can't be kept in the directory of the state.
    State(PathBuf, io::Error),
    /// A file or directory is not what it should be.
    Refused(PathBuf, String),
    /// A kept original is not what was kept.
    Damaged {
        /// The kept file.
        path: PathBuf,
        /// The path of the original in the tree.
        original: PathBuf,
        /// The difference.
        what: Damage,
    },
    /// Another program has replaced a file since it was read.
    Changed(PathBuf),
    /// Another process works on the same directory.
    Busy(PathBuf),
    /// Whoever watched the changes ended them.
    Interrupted,
}

/// The difference between a kept original and its record.
#[derive(Debug, PartialEq, Eq)]
pub enum Damage {
    /// It isn't there.
    Missing,
    /// It has another size, in bytes.
    Size {
        /// The size when it was kept.
        kept: u64,
        /// The size now.
        found: u64,
    },
    /// It has the same size, and other contents.
    Contents,
}

impl Error {
    /// A file or directory that is not what it should be.
    pub fn refused(path: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        Self::Refused(path.into(), why.into())
    }
}

/// Adds the path to an error of the system.
pub(crate) fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, Error> {
    result.map_err(|error| Error::Io(path.to_owned(), error))
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::Size { kept, found } => write!(f, "has {found} bytes instead of {kept}"),
            Self::Contents => f.write_str("has other contents (its SHA-256 differs)"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {}", path.display(), strerror(error)),
            Self::State(path, error) => {
                let (path, error) = (path.display(), strerror(error));
                write!(f, "{path}: {error}: --state names another directory for the originals")
            }
            Self::Refused(path, why) => write!(f, "{}: {why}", path.display()),
            Self::Damaged { path, original, what } => {
                let (path, original) = (path.display(), original.display());
                write!(f, "{path}: the kept original of {original} {what}: nothing is changed")
            }
            Self::Changed(path) => {
                write!(
                    f,
                    "{}: another program has changed it in the meantime: run kbuild-rs-swap again",
                    path.display()
                )
            }
            Self::Busy(path) => write!(f, "{}: another kbuild-rs-swap is working on it", path.display()),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(_, error) | Self::State(_, error) => Some(error),
            _ => None,
        }
    }
}
