//! Results, messages, and the exit status.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::AutoStream;
use base::escape::{escape, escape_lines};
use base::message::{Fatal, Kind, Message};
use clap::ArgMatches;

/// A reader that closed the pipe: it has what it wanted.
const CLOSED: Kind = Kind("closed-pipe");

/// How a part of a result looks on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// What stands above other lines.
    Heading,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
}

/// Where a program writes what it found, and what it has to say.
pub struct Streams<'a> {
    program: &'static str,
    out: &'a mut (dyn Write + Send),
    err: &'a mut (dyn Write + Send),
    is_quiet: bool,
    is_verbose: bool,
    is_colored: bool,
    is_terminal: bool,
}

impl<'a> Streams<'a> {
    /// Those of a program, as its arguments have them. Standard output is asked for
    /// whether it is a terminal.
    pub fn new(
        program: &'static str,
        matches: &ArgMatches,
        out: &'a mut (dyn Write + Send),
        err: &'a mut (dyn Write + Send),
    ) -> Self {
        let is_colored = match matches.get_one::<String>("color").map(String::as_str) {
            Some("always") => true,
            Some("never") => false,
            _ => AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
        };
        let [is_quiet, is_verbose] = ["quiet", "verbose"].map(|name| matches.get_flag(name));
        let is_terminal = io::stdout().is_terminal();
        Self { program, out, err, is_quiet, is_verbose, is_colored, is_terminal }
    }

    /// Writes a piece of the results. Names of others in it have to be
    /// [escaped](base::escape), or quoted as JSON.
    ///
    /// # Errors
    /// If it can't be written, which ends the program.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), Fatal> {
        if self.is_quiet { Ok(()) } else { written(self.out.write_all(bytes)) }
    }

    /// Writes lines of a format that other programs read: byte for byte, but
    /// [escaped](base::escape) if standard output is a terminal.
    ///
    /// # Errors
    /// It returns the errors of [`Streams::put`].
    pub fn put_lines(&mut self, lines: &[u8]) -> Result<(), Fatal> {
        if self.is_terminal { self.put(&escape_lines(lines)) } else { self.put(lines) }
    }

    /// Whether no results are to be printed.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// Whether more is to be said.
    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.is_verbose
    }

    /// Writes what has been put.
    ///
    /// # Errors
    /// If it can't be written, which ends the program.
    pub fn flush(&mut self) -> Result<(), Fatal> {
        written(self.out.flush())
    }

    /// A part of a result as it is to look.
    #[must_use]
    pub fn styled(&self, style: Style, text: &[u8]) -> Vec<u8> {
        if !self.is_colored {
            return text.to_vec();
        }
        let start: &[u8] = match style {
            Style::Heading => b"\x1b[1m",
            Style::Good => b"\x1b[32m",
            Style::Bad => b"\x1b[31m",
        };
        [start, text, b"\x1b[0m"].concat()
    }

    /// Where lines for people are written.
    pub fn err(&mut self) -> &mut (dyn Write + Send) {
        self.err
    }

    /// Says a message in a line. It names the file unless the message does.
    pub fn say(&mut self, message: &Message, file: &[u8]) {
        // stderr is closed: nobody to report to.
        let _ = self.err.write_all(&message.line(self.program, file));
    }

    /// Says what whoever wants to know more is to know.
    pub fn explain(&mut self, what: &str) {
        if self.is_verbose {
            let what = escape(what.as_bytes());
            let _ = self.err.write_all(&[self.program.as_bytes(), b": ", &what, b"\n"].concat());
        }
    }

    /// Writes everything and says what went wrong. Returns the exit status: 0 if all is
    /// as it was asked for, and else 1.
    pub fn end(&mut self, result: Result<bool, Fatal>) -> u8 {
        // What was found before an error stands before it.
        match self.flush().and(result) {
            Ok(all) => u8::from(!all),
            Err(fatal) if fatal.message.kind == CLOSED => 0,
            Err(fatal) => {
                self.say(&fatal.message, b"");
                1
            }
        }
    }
}

fn written(result: io::Result<()>) -> Result<(), Fatal> {
    result.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Fatal::refusal(CLOSED, Vec::new()).caused_by(error),
        _ => Fatal::perror(b"standard output", error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Command;

    fn status(words: &[&str], result: Result<bool, Fatal>) -> (u8, Vec<u8>, Vec<u8>) {
        let command: Command = crate::program("p");
        let matches = command.get_matches_from(words);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams::new("p", &matches, &mut out, &mut err);
        let text = streams.styled(Style::Good, b"equal\n");
        let put = streams.put(&text);
        streams.explain("kernel 6.1");
        let status = streams.end(put.and(result));
        (status, out, err)
    }

    #[test]
    fn options_that_all_have() {
        assert_eq!(status(&["p", "--color=never"], Ok(true)), (0, b"equal\n".to_vec(), Vec::new()));
        assert_eq!(status(&["p", "--color=always"], Ok(false)), (1, b"\x1b[32mequal\n\x1b[0m".to_vec(), Vec::new()));
        assert_eq!(status(&["p", "-q"], Ok(true)), (0, Vec::new(), Vec::new()));
        let (_, _, said) = status(&["p", "-v"], Ok(true));
        assert_eq!(said, b"p: kernel 6.1\n");
        let fatal = Fatal::perror(b"x", io::Error::from_raw_os_error(2));
        assert_eq!(status(&["p", "-q"], Err(fatal)), (1, Vec::new(), b"p: x: No such file or directory\n".to_vec()));
        let closed = written(Err(ErrorKind::BrokenPipe.into()));
        assert_eq!(status(&["p", "-q"], closed.map(|()| true)).0, 0);
    }
}
