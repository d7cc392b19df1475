//! modcheck: whether a kernel would load modules, and why not.

#![forbid(unsafe_code)]

mod command;
mod complete;
mod print;

use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::escape::escape;
use base::message::{Fatal, Kind, text};
use base::regular;
use base::streams::Output;
use clap::ArgMatches;
use clap_complete::CompleteEnv;
use cli::Streams;
use indicatif::{ProgressBar, ProgressStyle};
use kmod::{installed, is_named_as_module, limits};
use loader::finding::Verdict;
use loader::judge;
use loader::place::{Error, Place};
use walkdir::WalkDir;

/// The program, as it calls itself.
const NAME: &str = "modcheck";

/// The exit status if it can't be told whether a module would be loaded.
const UNKNOWN: u8 = 2;

fn main() -> ExitCode {
    CompleteEnv::with_factory(complete::command).var(cli::COMPLETE).complete();
    let matches = cli::matches(command::command);
    let (mut out, mut err) = (BufWriter::new(Output::new()), io::stderr());
    let mut streams = Streams::new(NAME, &matches, &mut out, &mut err);
    let result = run(&matches, &mut streams);
    let status = match &result {
        Ok(status) => *status,
        Err(_) => UNKNOWN,
    };
    let ended = streams.end(result.map(|_| true));
    if ended == 0 { status.into() } else { UNKNOWN.into() }
}

fn refused(error: &Error) -> Fatal {
    Fatal::refusal(Kind::FILE, text!("{}\n", error.to_string()))
}

/// The kernel that is asked about.
fn place(matches: &ArgMatches) -> Result<Place, Fatal> {
    let symvers: Vec<PathBuf> = matches.get_many("symvers").into_iter().flatten().cloned().collect();
    let root = matches.get_one::<PathBuf>("root").map_or(Path::new("/"), PathBuf::as_path);
    let found = if let Some(headers) = matches.get_one::<PathBuf>("headers") {
        Place::of_headers(headers)
    } else if let Some(release) = matches.get_one::<String>("kernel") {
        Place::of_release(root, release).map_err(|error| unknown_release(root, error))
    } else if !symvers.is_empty() {
        return Place::of_symvers(&symvers).map_err(|error| refused(&error));
    } else {
        let release = root.join("proc/sys/kernel/osrelease");
        match regular::read(&release, limits::SMALL) {
            Ok(text) => Place::of_release(root, &String::from_utf8_lossy(text.trim_ascii_end())),
            Err(error) => Err(Error::Io(release, error)),
        }
    };
    let mut place = found.map_err(|error| refused(&error))?;
    place.add_symvers(&symvers).map_err(|error| refused(&error))?;
    Ok(place)
}

/// Adds the installed kernels to an error about a missing one.
fn unknown_release(root: &Path, error: Error) -> Error {
    let Error::Io(path, cause) = &error else { return error };
    if cause.kind() != ErrorKind::NotFound {
        return error;
    }
    let known: Vec<String> = installed::kernels(root).into_iter().map(|kernel| kernel.release).collect();
    if known.is_empty() {
        return error;
    }
    Error::Io(path.clone(), io::Error::other(format!("no such kernel: there are {}", known.join(", "))))
}

/// The modules to be looked at.
fn files(matches: &ArgMatches, place: &Place) -> Result<Vec<PathBuf>, Fatal> {
    let named = matches.get_many::<OsString>("files").into_iter().flatten();
    let mut files: Vec<PathBuf> = named.map(PathBuf::from).collect();
    for dir in matches.get_many::<PathBuf>("recursive").into_iter().flatten() {
        for entry in WalkDir::new(dir).sort_by_file_name() {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(dir).to_owned();
                refused(&Error::Io(
                    path,
                    error.into_io_error().unwrap_or_else(|| io::Error::other("a circle of links")),
                ))
            })?;
            if entry.file_type().is_file() && is_named_as_module(entry.path()) {
                files.push(entry.into_path());
            }
        }
    }
    if matches.get_flag("all") {
        files.extend(place.all());
    }
    Ok(files)
}

/// A bar, if it would be seen.
fn progress(count: usize) -> ProgressBar {
    if count < 100 || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} modules").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(count as u64).with_style(style)
}

fn run(matches: &ArgMatches, streams: &mut Streams<'_>) -> Result<u8, Fatal> {
    let mut place = place(matches)?;
    // Of thousands of modules, what the kernel's own key has signed is taken for right.
    if matches.get_flag("all") { place.read_image_and_exports() } else { place.read_image(true) }
        .map_err(|error| refused(&error))?;
    let target = place.target();
    let files = files(matches, &place)?;
    if files.is_empty() {
        return Err(Fatal::refusal(Kind::USAGE, text!("there are no modules\n")));
    }
    let bar = progress(files.len());
    let judged = judge::judge(&files, &place, &target, || bar.inc(1));
    bar.finish_and_clear();
    let is_listing = files.len() > 1 && (matches.get_flag("all") || matches.contains_id("recursive"));
    let mut loaded = 0;
    let mut status = 0;
    for module in &judged {
        let verdict = print::verdict(module);
        status = match (verdict, status) {
            (Verdict::Refused(_), _) | (_, 1) => 1,
            (Verdict::Unknown, _) | (_, UNKNOWN) => UNKNOWN,
            _ => 0,
        };
        loaded += usize::from(verdict == Verdict::Loads);
        if matches.get_flag("json") {
            streams.put(&print::object(module, &target.name))?;
        } else if !is_listing || verdict != Verdict::Loads {
            print::module(module, &target.name, !is_listing, streams)?;
        }
    }
    if is_listing && !matches.get_flag("json") {
        let (loaded, all) = (loaded.to_string(), judged.len().to_string());
        streams.put(&text!("{} of {} modules would load on {}\n", loaded, all, escape(&target.name)))?;
    }
    Ok(status)
}
