//! The command line of file2alias.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, ValueHint};
use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};
use cli::Example;
use cli::arguments::{ending, json, kernel, named, served};
use modpost::alias::TABLES;

const LIST: &[Example] = &[
    Example { what: "The aliases of a module, as modpost writes them", command: "file2alias e1000e.ko" },
    Example {
        what: "Those for PCI of all modules of a kernel, as depmod writes them",
        command: "file2alias -r /lib/modules/6.12.0 --type pci --format modules.alias",
    },
    Example { what: "All fields of the device tables", command: "file2alias --json e1000e.ko" },
    Example { what: "Which module claims a device", command: "file2alias match 'pci:v00008086d000010D3*'" },
    Example { what: "The machine's PCI devices, and what would hand each over best", command: "file2alias vfio" },
    Example {
        what: "Hand one to a virtual machine, and show how; --unbind gives it back",
        command: "file2alias vfio --bind 01:00.0",
    },
];
const MATCH: &[Example] = &[
    Example {
        what: "Which modules of the running kernel claim a device",
        command: "file2alias match $(cat /sys/bus/pci/devices/0000:01:00.0/modalias)",
    },
    Example { what: "The same in another kernel", command: "file2alias match --kernel 6.12 'pci:v00008086d000010D3*'" },
    Example {
        what: "Whether a module that isn't installed does",
        command: "file2alias match -q 'pci:v00008086d000010D3*' e1000e.ko && echo yes",
    },
];
const VFIO: &[Example] = &[
    Example { what: "The machine's PCI devices", command: "file2alias vfio" },
    Example { what: "What hands a device over best", command: "file2alias vfio 01:00.0" },
    Example { what: "Show what handing it over would do", command: "file2alias vfio --bind --dry-run 01:00.0" },
    Example { what: "Hand it over, and show how", command: "file2alias vfio --bind 01:00.0" },
    Example { what: "Give it back to the driver that it had", command: "file2alias vfio --unbind 01:00.0" },
    Example {
        what: "The same as a script for another time",
        command: "file2alias vfio --script 01:00.0 >hand-over.sh",
    },
];

fn path(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).value_name(value).help(help).value_parser(value_parser!(PathBuf));
    arg.value_hint(if value == "DIR" { ValueHint::DirPath } else { ValueHint::FilePath })
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).help(help).action(ArgAction::SetTrue)
}

fn words(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    let arg = Arg::new(name).value_name(value).help(help).num_args(1..).value_parser(value_parser!(OsString));
    if value == "FILE" { arg.value_hint(ValueHint::FilePath) } else { arg }
}

/// Where aliases are looked up.
fn tree() -> [Arg; 2] {
    [
        kernel("A kernel's release or version, instead of the running one's").value_parser(named),
        path("root", "DIR", "The directory in which lib/modules is").default_value("/"),
    ]
}

/// The types of device tables. Some have two structures, by the kernel.
fn types() -> Vec<&'static str> {
    let mut types: Vec<_> = TABLES.iter().map(|table| table.name).collect();
    types.dedup();
    types
}

/// What prints aliases has, with and without the word `list`.
fn listing(command: Command) -> Command {
    command
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
        .arg(json().conflicts_with("format"))
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
        .arg(kernel("A kernel's release or version, instead of the one that a module names").value_parser(served))
}

fn list() -> Command {
    let command = Command::new("list")
        .about("Print the aliases of modules' device tables, as without a command")
        .long_about("Does what file2alias does without a command, also for files that are called like one.");
    listing(ending(command, "if a file couldn't be read", &LIST[..3]))
}

fn by_modalias() -> Command {
    let command =
        Command::new("match").about("Print the modules that claim a device, those that fit closest first").long_about(
            "Prints a line for each alias that the modalias matches: module and pattern. Those with the fewest \
             wildcards come first, of these the first in the list. Aliases are those in modules.alias of the kernel, \
             and of what is part of it in modules.builtin.modinfo. A modalias may end in a *: then these are \
             the aliases that one with this beginning could match.",
        );
    ending(command, "if nothing matches", MATCH)
        .arg(words("modalias", "MODALIAS", "The device's modalias").num_args(1).required(true))
        .arg(words("sources", "FILE", "Look in modules.alias files or modules instead"))
        .args(tree())
        .arg(json())
}

fn vfio() -> Command {
    let command = Command::new("vfio")
        .about("Print the driver that hands a device to a virtual machine best, or hand it over")
        .long_about(
            "Prefixes the device's modalias with vfio_, looks for aliases that match, and prints module, pattern and \
             number of wildcards of the one with the fewest; of several the first. A PCI address is 0000:01:00.0 or \
             01:00.0.\n\n\
             Without a device, lists the machine's PCI devices: address, IOMMU group, driver, the module that would \
             hand it over best, and class.\n\n\
             --bind refuses a device whose disks are in use, or may be, the only display, and a part of an IOMMU group. \
             A script that --script prints does what --bind does, but checks nothing.",
        );
    ending(command, "if nothing matches a device, or it can't be handed over", VFIO)
        .arg(words("devices", "DEVICE", "A PCI address or a modalias"))
        .args(tree())
        .arg(path("sysfs", "DIR", "Where sysfs is").default_value("/sys"))
        .arg(path("aliases", "FILE", "A modules.alias to look in instead"))
        .arg(flag("all", "Every candidate, the best first").requires("devices"))
        .arg(json())
        .arg(
            flag("driver", "Also the name of the driver, for driver_override; - if it isn't known").requires("devices"),
        )
        .arg(
            flag("script", "Print the shell commands that hand the device over")
                .conflicts_with_all(["all", "driver"])
                .requires("devices"),
        )
        .arg(
            flag("bind", "Hand the devices over, as --script says, and show how")
                .conflicts_with_all(["all", "driver", "script"])
                .requires("devices"),
        )
        .arg(
            flag("unbind", "Give the devices back to the drivers that they have by themselves")
                .conflicts_with_all(["all", "driver", "script", "bind"])
                .requires("devices"),
        )
        .group(ArgGroup::new("hand").args(["bind", "unbind"]))
        .arg(flag("dry-run", "Only show what --bind or --unbind would do").requires("hand"))
        .arg(
            flag("force", "Hand over what the machine needs or may need, or only a part of an IOMMU group")
                .requires("bind"),
        )
}

/// The command line.
pub(crate) fn command() -> Command {
    let command = cli::program("file2alias")
        .about("Print the aliases of modules' device tables, or find who has one")
        .long_about(
            "Prints what modpost makes of the device tables in each module: a .o, a .ko, or a .ko.gz, .ko.xz or \
             .ko.zst, told apart by content. Which kernel is served is what the module was built for, by its \
             vermagic, unless --kernel says it. A file that can't be read doesn't keep the others from being read.",
        )
        .args_conflicts_with_subcommands(true)
        .subcommand_negates_reqs(true);
    listing(ending(command, "if a file couldn't be read", LIST))
        .subcommand(list())
        .subcommand(by_modalias())
        .subcommand(vfio())
}
