//! Recorded cases: what originals did that no archive ships any more, or that
//! a machine without network can't have.
//!
//! A pack holds cases with all their files, and for each kernel what its
//! original did on them. [`pack`] says how it is written.

mod json;
pub mod pack;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use pack::Pack;

use crate::case::Case;
use crate::original::Kernel;
use crate::run::Outcome;

/// The pack of this repository.
#[must_use]
pub fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded/cases.tar.zst")
}

/// A case, and what the original did at each of its calls.
#[derive(Debug)]
pub struct Recorded {
    /// The case, its kernel being the one that was recorded.
    pub case: Case,
    /// The original's outcomes: fewer than calls if it crashed.
    pub outcomes: Vec<Outcome>,
}

/// Everything that was recorded of one kernel.
///
/// # Errors
/// If the pack has nothing of that name, or is damaged.
pub fn of(pack: &Pack, name: &str) -> io::Result<Vec<Recorded>> {
    let version: &'static str = pack.kernel(name)?.to_owned().leak();
    // The original itself isn't there.
    let release = version.rsplit_once('.').map_or(version, |(release, _)| release);
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::compiled(version, release, &[], PathBuf::new())));
    let cases: BTreeMap<_, _> = pack.cases()?.into_iter().collect();
    let mut all = Vec::new();
    for line in pack.outcomes(name)? {
        let key = json::text(&line["key"])?;
        let case = cases.get(&key).ok_or_else(|| json::damaged(&format!("no case {key}")))?;
        let mut case = json::case(pack, case, kernel)?;
        case.name = format!("{name} {}", json::text(&line["name"])?);
        if name.contains('/') {
            // A vendor's: its version doesn't tell.
            case.calls.iter_mut().for_each(|call| call.environment.push(("KBUILD_RS_KERNEL", name.into())));
        }
        let outcomes = json::list(&line["calls"])?.iter().map(|call| json::outcome(pack, call));
        all.push(Recorded { case, outcomes: outcomes.collect::<io::Result<_>>()? });
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
    for (Recorded { case, outcomes }, key) in recorded.iter().zip(&keys) {
        let title = case.name.strip_prefix(kernel).unwrap_or(&case.name).trim_start();
        lines.push(json::of_outcomes(pack, title, key, outcomes));
    }
    pack.set_outcomes(name, kernel, &lines)
}
