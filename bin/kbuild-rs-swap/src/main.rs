//! kbuild-rs-swap: puts our programs into a kernel tree, build directory or headers
//! package, or takes them out again.
//!
//! Nothing is replaced without proof that ours does the same: kbuild-rs-prove runs the
//! original and ours on recorded cases, or reads the texts of an original that can't run
//! here.

#![forbid(unsafe_code)]

mod command;
mod run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ArgMatches;
use nix::sys::stat::{Mode, umask};

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
        state: std::path::absolute(state)?,
        only: matches.get_many("only").map(|names| names.cloned().collect()),
        host: matches.get_one::<String>("host").and_then(|name| swap::machine::named(name)),
        kernel: matches.get_one("kernel").cloned(),
        is_forced: matches.get_flag("force"),
    })
}

fn main() -> ExitCode {
    let matches = command::command().get_matches();
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    let root = environment("DPKG_ROOT").unwrap_or_else(|| "/".into());
    let result = options(&matches, &root).map(|options| {
        let mut failed = false;
        let trees = match matches.get_one::<PathBuf>("kdir") {
            Some(tree) => vec![tree.clone()],
            None => run::all(&root, &options),
        };
        // One after the other, whatever becomes of each.
        for tree in trees {
            let is_done = run::tree(&tree, &options).unwrap_or_else(|error| {
                eprintln!("kbuild-rs-swap: {error}");
                false
            });
            failed |= !is_done;
        }
        failed
    });
    match result {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("kbuild-rs-swap: {error}");
            ExitCode::FAILURE
        }
    }
}
