//! check-kernel: builds a small kernel with the C original and compares both
//! programs on its vmlinux.o and modules; then with ours in the original's
//! place.
//!
//! Arguments are kernel releases, as in `6.12`. `6.12-arm64` builds one for
//! another machine, in a directory beside its source, and compares that.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use kbuild_rs_tests::depmod;
use kbuild_rs_tests::kernel::{self, TREES, Tree};
use kbuild_rs_tests::sums;
use kbuild_rs_tests::swapped;
use kbuild_rs_tests::tally::{Finding, Tally, Verdict};
use kbuild_rs_tests::variants;

/// Both programs under each set of options, and in kbuild.
fn compare(tree: &Tree) -> io::Result<Vec<Finding>> {
    let dir = tree.built()?;
    let mut findings = Vec::new();
    for options in tree.option_sets {
        let (files, report) = kernel::compare(tree, &dir, options)?;
        findings.push((format!("modpost {options}, {files} files"), report));
    }
    findings.push(sums::compare(tree, &dir)?);
    let aliases = tempfile::NamedTempFile::new()?;
    std::fs::write(&aliases, depmod::aliases_of_tree(&dir)?)?;
    findings.push(variants::compare(aliases.path())?);
    findings.extend(swapped::compare(tree)?);
    Ok(findings)
}

fn main() -> ExitCode {
    let tally = Tally::default();
    for name in std::env::args().skip(1) {
        let (release, arm64) = name.strip_suffix("-arm64").map_or((&*name, false), |release| (release, true));
        let Some(tree) = Tree::named(release) else {
            let known: Vec<_> = TREES.iter().map(|tree| tree.kernel.release).collect();
            tally.note(&name, Verdict::Failed(format!("  no such kernel; there are: {}\n", known.join(" "))));
            continue;
        };
        let available = tree.source().map(drop);
        tally.note_all(&name, available, || if arm64 { swapped::compare_arm64(tree) } else { compare(tree) });
    }
    tally.finish()
}
