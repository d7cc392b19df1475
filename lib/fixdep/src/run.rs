//! A run of fixdep, from its arguments to its exit status.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;

use base::blocks::Blocks;
use base::bytes::until_nul;
use base::message::{Fatal, strerror, text};
use base::read_buffer::ReadBuffer;
use hashbrown::HashSet;
use kernel::Invocation;

use crate::depfile::{ByRule, Word, by_word};
use crate::dialect::Dialect;
use crate::options::Options;

/// The exit status if a file can't be read.
const UNREADABLE: u8 = 2;
/// The exit status of all other failures.
const FAILED: u8 = 1;

/// What ends a run: a message, and the exit status.
#[derive(Debug)]
struct Ended(Vec<u8>, u8);

/// Standard output, written as stdio writes it, as far as errors can tell.
struct Output<'a> {
    blocks: Blocks<'a>,
    /// Whether a full buffer is written at once.
    checked_at_once: bool,
}

impl Output<'_> {
    /// After something was added.
    fn check(&mut self) -> Result<(), Ended> {
        if !self.checked_at_once || !self.blocks.is_due() {
            return Ok(());
        }
        self.blocks.write_blocks().map_err(|error| Ended(text!("fixdep: {}\n", strerror(&error)), FAILED))
    }
}

/// Reads files into memory that is kept.
struct Reader<'a> {
    dialect: &'a Dialect,
    contents: ReadBuffer,
}

impl<'a> Reader<'a> {
    fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, contents: ReadBuffer::default() }
    }

    /// What is in a file, up to its first NUL.
    fn read(&mut self, name: &[u8]) -> Result<&[u8], Ended> {
        let failed = |what: &str, error: io::Error| {
            let why = Fatal::perror(name, error).message.text;
            Ended(text!("fixdep: error {} file: {}", what, why), UNREADABLE)
        };
        let mut file = File::open(OsStr::from_bytes(name)).map_err(|error| failed("opening", error))?;
        let size = file.metadata().map_err(|error| failed("fstat'ing", error))?.len();
        self.contents.clear();
        self.contents.resize(usize::try_from(size).unwrap_or(usize::MAX)).map_err(|error| {
            if self.dialect.no_memory_is_silent {
                Ended(Vec::new(), FAILED)
            } else {
                Ended(text!("fixdep: malloc: {}\n", strerror(&error)), UNREADABLE)
            }
        })?;
        let read = file
            .read(&mut self.contents)
            .map_err(|error| Ended(text!("fixdep: read: {}\n", strerror(&error)), UNREADABLE))?;
        if read < self.contents.len() {
            // What the original says of errno, which nothing has set.
            return Err(Ended(text!("fixdep: read: Success\n"), UNREADABLE));
        }
        Ok(until_nul(&self.contents))
    }
}

/// What is made of a dependency file.
struct Rules<'a, 'b> {
    dialect: &'a Dialect,
    target: &'a [u8],
    out: &'a mut Output<'b>,
    reader: Reader<'a>,
    options: Options,
    listed: HashSet<Box<[u8]>, foldhash::fast::FixedState>,
    saw_any_target: bool,
}

impl Rules<'_, '_> {
    fn is_left_out(dialect: &Dialect, name: &[u8]) -> bool {
        name.ends_with(b"include/generated/autoconf.h")
            || (dialect.autoksyms_left_out && name.ends_with(b"include/generated/autoksyms.h"))
    }

    fn is_read(&self, name: &[u8]) -> bool {
        // rustc's libraries and metadata.
        let is_binary = [&b".rlib"[..], b".rmeta", b".so"].iter().any(|suffix| name.ends_with(suffix));
        !(self.dialect.binaries_passed_over && is_binary)
    }

    /// Adds the source to the output, if it is the first, and says whether to read
    /// it. The others are those of intermediate files.
    fn source(&mut self, name: &[u8]) -> bool {
        let is_first = !std::mem::replace(&mut self.saw_any_target, true);
        if is_first {
            let target = self.target;
            self.out.blocks.kept.extend(text!("source_{} := {}\n\ndeps_{} := \\\n", target, name, target));
        }
        is_first || !self.dialect.rules_by_line
    }

    /// Adds a dependency to the output, and says whether to read it.
    fn dependency(&mut self, name: &[u8]) -> bool {
        let is_left_out = Self::is_left_out(self.dialect, name);
        if is_left_out || (self.dialect.files_once && !self.listed.insert(name.into())) {
            return false;
        }
        self.out.blocks.kept.extend([b"  ", name, b" \\\n"].concat());
        true
    }

    fn word(&mut self, word: &Word<'_>) -> Result<(), Ended> {
        let name = &word.name[..];
        let wanted = if word.is_source { self.source(name) } else { self.dependency(name) };
        self.out.check()?;
        if wanted && self.is_read(name) {
            self.options.list(self.reader.read(name)?, &mut self.out.blocks.kept);
            self.out.check()?;
        }
        Ok(())
    }

    fn all(&mut self, name: &[u8], text: &[u8]) -> Result<(), Ended> {
        if self.dialect.rules_by_line {
            let mut words = ByRule::new(text);
            let cut = |cut: crate::depfile::Unterminated| {
                let offset = cut.offset.to_string();
                Ended(
                    text!("FATAL: fixdep: {}: a backslash at offset {} ends the file in a comment\n", name, offset),
                    FAILED,
                )
            };
            while let Some(word) = words.next_word().map_err(cut)? {
                self.word(&word)?;
            }
        } else {
            let dialect = self.dialect;
            by_word(text, |name| Self::is_left_out(dialect, name)).try_for_each(|word| self.word(&word))?;
        }
        if !self.saw_any_target {
            return Err(Ended(text!("fixdep: parse error; no targets found\n"), FAILED));
        }
        let target = self.target;
        self.out.blocks.kept.extend(text!("\n{}: $(deps_{})\n\n$(deps_{}):\n", target, target, target));
        self.out.check()
    }
}

fn run(arguments: [&[u8]; 3], dialect: &Dialect, out: &mut Output<'_>) -> Result<(), Ended> {
    let [depfile, target, command] = arguments;
    let saved: &[u8] = if dialect.command_is_saved { b"savedcmd_" } else { b"cmd_" };
    out.blocks.kept.extend(text!("{}{} := {}\n\n", saved, target, command));
    out.check()?;
    let mut reader = Reader::new(dialect);
    let text = reader.read(depfile)?;
    let options = Options::new(dialect.option_names_kept);
    let (reader, listed) = (Reader::new(dialect), HashSet::default());
    Rules { dialect, target, out, reader, options, listed, saw_any_target: false }.all(depfile, text)
}

/// Runs fixdep and returns its exit status. `out` is missing if standard output is
/// closed.
pub fn fixdep(invocation: &Invocation, out: Option<&mut dyn Write>, err: &mut dyn Write) -> u8 {
    let dialect: Dialect = match invocation.dialect(err) {
        Ok(dialect) => dialect,
        Err(fatal) => {
            let _ = err.write_all(&fatal.message.line("fixdep", b""));
            return FAILED;
        }
    };
    let arguments: Vec<_> = invocation.arguments.iter().map(|argument| argument.as_bytes()).collect();
    let Ok(arguments) = <[&[u8]; 3]>::try_from(arguments) else {
        let _ = err.write_all(b"Usage: fixdep <depfile> <target> <cmdline>\n");
        return FAILED;
    };
    // To 5.17 the original doesn't look at what is left at the end. We do, unless nobody
    // can have it.
    let is_checked = dialect.output_checked_at_end || out.is_some();
    let mut out = Output { blocks: Blocks::new(out), checked_at_once: !dialect.output_checked_at_end };
    let ended = run(arguments, &dialect, &mut out);
    if let Err(Ended(message, status)) = ended {
        // Whole blocks were written by now; what is left comes when the process ends.
        let _ = out.blocks.write_blocks();
        let _ = err.write_all(&message);
        let _ = out.blocks.finish();
        return status;
    }
    if out.blocks.finish().is_err() && is_checked {
        let _ = err.write_all(b"fixdep: not all data was written to the output\n");
        return FAILED;
    }
    0
}
