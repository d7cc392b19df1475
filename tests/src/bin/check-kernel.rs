//! check-kernel: builds a small kernel with the C original and compares both
//! programs on its vmlinux.o and modules; then with ours in the original's
//! place.
//!
//! Arguments are kernel releases, as in `6.12`. `6.12-arm64` builds one for another
//! machine, in a directory beside its source, and compares that; `6.12-llvm`,
//! `6.12-lto` and `6.12-trim` are built by LLVM, with its link-time optimisation, and
//! without exports that nothing imports.

#![forbid(unsafe_code)]

use std::io;
use std::path::Path;
use std::process::ExitCode;

use kbuild_rs_tests::depmod;
use kbuild_rs_tests::kernel::{self, Tree};
use kbuild_rs_tests::sums;
use kbuild_rs_tests::swapped;
use kbuild_rs_tests::tally::{Finding, Tally, Verdict};
use kbuild_rs_tests::variants;

/// Both programs under each set of options, and in kbuild.
fn compare(tree: &Tree) -> io::Result<Vec<Finding>> {
    let dir = tree.built()?;
    let mut findings = vec![sums::compare(tree, &dir)?];
    let aliases = tempfile::NamedTempFile::new()?;
    std::fs::write(&aliases, depmod::aliases_of_tree(&dir)?)?;
    findings.push(variants::compare(aliases.path())?);
    let each = |dir: &Path| tree.option_sets.iter().map(|options| kernel::compare(tree, dir, options)).collect();
    findings.extend(tree.in_copy::<Vec<_>>(each)?);
    findings.extend(swapped::compare(tree)?);
    Ok(findings)
}

fn main() -> ExitCode {
    let tally = Tally::default();
    for name in std::env::args().skip(1) {
        match Tree::and_way(&name) {
            Err(error) => tally.note(&name, Verdict::Failed(format!("  {error}\n"))),
            Ok((tree, way)) => tally.note_all(&name, tree.source().map(drop), || match way {
                None => compare(tree),
                Some(way) => swapped::compare_built(tree, way),
            }),
        }
    }
    tally.finish()
}
