//! Which kernel a tool serves: its version or vendor's name, how it is found
//! out, and tables of what changed between kernels.
//!
//! | module | what it does |
//! | --- | --- |
//! | `version` | a version, and the files that name one |
//! | [`change`] | a tool's table of changes |
//! | [`document`] | the table, for people |
//! | `tree` | the files of a kernel tree |
//! | `flags` | a kernel, and what a tool does for it |
//! | [`vendor`] | vendors' kernels, and the headers that tell them |
//! | [`record`] | what a swap recorded beside the program |
//! | [`detect`] | all of that, in the order in which it is believed |
//! | `invocation` | how the program was called |

#![forbid(unsafe_code)]

pub mod change;
pub mod detect;
pub mod document;
mod flags;
mod invocation;
pub mod record;
mod tree;
pub mod vendor;
mod version;

pub use change::{BEFORE_ALL, Change, VENDORS_ALONE};
pub use flags::{Flags, Kernel, Vendor};
pub use invocation::Invocation;
pub use tree::Trees;
pub use version::Version;
