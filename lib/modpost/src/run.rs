//! A run of modpost, from its arguments to its exit status.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;

use base::message::{Fatal, Kind, Message, Program, Severity, strerror, text};
use base::output::{self, Beside};
use base::read_buffer::ReadBuffer;
use base::workers::Workers;
use base::{regular, textfile};
use indexmap::IndexSet;
use kernel::{Invocation, is_on, vendor};
use kmod::limits;

use crate::alias::layout::Offsets;
use crate::ask::{explain, report};
use crate::buffer::Buffer;
use crate::cli::{self, Options, Request};
use crate::dialect::Dialect;
use crate::kind;
use crate::link::resolve;
use crate::link::{Link, Log, ModuleId, Resolution};
use crate::object::{self, Context, Scratch};
use crate::section::Rules;
use crate::write::modc;
use crate::write::supported::{Supported, Verdict};
use crate::write::symvers;

/// The size of the original's arrays for paths, in bytes, including the NUL.
const PATH_MAX: usize = 4096;

/// Where Amazon's modpost writes what the FIPS 140 module exports.
const FIPS140_SYMVERS: &[u8] = b"crypto/fips140/.fips140.symvers";

/// The program that speaks.
pub const PROGRAM: Program =
    Program { warning: "WARNING: modpost: ", error: "ERROR: modpost: ", fatal: "FATAL: modpost: ", failure: 1 };

/// The file to which `KBUILD_RS_REPORT` wants messages appended.
fn report_file() -> Option<OsString> {
    std::env::var_os("KBUILD_RS_REPORT").filter(|path| !path.is_empty())
}

/// The `devicetable-offsets.h` that the kernel build left beside the
/// program.
#[must_use]
pub fn offsets(invocation: &Invocation) -> Option<Offsets> {
    let header = invocation.beside("devicetable-offsets.h").find_map(|path| regular::read(&path, limits::LIST).ok())?;
    Some(Offsets::parse(&header))
}

/// Runs modpost and returns its exit status.
pub fn modpost(invocation: &Invocation, out: &mut dyn Write, err: &mut (dyn Write + Send)) -> u8 {
    let report = report_file();
    let mut log = Log::new(&PROGRAM, err, report.is_some());
    match run(invocation, out, &mut log) {
        Ok(explanation) => {
            let _ = log.err().write_all(&explanation);
        }
        Err(fatal) => log.end(fatal),
    }
    let mut failed = log.error_occurred;
    if let (Some(path), Some(kept)) = (report, log.kept()) {
        if let Err(error) = report::append(path.as_ref(), kept) {
            let text = text!("kbuild-rs: KBUILD_RS_REPORT: {}: {}\n", path.as_bytes(), strerror(&error));
            let _ = log.err().write_all(&text);
            failed = true;
        }
    }
    if failed { PROGRAM.failure } else { 0 }
}

/// Returns why, if that was asked for.
fn run(invocation: &Invocation, out: &mut dyn Write, log: &mut Log) -> Result<Vec<u8>, Fatal> {
    let dialect: Dialect = invocation.dialect(log.err())?;
    log.serve(&dialect);
    let posixly_correct = std::env::var_os("POSIXLY_CORRECT").is_some();
    let options = match cli::parse(invocation, posixly_correct, &dialect)? {
        Request::Run(options) => options,
        Request::Print(text) => {
            log.error_occurred = out.write_all(text.as_bytes()).is_err();
            return Ok(Vec::new());
        }
    };
    let offsets = offsets(invocation);
    let supported = options.supported.as_deref().filter(|_| marks_supported(invocation));
    let supported = supported.map(Supported::read).transpose()?;
    let dumps: Vec<_> = options.dumps.iter().map(|name| textfile::read(name)).collect();
    let mut run = Run {
        options: &options,
        dialect: &dialect,
        supported,
        link: Link::new(&dialect, &options),
        jobs: invocation.jobs()?,
        workers: Workers::default(),
        missing: Vec::new(),
    };
    run.all(offsets.as_ref(), &dumps, log)?;
    Ok(if is_on("KBUILD_RS_EXPLAIN") { run.explain() } else { Vec::new() })
}

/// Whether `-S` does anything: SUSE's modpost has it compiled in where the kernel's
/// configuration wants that. Without a configuration, it does.
fn marks_supported(invocation: &Invocation) -> bool {
    let configuration = invocation.trees().read("include/generated/autoconf.h");
    configuration.is_none_or(|(text, _)| vendor::defined(&text, "CONFIG_SUSE_KERNEL_SUPPORTED").is_some())
}

struct Run<'a> {
    options: &'a Options,
    dialect: &'a Dialect,
    /// SUSE's list of supported modules.
    supported: Option<Supported>,
    link: Link<'a>,
    /// How many workers were asked for.
    jobs: Option<usize>,
    workers: Workers,
    /// The namespaces that modules should import.
    missing: Vec<MissingImports>,
}

/// A module, and the namespaces that it should import.
type MissingImports = (ModuleId, IndexSet<Vec<u8>>);

/// A module's file, ready to be written.
struct Prepared {
    messages: Vec<Message>,
    name: Vec<u8>,
    contents: Buffer,
    is_current: bool,
    /// The file, complete and beside its place, to be renamed when its turn comes.
    beside: Option<Beside>,
    /// The run ends with this, after the messages.
    fatal: Option<Fatal>,
}

impl<'a> Run<'a> {
    /// `dumps` are the texts of [`Options::dumps`].
    fn all(
        &mut self,
        offsets: Option<&Offsets>,
        dumps: &'a [Result<ReadBuffer, Fatal>],
        log: &mut Log,
    ) -> Result<(), Fatal> {
        for (name, text) in self.options.dumps.iter().zip(dumps) {
            let text = text.as_ref().map_err(Fatal::clone)?;
            symvers::read(text, name, &mut self.link, log)?;
        }
        self.read_objects(offsets, log)?;
        self.missing = self.write_modules(log)?;
        if let Some(name) = &self.options.nsdeps {
            self.write_if_changed(name, &self.nsdeps(), log)?;
        }
        if let Some(name) = &self.options.dump {
            // Where the FIPS 140 module is made, `-o` says only that it is wanted.
            let name = if self.options.fips140 { FIPS140_SYMVERS } else { name };
            let contents = symvers::render(&self.link, !self.options.fips140);
            self.write(name, &contents, log)?;
        }
        if let Some(name) = &self.options.livepatches {
            self.write_if_changed(name, &self.livepatches(), log)?;
        }
        self.last_words(log)
    }

    fn read_objects(&mut self, offsets: Option<&Offsets>, log: &mut Log) -> Result<(), Fatal> {
        let mut objects = self.options.objects.clone();
        let list = self.options.list.as_deref().map(|name| open_list(name, self.dialect)).transpose();
        let (mut list, list_error) = list.map_or_else(|error| (None, Some(error)), |list| (list, None));
        objects.extend(list.as_mut().map_or_else(Vec::new, next_names));
        self.workers = Workers::new(self.jobs, objects.len());
        let rules = Rules::new(self.dialect);
        let context = Context { offsets, workers: &self.workers, ..Context::new(self.dialect, &rules, self.options) };
        let read = |scratch: &mut Scratch, path: &Vec<u8>| object::read(path, &context, scratch);
        loop {
            self.workers.each(&objects, Scratch::default, read, |reading| self.link.commit(reading, log))?;
            objects = list.as_mut().map_or_else(Vec::new, next_names);
            if objects.is_empty() {
                break;
            }
        }
        // The list is opened when the objects before it have been read.
        list_error.map_or(Ok(()), Err)
    }

    /// Makes a module's file, and sees whether it is there already.
    /// Making new files is slow enough to be shared.
    fn prepare(&self, id: ModuleId, resolution: &Resolution, error_occurred: bool, old: &mut Vec<u8>) -> Prepared {
        let module = self.link.module(id);
        let versions = resolve::versions(&self.link, id, resolution);
        let listed = self.supported.as_ref().filter(|_| !module.facts.is_vmlinux);
        let (verdict, fatal) = match listed.map(|list| list.verdict(&module.facts.name)).transpose() {
            Ok(verdict) => (verdict.unwrap_or_default(), None),
            Err(fatal) => (Verdict::default(), Some(fatal)),
        };
        let (name, contents) = if module.facts.is_vmlinux {
            (b".vmlinux.export.c".to_vec(), modc::render_vmlinux(&self.link, id))
        } else {
            let name = [&module.facts.name[..], b".mod.c"].concat();
            (name, modc::render(&self.link, id, resolution, &versions, verdict.how.as_deref()))
        };
        let is_current = output::is_current(&name, contents.bytes(), old);
        let beside = if is_current || fatal.is_some() || !self.may_write(&contents, error_occurred) {
            None
        } else {
            // If that fails, it is reported when its turn comes.
            Beside::write(&name, contents.bytes()).ok().flatten()
        };
        let messages = [versions.of_exports, verdict.messages, versions.of_uses].concat();
        Prepared { messages, name, contents, is_current, beside, fatal }
    }

    /// Checks all modules and writes each one's file; returns the namespaces
    /// that modules should import.
    fn write_modules(&mut self, log: &mut Log) -> Result<Vec<MissingImports>, Fatal> {
        let mut ids = self.link.written();
        if !self.dialect.crcs_from_cmd {
            // Nothing is written for vmlinux.
            ids.retain(|id| !self.link.module(*id).facts.is_vmlinux);
        }
        let report_undefined = self.dialect.undefined_reports_capped || self.link.has_vmlinux();
        if !report_undefined {
            let text = text!("Symbol info of vmlinux is missing. Unresolved symbol check will be entirely skipped.\n");
            log.say(Message::new(Severity::Warning, kind::NO_VMLINUX, text));
        }
        let report_undefined = report_undefined && !self.options.fips140;
        let mut resolutions = self.resolve_all(&ids, report_undefined);
        if self.dialect.checks_before_files {
            for resolution in &mut resolutions {
                std::mem::take(&mut resolution.notes).into_iter().for_each(|note| log.note(note));
            }
            self.trim(&resolutions)?;
        }
        self.write_each(&ids, &mut resolutions, log)?;
        Ok(ids.into_iter().zip(resolutions.into_iter().map(|resolution| resolution.missing_namespaces)).collect())
    }

    /// Looks at all modules: one after the other where it matters what those before
    /// lacked, which is so for livepatch modules of SUSE's.
    fn resolve_all(&self, ids: &[ModuleId], reported: bool) -> Vec<Resolution> {
        let undefined = |before| resolve::Undefined { reported, before };
        let has_livepatch = || ids.iter().any(|id| self.link.module(*id).facts.is_livepatch);
        if !self.dialect.livepatch_option || !has_livepatch() {
            return self.workers.map(ids, |id| resolve::resolve(&self.link, *id, undefined(0)));
        }
        let mut count = 0;
        let in_turn = ids.iter().map(|id| {
            let resolution = resolve::resolve(&self.link, *id, undefined(count));
            count += resolution.undefined();
            resolution
        });
        in_turn.collect()
    }

    /// Writes each module's file, after reporting the messages about it.
    fn write_each(&self, ids: &[ModuleId], resolutions: &mut [Resolution], log: &mut Log) -> Result<(), Fatal> {
        let said: Vec<_> = resolutions.iter_mut().map(|r| (std::mem::take(&mut r.notes), r.fatal.take())).collect();
        let mut said = said.into_iter();
        let pairs: Vec<_> = ids.iter().zip(resolutions.iter()).collect();
        let error_occurred = log.error_occurred;
        let prepare = |old: &mut Vec<u8>, (id, resolution): &(&ModuleId, &Resolution)| {
            self.prepare(**id, resolution, error_occurred, old)
        };
        self.workers.each(&pairs, Vec::new, prepare, |module| {
            let (notes, fatal) = said.next().unwrap_or_default();
            notes.into_iter().for_each(|note| log.note(note));
            fatal.map_or(Ok(()), Err)?;
            module.messages.into_iter().for_each(|message| log.say(message));
            module.fatal.map_or(Ok(()), Err)?;
            if module.name.len() >= PATH_MAX && self.dialect.errors_stop_output {
                let text = text!("{}: too long path was truncated\n", &module.name[..PATH_MAX - 1]);
                log.say(Message::new(Severity::Error, kind::PATH_TOO_LONG, text));
            } else if let Some(line) = module.contents.cut().filter(|_| self.dialect.long_line_is_fatal) {
                return Err(line.fatal());
            } else if !module.is_current && self.may_write(&module.contents, log.error_occurred) {
                let is_there = module.beside.is_some_and(|beside| beside.put().is_ok());
                if !is_there {
                    output::write(&module.name, module.contents.bytes())?;
                }
            }
            Ok(())
        })
    }

    /// `-t`: exports are kept that a module uses or `-u` lists.
    fn trim(&mut self, resolutions: &[Resolution]) -> Result<(), Fatal> {
        let listed = self.options.keep.as_deref().map_or(Ok(ReadBuffer::default()), textfile::read)?;
        if self.options.trim_unused {
            let used = resolutions.iter().flat_map(|resolution| &resolution.uses).map(|used| used.symbol);
            let listed = listed.split(|&byte| byte == b'\n').filter_map(|name| self.link.symbols.find(name));
            let modules = self.link.modules.iter();
            let kept = modules.flat_map(|module| &module.facts.kept).filter_map(|name| self.link.symbols.find(name));
            self.link.kept = Some(used.chain(listed).chain(kept).collect());
        }
        Ok(())
    }

    fn explain(&self) -> Vec<u8> {
        let Self { dialect, missing, .. } = self;
        explain::explain(&self.link, &explain::Run { dialect, dumps: &self.options.dumps, missing })
    }

    fn nsdeps(&self) -> Buffer {
        let mut buffer = Buffer::default();
        for (id, namespaces) in self.missing.iter().filter(|(_, namespaces)| !namespaces.is_empty()) {
            buffer.format(&[&self.link.module(*id).facts.name, b".ko:"]);
            let mut add = |namespace: &Vec<u8>| buffer.format(&[b" ", namespace]);
            if self.dialect.lists_in_order {
                namespaces.iter().for_each(&mut add);
            } else {
                namespaces.iter().rev().for_each(&mut add);
            }
            buffer.format(&[b"\n"]);
        }
        buffer
    }

    /// The objects of livepatch modules, a line each.
    fn livepatches(&self) -> Buffer {
        let mut buffer = Buffer::default();
        for module in self.link.modules.iter().filter(|module| module.facts.is_livepatch) {
            buffer.format(&[&module.facts.name, b".o\n"]);
        }
        buffer
    }

    fn write_if_changed(&self, name: &[u8], contents: &Buffer, log: &Log) -> Result<(), Fatal> {
        let is_current = output::is_current(name, contents.bytes(), &mut Vec::new());
        if is_current { Ok(()) } else { self.write(name, contents, log) }
    }

    fn write(&self, name: &[u8], contents: &Buffer, log: &Log) -> Result<(), Fatal> {
        if let Some(line) = contents.cut().filter(|_| self.dialect.long_line_is_fatal) {
            return Err(line.fatal());
        }
        if self.may_write(contents, log.error_occurred) { output::write(name, contents.bytes()) } else { Ok(()) }
    }

    /// Whether such contents would be written, as far as is known now.
    fn may_write(&self, contents: &Buffer, error_occurred: bool) -> bool {
        let cut = contents.cut().is_some() && self.dialect.long_line_is_fatal;
        !(cut || self.dialect.errors_stop_output && error_occurred)
    }

    fn last_words(&self, log: &mut Log) -> Result<(), Fatal> {
        if self.link.mismatches > 0 && self.options.mismatch_is_error {
            let text = text!("Section mismatches detected.\nSet CONFIG_SECTION_MISMATCH_WARN_ONLY=y to allow them.\n");
            if !self.dialect.errors_fail_at_the_end {
                return Err(Fatal::new(kind::SECTION_MISMATCHES, text));
            }
            log.say(Message::new(Severity::Error, kind::SECTION_MISMATCHES, text));
        }
        if self.dialect.static_export_check {
            self.link.report_statics(log);
        }
        let suppressed = log.suppressed();
        if suppressed > 0 {
            let text = text!(
                "suppressed {} unresolved symbol warnings because there were too many)\n",
                suppressed.to_string()
            );
            log.say(Message::new(Severity::Warning, kind::UNDEFINED_MORE, text));
        }
        let pointers = self.link.writable_pointers;
        if pointers > 0 && !self.options.writable_pointers {
            let text = text!(
                "modpost: Found {} writable function pointer{}.\nTo see full details build your kernel with:\n'make CONFIG_DEBUG_WRITABLE_FUNCTION_POINTERS_VERBOSE=y'\n",
                pointers.to_string(),
                if pointers == 1 { "" } else { "s" }
            );
            log.say(Message::new(Severity::Warning, kind::WRITABLE_POINTERS, text));
        }
        Ok(())
    }
}

/// A list of objects is read in parts of this size, in bytes. The objects of each part are
/// read before the next part. A list of all modules of a distribution's kernel has less
/// than a tenth of that. A list without end, such as `/dev/zero`, ends the run in its first
/// part, by a name that no object has.
const LIST_PART: usize = 1 << 22;

/// Opens a list of objects, or standard input for `-`.
fn open_list(name: &[u8], dialect: &Dialect) -> Result<Box<dyn BufRead>, Fatal> {
    if name == b"-" && !dialect.list_from_dash_is_a_file {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let cannot = |error| Fatal::new(Kind::FILE, text!("Can't open filenames file {}: {}", name, strerror(&error)));
    let file = std::fs::File::open(textfile::path(name)).map_err(cannot)?;
    Ok(Box::new(BufReader::new(file)))
}

/// Reads the next names of objects, one a line; none at the end. Lines are read as
/// fgets(3) reads them into an array of [`PATH_MAX`] bytes: a longer line is several, and
/// each ends at its first NUL.
fn next_names(list: &mut Box<dyn BufRead>) -> Vec<Vec<u8>> {
    let (mut names, mut line, mut len) = (Vec::new(), Vec::new(), 0);
    while len < LIST_PART {
        line.clear();
        // A line that a read error cuts short counts, as with fgets(3).
        let _ = list.by_ref().take(PATH_MAX as u64 - 1).read_until(b'\n', &mut line);
        if line.is_empty() {
            break;
        }
        len += line.len();
        let name = base::bytes::until_nul(&line);
        names.push(name.strip_suffix(b"\n").unwrap_or(name).to_vec());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &'static [u8]) -> Vec<Vec<u8>> {
        next_names(&mut (Box::new(text) as Box<dyn BufRead>))
    }

    #[test]
    fn lists_are_read_as_fgets_does() {
        assert_eq!(names(b"a.o\n\nb.o"), [&b"a.o"[..], b"", b"b.o"]);
        assert_eq!(names(b"a\0b\n"), [b"a"]);
        assert_eq!(names(&[b'x'; 5000]).iter().map(Vec::len).collect::<Vec<_>>(), [4095, 905]);
    }

    #[test]
    fn lists_without_end_are_read_in_parts() {
        let mut list: Box<dyn BufRead> = Box::new(BufReader::new(io::repeat(0)));
        for _ in 0..2 {
            assert_eq!(next_names(&mut list), vec![b""; LIST_PART.div_ceil(PATH_MAX - 1)]);
        }
    }
}
