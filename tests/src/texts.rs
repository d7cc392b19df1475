//! Corrupted sources for genksyms and dependency files for fixdep, each by a number,
//! beside the originals.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Mutex;

use kbuild_rs_proof::compare;

use crate::original::{self, Kernel, Subject, Target, Tool};
use crate::run::{self, Call};
use crate::tables::Numbers;
use crate::{declarations, depfiles, parallel};

/// What may come in: tokens of C, of dependency files, and bytes that are neither.
const WORDS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    ",",
    "*",
    "=",
    ":",
    "#",
    "\\",
    "\"",
    "'",
    "\n",
    " ",
    "...",
    "->",
    "3",
    "0x1fUL",
    "1.5",
    "struct",
    "union",
    "enum",
    "typedef",
    "typeof",
    "extern",
    "static",
    "inline",
    "const",
    "restrict",
    "int",
    "void",
    "u32",
    "list_t",
    "s",
    "u",
    "colour",
    "RED",
    "x",
    "y",
    "z",
    "a",
    "f",
    "__attribute__((x))",
    "__attribute__",
    "asm(\"x\")",
    "_Static_assert(1, \"x\");",
    "__extension__",
    "__seg_gs",
    "uint8x16_t",
    "{ RED }",
    "= { 1 }",
    "(*f)",
    "[3]",
    "\"s\"",
    "'c'",
    "__GENKSYMS_EXPORT_SYMBOL(x);",
    "\n# 7 \"b.h\"\n",
    "\n#pragma {\n",
    "\0",
    "\u{e9}",
    "a.c",
    "b.h",
    "c.h",
    "a.o:",
    "\\\n",
    "include/generated/autoconf.h",
    "missing.h",
    "libc.rlib",
];

/// The words of a text: names, white space, and everything else byte by byte.
fn words(text: &[u8]) -> Vec<&[u8]> {
    let class = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'/' => 1,
        b' ' | b'\t' => 2,
        _ => 0,
    };
    text.chunk_by(|&a, &b| class(a) != 0 && class(a) == class(b)).collect()
}

/// A text with up to seven changes, of which a number decides.
fn corrupted(seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut numbers = Numbers::new(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    // The first numbers are near to the seed's.
    for _ in 0..8 {
        numbers.next();
    }
    let mut below = |n: usize| (numbers.next() % n.max(1) as u64) as usize;
    let seed = &seeds[below(seeds.len())];
    let other = &seeds[below(seeds.len())];
    let mut text = words(seed);
    for _ in 0..below(8) {
        let (at, word) = (below(text.len() + 1), WORDS[below(WORDS.len())].as_bytes());
        let (from, to) = (below(text.len()), below(text.len()));
        match below(8) {
            0 | 1 if at < text.len() => drop(text.remove(at)),
            2 | 3 => text.insert(at, word),
            4 if at < text.len() => text[at] = word,
            5 if !text.is_empty() => text.swap(from, to),
            6 if below(4) == 0 => text.truncate(at),
            7 => {
                let others = words(other);
                let begin = below(others.len());
                let end = (begin + 1 + below(12)).min(others.len());
                text.splice(at..at, others[begin..end].iter().copied());
            }
            _ => {}
        }
    }
    text.concat()
}

/// What becomes of a corrupted text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Both do the same.
    Same,
    /// The original crashes, or takes memory or time without end, and ours ends; or ours
    /// refuses it.
    Undefined,
    /// What is wrong.
    Wrong(String),
}

/// All that a run did.
struct Ran {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    types: Vec<u8>,
}

/// The texts of a tool that aren't corrupted.
fn seeds(tool: Tool) -> Vec<Vec<u8>> {
    let exports = declarations::exports();
    match tool {
        Tool::Fixdep => depfiles::FILES.iter().map(|(_, text)| text.as_bytes().to_vec()).collect(),
        _ => {
            let source = |(_, text): &(&str, &str)| format!("{}{text}\n{exports}", declarations::HEADER).into_bytes();
            declarations::SOURCES.iter().map(source).collect()
        }
    }
}

/// A text and the options that it is read with.
fn call(tool: Tool, seeds: &[Vec<u8>], number: u64, dir: &Path) -> io::Result<Call> {
    let text = corrupted(seeds, number);
    if tool == Tool::Fixdep {
        for (name, contents) in depfiles::SOURCES {
            let path = dir.join(name);
            fs::create_dir_all(path.parent().unwrap_or(dir))?;
            fs::write(path, contents)?;
        }
        fs::write(dir.join("a.d"), text)?;
        return Ok(Call { arguments: ["a.d", "a.o", "command"].map(Into::into).into(), ..Call::default() });
    }
    let options = ["-T types", "-w -T types", "-w -d -D", "-w -T types"][(number % 4) as usize];
    Ok(Call { arguments: options.split(' ').map(Into::into).collect(), stdin: text, ..Call::default() })
}

fn ran(subject: &Subject, kernel: &Kernel, tool: Tool, seeds: &[Vec<u8>], number: u64) -> io::Result<Ran> {
    let dir = run::place()?;
    let call = call(tool, seeds, number, dir.path())?;
    let (status, stdout, stderr) = run::call(subject, dir.path(), kernel.version(), &call)?;
    let types = fs::read(dir.path().join("types")).unwrap_or_default();
    Ok(Ran { status, stdout, stderr, types })
}

/// The original, which must not take the machine along.
fn limited(subject: Subject) -> Subject {
    let limits = ["prlimit", "--as=3000000000", "--cpu=10", "--core=0"].map(Into::into);
    Subject { through: [&limits[..], &subject.through].concat(), ..subject }
}

fn fate(theirs: &Ran, ours: &Ran) -> Fate {
    let ended = |ran: &Ran| ran.status.code().is_some();
    if !ended(ours) {
        return Fate::Wrong(format!("  ours: {}\n", ours.status));
    }
    // What ours refuses, the original reads from memory that isn't the text's.
    let is_refused = ours.stderr.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"FATAL: "));
    if is_refused || theirs.status.signal().is_some() || theirs.stderr.ends_with(b"out of memory\n") {
        return Fate::Undefined;
    }
    let mut report = String::new();
    if theirs.status != ours.status {
        report += &format!("  status: original {}, ours {}\n", theirs.status, ours.status);
    }
    compare::bytes(&mut report, "stdout", &theirs.stdout, &ours.stdout);
    compare::bytes(&mut report, "stderr", &theirs.stderr, &ours.stderr);
    compare::bytes(&mut report, "types", &theirs.types, &ours.types);
    if report.is_empty() { Fate::Same } else { Fate::Wrong(report) }
}

/// Gives both subjects the texts of these numbers.
///
/// # Errors
/// If one can't be had or run.
///
/// # Panics
/// If a thread does.
pub fn compare(kernel: &'static Kernel, tool: Tool, numbers: &[u64]) -> io::Result<Vec<(u64, Fate)>> {
    let (theirs, ours) = (limited(kernel.program(tool, Target::Lsb64)?), original::ours(tool.name())?);
    let seeds = seeds(tool);
    let fates = Mutex::new(Vec::new());
    parallel::each(numbers, |&number| {
        let of = |subject| ran(subject, kernel, tool, &seeds, number);
        let fate = of(&theirs).and_then(|theirs| Ok(fate(&theirs, &of(&ours)?)));
        fates.lock().expect("no thread panics with the lock").push(fate.map(|fate| (number, fate)));
    });
    let mut fates: Vec<_> =
        fates.into_inner().expect("all threads have ended").into_iter().collect::<io::Result<_>>()?;
    fates.sort_by_key(|&(number, _)| number);
    Ok(fates)
}

/// The corrupted text of a number.
#[must_use]
pub fn text(tool: Tool, number: u64) -> Vec<u8> {
    corrupted(&seeds(tool), number)
}
