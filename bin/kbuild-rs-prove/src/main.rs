//! kbuild-rs-prove: whether ours does what a tool of a kernel tree does.
//! `kbuild-rs-swap` asks it before it replaces anything.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use base::escape::escape_lines;
use clap::{Arg, ArgMatches, Command, value_parser};
use kbuild_rs_proof::prove::{self, How, Judged, Proof, Request};
use kbuild_rs_proof::run;
use kbuild_rs_proof::subject::Tool;
use swap::owner;

fn command() -> Command {
    let path = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("PATH").value_parser(value_parser!(PathBuf)).help(help)
    };
    Command::new("kbuild-rs-prove")
        .version(cli::version())
        .term_width(80)
        .about("Run a tool of a kernel tree and ours on recorded cases, and compare")
        .arg(path("from", "The directory with our programs").required(true))
        .arg(path("cases", "The recorded cases, if not those in that directory"))
        .arg(path("scripts", "The directory of the originals, if not the tool's in KDIR"))
        .arg(path("originals", "The directory with the originals, if they are not in that one"))
        .arg(path("record", "Write what a swap records to this file"))
        .arg(
            Arg::new("tool")
                .long("tool")
                .value_name("TOOL")
                .value_parser(Tool::ALL.map(Tool::name))
                .default_value(Tool::Modpost.name())
                .help("Which tool"),
        )
        .arg(
            Arg::new("kernel")
                .long("kernel")
                .value_name("KERNEL")
                .value_parser(value_parser!(OsString))
                .help("The kernel that it is, a version or a vendor's name, if nothing else is to be tried"),
        )
        .arg(
            Arg::new("kdir")
                .value_name("KDIR")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("A kernel's source tree, a build directory or a headers package"),
        )
}

fn request(matches: &ArgMatches) -> Request {
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    let (tree, ours) = (path("kdir").unwrap_or_default(), path("from").unwrap_or_default());
    let name = matches.get_one::<String>("tool");
    let tool = Tool::ALL.into_iter().find(|tool| name.is_some_and(|name| name == tool.name())).unwrap_or_default();
    Request {
        tool,
        scripts: path("scripts").unwrap_or_else(|| tree.join("scripts").join(tool.directory())),
        originals: path("originals"),
        cases: path("cases").unwrap_or_else(|| ours.join("cases.tar.zst")),
        tree,
        ours,
        kernel: matches.get_one::<OsString>("kernel").cloned(),
    }
}

fn say(proof: &Proof) {
    let kernel = &proof.kernel;
    for Judged { name, how, .. } in &proof.judged {
        match how {
            How::Ran(cases) => println!("{name}: does what ours does as kernel {kernel}, in {cases} cases"),
            How::Read(reason) => println!("{name}: can't be run here ({reason}), but has the texts of kernel {kernel}"),
            How::Wrapper => println!("{name}: chooses one of the others"),
            How::Source => println!("{name} has the texts of kernel {kernel}"),
        }
    }
}

fn run(matches: &ArgMatches) -> Result<(), String> {
    // The cases were recorded under this one.
    run::settle_umask();
    let request = request(matches);
    if nix::unistd::geteuid().is_root() {
        // It runs what is in these directories.
        let directories: Vec<_> = [Some(&request.scripts), request.originals.as_ref()].into_iter().flatten().collect();
        let directories: Vec<_> = directories.iter().map(|path| path.as_path()).collect();
        owner::check_programs(&directories).map_err(|error| error.to_string())?;
    }
    let proof = prove::prove(&request).map_err(|error| error.to_string())?;
    say(&proof);
    let (Some(path), Some(record)) = (matches.get_one::<PathBuf>("record"), &proof.record) else { return Ok(()) };
    std::fs::write(path, record).map_err(|error| format!("{}: {error}", path.display()))
}

fn main() -> ExitCode {
    match run(&command().get_matches()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            // It may name files of the tree.
            eprintln!("{}", String::from_utf8_lossy(&escape_lines(refusal.as_bytes())));
            ExitCode::FAILURE
        }
    }
}
