//! kbuild-rs-swap: puts our programs into a kernel tree, build directory or headers
//! package, or takes them out again.
//!
//! Nothing is replaced before ours was found to behave like the original: kbuild-rs-prove
//! runs both on recorded cases, or reads the texts of an original that can't run here.

#![forbid(unsafe_code)]

mod command;
mod delegate;
mod report;
mod run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::message::Fatal;
use base::streams::Output;
use clap::ArgMatches;
use clap_complete::CompleteEnv;
use cli::Streams;
use nix::sys::stat::{Mode, umask};
use swap::kept::State;

use report::Report;
use run::{Options, What};

fn environment(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The directory with our programs: this one's, or, where each machine's are in one of its
/// own, the one above it.
fn beside() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let dirs = program.ancestors().skip(1).take(2);
    dirs.into_iter().find(|dir| dir.join("Kbuild").exists()).unwrap_or(Path::new("/usr/lib/kbuild-rs")).to_owned()
}

fn options(matches: &ArgMatches, root: &Path) -> std::io::Result<Options> {
    let path = |name: &str| matches.get_one::<PathBuf>(name);
    let state = match (path("state"), nix::unistd::geteuid().is_root()) {
        (Some(state), _) => state.clone(),
        (None, true) => root.join("var/lib/kbuild-rs"),
        (None, false) => {
            let home = || environment("HOME").unwrap_or_default().join(".local/state");
            environment("XDG_STATE_HOME").unwrap_or_else(home).join("kbuild-rs")
        }
    };
    let what = [("undo", What::Undo), ("check", What::Check), ("status", What::Status)];
    let mut what = what.into_iter().filter(|(name, _)| matches.get_flag(name));
    Ok(Options {
        what: what.next().map_or(What::Swap, |(_, what)| what),
        from: std::path::absolute(path("from").cloned().unwrap_or_else(beside))?,
        state: State::new(std::path::absolute(state)?),
        is_state_given: path("state").is_some(),
        only: matches.get_many("only").map(|names| names.cloned().collect()),
        host: matches.get_one::<String>("host").and_then(|name| swap::machine::named(name)),
        kernel: matches.get_one("kernel").cloned(),
        is_forced: matches.get_flag("force"),
    })
}

/// Whether everything was done.
fn trees(matches: &ArgMatches, report: &mut Report<'_, '_>) -> std::io::Result<bool> {
    if matches.get_flag(command::ON_BEHALF) {
        delegate::settle()?;
    }
    let root = environment("DPKG_ROOT").unwrap_or_else(|| "/".into());
    let options = options(matches, &root)?;
    let done = match matches.get_one::<PathBuf>("kdir") {
        Some(tree) => run::tree(tree, &options, report),
        None => run::all(&root, &options, report),
    };
    Ok(done.unwrap_or_else(|error| {
        report.complain(&error.to_string());
        false
    }))
}

fn main() -> ExitCode {
    CompleteEnv::with_factory(command::command).var(cli::COMPLETE).complete();
    let matches = command::command().get_matches();
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    let (mut out, mut err) = (Output::new(), std::io::stderr());
    let mut streams = Streams::new("kbuild-rs-swap", &matches, &mut out, &mut err);
    let mut report = Report { streams: &mut streams, is_json: matches.get_flag("json"), written: Ok(()) };
    let done = trees(&matches, &mut report).map_err(|error| Fatal::perror(b"", error));
    let result = report.written.and(done);
    streams.end(result).into()
}
