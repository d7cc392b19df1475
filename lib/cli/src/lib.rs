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

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use base::escape::escape;
use clap::{ArgMatches, Command};

pub use arguments::{Example, KernelName, program, version};
pub use streams::{Streams, Style};

/// The values of a command line. If it makes no sense, the program ends as clap ends it,
/// with the arguments [escaped](base::escape) in the message: file names may be among them
/// that a shell found.
#[must_use]
pub fn matches(command: impl Fn() -> Command) -> ArgMatches {
    command().try_get_matches().unwrap_or_else(|error| {
        let escaped = std::env::args_os().map(|argument| escape(argument.as_bytes()).into_owned());
        let again = command().try_get_matches_from(escaped.map(OsString::from_vec));
        again.err().unwrap_or(error).exit()
    })
}

/// The variable that names the shell that wants completions.
pub const COMPLETE: &str = "KBUILD_RS_COMPLETE";
