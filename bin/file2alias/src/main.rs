//! file2alias: which devices modules claim, and which module claims a device.

#![forbid(unsafe_code)]

mod find;
mod json;
mod print;

use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, Command, value_parser};
use kbuild_rs::dialect::Version;

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
        path("root", "DIR", "The folder in which lib/modules/RELEASE is").default_value("/"),
    ]
}

fn version(text: &str) -> Result<Version, String> {
    Version::parse(text.as_bytes()).ok_or_else(|| "not a kernel version".to_owned())
}

fn command() -> Command {
    Command::new("file2alias")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Print the aliases of modules' device tables, or find who has one")
        .args_conflicts_with_subcommands(true)
        .subcommand_negates_reqs(true)
        .arg(words("objects", "FILE", "An object or module, compressed or not").required_unless_present("recursive"))
        .arg(path("recursive", "DIR", "All objects and modules below a folder").short('r').action(ArgAction::Append))
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
                .arg(words("modalias", "MODALIAS", "The device's modalias").num_args(1).required(true))
                .arg(words("sources", "FILE", "Look in modules.alias files or modules instead"))
                .args(tree()),
        )
        .subcommand(
            Command::new("vfio")
                .about("The driver that hands a device to a virtual machine best")
                .arg(words("devices", "DEVICE", "A PCI address or a modalias").required(true))
                .args(tree())
                .arg(path("sysfs", "DIR", "Where sysfs is").default_value("/sys"))
                .arg(path("aliases", "FILE", "A modules.alias to look in instead"))
                .arg(flag("all", "Every candidate, the best first"))
                .arg(flag("json", "One JSON object a line").conflicts_with("script"))
                .arg(flag("driver", "Also the name of the driver, for driver_override"))
                .arg(flag("script", "Print the shell commands that hand the device over").conflicts_with("all")),
        )
}

/// An error that ends a program: what is wrong, in one line.
type Ended<T> = Result<T, String>;

fn main() -> ExitCode {
    let matches = command().get_matches();
    let mut out = BufWriter::new(io::stdout());
    let mut err = io::stderr();
    let status = match matches.subcommand() {
        Some(("match", matches)) => find::by_modalias(matches, &mut out, &mut err),
        Some((_, matches)) => find::for_vfio(matches, &mut out, &mut err),
        None => print::print(&matches, &mut out, &mut err),
    };
    let status = match (status, out.flush()) {
        (Ok(_), Err(error)) if error.kind() != ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        (status, _) => status,
    };
    match status {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(what) => {
            let _ = writeln!(err, "file2alias: {what}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a piece of the output. Who reads no more has what was wanted.
fn put(out: &mut dyn Write, bytes: &[u8]) -> Ended<()> {
    match out.write_all(bytes) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        result => result.map_err(|error| format!("standard output: {error}")),
    }
}
