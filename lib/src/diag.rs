//! Messages as values: what the library has to say is collected, and printed
//! by whoever owns the output.
//!
//! Prefixes and the wording of every message are modpost's (`modpost_log()`
//! in `scripts/mod/modpost.c`); a user's grep for a message finds its whole
//! format string at the place where it is made.

use std::io;

use serde::Serialize;

/// How grave a [`Message`] is, which is also how it is introduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Printed as it is: what the original writes without `modpost_log()`.
    #[serde(rename = "note")]
    Plain,
    /// `WARNING: modpost: `; the run goes on and may succeed.
    Warning,
    /// `ERROR: modpost: `; the run goes on and fails at its end.
    Error,
    /// `FATAL: modpost: `; the run ends here. Since 6.8 the originals call
    /// that an error.
    Fatal,
    /// `FATAL: modpost: ` always: where the original's behaviour is undefined.
    #[serde(rename = "fatal")]
    Refusal,
}

impl Severity {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Warning => "WARNING: modpost: ",
            Self::Error => "ERROR: modpost: ",
            Self::Fatal | Self::Refusal => "FATAL: modpost: ",
        }
    }
}

/// What a message says. Kernels word it differently; to a program that reads
/// a report it is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The arguments make no sense.
    Usage,
    /// A system call failed.
    File,
    /// An object isn't there, which may be.
    Ignored,
    /// An object has another suffix than `.o`.
    ObjectSuffix,
    /// A path has no room in the original's array.
    PathTooLong,
    /// A line has no room in the original's buffer.
    LineTooLong,
    /// A module's name has no room in the kernel's array.
    ModuleNameTooLong,
    /// A symbol's name has no room in the kernel's array.
    SymbolNameTooLong,
    /// An object is none, or breaks the gABI.
    MalformedObject,
    /// A `Module.symvers` has a line that is none.
    MalformedSymvers,
    /// A `.mod` file is none.
    MalformedMod,
    /// A `.cmd` file is none.
    MalformedCmd,
    /// There is no `MODULE_LICENSE()`.
    MissingLicense,
    /// There is no `MODULE_DESCRIPTION()`.
    MissingDescription,
    /// A namespace is imported that mustn't be.
    ForbiddenNamespace,
    /// A namespace isn't imported that has to be.
    MissingNamespace,
    /// A namespace is that of a symbol that nobody exports.
    StrayNamespace,
    /// A symbol is in `SHN_COMMON`.
    CommonSymbol,
    /// An exported symbol has no CRC.
    ExportWithoutCrc,
    /// A used symbol has no CRC.
    UseWithoutCrc,
    /// A symbol is exported twice.
    ExportedTwice,
    /// A symbol is exported but not defined by the module.
    ExportedUndefined,
    /// A symbol is exported but local.
    ExportedStatic,
    /// A symbol is exported but freed after initialisation.
    ExportedInit,
    /// An entry of `.export_symbol` isn't what `EXPORT_SYMBOL` makes.
    MalformedExport,
    /// A kind of export isn't known.
    UnknownLicense,
    /// Nobody exports a symbol.
    UndefinedSymbol,
    /// How many undefined symbols more there are.
    UndefinedMore,
    /// The kernel's exports aren't known, and so nothing is undefined.
    NoVmlinux,
    /// A symbol is for GPL-compatible modules.
    GplOnly,
    /// A symbol is marked unused.
    UnusedSymbol,
    /// A section lacks `SHF_ALLOC`.
    NonAllocatable,
    /// A section refers to one that won't live as long.
    SectionMismatch,
    /// There are section mismatches where none may be.
    SectionMismatches,
    /// An exception table refers to what isn't known to be code.
    Extable,
    /// No relocation of this machine is known.
    UnknownMachine,
    /// A device table hasn't the size of whole entries.
    TableSize,
    /// A device table has no terminator.
    TableUnterminated,
    /// An entry of a device table makes no alias.
    DeviceId,
    /// A pattern of SUSE's list of supported modules is none.
    SupportedPattern,
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
    /// How grave it is.
    pub severity: Severity,
    /// What it says.
    pub kind: Kind,
    /// Everything after the prefix.
    pub text: Vec<u8>,
    /// Of what.
    pub about: Box<About>,
}

impl Message {
    /// A message, as yet about nothing.
    #[must_use]
    pub fn new(severity: Severity, kind: Kind, text: Vec<u8>) -> Self {
        Self { severity, kind, text, about: Box::default() }
    }

    /// The same, of a module, unless it is of one already.
    #[must_use]
    pub fn module(mut self, name: &[u8]) -> Self {
        self.about.module.get_or_insert_with(|| name.to_vec());
        self
    }

    /// The same, about one symbol more.
    #[must_use]
    pub fn symbol(mut self, name: &[u8]) -> Self {
        self.about.symbols.push(name.to_vec());
        self
    }

    /// The same, about one section more.
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

    /// The line that another program than modpost says it in: its own name,
    /// the file, and what is wrong.
    #[must_use]
    pub fn line(&self, program: &str, file: &[u8]) -> Vec<u8> {
        let text = self.text.trim_ascii_end();
        let named = [file, b": "].concat();
        let what = text.strip_prefix(&named[..]).unwrap_or(text);
        let file = if file.is_empty() { file } else { &named };
        text!("{}: {}{}\n", program, file, what)
    }

    /// Writes prefix and text.
    ///
    /// # Errors
    /// What the writer reports.
    pub fn write_to(&self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(self.severity.prefix().as_bytes())?;
        out.write_all(&self.text)
    }
}

/// The end of a run, with exit status 1: the message to end on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fatal(pub Message);

impl Fatal {
    /// Ends with `FATAL: modpost: ` and the text.
    #[must_use]
    pub fn new(kind: Kind, text: Vec<u8>) -> Self {
        Self(Message::new(Severity::Fatal, kind, text))
    }

    /// Ends where the original's behaviour is undefined.
    #[must_use]
    pub fn refusal(kind: Kind, text: Vec<u8>) -> Self {
        Self(Message::new(Severity::Refusal, kind, text))
    }

    /// Ends as the original does after a failed system call: perror(3) with
    /// the file's name, and exit.
    #[must_use]
    pub fn perror(path: &[u8], error: &io::Error) -> Self {
        // perror(3) leaves out an empty name together with its colon.
        let text =
            if path.is_empty() { text!("{}\n", strerror(error)) } else { text!("{}: {}\n", path, strerror(error)) };
        Self(Message::new(Severity::Plain, Kind::File, text))
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
        let argument = arguments.next();
        debug_assert!(argument.is_some(), "too few arguments for {format:?}");
        out.extend_from_slice(argument.copied().unwrap_or_default());
        out.extend_from_slice(piece.as_bytes());
    }
    debug_assert!(arguments.next().is_none(), "too many arguments for {format:?}");
    out
}

/// `format!` for bytes: `text!("{}: {}\n", path, name)` with anything that is
/// `AsRef<[u8]>`, and the format string in one piece.
#[macro_export]
macro_rules! text {
    ($format:literal $(, $argument:expr)* $(,)?) => {
        $crate::diag::fill($format, &[$(AsRef::<[u8]>::as_ref(&$argument)),*])
    };
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
    fn a_line_names_the_file_once() {
        let message = |text: &str| Message::new(Severity::Plain, Kind::File, text.into());
        assert_eq!(message("x.ko: wrong\n").line("p", b"x.ko"), b"p: x.ko: wrong\n");
        assert_eq!(message("wrong\n").line("p", b"x.ko"), b"p: x.ko: wrong\n");
        assert_eq!(message("wrong\n").line("p", b""), b"p: wrong\n");
    }

    #[test]
    fn perror_without_a_name_has_no_colon() {
        let error = io::Error::from_raw_os_error(2);
        assert_eq!(Fatal::perror(b"", &error).0.text, b"No such file or directory\n");
        assert_eq!(Fatal::perror(b"x", &error).0.text, b"x: No such file or directory\n");
    }
}
