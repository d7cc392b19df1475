//! check-kernel: builds a small kernel with the C original and compares both
//! programs on its vmlinux.o and modules.
//!
//! Arguments are kernel releases, as in `6.12`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use kbuild_rs_tests::kernel::{self, TREES, Tree};
use kbuild_rs_tests::tally::{Tally, Verdict};

fn main() -> ExitCode {
    let releases: Vec<String> = std::env::args().skip(1).collect();
    let tally = Tally::default();
    for release in &releases {
        let Some(tree) = Tree::named(release) else {
            let known: Vec<_> = TREES.iter().map(|tree| tree.kernel.release).collect();
            tally.note(release, Verdict::Failed(format!("  no such kernel; there are: {}\n", known.join(" "))));
            continue;
        };
        let dir = match tree.built() {
            Ok(dir) => dir,
            Err(error) => {
                tally.note(release, Verdict::NotCompared(error.to_string()));
                continue;
            }
        };
        for options in tree.option_sets {
            let verdict = match kernel::compare(tree, &dir, options) {
                Ok((files, report)) if report.is_empty() => {
                    println!("{:8} {options:24} files {files:4} differing 0", tree.kernel.version);
                    Verdict::Passed
                }
                Ok((_, report)) => Verdict::Failed(report),
                Err(error) => Verdict::Failed(format!("  {error}\n")),
            };
            tally.note(&format!("{release} {options}"), verdict);
        }
    }
    tally.finish()
}
