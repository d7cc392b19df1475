//! The command line of modcheck.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueHint;
use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};
use cli::Example;
use cli::arguments::{ending_or, json};

const EXAMPLES: &[Example] = &[
    Example { what: "Whether the running kernel would load a module", command: "modcheck driver.ko" },
    Example { what: "Whether another kernel would", command: "modcheck --kernel 6.12.0 driver.ko" },
    Example {
        what: "Whether a kernel would of which the headers alone are installed",
        command: "modcheck --headers /usr/src/linux-headers-6.12.0 driver.ko",
    },
    Example { what: "All modules of a kernel", command: "modcheck --all --kernel 6.12.0" },
];

fn dir(name: &'static str, help: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).value_name("DIR").help(help).value_parser(value_parser!(PathBuf));
    arg.value_hint(ValueHint::DirPath)
}

/// The command line.
pub(crate) fn command() -> Command {
    let command = cli::program("modcheck").about("Say whether a kernel would load modules, and why not").long_about(
        "Checks modules as a kernel does that loads them, and in its order: signature, ELF, the layout of the \
             structures that both share, version magic, every symbol that is imported, and the modules that export \
             them. Prints a verdict for each, and for what is found the line that the kernel would log, what it \
             means, and what to do. Nothing is loaded.\n\n\
             A kernel is the running one, unless an option names another. What can't be known of it is said, and \
             makes the verdict that it can't be told, unless the module is refused anyway.",
    );
    ending_or(command, "if one would not be loaded", "if it can't be told, or ", EXAMPLES)
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .help("A module: a .ko, or a .ko.gz, .ko.xz or .ko.zst")
                .num_args(1..)
                .value_parser(value_parser!(OsString))
                .value_hint(ValueHint::FilePath)
                .required_unless_present_any(["recursive", "all"]),
        )
        .arg(dir("recursive", "All modules below a directory").short('r').action(ArgAction::Append))
        .arg(
            Arg::new("all")
                .long("all")
                .help("All modules that are installed for the kernel")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["headers", "symvers"]),
        )
        .arg(
            Arg::new("kernel").long("kernel").value_name("RELEASE").help("An installed kernel, as `uname -r` prints it"),
        )
        .arg(dir("root", "The directory in which lib/modules is").default_value("/"))
        .arg(dir("headers", "The kernel of a headers package or build directory"))
        .arg(
            Arg::new("symvers")
                .long("symvers")
                .value_name("FILE")
                .help("A Module.symvers: what a kernel and modules export; besides that of another kernel option, or alone")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .action(ArgAction::Append),
        )
        .arg(json())
        .group(ArgGroup::new("target").args(["kernel", "headers"]))
}
