//! Why nothing was changed.

use std::path::{Path, PathBuf};
use std::{error, fmt, io};

use base::message::strerror;

/// Why nothing was changed.
#[derive(Debug)]
pub enum Error {
    /// A file can't be read or made.
    Io(PathBuf, io::Error),
    /// What is kept can't be kept there.
    State(PathBuf, io::Error),
    /// Something about a file or directory, after its name.
    Refused(PathBuf, String),
}

impl Error {
    /// Something about a file or directory.
    pub fn refused(path: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        Self::Refused(path.into(), why.into())
    }
}

/// A result, with the path that it is about.
pub(crate) fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, Error> {
    result.map_err(|error| Error::Io(path.to_owned(), error))
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
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(_, error) | Self::State(_, error) => Some(error),
            Self::Refused(..) => None,
        }
    }
}
