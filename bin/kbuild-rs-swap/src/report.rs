//! What was done, for people and as JSON.

use std::os::unix::ffi::OsStrExt;
use std::process::{Command, ExitStatus, Stdio};
use std::{io, path::Path};

use base::json;
use base::message::{Fatal, Kind, text};
use cli::Streams;
use serde_json::{Value, json};
use swap::place::{Place, Status};

/// Where what was done is written. What can't be written keeps nothing from being done.
pub(crate) struct Report<'a, 'b> {
    pub(crate) streams: &'a mut Streams<'b>,
    pub(crate) is_json: bool,
    /// The first failure to write.
    pub(crate) written: Result<(), Fatal>,
}

/// What became of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It uses ours now.
    Swapped,
    /// It has its originals again.
    Undone,
    /// It had its originals before, too.
    Original,
    /// Ours does the same there.
    Same,
    /// It does something else, or can't be judged.
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

impl Report<'_, '_> {
    fn put(&mut self, bytes: &[u8]) {
        if self.written.is_ok() {
            // At once: what is called writes to the same output.
            self.written = self.streams.put(bytes).and_then(|()| self.streams.flush());
        }
    }

    /// Says something that is no place's outcome.
    pub(crate) fn note(&mut self, what: &str) {
        if !self.is_json {
            self.put(format!("{what}\n").as_bytes());
        }
    }

    /// What a place uses.
    pub(crate) fn status(&mut self, place: &Place) {
        let status = place.status();
        if !self.is_json {
            return self.put(format!("{}: {status}\n", place.dir.display()).as_bytes());
        }
        let kernel = if let Status::Swapped(kernel) = &status { kernel.as_deref() } else { None };
        let object = json!({ "directory": path(&place.dir), "status": status_name(&status), "kernel": kernel });
        self.put(&json::line(&object));
    }

    /// What became of a place; `line` is that for people, if there is one, and `proof`
    /// what was found of its programs.
    pub(crate) fn outcome(&mut self, place: &Place, outcome: Outcome, proof: &[String], line: Option<&str>) {
        if self.is_json {
            let object = json!({ "directory": path(&place.dir), "outcome": outcome.name(), "proof": proof });
            self.put(&json::line(&object));
        } else if let Some(line) = line {
            self.put(format!("{}: {line}\n", place.dir.display()).as_bytes());
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
