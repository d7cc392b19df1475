//! Messages as values: what the library has to say is collected, and printed
//! by whoever owns the output.
//!
//! Prefixes and the wording of every message are modpost's (`modpost_log()`
//! in `scripts/mod/modpost.c`); a user's grep for a message finds its whole
//! format string at the place where it is made.

use std::io;

/// How grave a [`Message`] is, which is also how it is introduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Printed as it is: what the original writes without `modpost_log()`.
    Plain,
    /// `WARNING: modpost: `; the run goes on and may succeed.
    Warning,
    /// `ERROR: modpost: `; the run goes on and fails at its end.
    Error,
    /// `FATAL: modpost: `; the run ends here. Since 6.8 the originals call
    /// that an error.
    Fatal,
    /// `FATAL: modpost: ` always: where the original's behaviour is undefined.
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

/// One message, in the bytes that follow its prefix. Most end in a newline;
/// the few that don't are the original's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How grave it is.
    pub severity: Severity,
    /// Everything after the prefix.
    pub text: Vec<u8>,
}

impl Message {
    /// A message of the given severity.
    #[must_use]
    pub const fn new(severity: Severity, text: Vec<u8>) -> Self {
        Self { severity, text }
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
    pub const fn new(text: Vec<u8>) -> Self {
        Self(Message::new(Severity::Fatal, text))
    }

    /// Ends where the original's behaviour is undefined.
    #[must_use]
    pub const fn refusal(text: Vec<u8>) -> Self {
        Self(Message::new(Severity::Refusal, text))
    }

    /// Ends as the original does after a failed system call: perror(3) with
    /// the file's name, and exit.
    #[must_use]
    pub fn perror(path: &[u8], error: &io::Error) -> Self {
        // perror(3) leaves out an empty name together with its colon.
        let text =
            if path.is_empty() { text!("{}\n", strerror(error)) } else { text!("{}: {}\n", path, strerror(error)) };
        Self(Message::new(Severity::Plain, text))
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
    fn perror_without_a_name_has_no_colon() {
        let error = io::Error::from_raw_os_error(2);
        assert_eq!(Fatal::perror(b"", &error).0.text, b"No such file or directory\n");
        assert_eq!(Fatal::perror(b"x", &error).0.text, b"x: No such file or directory\n");
    }
}
