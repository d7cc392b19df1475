//! Recorded cases: what originals did that no archive ships any more, or that
//! a machine without network can't have.
//!
//! A pack holds cases with all their files, and for each kernel what its
//! original did on them. [`pack`] says how it is written.

mod json;
pub mod pack;

use std::collections::BTreeMap;
use std::io;

use serde_json::Value;

use pack::Pack;

use crate::case::Case;
use crate::run::Outcome;

/// What is wrong with a pack.
fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("recorded cases: {what}"))
}

fn text(value: &Value) -> io::Result<String> {
    value.as_str().map(str::to_owned).ok_or_else(|| damaged("a string is wanted"))
}

/// A case, and what the original did at each of its calls.
#[derive(Debug)]
pub struct Recorded {
    /// The case's name.
    pub name: String,
    /// The case.
    pub case: Case,
    /// The original's outcomes: fewer than calls if it crashed.
    pub outcomes: Vec<Outcome>,
}

impl Recorded {
    /// Whether the original crashed.
    #[must_use]
    pub fn crashed(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.status.code().is_none())
    }
}

/// Everything that was recorded of one kernel.
///
/// # Errors
/// If the pack has nothing of that name, or is damaged.
pub fn of(pack: &Pack, name: &str) -> io::Result<Vec<Recorded>> {
    let cases: BTreeMap<_, _> = pack.cases()?.into_iter().collect();
    let mut all = Vec::new();
    for line in pack.outcomes(name)? {
        let key = text(&line["key"])?;
        let case = cases.get(&key).ok_or_else(|| damaged(&format!("no case {key}")))?;
        let outcomes = json::list(&line["calls"])?.iter().map(|call| json::outcome(pack, call));
        let outcomes = outcomes.collect::<io::Result<_>>()?;
        all.push(Recorded { name: text(&line["name"])?, case: json::case(pack, case)?, outcomes });
    }
    Ok(all)
}

/// Adds what a kernel's original did to a pack, in place of what it held of
/// that name.
///
/// # Errors
/// If the pack is damaged.
pub fn add(pack: &mut Pack, name: &str, kernel: &str, recorded: &[Recorded]) -> io::Result<()> {
    let cases: Vec<_> = recorded.iter().map(|Recorded { case, .. }| json::of_case(pack, case)).collect();
    let keys = pack.add_cases(&cases)?;
    let mut lines = Vec::new();
    for (Recorded { name, outcomes, .. }, key) in recorded.iter().zip(&keys) {
        lines.push(json::of_outcomes(pack, name, key, outcomes));
    }
    pack.set_outcomes(name, kernel, &lines)
}
