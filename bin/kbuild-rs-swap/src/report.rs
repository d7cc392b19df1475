//! What was done, for people and as JSON.

use std::os::unix::ffi::OsStrExt;
use std::process::{Command, ExitStatus, Stdio};
use std::{io, path::Path};

use base::escape::escape;
use base::json;
use base::message::{Fatal, Kind, text};
use cli::Streams;
use serde_json::{Value, json};
use swap::place::{Place, Status};

/// Where the results are written. A failure to write them prevents no change of a tree.
pub(crate) struct Report<'a, 'b> {
    pub(crate) streams: &'a mut Streams<'b>,
    pub(crate) is_json: bool,
    /// The first failure to write.
    pub(crate) written: Result<(), Fatal>,
}

/// The result for a directory of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It uses ours now.
    Swapped,
    /// It has its originals again.
    Undone,
    /// It had its originals before, too.
    Original,
    /// Ours behaves like its originals.
    Same,
    /// Ours behaves differently, or couldn't be compared.
    Different,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Swapped => "swapped",
            Self::Undone => "undone",
            Self::Original => "original",
            Self::Same => "same",
            Self::Different => "different",
        }
    }
}

fn status_name(status: &Status) -> &'static str {
    match status {
        Status::Swapped(_) => "swapped",
        Status::InPart => "in-part",
        Status::NotKept => "not-kept",
        Status::Upgraded => "upgraded",
        Status::Original => "original",
    }
}

fn path(path: &Path) -> Value {
    json::text(path.as_os_str().as_bytes())
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

impl Report<'_, '_> {
    fn put(&mut self, bytes: &[u8]) {
        if self.written.is_ok() {
            // At once: what is called writes to the same output.
            self.written = self.streams.put(bytes).and_then(|()| self.streams.flush());
        }
    }

    /// Writes a line in plain text.
    fn line(&mut self, text: &str) {
        self.put(&[&escape(text.as_bytes())[..], b"\n"].concat());
    }

    /// Says something that isn't the outcome of a directory.
    pub(crate) fn note(&mut self, what: &str) {
        if !self.is_json {
            self.line(what);
        }
    }

    /// Says on standard error what a person should know.
    pub(crate) fn notice(&mut self, what: &str) {
        if !self.streams.is_quiet() {
            self.complain(what);
        }
    }

    /// Names a tree that is left as it is, and the reason.
    pub(crate) fn left_out(&mut self, tree: &Path, why: &str) {
        if self.is_json {
            let object = json!({ "directory": path(tree), "outcome": "left-out", "reason": why });
            self.put(&json::line(&object));
        } else {
            self.line(&format!("{}: left alone: {why}", tree.display()));
        }
    }

    /// Passes on a line of results of a process that isn't trusted.
    pub(crate) fn pass_on(&mut self, line: &[u8]) {
        self.put(&[&escape(without_end(line))[..], b"\n"].concat());
    }

    /// Passes on a line of messages of a process that isn't trusted.
    pub(crate) fn pass_on_message(&mut self, line: &[u8]) {
        // stderr is closed: nobody to report to.
        let _ = self.streams.err().write_all(&[&escape(without_end(line))[..], b"\n"].concat());
    }

    /// Reports what a directory uses.
    pub(crate) fn status(&mut self, place: &Place) {
        let status = place.status();
        if !self.is_json {
            return self.line(&format!("{}: {status}", place.path().display()));
        }
        let kernel = if let Status::Swapped(kernel) = &status { kernel.as_deref() } else { None };
        let object = json!({ "directory": path(place.path()), "status": status_name(&status), "kernel": kernel });
        self.put(&json::line(&object));
    }

    /// Reports the result for a directory. `line` is its text, or `None` for no text, and
    /// `proof` has the lines of the comparison.
    pub(crate) fn outcome(&mut self, place: &Place, outcome: Outcome, proof: &[String], line: Option<&str>) {
        if self.is_json {
            let object = json!({ "directory": path(place.path()), "outcome": outcome.name(), "proof": proof });
            self.put(&json::line(&object));
        } else if let Some(line) = line {
            self.line(&format!("{}: {line}", place.path().display()));
        }
    }

    /// Runs what compares. Its lines are shown as they come, or returned for an object.
    pub(crate) fn run(&mut self, prover: &mut Command) -> io::Result<(ExitStatus, Vec<String>)> {
        if !self.is_json {
            let shown = if self.streams.is_quiet() { Stdio::null() } else { Stdio::inherit() };
            return Ok((prover.stdout(shown).status()?, Vec::new()));
        }
        let output = prover.stderr(Stdio::inherit()).output()?;
        Ok((output.status, String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()))
    }

    /// Says what is wrong.
    pub(crate) fn complain(&mut self, what: &str) {
        self.streams.say(&Fatal::refusal(Kind::FILE, text!("{}\n", what)).message, b"");
    }
}
