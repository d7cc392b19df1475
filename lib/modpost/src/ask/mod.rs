//! For who asks for more than the original says.

pub mod explain;
pub mod report;
