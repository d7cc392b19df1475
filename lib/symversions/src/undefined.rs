//! Where the original's behaviour is undefined: it reads freed memory, follows a null
//! pointer, or overruns the stack. And what else stops a run within the source.

/// What the original would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Undefined(pub(crate) &'static str);

/// Why the parser stops before the source ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    Undefined(Undefined),
    /// The source can't be read.
    Unreadable,
    /// It has more bytes than there can be names.
    TooLarge,
}

impl From<Undefined> for Stopped {
    fn from(undefined: Undefined) -> Self {
        Self::Undefined(undefined)
    }
}
