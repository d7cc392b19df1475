//! The command line of sumversion.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, value_parser};

/// The command line.
pub(crate) fn command() -> Command {
    let file = value_parser!(OsString);
    Command::new("sumversion")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Print the srcversion that modpost gives modules, from their .mod and .cmd files")
        .long_about(
            "Prints the sum of a module's sources that modpost records as its srcversion, from the .mod and .cmd \
             files that the kernel's build has left. Which kernel is served is told as modpost is told.",
        )
        .after_help("Exit status: 0; 1 if a module has no sum, or two are not equal; 2 if the arguments make no sense.")
        .arg(
            Arg::new("modules")
                .value_name("NAME")
                .help("A module's path, with or without .mod or .o")
                .required_unless_present_any(["compare", "check", "loaded"])
                .num_args(1..)
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
                .value_parser(file.clone())
                .exclusive(true),
        )
        .arg(
            Arg::new("check")
                .long("check")
                .value_name("FILE.ko")
                .help("Say whether a module has the srcversion that its tree would give it")
                .value_parser(file)
                .exclusive(true),
        )
        .arg(
            Arg::new("loaded")
                .long("loaded")
                .value_name("NAME")
                .help("Say whether the loaded module of that name has the srcversion; without NAME, which it has")
                .conflicts_with("explain"),
        )
        .arg(
            Arg::new("sysfs")
                .long("sysfs")
                .value_name("DIR")
                .help("Where sysfs is")
                .default_value("/sys")
                .value_parser(value_parser!(PathBuf)),
        )
}
