//! sumversion: the sum of a module's sources that modpost records as its
//! srcversion, how it came about, and whether a module has it.

#![forbid(unsafe_code)]

mod command;
mod compare;
mod complete;
mod print;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::message::{Fatal, Kind, text};
use base::streams::Output;
use base::{regular, textfile};
use clap::ArgMatches;
use clap_complete::CompleteEnv;
use cli::Streams;
use kernel::Invocation;
use kmod::limits;
use modpost::dialect::Dialect;
use modpost::srcversion;

use print::Report;

/// The program, as it calls itself.
const NAME: &str = "sumversion";

fn main() -> ExitCode {
    CompleteEnv::with_factory(complete::command).var(cli::COMPLETE).complete();
    let matches = cli::matches(command::command);
    let (mut out, mut err) = (BufWriter::new(Output::new()), io::stderr());
    let mut streams = Streams::new(NAME, &matches, &mut out, &mut err);
    let result = run(&matches, &mut streams);
    streams.end(result).into()
}

/// The kernel to serve: what `--kernel` names, or what modpost would be told.
fn dialect(matches: &ArgMatches, streams: &mut Streams<'_>) -> Result<Dialect, Fatal> {
    let Some(dialect) = matches.get_one::<Dialect>("kernel") else {
        let found = Invocation::current().found::<Dialect>(streams.err())?;
        streams.explain(&found.description());
        return Ok(found.dialect);
    };
    streams.explain(&format!("kernel {}, as --kernel says", dialect.kernel.name));
    Ok(dialect.clone())
}

/// Whether everything was as asked for.
fn run(matches: &ArgMatches, streams: &mut Streams<'_>) -> Result<bool, Fatal> {
    let dialect = dialect(matches, streams)?;
    let mut report = Report { streams, is_json: matches.get_flag("json") };
    if let Some(files) = matches.get_many::<OsString>("compare") {
        let files: Vec<&[u8]> = files.map(|file| file.as_bytes()).collect();
        return compare::modules(files[0], files[1], &mut report);
    }
    if let Some(file) = matches.get_one::<OsString>("check") {
        return compare::with_tree(file.as_bytes(), &dialect, &mut report);
    }
    let modules: Vec<&[u8]> =
        matches.get_many("modules").into_iter().flatten().map(|name: &OsString| name.as_bytes()).collect();
    if let (Some(loaded), Some(sysfs)) = (matches.get_one::<String>("loaded"), matches.get_one::<PathBuf>("sysfs")) {
        return compare::with_loaded(&modules, loaded, sysfs, &dialect, &mut report);
    }
    let is_explained = matches.get_flag("explain");
    let mut all = true;
    for &module in &modules {
        match sum(module, is_explained, &dialect, report.streams) {
            Ok((sum, steps)) => {
                all &= sum.is_some();
                let shown = (modules.len() > 1 || is_explained).then(|| stem(module));
                report.sum(stem(module), shown, sum.as_deref(), is_explained.then_some(&steps))?;
            }
            Err(fatal) => {
                report.streams.say(&fatal.message, b"");
                if module.ends_with(b".ko") && !textfile::path(&[stem(module), b".mod"].concat()).exists() {
                    let hint = text!("a srcversion is summed in the tree that has built the module\n");
                    report.streams.say(&Fatal::refusal(Kind::USAGE, hint).message, b"");
                }
                all = false;
            }
        }
    }
    Ok(all)
}

/// A module's path without what its files' names end in.
fn stem(path: &[u8]) -> &[u8] {
    [&b".mod"[..], b".o", b".ko"].iter().find_map(|end| path.strip_suffix(*end)).unwrap_or(path)
}

/// A sum, and how it came about, if that is asked for.
type Sum = (Option<String>, Vec<srcversion::Step>);

/// Opens a file of a tree. modpost waits for the writer of a FIFO; nobody asks that of a
/// program that looks at the trees of others.
fn open(path: &Path) -> io::Result<File> {
    regular::open_limited(path, limits::SOURCE)
}

/// What a tree gives a module.
fn sum(module: &[u8], is_explained: bool, dialect: &Dialect, streams: &mut Streams<'_>) -> Result<Sum, Fatal> {
    let mut messages = Vec::new();
    let name = stem(module);
    let summed = if is_explained {
        srcversion::explain(name, dialect, open, &mut messages)
    } else {
        srcversion::of_module(name, dialect, open, &mut messages).map(|sum| (sum, Vec::new()))
    };
    messages.iter().for_each(|message| streams.say(message, name));
    summed
}
