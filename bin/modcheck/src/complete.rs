//! What completions know of the machine: its kernels.

use std::path::Path;

use clap::Command;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use kmod::installed;

/// The kernels that have modules.
fn kernels() -> Vec<CompletionCandidate> {
    installed::kernels(Path::new("/")).into_iter().map(|kernel| CompletionCandidate::new(kernel.release)).collect()
}

/// The command line, with them.
pub(crate) fn command() -> Command {
    crate::command::command().mut_arg("kernel", |arg| arg.add(ArgValueCandidates::new(kernels)))
}
