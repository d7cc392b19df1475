//! The command line of sumversion.

use std::ffi::OsString;
use std::path::PathBuf;

use ::kernel::vendor;
use clap::builder::ValueHint;
use clap::{Arg, ArgAction, Command, value_parser};
use cli::Example;
use cli::arguments::{ending, json, kernel, served};
use modpost::dialect::Dialect;

const EXAMPLES: &[Example] = &[
    Example {
        what: "The srcversion that modpost gives a module, in the tree that built it",
        command: "sumversion drivers/net/dummy",
    },
    Example { what: "What went into it", command: "sumversion --explain drivers/net/dummy" },
    Example {
        what: "Whether a module was built from the sources as they are now",
        command: "sumversion --check drivers/net/dummy.ko",
    },
    Example {
        what: "Whether the loaded module is the one on disk",
        command: "sumversion --loaded dummy /lib/modules/6.12.0/kernel/dummy.ko",
    },
];

/// How the kernel of a name does things.
fn dialect(name: &str) -> Result<Dialect, String> {
    if !name.contains('/') {
        return served(name).map(|name| Dialect::new(name.version));
    }
    vendor::of_name(name.as_bytes()).ok_or_else(|| "not a kernel of a vendor that is known".to_owned())
}

/// The command line.
pub(crate) fn command() -> Command {
    let file = value_parser!(OsString);
    let command = cli::program("sumversion")
        .about("Print the srcversion that modpost gives modules, from their .mod and .cmd files")
        .long_about(
            "Prints the sum of a module's sources that modpost records as its srcversion, from the .mod and .cmd \
             files that the kernel's build has left. Which kernel is served is told as modpost is told, unless \
             --kernel says it.",
        );
    ending(command, "if a module has no sum, or two are not equal", EXAMPLES)
        .arg(
            Arg::new("modules")
                .value_name("NAME")
                .help("A module's path, with or without .mod or .o")
                .required_unless_present_any(["compare", "check", "loaded"])
                .num_args(1..)
                .value_hint(ValueHint::FilePath)
                .value_parser(file.clone()),
        )
        .arg(
            Arg::new("explain")
                .long("explain")
                .help("List what went into the sum, in order, and what didn't")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("compare")
                .long("compare")
                .value_names(["A.ko", "B.ko"])
                .help("Say whether two modules have the same srcversion")
                .num_args(2)
                .value_hint(ValueHint::FilePath)
                .value_parser(file.clone())
                .conflicts_with_all(["modules", "explain", "check", "loaded"]),
        )
        .arg(
            Arg::new("check")
                .long("check")
                .value_name("FILE.ko")
                .help("Say whether a module has the srcversion that its tree would give it")
                .value_hint(ValueHint::FilePath)
                .value_parser(file)
                .conflicts_with_all(["modules", "explain", "loaded"]),
        )
        .arg(
            Arg::new("loaded")
                .long("loaded")
                .value_name("NAME")
                .help("Say whether the loaded module of that name has the srcversion; without NAME, which it has")
                .conflicts_with("explain"),
        )
        .arg(kernel("The kernel's release or version, or a vendor's name as in rhel/9.6").value_parser(dialect))
        .arg(
            Arg::new("sysfs")
                .long("sysfs")
                .value_name("DIR")
                .help("Where sysfs is")
                .default_value("/sys")
                .value_hint(ValueHint::DirPath)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(json())
}
