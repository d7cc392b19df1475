//! Packages of Debian's archive.
//!
//! The archive moves: a version that it has today is gone tomorrow. What is
//! wanted is therefore a [`Rule`], and which version that is, the archive's
//! index says. Everything is kept in the cache, outside the tree.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`cache`] | the directory that downloads are kept in |
//! | [`suite`] | a suite of the archive: its address, its index |
//! | [`index`] | the packages that an index lists |
//! | [`package`] | a package: the rule for it, where it was found, its files |
//! | [`error`] | why a package can't be had |
//!
//! This crate needs nothing but Rust's standard library and apt, so that
//! `make demo` builds in seconds.

#![forbid(unsafe_code)]

pub mod cache;
pub mod error;
pub mod index;
pub mod package;
pub mod suite;

pub use error::Unavailable;
pub use package::{Found, Rule, Which};
pub use suite::{SOURCE, Suite};
