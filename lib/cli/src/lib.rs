//! What the command lines of kbuild-rs's own programs have in common: the options that
//! each has, how help ends, and how results and messages are written.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`arguments`] | options that each program has, versions of kernels, examples |
//! | [`streams`] | results, messages, and the exit status |
//!
//! What kbuild calls has the version from here and no more: its command lines are the
//! originals'.

#![forbid(unsafe_code)]

pub mod arguments;
pub mod streams;

pub use arguments::{Example, KernelName, program, version};
pub use streams::{Streams, Style};

/// The variable that names the shell that wants completions.
pub const COMPLETE: &str = "KBUILD_RS_COMPLETE";
