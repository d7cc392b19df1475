//! Verdicts, as lines and as JSON.

use std::os::unix::ffi::OsStrExt;

use base::escape::escape;
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
    let kernel = escape(kernel);
    let (style, what) = match verdict {
        Verdict::Loads => (Style::Good, text!("would load on {}", kernel)),
        Verdict::Refused(errno) => (Style::Bad, text!("would not load on {}: {}", kernel, errno.words())),
        Verdict::Unknown => (Style::Heading, text!("can't tell whether it would load on {}", kernel)),
    };
    streams.put(&text!("{}: {}\n", escape(file), streams.styled(style, &what)))?;
    let checked = match &judged.checked {
        Ok(checked) => checked,
        Err(error) => return streams.put(&text!("  {}\n", escape(error.to_string().as_bytes()))),
    };
    let wanted = |finding: &&Finding| is_whole || finding.effect != Effect::Logged;
    let findings: Vec<&Finding> = checked.findings.iter().filter(wanted).collect();
    // What has one meaning is explained once.
    let is_same = |one: &&Finding, other: &&Finding| (&one.meaning, &one.advice) == (&other.meaning, &other.advice);
    findings.chunk_by(is_same).try_for_each(|findings| explain(findings, streams))
}

/// Prints findings of one meaning: the lines that the kernel logs, or else the symbol that
/// they are about, and the meaning.
fn explain(findings: &[&Finding], streams: &mut Streams<'_>) -> Result<(), Fatal> {
    let [first, others @ ..] = findings else { return Ok(()) };
    for line in findings.iter().filter_map(|finding| finding.line.as_deref()) {
        streams.put(&text!("  {}\n", escape(line)))?;
    }
    let about = match (&first.line, &first.symbol) {
        (None, Some(symbol)) if others.is_empty() => text!("{}: ", symbol),
        (None, Some(symbol)) => text!("{} and {} more: ", symbol, others.len().to_string()),
        _ => Vec::new(),
    };
    let advice = first.advice.as_deref().map_or_else(Vec::new, |advice| text!("; {}", advice));
    streams.put(&text!("    {}\n", escape(&[&about[..], &first.meaning, &advice].concat())))
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
