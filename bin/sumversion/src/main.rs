//! sumversion: the sum of a module's sources that modpost records as its
//! srcversion, how it came about, and whether a module has it.

#![forbid(unsafe_code)]

mod command;
mod compare;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

use base::message::{Fatal, Message};
use base::streams::Output;
use base::textfile;
use clap::ArgMatches;
use kernel::Invocation;
use modpost::dialect::Dialect;
use modpost::srcversion::{self, Step};

fn main() -> ExitCode {
    let matches = command::command().get_matches();
    let (mut out, mut err) = (BufWriter::new(Output::new()), io::stderr().lock());
    let result = run(&matches, &mut out, &mut err);
    match written(out.flush()).and(result) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(Fatal { message, .. }) => {
            say(&[message], b"", &mut err);
            ExitCode::FAILURE
        }
    }
}

/// Whether everything was as asked for.
fn run(matches: &ArgMatches, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Fatal> {
    let dialect = Invocation::current().dialect(err)?;
    if let Some(files) = matches.get_many::<OsString>("compare") {
        let files: Vec<&[u8]> = files.map(|file| file.as_bytes()).collect();
        return compare::modules(files[0], files[1], out);
    }
    if let Some(file) = matches.get_one::<OsString>("check") {
        // What can't be had has no tree, either.
        compare::of_file(file.as_bytes())?;
        return compare::with_tree(file.as_bytes(), &dialect, out, err);
    }
    let modules: Vec<&[u8]> =
        matches.get_many("modules").into_iter().flatten().map(|name: &OsString| name.as_bytes()).collect();
    if let (Some(loaded), Some(sysfs)) = (matches.get_one::<String>("loaded"), matches.get_one::<PathBuf>("sysfs")) {
        return compare::with_loaded(&modules, loaded, sysfs, &dialect, out, err);
    }
    let mut all = true;
    for module in &modules {
        let name = stem(module);
        let mut messages = Vec::new();
        let explain = matches.get_flag("explain");
        let summed = if explain {
            srcversion::explain(name, &dialect, &mut messages)
        } else {
            srcversion::of_module(name, &dialect, &mut messages).map(|sum| (sum, Vec::new()))
        };
        say(&messages, name, err);
        let (sum, steps) = match summed {
            Ok(summed) => summed,
            Err(Fatal { message, .. }) => {
                say(&[message], b"", err);
                if module.ends_with(b".ko") && !textfile::path(&[name, b".mod"].concat()).exists() {
                    let _ = writeln!(err, "sumversion: a srcversion is summed in the tree that has built the module");
                }
                all = false;
                continue;
            }
        };
        all &= sum.is_some();
        if explain {
            put(out, &[name, b": ", sum.as_deref().unwrap_or("no srcversion").as_bytes(), b"\n"].concat())?;
            steps.iter().try_for_each(|step| put(out, &line(step)))?;
        } else if let Some(sum) = sum {
            let name = if modules.len() > 1 { [name, b": "].concat() } else { Vec::new() };
            put(out, &[&name[..], sum.as_bytes(), b"\n"].concat())?;
        }
    }
    Ok(all)
}

/// A module's path without what its files' names end in.
fn stem(path: &[u8]) -> &[u8] {
    [&b".mod"[..], b".o", b".ko"].iter().find_map(|end| path.strip_suffix(*end)).unwrap_or(path)
}

/// What a tree gives a module.
fn of_tree(module: &[u8], dialect: &Dialect, err: &mut dyn Write) -> Result<Option<String>, Fatal> {
    let mut messages = Vec::new();
    let name = stem(module);
    let sum = srcversion::of_module(name, dialect, &mut messages);
    say(&messages, name, err);
    sum
}

/// `file` is named in what doesn't say what it is about.
fn say(messages: &[Message], file: &[u8], err: &mut dyn Write) {
    for message in messages {
        // stderr is closed: nobody to report to.
        let _ = err.write_all(&message.line("sumversion", file));
    }
}

fn put(out: &mut dyn Write, bytes: &[u8]) -> Result<(), Fatal> {
    written(out.write_all(bytes))
}

/// A reader that closes the pipe has what it wanted.
fn written(result: io::Result<()>) -> Result<(), Fatal> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        result => result.map_err(|error| Fatal::perror(b"standard output", error)),
    }
}

fn line(step: &Step) -> Vec<u8> {
    match step {
        Step::Object(path) => [b"  object ", &path[..], b"\n"].concat(),
        Step::Library(path) => [b"  skipped ", &path[..], b": a library\n"].concat(),
        Step::File { path, is_source, size, digest } => {
            let role: &[u8] = if *is_source { b"    source " } else { b"    header " };
            [role, path, format!(" {size} bytes {digest}\n").as_bytes()].concat()
        }
        Step::Elsewhere(1) => b"    skipped 1 header: it lies in another directory\n".to_vec(),
        Step::Elsewhere(count) => format!("    skipped {count} headers: they lie in other directories\n").into_bytes(),
    }
}
