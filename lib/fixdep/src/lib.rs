//! What `scripts/basic/fixdep` does: of the dependency file that a compiler
//! wrote, it makes the one that kbuild includes, in which the configuration as a
//! whole is replaced by the options that the sources mention.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`dialect`] | what changed between kernels |
//! | `options` | configuration options that a text mentions |
//! | `depfile` | the parsers of dependency files |
//! | [`run`] | a run, from its arguments to what it prints |

#![forbid(unsafe_code)]

mod depfile;
pub mod dialect;
mod options;
pub mod run;
