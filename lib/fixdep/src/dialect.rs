//! What fixdep does differently from kernel to kernel.

use std::path::PathBuf;

use kernel::{BEFORE_ALL, Trees, document};

kernel::dialect! {
    vendors &[], judge |_: &mut Dialect, _: &Trees| Vec::<PathBuf>::new();

    /// An option's file has the option's name; before, its words are
    /// directories in lower case, and its suffix is `.h`.
    option_names_kept: (5, 13), until None, stable &[], commits &["0e0345b77ac4"];
    /// What can't be written is told at the end; before, as soon as the buffer of
    /// standard output is full, and nothing is said of what is left in it.
    output_checked_at_end: (5, 18), until None, stable &[], commits &["69304379ff03"];
    /// The command is saved as `savedcmd_TARGET`; before, as `cmd_TARGET`.
    command_is_saved: (6, 3), until None, stable &[], commits &["92215e7a801d"];
    /// Dependency files are parsed as make parses them: with comments, escapes and
    /// one rule a line. Before, words are split at white space and backslashes, and
    /// one that ends in a colon is a target.
    rules_by_line: (6, 3), until None, stable &[], commits &["bc6df812a152"];
    /// A file is listed and read once.
    files_once: (6, 3), until None, stable &[], commits &["faa91c472be8"];
    /// Binary files that rustc lists aren't read.
    binaries_passed_over: (6, 3), until None, stable &[], commits &["93c656de8da8"];
    /// Where there is no memory for a file, fixdep ends with status 1 and not a word;
    /// before, it says so, and its status is 2.
    no_memory_is_silent: (6, 12), until None, stable &[], commits &["a46078d65181"];
    /// `autoksyms.h` is left out.
    autoksyms_left_out: BEFORE_ALL, until Some((6, 5)), stable &[], commits &["5e9e95cc9148"];
}

/// The table of changes, for people.
#[must_use]
pub fn table() -> String {
    document::section("fixdep", CHANGES)
}
