//! The aliases of modules' device tables.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use base::escape::escape;
use base::message::{Fatal, Message};
use base::workers::Workers;
use clap::ArgMatches;
use cli::{KernelName, Streams};
use elf::Source;
use indicatif::ProgressBar;
use kernel::Invocation;
use kmod::{archive, is_named_as_module};
use modpost::buffer::Buffer;
use modpost::dialect::Dialect;
use modpost::module::{Module, Origin, Reader, Scratch};
use modpost::object::Wanted;
use modpost::run::offsets;
use walkdir::WalkDir;

use crate::{NAME, json};

/// A file to be read.
struct Input {
    path: PathBuf,
    /// It was named, and is not just there.
    is_named: bool,
}

/// What is said of one file.
struct Output {
    text: Vec<u8>,
    /// Which kernel it was read for, for who wants to know.
    kernel: Option<String>,
    /// Lines for people.
    said: Vec<u8>,
    failed: bool,
}

/// Every file below a directory, sorted, and what can't be read there. Links
/// aren't followed: they could lead round in circles.
fn files(dir: &Path) -> (Vec<PathBuf>, Vec<Fatal>) {
    let (mut files, mut unreadable) = (Vec::new(), Vec::new());
    for entry in WalkDir::new(dir) {
        match entry {
            Ok(entry) if entry.file_type().is_file() => files.push(entry.into_path()),
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(dir).to_owned();
                // Of its errors, only circles are not the system's.
                let error = error.into_io_error().unwrap_or_else(|| io::Error::from(io::ErrorKind::InvalidData));
                unreadable.push(failed(&path, error));
            }
        }
    }
    files.sort_unstable();
    (files, unreadable)
}

/// The files that are named, and those below directories; then what can't be
/// read there.
fn inputs(matches: &ArgMatches) -> (Vec<Input>, Vec<Fatal>) {
    let named = matches.get_many::<OsString>("objects").into_iter().flatten();
    let mut inputs: Vec<Input> = named.map(|path| Input { path: path.into(), is_named: true }).collect();
    let mut unreadable = Vec::new();
    for dir in matches.get_many::<PathBuf>("recursive").into_iter().flatten() {
        let (files, failures) = files(dir);
        inputs.extend(files.into_iter().map(|path| Input { path, is_named: false }));
        unreadable.extend(failures);
    }
    (inputs, unreadable)
}

/// What keeps a file from being read.
pub(crate) fn failed(path: &Path, error: io::Error) -> Fatal {
    Fatal::perror(path.as_os_str().as_bytes(), error)
}

/// The command that a file's name is nearly.
fn command_like(path: &Path) -> Option<&'static str> {
    let name = path.to_str()?;
    ["list", "match", "vfio"].into_iter().find(|command| strsim::damerau_levenshtein(command, name) <= 1)
}

/// Reads one file. `None` for one that is no object and just there, without a module's
/// name.
pub(crate) fn read(
    path: &Path,
    is_named: bool,
    reader: &Reader,
    scratch: &mut Scratch,
) -> Option<Result<Module, Vec<u8>>> {
    let name = if path.as_os_str().is_empty() { b"''" } else { path.as_os_str().as_bytes() };
    let failed = |what: &str| Some(Err([name, b": ", what.as_bytes()].concat()));
    let is_meant = is_named || is_named_as_module(path);
    let source = match archive::open(path) {
        Ok(source) => source,
        Err(archive::Error::Empty) if !is_meant => return None,
        Err(archive::Error::Directory) => return failed("is a directory: -r reads all that is below it"),
        Err(error) => {
            let command = command_like(path).filter(|_| is_named);
            let command = command.map(|command| {
                let place = if path.as_os_str() == command { ", which stands before options" } else { "" };
                format!(" (there is a command {command}{place})")
            });
            return failed(&format!("{error}{}", command.unwrap_or_default()));
        }
    };
    let is_elf = match archive::is_elf(&source) {
        Ok(is_elf) => is_elf,
        Err(error) => return failed(&error.to_string()),
    };
    if !is_elf {
        let what = match *source {
            Source::Memory(_) => "holds no ELF object",
            Source::File(_) => "neither an ELF object nor one that gzip, xz or zstd has compressed",
        };
        return if is_meant { failed(what) } else { None };
    }
    Some(Ok(reader.read(path.as_os_str().as_bytes(), &source, scratch)))
}

/// How modules are put.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Lines,
    ModulesAlias,
    Json,
}

fn text(path: &Path, module: &Module, format: Format) -> Vec<u8> {
    match format {
        Format::Lines => {
            let mut lines = Buffer::default();
            module.tables.aliases.write_to(&mut lines);
            lines.bytes().to_vec()
        }
        Format::ModulesAlias => {
            let name = kmod::module_name(path.as_os_str().as_bytes());
            module.aliases().flat_map(|alias| [b"alias ", alias, b" ", &name, b"\n"].concat()).collect()
        }
        Format::Json => json::module(path, module),
    }
}

/// How modules are read by default, and by how many workers.
pub(crate) fn reader(streams: &mut Streams<'_>) -> Result<(Reader, Option<usize>), Fatal> {
    let invocation = Invocation::current();
    let dialect: Dialect = invocation.dialect(streams.err())?;
    let fallback = dialect.kernel.version;
    let reader = Reader { version: None, fallback, wanted: Wanted::default(), offsets: offsets(&invocation) };
    Ok((reader, invocation.jobs()?))
}

/// What one file gives.
fn look_at(input: &Input, format: Format, is_verbose: bool, reader: &Reader, scratch: &mut Scratch) -> Output {
    let mut output = Output { text: Vec::new(), kernel: None, said: Vec::new(), failed: false };
    let path = input.path.as_os_str().as_bytes();
    match read(&input.path, input.is_named, reader, scratch) {
        None => {}
        Some(Err(what)) => {
            output.failed = true;
            output.said = [NAME.as_bytes(), b": ", &escape(&what), b"\n"].concat();
        }
        Some(Ok(mut module)) => {
            if !reader.wanted.types.is_empty() {
                // What .modinfo has is of all types.
                module.modinfo.clear();
            }
            output.text = text(&input.path, &module, format);
            output.kernel = module.kernel.filter(|_| is_verbose).map(|(version, origin)| {
                let how = match origin {
                    Origin::Asked => "as --kernel says",
                    Origin::Vermagic => "by its vermagic",
                    Origin::Fallback => "as nothing says another",
                };
                format!("{}: kernel {version}, {how}", input.path.display())
            });
            output.failed = module.tables.fatal.is_some();
            let fatal = module.tables.fatal.map(|fatal| fatal.message);
            let messages = module.tables.messages.iter().chain(&fatal);
            output.said = messages.flat_map(|message: &Message| message.line(NAME, path)).collect();
        }
    }
    output
}

/// Of so many files a bar is shown, to whom doesn't see the output itself.
const MANY: usize = 100;

/// A bar on standard error, if that is a terminal.
fn progress(files: usize) -> ProgressBar {
    if files < MANY || io::stdout().is_terminal() { ProgressBar::hidden() } else { ProgressBar::new(files as u64) }
}

/// Prints; whether all files could be read.
pub(crate) fn print(matches: &ArgMatches, streams: &mut Streams<'_>) -> Result<bool, Fatal> {
    let (reader, jobs) = reader(streams)?;
    let format = match matches.get_one::<String>("format").map(String::as_str) {
        Some("modules.alias") => Format::ModulesAlias,
        format if format == Some("json") || matches.get_flag("json") => Format::Json,
        _ => Format::Lines,
    };
    let wanted = Wanted {
        types: matches.get_many::<String>("type").into_iter().flatten().cloned().collect(),
        in_detail: format == Format::Json,
    };
    let version = matches.get_one::<KernelName>("kernel").map(|kernel| kernel.version);
    let reader = Reader { version, wanted, ..reader };
    let (inputs, unreadable) = inputs(matches);
    unreadable.iter().for_each(|fatal| streams.say(&fatal.message, b""));
    let is_verbose = streams.is_verbose();
    let work = |scratch: &mut Scratch, input: &Input| look_at(input, format, is_verbose, &reader, scratch);
    let mut all_read = unreadable.is_empty();
    let progress = progress(inputs.len());
    Workers::new(jobs, inputs.len()).each(&inputs, Scratch::default, work, |output: Output| {
        if let Some(kernel) = &output.kernel {
            progress.suspend(|| streams.explain(kernel));
        }
        if !output.said.is_empty() {
            // stderr is closed: nobody to report to.
            let _ = progress.suspend(|| streams.err().write_all(&output.said));
        }
        all_read &= !output.failed;
        progress.inc(1);
        if format == Format::Json { streams.put(&output.text) } else { streams.put_lines(&output.text) }
    })?;
    progress.finish_and_clear();
    Ok(all_read)
}
