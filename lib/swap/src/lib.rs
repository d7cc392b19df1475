//! Putting our programs into a kernel's source tree, build directory or headers package,
//! and taking them out again.
//!
//! What is replaced is kept outside the tree, so that no package, copy or cleaning of the
//! tree takes it along: `DIR/scripts/mod` is kept in `STATE/kept/DIR/scripts/mod`. In the
//! tree, `scripts/mod/.kbuild-rs/kernel` records what was proved.
//!
//! A swap and an undo are [plans](plan): steps that are known before the first is taken.
//! First everything is prepared, in directories of their own; then every replacement is a
//! rename, so that no program is ever missing or incomplete. Wherever a run ends, the next
//! swap or undo goes on from there.
//!
//! | module | what it does |
//! | --- | --- |
//! | `error` | why nothing was changed |
//! | [`machine`] | the machine that a program is for |
//! | `step` | one change of a file |
//! | [`place`] | a directory of a tree whose programs are replaced, and its state |
//! | `exclude` | what git doesn't show |
//! | [`plan`] | the steps of a swap and of an undo |
//! | [`trees`] | all installed headers, and all trees that were swapped |

#![forbid(unsafe_code)]

mod error;
mod exclude;
pub mod machine;
pub mod place;
pub mod plan;
mod step;
pub mod trees;

pub use error::Error;
pub use step::Step;
