//! Comparing two outcomes, and explaining a difference.

use std::fmt::Write;

use crate::run::Outcome;

/// How much of a text is shown around a difference, in bytes.
const CONTEXT: usize = 200;

/// What differs; "" if nothing does.
#[must_use]
pub fn differences(original: &Outcome, ours: &Outcome) -> String {
    let mut report = String::new();
    if original.status != ours.status {
        let _ = writeln!(report, "  status: original {}, ours {}", original.status, ours.status);
    }
    bytes(&mut report, "stdout", &original.stdout, &ours.stdout);
    bytes(&mut report, "stderr", &original.stderr, &ours.stderr);
    let mut paths: Vec<_> = original.files.keys().chain(ours.files.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let name = path.display();
        match (original.files.get(path), ours.files.get(path)) {
            (Some(original), Some(ours)) => {
                bytes(&mut report, &name.to_string(), &original.contents, &ours.contents);
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
