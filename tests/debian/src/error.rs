//! Why a package can't be had.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a package can't be had. It can travel in an [`io::Error`], where
/// [`Unavailable::is_gone`] finds it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The archive was asked, and doesn't have it, or not as its index says: a
    /// mirror can lag behind.
    Gone(String),
    /// The archive can't be reached, or isn't to be.
    Unreachable(String),
    /// Something is wrong with this machine, as a full disk.
    Failed(String),
}

impl Unavailable {
    /// Whether an error says that the archive doesn't have a package. Trying
    /// again is no use.
    #[must_use]
    pub fn is_gone(error: &io::Error) -> bool {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>());
        matches!(inner, Some(Self::Gone(_)))
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Gone(text) | Self::Unreachable(text) | Self::Failed(text)) = self;
        f.write_str(text)
    }
}

impl Error for Unavailable {}

impl From<io::Error> for Unavailable {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Unavailable> for io::Error {
    fn from(error: Unavailable) -> Self {
        Self::other(error)
    }
}
