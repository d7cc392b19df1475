//! What a run says, as it comes to know it.

use std::fmt;
use std::io::Write;

use base::message::{Fatal, Message, Program, Severity};

use super::resolve::{MAX_UNDEFINED, Note};
use crate::dialect::Dialect;

/// Writes messages at once, and remembers whether one was an error.
pub struct Log<'e> {
    program: &'static Program,
    err: &'e mut (dyn Write + Send),
    /// An error was reported: the run will fail.
    pub(crate) error_occurred: bool,
    /// What ends the run is called an error.
    fatal_is_error: bool,
    /// The number of undefined symbols reported is capped.
    undefined_capped: bool,
    /// How many undefined symbols there were.
    undefined: usize,
    /// All messages, if they are to be kept.
    kept: Option<Kept>,
}

/// The messages of a run.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// What was said.
    pub(crate) said: Vec<Message>,
    /// What the original suppresses because there is too much of it.
    pub(crate) withheld: Vec<Message>,
    /// What the run ended on, if it didn't reach its end.
    pub(crate) end: Option<Message>,
}

impl fmt::Debug for Log<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("error_occurred", &self.error_occurred).finish_non_exhaustive()
    }
}

impl<'e> Log<'e> {
    /// A log to a program's standard error. `keep` keeps all messages.
    pub fn new(program: &'static Program, err: &'e mut (dyn Write + Send), keep: bool) -> Self {
        Self {
            program,
            err,
            error_occurred: false,
            fatal_is_error: false,
            undefined_capped: false,
            undefined: 0,
            kept: keep.then(Kept::default),
        }
    }

    /// Words what follows as a kernel does.
    pub(crate) const fn serve(&mut self, dialect: &Dialect) {
        self.fatal_is_error = dialect.fatal_is_called_error;
        self.undefined_capped = dialect.undefined_reports_capped;
    }

    /// Where messages go.
    pub fn err(&mut self) -> &mut dyn Write {
        self.err
    }

    /// Writes a message.
    pub fn say(&mut self, message: Message) {
        self.error_occurred |= message.severity == Severity::Error;
        self.tell(message);
    }

    /// Writes a message that doesn't make the run fail, even if it is an error.
    pub(crate) fn tell(&mut self, message: Message) {
        // stderr is closed: nobody to report to.
        let _ = self.program.say(&message, self.err);
        if let Some(kept) = &mut self.kept {
            kept.said.push(message);
        }
    }

    /// Says what was found of one module.
    pub fn note(&mut self, note: Note) {
        match note {
            Note::Message(message) => self.say(message),
            Note::Undefined(message) => {
                if self.undefined < MAX_UNDEFINED || !self.undefined_capped {
                    self.say(message);
                } else if let Some(kept) = &mut self.kept {
                    kept.withheld.push(message);
                }
                self.undefined += 1;
            }
            Note::Unreported => self.undefined += 1,
        }
    }

    /// How many undefined symbols were not reported.
    #[must_use]
    pub const fn suppressed(&self) -> usize {
        if self.undefined_capped { self.undefined.saturating_sub(MAX_UNDEFINED) } else { 0 }
    }

    /// Writes the message that the run ends on.
    pub fn end(&mut self, Fatal { message, .. }: Fatal) {
        let called_error = message.severity == Severity::Fatal && self.fatal_is_error;
        let severity = if called_error { Severity::Error } else { message.severity };
        let _ = self.program.say(&Message { severity, ..message.clone() }, self.err);
        self.error_occurred = true;
        if let Some(kept) = &mut self.kept {
            kept.end = Some(Message { severity: Severity::Fatal, ..message });
        }
    }

    /// All messages, if they were to be kept.
    #[must_use]
    pub const fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }
}
