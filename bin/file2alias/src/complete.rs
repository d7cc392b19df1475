//! What completions know of the machine: its kernels and PCI devices.

use std::path::Path;

use clap::Command;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use kmod::installed;
use kmod::pci::{self, Classes};

/// The kernels that have modules.
fn kernels() -> Vec<CompletionCandidate> {
    installed::kernels(Path::new("/")).into_iter().map(|kernel| CompletionCandidate::new(kernel.release)).collect()
}

/// The PCI devices, with what each is.
fn devices() -> Vec<CompletionCandidate> {
    let devices = pci::devices(Path::new("/sys")).unwrap_or_default();
    let classes = Classes::of(Path::new("/"));
    let candidate = |device: pci::Device| {
        let class = classes.name(device.class).map(|name| String::from_utf8_lossy(name).into_owned());
        CompletionCandidate::new(device.address).help(class.map(Into::into))
    };
    devices.into_iter().map(candidate).collect()
}

/// The command line, with them.
pub(crate) fn command() -> Command {
    let with_kernels = |command: Command| command.mut_arg("kernel", |arg| arg.add(ArgValueCandidates::new(kernels)));
    let command = with_kernels(crate::command::command());
    let command =
        ["list", "match", "vfio"].into_iter().fold(command, |all, name| all.mut_subcommand(name, with_kernels));
    command.mut_subcommand("vfio", |vfio| vfio.mut_arg("devices", |arg| arg.add(ArgValueCandidates::new(devices))))
}
