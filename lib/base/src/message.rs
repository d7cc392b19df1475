//! Messages as values: what the library has to say is handed to the owner of the
//! output.
//!
//! A user's grep for a message finds its whole format string at the place where
//! it is made.

use std::error::Error;
use std::sync::Arc;
use std::{fmt, io};

use serde::Serialize;

use crate::escape::escape;

/// How serious a [`Message`] is, which decides its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Printed as it is, without a prefix.
    #[serde(rename = "note")]
    Plain,
    /// The run goes on and may succeed.
    Warning,
    /// The run goes on and fails at its end.
    Error,
    /// The run ends here. Since 6.8 modpost calls that an error.
    Fatal,
    /// The run ends here: where the original's behaviour is undefined.
    #[serde(rename = "fatal")]
    Refusal,
}

/// The program that speaks: what its messages begin with, and how it fails.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Before a warning.
    pub warning: &'static str,
    /// Before an error.
    pub error: &'static str,
    /// Before what ends the run.
    pub fatal: &'static str,
    /// Its exit status when it fails.
    pub failure: u8,
}

impl Program {
    /// Writes a message.
    ///
    /// # Errors
    /// What the writer reports.
    pub fn say(&self, message: &Message, out: &mut dyn io::Write) -> io::Result<()> {
        let prefix = match message.severity {
            Severity::Plain => "",
            Severity::Warning => self.warning,
            Severity::Error => self.error,
            Severity::Fatal | Severity::Refusal => self.fatal,
        };
        // In one piece, so that lines of programs that run side by side aren't
        // mixed.
        out.write_all(&[prefix.as_bytes(), &message.text].concat())
    }
}

/// What a message says, as reports name it. A program has its own list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Kind(pub &'static str);

impl Kind {
    /// The arguments make no sense.
    pub const USAGE: Self = Self("usage");
    /// A system call failed.
    pub const FILE: Self = Self("file");
}

/// What a message is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The module: its object's path without suffix.
    pub module: Option<Vec<u8>>,
    /// Symbols, the one that refers first.
    pub symbols: Vec<Vec<u8>>,
    /// Sections, the one that refers first; by number, as `[5]`, if an object
    /// is malformed.
    pub sections: Vec<Vec<u8>>,
    /// Where in the first of the sections, or in the file, in bytes.
    pub offsets: Vec<u64>,
}

/// One message, in the bytes that follow its prefix. Most end in a newline;
/// the few that don't are the original's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How serious it is.
    pub severity: Severity,
    /// What it says.
    pub kind: Kind,
    /// Everything after the prefix.
    pub text: Vec<u8>,
    /// What it is about.
    pub about: Box<About>,
    /// The text has two lines, and the second one contains no names. In any other text, a
    /// newline before the end belongs to a name.
    pub is_two_lines: bool,
}

impl Message {
    /// A message that is not yet about anything.
    #[must_use]
    pub fn new(severity: Severity, kind: Kind, text: Vec<u8>) -> Self {
        Self { severity, kind, text, about: Box::default(), is_two_lines: false }
    }

    /// Marks the text as two lines whose second one contains no names.
    #[must_use]
    pub fn two_lines(mut self) -> Self {
        self.is_two_lines = true;
        self
    }

    /// The same, about a module, unless it is about one already.
    #[must_use]
    pub fn module(mut self, name: &[u8]) -> Self {
        self.about.module.get_or_insert_with(|| name.to_vec());
        self
    }

    /// The same, about one more symbol.
    #[must_use]
    pub fn symbol(mut self, name: &[u8]) -> Self {
        self.about.symbols.push(name.to_vec());
        self
    }

    /// The same, about one more section.
    #[must_use]
    pub fn section(mut self, name: &[u8]) -> Self {
        self.about.sections.push(name.to_vec());
        self
    }

    /// The same, at an offset.
    #[must_use]
    pub fn offset(mut self, offset: u64) -> Self {
        self.about.offsets.push(offset);
        self
    }

    /// The line that a program of ours says it in: its own name, the file unless the
    /// message names it in its course, and what is wrong. Names in it are
    /// [escaped](crate::escape).
    #[must_use]
    pub fn line(&self, program: &str, file: &[u8]) -> Vec<u8> {
        let text = self.text.trim_ascii_end();
        let [named, begins, quoted] = [[file, b": "].concat(), [file, b" "].concat(), [b"'", file, b"'"].concat()];
        let what = text.strip_prefix(&named[..]).unwrap_or(text);
        let is_named =
            file.is_empty() || text.starts_with(&begins) || text.windows(quoted.len()).any(|part| part == quoted);
        let end = if self.is_two_lines { memchr::memrchr(b'\n', what) } else { None };
        let (first, second) = what.split_at(end.unwrap_or(what.len()));
        let first = [if is_named { b"" } else { &named[..] }, first].concat();
        text!("{}: {}{}\n", program, escape(&first), second)
    }
}

/// The error that ends a run: the message to end on, and if a system call failed,
/// what it returned.
#[derive(Clone, Debug)]
pub struct Fatal {
    /// The last message.
    pub message: Message,
    cause: Option<Arc<io::Error>>,
}

impl Fatal {
    /// Ends with the text.
    #[must_use]
    pub fn new(kind: Kind, text: Vec<u8>) -> Self {
        Message::new(Severity::Fatal, kind, text).into()
    }

    /// Ends where the original's behaviour is undefined.
    #[must_use]
    pub fn refusal(kind: Kind, text: Vec<u8>) -> Self {
        Message::new(Severity::Refusal, kind, text).into()
    }

    /// Ends as the original does after a failed system call: perror(3) with
    /// the file's name, and exit.
    #[must_use]
    pub fn perror(path: &[u8], error: io::Error) -> Self {
        let what = strerror(&error);
        // perror(3) leaves out an empty name together with its colon.
        let text = if path.is_empty() { text!("{}\n", what) } else { text!("{}: {}\n", path, what) };
        Self::from(Message::new(Severity::Plain, Kind::FILE, text)).caused_by(error)
    }

    /// The same, because of a failed system call.
    #[must_use]
    pub fn caused_by(self, error: io::Error) -> Self {
        Self { cause: Some(Arc::new(error)), ..self }
    }

    /// The same, about a module, unless it is about one already.
    #[must_use]
    pub fn module(self, name: &[u8]) -> Self {
        Self { message: self.message.module(name), ..self }
    }
}

impl From<Message> for Fatal {
    fn from(message: Message) -> Self {
        Self { message, cause: None }
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(String::from_utf8_lossy(&self.message.text).trim_end())
    }
}

impl Error for Fatal {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &dyn Error)
    }
}

/// The system's own words for an error, as strerror(3) gives them in the C
/// locale, which modpost never leaves.
#[must_use]
pub fn strerror(error: &io::Error) -> String {
    let text = match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code).to_string(),
        None => return error.to_string(),
    };
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Fills the `{}` places of a format string with bytes, in order. Use the
/// [`text!`](crate::text) macro.
#[doc(hidden)]
#[must_use]
pub fn fill(format: &str, arguments: &[&[u8]]) -> Vec<u8> {
    let mut pieces = format.split("{}");
    let mut out = Vec::with_capacity(format.len() + arguments.iter().map(|a| a.len()).sum::<usize>());
    out.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    let mut arguments = arguments.iter();
    for piece in pieces {
        out.extend_from_slice(arguments.next().copied().unwrap_or_default());
        out.extend_from_slice(piece.as_bytes());
    }
    out
}

/// How many `{}` places a format string has.
#[doc(hidden)]
#[must_use]
pub const fn places(format: &str) -> usize {
    let bytes = format.as_bytes();
    let (mut at, mut places) = (1, 0);
    while at < bytes.len() {
        if bytes[at - 1] == b'{' && bytes[at] == b'}' {
            places += 1;
        }
        at += 1;
    }
    places
}

/// `format!` for bytes: `text!("{}: {}\n", path, name)` with anything that is
/// `AsRef<[u8]>`, and the format string in one piece. As many arguments as the
/// string has places are wanted; other numbers don't compile.
#[macro_export]
macro_rules! text {
    ($format:literal $(, $argument:expr)* $(,)?) => {{
        const {
            let arguments: &[&str] = &[$(stringify!($argument)),*];
            assert!($crate::message::places($format) == arguments.len(), "an argument for each place");
        }
        $crate::message::fill($format, &[$(AsRef::<[u8]>::as_ref(&$argument)),*])
    }};
}

pub use crate::text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fills_places_in_order() {
        assert_eq!(text!("{}: '{}'\n", b"a\xff", "b"), b"a\xff: 'b'\n");
        assert_eq!(text!("no place\n"), b"no place\n");
    }

    #[test]
    fn places_are_counted() {
        for (format, expected) in [("", 0), ("{}", 1), ("a{}{}b", 2), ("{ }", 0), ("{} {{}", 2)] {
            assert_eq!(places(format), expected, "{format}");
        }
    }

    #[test]
    fn a_line_names_the_file_once() {
        let message = |text: &str| Message::new(Severity::Plain, Kind::FILE, text.into());
        assert_eq!(message("x.ko: wrong\n").line("p", b"x.ko"), b"p: x.ko: wrong\n");
        assert_eq!(message("wrong\n").line("p", b"x.ko"), b"p: x.ko: wrong\n");
        assert_eq!(message("wrong\n").line("p", b""), b"p: wrong\n");
    }

    #[test]
    fn names_in_a_line_do_nothing_to_the_terminal() {
        let message = |text: &str| Message::new(Severity::Plain, Kind::FILE, text.into());
        assert_eq!(message("a\nb\x1b: wrong\n").line("p", b""), b"p: a\\nb\\x1b: wrong\n");
        assert_eq!(message("wrong\n").line("p", b"a\nb"), b"p: a\\nb: wrong\n");
        assert_eq!(message("a\nb: wrong.\nMend it\n").two_lines().line("p", b""), b"p: a\\nb: wrong.\nMend it\n");
    }

    #[test]
    fn perror_without_a_name_has_no_colon() {
        let perror = |name| Fatal::perror(name, io::Error::from_raw_os_error(2));
        assert_eq!(perror(b"").message.text, b"No such file or directory\n");
        assert_eq!(perror(b"x").message.text, b"x: No such file or directory\n");
    }

    #[test]
    fn what_the_system_said_is_kept() {
        let fatal = Fatal::perror(b"x", io::Error::from_raw_os_error(5));
        let cause = fatal.source().and_then(|cause| cause.downcast_ref::<io::Error>());
        assert_eq!(cause.and_then(io::Error::raw_os_error), Some(5));
        assert_eq!(fatal.to_string(), "x: Input/output error");
    }
}
