//! Where the original's behaviour is undefined: it reads freed memory, follows a null
//! pointer, or overruns the stack.

/// What the original would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Undefined(pub(crate) &'static str);
