//! check-calls: builds kernels and compares every call of fixdep and genksyms that is made
//! with what ours does. Arguments are kernel releases, as in `6.12`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use kbuild_rs_tests::calls;
use kbuild_rs_tests::kernel::Tree;
use kbuild_rs_tests::tally::{Tally, Verdict};

fn main() -> ExitCode {
    let tally = Tally::default();
    for name in std::env::args().skip(1) {
        match Tree::named(&name) {
            None => tally.note(&name, Verdict::Failed("  not a kernel\n".to_owned())),
            Some(tree) => tally.note_all(&name, tree.source().map(drop), || calls::compare(tree)),
        }
    }
    tally.finish()
}
