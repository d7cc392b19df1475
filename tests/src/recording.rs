//! The pack of recorded cases, and cases of the suite from it.

use std::io;
use std::path::{Path, PathBuf};

use kbuild_rs_proof::recording::pack::Pack;
use kbuild_rs_proof::recording::{self, Recorded};

use crate::case::Case;
use crate::original::Kernel;
use crate::run::Outcome;

/// The pack of this repository.
#[must_use]
pub fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded/cases.tar.zst")
}

/// Everything that was recorded of one kernel: cases, and what the original
/// did.
///
/// # Errors
/// If the pack has nothing of that name, or is damaged.
pub fn cases(pack: &Pack, name: &str) -> io::Result<Vec<(Case, Vec<Outcome>)>> {
    let version: &'static str = pack.kernel(name)?.to_owned().leak();
    // The original itself isn't there.
    let release = version.rsplit_once('.').map_or(version, |(release, _)| release);
    let kernel = Kernel::compiled(version, release, &[], PathBuf::new());
    let kernel = if name.contains('/') { kernel.of_vendor(name.to_owned().leak()) } else { kernel };
    let kernel: &'static Kernel = Box::leak(Box::new(kernel));
    let of_suite = |recorded: Recorded| {
        let Recorded { name: title, case: parts, outcomes } = recorded;
        (Case { name: format!("{name} {title}"), kernel, parts }, outcomes)
    };
    Ok(recording::of(pack, name)?.into_iter().map(of_suite).collect())
}
