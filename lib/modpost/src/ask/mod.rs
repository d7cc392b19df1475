//! More than the original says, on request.

pub(crate) mod explain;
pub(crate) mod report;
