//! check-packaging: makes packages of kernels' headers with the C original and with
//! ours, and builds modules against them.
//!
//! Arguments are a directory with our programs for aarch64, and kernel releases, as in
//! `6.12`, or `6.12-arm64`.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use kbuild_rs_tests::kernel::Tree;
use kbuild_rs_tests::packaged;
use kbuild_rs_tests::tally::{Tally, Verdict};

fn main() -> ExitCode {
    let tally = Tally::default();
    let mut arguments = std::env::args().skip(1);
    let aarch64 = PathBuf::from(arguments.next().unwrap_or_default());
    for name in arguments {
        match Tree::and_way(&name) {
            Err(error) => tally.note(&name, Verdict::Failed(format!("  {error}\n"))),
            Ok((tree, way)) => tally.note_all(&name, tree.source().map(drop), || match way {
                None => packaged::compare(tree),
                Some(way) => packaged::compare_for(tree, way, &aarch64),
            }),
        }
    }
    tally.finish()
}
