//! For who asks for more than the original says.

pub(crate) mod explain;
pub(crate) mod report;
