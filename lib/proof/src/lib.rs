//! Whether ours does what an original does: [cases](case), what originals
//! [did](recording) on them, an original's [texts], and the [proof](prove) that
//! a swap wants before it replaces one.
//!
//! The suite runs its cases with this, too.

#![forbid(unsafe_code)]

pub mod case;
pub mod compare;
pub mod parallel;
pub mod prove;
pub mod recording;
pub mod run;
pub mod subject;
pub mod texts;
