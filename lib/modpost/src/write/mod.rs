//! The files that modpost writes, and those that it reads to write them.

pub mod modc;
pub(crate) mod supported;
pub mod symvers;
