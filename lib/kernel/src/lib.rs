//! Which kernel a tool serves: its version or vendor's name, how it is found
//! out, and tables of what changed between kernels.
//!
//! | module | what it does |
//! | --- | --- |
//! | `version` | a version, and the files that name one |
//! | [`change`] | a tool's table of changes |
//! | [`document`] | the table, for people |
//! | `tree` | the files of a kernel tree |
//! | `flags` | a kernel, and how a tool behaves for it |
//! | [`vendor`] | vendors' kernels, and the headers that identify them |
//! | [`record`] | what a swap recorded beside the program |
//! | [`detect`] | detecting the kernel, by the strongest evidence first |
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
pub use invocation::{Invocation, is_on};
pub use tree::Trees;
pub use version::Version;
