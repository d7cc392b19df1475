//! Putting our programs into a kernel's source tree, build directory or headers package,
//! and taking them out again.
//!
//! Originals are [kept] outside the tree, so that no package, copy or cleaning of
//! the tree takes them along. In the tree, `scripts/mod/.kbuild-rs/kernel` records which
//! kernel's originals ours behave like. Root changes only trees that [root alone](owner)
//! can change.
//!
//! | module | what it does |
//! | --- | --- |
//! | `error` | why a tree was not changed |
//! | [`machine`] | the machine that a program is for |
//! | `directory` | directories by their handles |
//! | [`found_file`] | a file as it was found |
//! | [`change`] | the changes, for whoever watches them |
//! | [`group`] | programs that are replaced together |
//! | [`owner`] | whose a tree is |
//! | [`kept`] | originals that are kept, and the lock |
//! | `adopt` | originals that version 0.2.0 has kept |
//! | [`ours`] | our programs |
//! | [`place`] | a directory of a tree whose programs are replaced |
//! | `exclude` | files that git doesn't show |
//! | [`replace`] | a swap and an undo |
//! | [`trees`] | all installed headers, and all trees that were swapped |

#![forbid(unsafe_code)]

mod adopt;
pub mod change;
mod directory;
mod error;
mod exclude;
pub mod found_file;
pub mod group;
pub mod kept;
pub mod machine;
pub mod ours;
pub mod owner;
pub mod place;
pub mod replace;
pub mod trees;

pub use error::{Damage, Error};
