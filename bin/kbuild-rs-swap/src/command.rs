//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, ValueHint};
use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};
use cli::Example;
use cli::arguments::{ending, json, kernel};
use swap::group::GROUPS;
use swap::machine::MACHINES;

/// This option tells a process of a tree's owner that root has started it.
pub(crate) const ON_BEHALF: &str = "on-behalf";

const EXAMPLES: &[Example] = &[
    Example { what: "Whether ours does the same in a tree", command: "kbuild-rs-swap --check /usr/src/linux" },
    Example { what: "Use ours there", command: "kbuild-rs-swap /usr/src/linux" },
    Example { what: "The originals again", command: "kbuild-rs-swap --undo /usr/src/linux" },
    Example { what: "What all trees use, for other programs", command: "kbuild-rs-swap --status --all --json" },
];

/// The machines for which there are programs, in order for people.
fn hosts() -> Vec<&'static str> {
    let mut hosts: Vec<_> = MACHINES.iter().map(|machine| machine.name).collect();
    hosts.sort_unstable();
    hosts
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn path(name: &'static str, help: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).value_name("DIR").value_parser(value_parser!(PathBuf)).help(help);
    arg.value_hint(ValueHint::DirPath)
}

/// The command line.
pub(crate) fn command() -> Command {
    let command = cli::program("kbuild-rs-swap")
        .mut_arg("verbose", |arg| arg.help("Say on standard error which files are changed"))
        .about("Use kbuild-rs in a kernel tree or headers package, or the originals again")
        .override_usage(
            "kbuild-rs-swap [OPTIONS] KDIR            use kbuild-rs in KDIR\n       \
             kbuild-rs-swap [OPTIONS] --check KDIR    say whether it does the same\n       \
             kbuild-rs-swap [OPTIONS] --undo KDIR     use the originals again\n       \
             kbuild-rs-swap [OPTIONS] --status KDIR   say which of them KDIR uses",
        )
        .long_about(
            "Replaces the programs of a kernel's build by those of kbuild-rs, or gives a tree its originals again.\n\n\
             KDIR is a kernel's source tree, a build directory (O=), or an installed headers package: \
             /usr/src/linux-headers-*, /usr/lib/linux-kbuild-*, /lib/modules/*/build. A source tree gets a file \
             Kbuild, which kbuild prefers to the Makefile, in scripts/mod, scripts/basic and scripts/genksyms; in all \
             of them the programs that are there are replaced.\n\n\
             Nothing is replaced without proof that ours does the same there.",
        );
    ending(command, "if a tree couldn't be swapped, or ours differs", EXAMPLES)
        .arg(
            Arg::new("kdir")
                .value_name("KDIR")
                .required_unless_present("all")
                .conflicts_with("all")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::DirPath)
                .help("The tree"),
        )
        .arg(flag("all", "All installed headers and all trees that were swapped, instead of one"))
        .arg(flag("check", "Say whether ours does the same there, and change nothing"))
        .arg(flag("undo", "Use the originals again"))
        .arg(flag("status", "Say what is used there"))
        .group(ArgGroup::new("what").args(["check", "undo", "status"]))
        .arg(
            Arg::new("only")
                .long("only")
                .value_name("GROUP")
                .value_parser(PossibleValuesParser::new(GROUPS.iter().map(|group| group.directory)))
                .value_delimiter(',')
                .action(ArgAction::Append)
                .help("Only the programs of scripts/mod, scripts/basic or scripts/genksyms"),
        )
        .arg(path("from", "Take the programs from DIR, not from beside this one"))
        .arg(
            Arg::new("host")
                .long("host")
                .value_name("HOST")
                .value_parser(PossibleValuesParser::new(hosts()))
                .help("The machine that builds with KDIR, if not this one"),
        )
        .arg(
            kernel("What the originals are said to be of, as in 6.1.176 or rhel/9.6")
                .value_parser(value_parser!(OsString)),
        )
        .arg(flag("force", "Swap even if the original does something else"))
        .arg(path(
            "state",
            "Keep the originals in DIR, not in /var/lib/kbuild-rs (root) or ${XDG_STATE_HOME:-~/.local/state}/kbuild-rs",
        ))
        .arg(json())
        .arg(Arg::new(ON_BEHALF).long(ON_BEHALF).action(ArgAction::SetTrue).hide(true))
}
