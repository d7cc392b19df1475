//! The command line of file2alias.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};
use kernel::Version;
use modpost::alias::TABLES;

fn path(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help).value_parser(value_parser!(PathBuf))
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

fn words(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name(value).help(help).num_args(1..).value_parser(value_parser!(OsString))
}

/// Where aliases are looked up.
fn tree() -> [Arg; 2] {
    [
        Arg::new("kernel")
            .long("kernel")
            .value_name("RELEASE")
            .help("The kernel's release, instead of the running one's"),
        path("root", "DIR", "The directory in which lib/modules/RELEASE is").default_value("/"),
    ]
}

/// The types of device tables. Some have two structures, by the kernel.
fn types() -> Vec<&'static str> {
    let mut types: Vec<_> = TABLES.iter().map(|table| table.name).collect();
    types.dedup();
    types
}

fn version(text: &str) -> Result<Version, String> {
    let version = Version::parse(text.as_bytes()).ok_or("not a kernel version, as in 6.1 or 6.1.176")?;
    let (Version { major, minor, .. }, newest) = (Version::OLDEST, Version::NEWEST);
    if version < Version::OLDEST || (version.major, version.minor) > newest {
        return Err(format!("the kernels that are known are {major}.{minor} to {}.{}", newest.0, newest.1));
    }
    Ok(version)
}

/// The command line.
pub(crate) fn command() -> Command {
    Command::new("file2alias")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Print the aliases of modules' device tables, or find who has one")
        .long_about(
            "Prints what modpost makes of the device tables in each module: a .o, a .ko, or a .ko.gz, .ko.xz or \
             .ko.zst, told apart by content. Which kernel is served is what the module was built for, by its \
             vermagic, unless --kernel says it. A file that can't be read doesn't keep the others from being read.",
        )
        .after_help("Exit status: 0; 1 if a file couldn't be read; 2 if the arguments make no sense.")
        .args_conflicts_with_subcommands(true)
        .subcommand_negates_reqs(true)
        .arg(words("objects", "FILE", "An object or module, compressed or not").required_unless_present("recursive"))
        .arg(path("recursive", "DIR", "All objects and modules below a directory").short('r').action(ArgAction::Append))
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .help("`lines` as modpost writes them, `modules.alias` as depmod does, or `json` with all fields")
                .value_parser(["lines", "modules.alias", "json"])
                .default_value("lines"),
        )
        .arg(
            Arg::new("type")
                .long("type")
                .value_name("TYPES")
                .help("Only device tables of these types, as in `pci,usb`")
                .value_parser(PossibleValuesParser::new(types()))
                .hide_possible_values(true)
                .value_delimiter(',')
                .action(ArgAction::Append),
        )
        .arg(
            Arg::new("kernel")
                .long("kernel")
                .value_name("VERSION")
                .help("The kernel's version, instead of the one that a module names")
                .value_parser(version),
        )
        .subcommand(
            Command::new("match")
                .about("Modules that claim a device, those that fit closest first")
                .long_about(
                    "Prints a line for each alias that the modalias matches: module and pattern. Those with the \
                     fewest wildcards come first, of these the first in the list. Aliases are those in modules.alias \
                     of the kernel, and of what is part of it in modules.builtin.modinfo.",
                )
                .after_help("Exit status: 0; 1 if nothing matches; 2 if the arguments make no sense.")
                .arg(words("modalias", "MODALIAS", "The device's modalias").num_args(1).required(true))
                .arg(words("sources", "FILE", "Look in modules.alias files or modules instead"))
                .args(tree()),
        )
        .subcommand(
            Command::new("vfio")
                .about("The driver that hands a device to a virtual machine best")
                .long_about(
                    "Prefixes the device's modalias with vfio_, looks for aliases that match, and prints module, \
                     pattern and number of wildcards of the one with the fewest; of several the first. A PCI address \
                     is 0000:01:00.0 or 01:00.0. Without a device, lists the machine's PCI devices: address, IOMMU \
                     group, driver, the module that would hand it over best, and class. --bind refuses the \
                     root file system's disk, the only display, and a part of an IOMMU group.",
                )
                .after_help("Exit status: 0; 1 if nothing matches a device, or the driver to be named in a script isn't known; 2 if the arguments make no sense.")
                .arg(words("devices", "DEVICE", "A PCI address or a modalias"))
                .args(tree())
                .arg(path("sysfs", "DIR", "Where sysfs is").default_value("/sys"))
                .arg(path("aliases", "FILE", "A modules.alias to look in instead"))
                .arg(flag("all", "Every candidate, the best first").requires("devices"))
                .arg(flag("json", "One JSON object a line").conflicts_with("script"))
                .arg(
                    flag("driver", "Also the name of the driver, for driver_override; - if it isn't known")
                        .requires("devices"),
                )
                .arg(
                    flag("script", "Print the shell commands that hand the device over")
                        .conflicts_with("all")
                        .requires("devices"),
                )
                .arg(
                    flag("bind", "Hand the devices over, as --script says, and show how")
                        .conflicts_with_all(["all", "json", "driver", "script"])
                        .requires("devices"),
                )
                .arg(
                    flag("unbind", "Give the devices back to the drivers that they have by themselves")
                        .conflicts_with_all(["all", "json", "driver", "script", "bind"])
                        .requires("devices"),
                )
                .group(ArgGroup::new("hand").args(["bind", "unbind"]))
                .arg(flag("dry-run", "Only show what --bind or --unbind would do").requires("hand"))
                .arg(
                    flag("force", "Hand over what the machine needs, or only a part of an IOMMU group")
                        .requires("bind"),
                ),
        )
}
