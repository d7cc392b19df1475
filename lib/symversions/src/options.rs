//! The command line, as getopt_long(3) reads it: what is done at once is done in the
//! order of the options, whatever is wrong with later ones.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base::message::{Fatal, text};
use base::output::Deferred;

use crate::dialect::Dialect;
use crate::say::Wanted;

/// Long options, whether they take a value, and their letters.
const LONG: &[(&str, bool, u8)] = &[
    ("debug", false, b'd'),
    ("warnings", false, b'w'),
    ("quiet", false, b'q'),
    ("dump", false, b'D'),
    ("reference", true, b'r'),
    ("dump-types", true, b'T'),
    ("preserve", false, b'p'),
    ("version", false, b'V'),
    ("help", false, b'h'),
];

const RELATIVE: (&str, bool, u8) = ("relative-crc", false, b'R');

const USAGE: &str = "Usage:\ngenksyms [-adDTwqhVR] > /path/to/.tmp_obj.ver\n\n";
const USAGE_PREFIX: &str = "  -s, --symbol-prefix   Select symbol prefix\n";
const USAGE_OPTIONS: &str = "  -d, --debug           Increment the debug level (repeatable)
  -D, --dump            Dump expanded symbol defs (for debugging only)
  -r, --reference file  Read reference symbols from a file
  -T, --dump-types file Dump expanded types into file
  -p, --preserve        Preserve reference modversions or fail
  -w, --warnings        Enable warnings
  -q, --quiet           Disable warnings (default)
  -h, --help            Print this message
  -V, --version         Print the release version
";
const USAGE_RELATIVE: &str = "  -R, --relative-crc    Emit section relative symbol CRCs\n";

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) wanted: Wanted,
    /// `-r`: the reference.
    pub(crate) reference: Option<Reference>,
    /// `-T`: where the dump of types goes. Each time that the option is given, a file is
    /// emptied, and the last one has the dump.
    pub(crate) dumps: Vec<Dump>,
}

/// A file for a dump of types.
#[derive(Debug)]
pub(crate) struct Dump {
    pub(crate) path: OsString,
    pub(crate) file: Deferred,
}

/// Empties dumps, as the original has done at once. Where a run ends because of an error
/// that the original has, too, that is all that becomes of them.
pub(crate) fn empty(dumps: Vec<Dump>) {
    for dump in dumps {
        // The run fails, and says why.
        let _ = dump.file.write(b"");
    }
}

/// A reference, which is opened at once and read when all options were read.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) path: OsString,
    /// `None` for a dump of types, which the original has emptied by then.
    pub(crate) file: Option<File>,
}

/// The run ends here: what is said, and whether it failed.
pub(crate) struct Ended {
    pub(crate) says: Vec<u8>,
    pub(crate) failed: bool,
}

/// The words of the command line.
struct Words<'a> {
    program: &'a [u8],
    dialect: &'a Dialect,
    rest: std::slice::Iter<'a, OsString>,
    /// The letters of a word that has several.
    letters: &'a [u8],
}

/// An option: its letter and value.
type Given<'a> = (u8, &'a OsStr);

impl<'a> Words<'a> {
    fn long(&self) -> Vec<(&'static str, bool, u8)> {
        let mut long = LONG.to_vec();
        if !self.dialect.symver_lines {
            long.push(RELATIVE);
        }
        long
    }

    /// Whether a letter is an option, and takes a value.
    fn takes_value(&self, letter: u8) -> Option<bool> {
        match letter {
            b's' => (!self.dialect.prefix_option_removed).then_some(true),
            _ => self.long().iter().find(|&&(_, _, known)| known == letter).map(|&(_, takes, _)| takes),
        }
    }

    fn wrong(&self, what: &[u8]) -> Vec<u8> {
        [self.program, b": ", what, b"\n"].concat()
    }

    fn long_option(&mut self, word: &'a [u8]) -> Result<Given<'a>, Vec<u8>> {
        let end = word.iter().position(|&byte| byte == b'=').unwrap_or(word.len());
        let (name, value) = (&word[..end], word.get(end + 1..));
        let known = self.long();
        let fit: Vec<_> = known.iter().filter(|(known, ..)| known.as_bytes().starts_with(name)).collect();
        let (full, takes, letter) = match (known.iter().find(|(known, ..)| known.as_bytes() == name), &fit[..]) {
            (Some(exact), _) => *exact,
            (None, [one]) => **one,
            (None, []) => return Err(self.wrong(&text!("unrecognized option '--{}'", word))),
            (None, several) => {
                let mut what = text!("option '--{}' is ambiguous; possibilities:", word);
                several.iter().for_each(|(name, ..)| what.extend(text!(" '--{}'", name)));
                return Err(self.wrong(&what));
            }
        };
        match (takes, value) {
            (false, Some(_)) => Err(self.wrong(&text!("option '--{}' doesn't allow an argument", full))),
            (false, None) => Ok((letter, OsStr::new(""))),
            (true, Some(value)) => Ok((letter, OsStr::from_bytes(value))),
            (true, None) => match self.rest.next() {
                Some(value) => Ok((letter, value)),
                None => Err(self.wrong(&text!("option '--{}' requires an argument", full))),
            },
        }
    }

    fn letter(&mut self) -> Result<Given<'a>, Vec<u8>> {
        let (&letter, rest) = self.letters.split_first().unwrap_or((&0, b""));
        self.letters = rest;
        match self.takes_value(letter) {
            None => Err(self.wrong(&text!("invalid option -- '{}'", [letter]))),
            Some(false) => Ok((letter, OsStr::new(""))),
            Some(true) if !rest.is_empty() => {
                self.letters = b"";
                Ok((letter, OsStr::from_bytes(rest)))
            }
            Some(true) => match self.rest.next() {
                Some(value) => Ok((letter, value)),
                None => Err(self.wrong(&text!("option requires an argument -- '{}'", [letter]))),
            },
        }
    }

    /// The next option, or what is wrong with it.
    fn next(&mut self, posixly_correct: bool) -> Option<Result<Given<'a>, Vec<u8>>> {
        while self.letters.is_empty() {
            match self.rest.next()?.as_bytes() {
                b"--" => return None,
                [b'-', b'-', word @ ..] => return Some(self.long_option(word)),
                [b'-', letters @ ..] if !letters.is_empty() => self.letters = letters,
                // Operands count for nothing.
                _ if posixly_correct => return None,
                _ => {}
            }
        }
        Some(self.letter())
    }
}

fn usage(dialect: &Dialect) -> Vec<u8> {
    let prefix = if dialect.prefix_option_removed { "" } else { USAGE_PREFIX };
    let relative = if dialect.symver_lines { "" } else { USAGE_RELATIVE };
    [USAGE, prefix, USAGE_OPTIONS, relative].concat().into_bytes()
}

/// An option, as completions need it.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// Its long name.
    pub name: &'static str,
    /// Its letter.
    pub letter: char,
    /// A file's name follows.
    pub takes_file: bool,
    /// What the original's usage says of it.
    pub help: &'static str,
}

/// The options that the kernels served have today.
pub fn described() -> impl Iterator<Item = Described> {
    LONG.iter().map(|&(name, takes_file, letter)| {
        let letter = char::from(letter);
        let start = format!("  -{letter}, --{name} ");
        let line = USAGE_OPTIONS.lines().find(|line| line.starts_with(&start)).unwrap_or_default();
        // What stands before the description has a fixed width.
        Described { name, letter, takes_file, help: line.get(24..).unwrap_or_default() }
    })
}

/// Reads the command line. `says` is what is said before the run begins.
///
/// # Errors
/// If the run ends with that.
pub(crate) fn parse(
    program: &OsStr,
    arguments: &[OsString],
    dialect: &Dialect,
    says: &mut Vec<u8>,
) -> Result<Options, Ended> {
    let mut words = Words { program: program.as_bytes(), dialect, rest: arguments.iter(), letters: b"" };
    let mut options = Options::default();
    match read(&mut words, &mut options, says) {
        Ok(()) => Ok(options),
        Err(ended) => {
            empty(options.dumps);
            Err(ended)
        }
    }
}

/// Reads all words.
fn read(words: &mut Words<'_>, options: &mut Options, says: &mut Vec<u8>) -> Result<(), Ended> {
    let posixly_correct = std::env::var_os("POSIXLY_CORRECT").is_some();
    let dialect = words.dialect;
    let ended = |says: Vec<u8>, failed| Err(Ended { says, failed });
    let cannot = |path: &OsStr, error| Fatal::perror(path.as_bytes(), error).message.text;
    while let Some(given) = words.next(posixly_correct) {
        let (letter, value) = match given {
            Ok(given) => given,
            Err(wrong) => return ended([wrong, usage(dialect)].concat(), true),
        };
        let wanted = &mut options.wanted;
        match letter {
            b'd' => wanted.debug += 1,
            b'w' => wanted.warnings = true,
            b'q' => wanted.warnings = false,
            b'D' => wanted.dump = true,
            b'p' => wanted.preserve = true,
            b'R' => wanted.relative = true,
            b'V' => says.extend_from_slice(b"genksyms version 2.5.60\n"),
            b'r' => match File::open(value) {
                Ok(file) => options.reference = Some(Reference { path: value.to_owned(), file: Some(file) }),
                Err(_) if is_dump(&options.dumps, value) => {
                    options.reference = Some(Reference { path: value.to_owned(), file: None });
                }
                Err(error) => return ended(cannot(value, error), true),
            },
            b'T' => match Deferred::open(Path::new(value)) {
                Ok(file) => options.dumps.push(Dump { path: value.to_owned(), file }),
                Err(error) => return ended(cannot(value, error), true),
            },
            // `-s` is taken and then unknown.
            _ => return ended(usage(dialect), letter != b'h'),
        }
    }
    if let Some(reference) = &mut options.reference {
        if is_dump(&options.dumps, &reference.path) {
            reference.file = None;
        }
    }
    Ok(())
}

/// Whether a path is that of a dump of types.
fn is_dump(dumps: &[Dump], path: &OsStr) -> bool {
    dumps.iter().any(|dump| dump.file.is_at(Path::new(path)))
}
