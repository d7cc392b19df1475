//! Messages as JSON, an object a line, for programs: `KBUILD_RS_REPORT=FILE`.
//!
//! ```json
//! {"severity":"error","kind":"undefined-symbol","module":"drivers/foo","symbols":["bar"],
//!  "sections":[],"offsets":[],"text":"\"bar\" [drivers/foo.ko] undefined!"}
//! ```
//!
//! A build runs modpost more than once, so lines are appended, all of a run's
//! in one write(2).

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use base::json;
use base::message::{Kind, Message, Severity};
use serde::Serialize;

use crate::link::Kept;

#[derive(Serialize)]
struct Line<'a> {
    severity: Severity,
    kind: Kind,
    module: Option<serde_json::Value>,
    symbols: Vec<serde_json::Value>,
    sections: Vec<serde_json::Value>,
    offsets: &'a [u64],
    text: serde_json::Value,
}

fn line(message: &Message) -> Vec<u8> {
    let about = &message.about;
    let line = Line {
        severity: message.severity,
        kind: message.kind,
        module: about.module.as_deref().map(json::text),
        symbols: json::list(&about.symbols),
        sections: json::list(&about.sections),
        offsets: &about.offsets,
        text: json::text(message.text.trim_ascii_end()),
    };
    json::line(&line)
}

/// Appends a line for each message of a run, those that the original keeps
/// to itself because there are many included, and for the one it ended on.
///
/// # Errors
/// If the file can't be written.
pub(crate) fn append(path: &Path, kept: &Kept) -> io::Result<()> {
    let messages = kept.said.iter().chain(&kept.withheld).chain(&kept.end);
    let lines: Vec<u8> = messages.flat_map(line).collect();
    OpenOptions::new().append(true).create(true).open(path)?.write_all(&lines)
}
