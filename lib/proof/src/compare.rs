//! Comparing two outcomes, and explaining a difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use crate::run::{Left, Outcome};

/// How much of a text is shown around a difference, in bytes.
const CONTEXT: usize = 200;
/// How many differing files are shown.
const SHOWN: usize = 5;

/// What differs; "" if nothing does.
#[must_use]
pub fn differences(original: &Outcome, ours: &Outcome) -> String {
    let mut report = String::new();
    if original.status != ours.status {
        let _ = writeln!(report, "  status: original {}, ours {}", original.status, ours.status);
    }
    bytes(&mut report, "stdout", &original.stdout, &ours.stdout);
    bytes(&mut report, "stderr", &original.stderr, &ours.stderr);
    let paths: BTreeSet<_> = original.files.keys().chain(ours.files.keys()).collect();
    for path in paths {
        let name = path.display();
        match (original.files.get(path), ours.files.get(path)) {
            (Some(original), Some(ours)) => {
                bytes(&mut report, &name.to_string(), &original.contents, &ours.contents);
                if (original.mode, original.links) != (ours.mode, ours.links) {
                    let show = |left: &Left| format!("{:o}, {} names", left.mode, left.links);
                    let _ = writeln!(report, "  {name}: original {}, ours {}", show(original), show(ours));
                }
                if original.touched != ours.touched {
                    let who = if ours.touched { "ours" } else { "the original" };
                    let _ = writeln!(report, "  {name}: written by {who} alone");
                }
            }
            (original, _) => {
                let who = if original.is_none() { "ours" } else { "the original" };
                let _ = writeln!(report, "  {name}: left by {who} alone");
            }
        }
    }
    report
}

/// Compares the files that two runs wrote; shows some of those that differ, or
/// that one alone wrote, and returns how many do.
pub fn files(report: &mut String, original: &BTreeMap<PathBuf, Vec<u8>>, ours: &BTreeMap<PathBuf, Vec<u8>>) -> usize {
    let paths: BTreeSet<_> = original.keys().chain(ours.keys()).collect();
    let differing: Vec<_> = paths.into_iter().filter(|path| original.get(*path) != ours.get(*path)).collect();
    for path in differing.iter().take(SHOWN) {
        let name = path.display().to_string();
        match (original.get(*path), ours.get(*path)) {
            (Some(original), Some(ours)) => bytes(report, &name, original, ours),
            (original, _) => {
                let who = if original.is_none() { "ours" } else { "the original" };
                let _ = writeln!(report, "  {name}: written by {who} alone");
            }
        }
    }
    differing.len()
}

/// Tells where two texts begin to differ.
pub fn bytes(report: &mut String, name: &str, original: &[u8], ours: &[u8]) {
    if original == ours {
        return;
    }
    let at = original.iter().zip(ours).take_while(|(a, b)| a == b).count();
    let line = original[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
    let start = original[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    let show = |text: &[u8]| text[start.min(text.len())..(at + CONTEXT).min(text.len())].escape_ascii().to_string();
    let _ = writeln!(
        report,
        "  {name}: differs at byte {at}, line {line} ({} and {} bytes)\n    original: {}\n    ours:     {}",
        original.len(),
        ours.len(),
        show(original),
        show(ours)
    );
}
