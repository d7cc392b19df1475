//! Verdicts, as lines and as JSON.

use std::os::unix::ffi::OsStrExt;

use base::json;
use base::message::{Fatal, text};
use cli::{Streams, Style};
use loader::finding::{Effect, Finding, Verdict};
use loader::judge::Judged;
use serde_json::{Value, json};

/// The verdict in a word, for programs.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Loads => "loads",
        Verdict::Refused(_) => "refused",
        Verdict::Unknown => "unknown",
    }
}

/// The verdict of a file.
pub(crate) fn verdict(judged: &Judged) -> Verdict {
    judged.checked.as_ref().map_or(Verdict::Unknown, loader::check::Checked::verdict)
}

/// Prints what was found in a module, with what doesn't keep it from being loaded if it
/// `is_whole`.
pub(crate) fn module(judged: &Judged, kernel: &[u8], is_whole: bool, streams: &mut Streams<'_>) -> Result<(), Fatal> {
    let file = judged.path.as_os_str().as_bytes();
    let verdict = verdict(judged);
    let (style, what) = match verdict {
        Verdict::Loads => (Style::Good, text!("would load on {}", kernel)),
        Verdict::Refused(errno) => (Style::Bad, text!("would not load on {}: {}", kernel, errno.words())),
        Verdict::Unknown => (Style::Heading, text!("can't tell whether it would load on {}", kernel)),
    };
    streams.put(&text!("{}: {}\n", file, streams.styled(style, &what)))?;
    let checked = match &judged.checked {
        Ok(checked) => checked,
        Err(error) => return streams.put(&text!("  {}\n", error.to_string())),
    };
    let mut before: Option<(&[u8], Option<&[u8]>)> = None;
    let wanted = |finding: &&Finding| is_whole || finding.effect != Effect::Logged;
    for finding in checked.findings.iter().filter(wanted) {
        let said = (&*finding.meaning, finding.advice.as_deref());
        // Of several findings with one meaning the meaning follows the last.
        if let Some((meaning, advice)) = before.filter(|before| *before != said) {
            explain(meaning, advice, streams)?;
        }
        if let Some(line) = &finding.line {
            streams.put(&text!("  {}\n", line))?;
        }
        before = Some(said);
    }
    before.map_or(Ok(()), |(meaning, advice)| explain(meaning, advice, streams))
}

fn explain(meaning: &[u8], advice: Option<&[u8]>, streams: &mut Streams<'_>) -> Result<(), Fatal> {
    let advice = advice.map_or_else(Vec::new, |advice| text!("; {}", advice));
    streams.put(&text!("    {}{}\n", meaning, advice))
}

/// The same as JSON.
pub(crate) fn object(judged: &Judged, kernel: &[u8]) -> Vec<u8> {
    let file = json::text(judged.path.as_os_str().as_bytes());
    let verdict = verdict(judged);
    let errno = match verdict {
        Verdict::Refused(errno) => json!({ "number": errno.0, "text": errno.words() }),
        _ => Value::Null,
    };
    let optional = |bytes: Option<&[u8]>| bytes.map_or(Value::Null, json::text);
    let finding = |finding: &Finding| {
        let effect = match finding.effect {
            Effect::Refused(_) => "refused",
            Effect::Logged => "logged",
            Effect::Unknown => "unknown",
        };
        json!({
            "check": finding.step.name(),
            "effect": effect,
            "symbol": optional(finding.symbol.as_deref()),
            "line": optional(finding.line.as_deref()),
            "meaning": json::text(&finding.meaning),
            "advice": optional(finding.advice.as_deref()),
        })
    };
    let mut object = json!({ "file": file, "kernel": json::text(kernel), "verdict": word(verdict), "error": errno });
    match &judged.checked {
        Ok(checked) => {
            object["vermagic"] = optional(checked.vermagic.as_deref());
            object["depends"] = checked.owners.iter().map(|owner| json::text(&owner.module)).collect();
            object["findings"] = checked.findings.iter().map(finding).collect();
        }
        Err(error) => object["unreadable"] = json!(error.to_string()),
    }
    json::line(&object)
}
