//! The recorded cases that an original is tried on.

use std::io;

use kernel::{Flags, vendor};

use crate::case::Case;
use crate::recording;
use crate::recording::pack::Pack;
use crate::subject::{Target, Tool};

/// How many flags differ.
fn distance<D: Flags>(one: &D, other: &D) -> usize {
    let (one, other) = (one.flags(), other.flags());
    let only_in = |one: &[&str], other: &[&str]| one.iter().filter(|flag| !other.contains(flag)).count();
    only_in(&one, &other) + only_in(&other, &one)
}

/// A tool's cases for these targets that a kernel like this one had: those of the
/// recording whose kernel differs from it in the fewest ways, and for targets of
/// which that has none, of the next.
pub(super) fn probes<D: Flags>(
    pack: &Pack,
    tool: Tool,
    dialect: &D,
    targets: &[Target],
) -> io::Result<Vec<(String, Case)>> {
    let mut recordings = Vec::new();
    for name in pack.names()? {
        // A name is a kernel's.
        recordings.extend(vendor::of_name(name.as_bytes()).map(|other: D| (distance(dialect, &other), name)));
    }
    recordings.sort();
    let is_root = nix::unistd::geteuid().is_root();
    let is_usable = |recorded: &recording::Recorded| {
        let is_64 = matches!(recorded.case.target, Target::Lsb64 | Target::Msb64);
        !recorded.crashed() && (is_root || !recorded.case.depends_on_root()) && (is_64 || !has_tables(&recorded.case))
    };
    let mut wanted = targets.to_vec();
    let mut probes: Vec<(String, Case)> = Vec::new();
    for (_, name) in recordings {
        let recorded = recording::of(pack, &name)?.into_iter();
        let fits = |recorded: &recording::Recorded| {
            recorded.case.tool == tool && wanted.contains(&recorded.case.target) && is_usable(recorded)
        };
        probes.extend(recorded.filter(fits).map(|recorded| (recorded.name, recorded.case)));
        wanted.retain(|target| probes.iter().all(|(_, case)| case.target != *target));
        if wanted.is_empty() {
            break;
        }
    }
    Ok(probes)
}

/// Debian's programs for 32-bit targets in the amd64 packages have the layouts
/// of a 64-bit kernel's device ids, and end the run of a real module. Ours has
/// the right ones.
fn has_tables(case: &Case) -> bool {
    case.files.iter().any(|(_, contents)| memchr::memmem::find(contents, b"__mod_").is_some())
}
