//! Whether ours does what an original does: [cases](case), what originals
//! [did](recording) on them, an original's [texts], and the [proof](prove) that
//! a swap wants before it replaces one.
//!
//! The suite runs its cases with this, too.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`subject`] | an original or ours |
//! | [`run`] | running it in a directory, and what it leaves |
//! | [`compare`] | how two outcomes differ |
//! | [`case`] | a case: files and calls |
//! | [`parallel`] | many at a time |
//! | [`recording`] | recorded cases |
//! | [`texts`] | an original's literals |
//! | `error` | why nothing was proved |
//! | [`prove`] | the proof |

#![forbid(unsafe_code)]

pub mod case;
pub mod compare;
mod error;
pub mod parallel;
pub mod prove;
pub mod recording;
pub mod run;
pub mod subject;
pub mod texts;
