//! check-depmod: compares the aliases that depmod extracts from all modules of
//! a distribution's kernel with those that file2alias prints.
//!
//! Arguments are names of corpora.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use kbuild_rs_tests::corpus::Corpus;
use kbuild_rs_tests::depmod;
use kbuild_rs_tests::tally::{Tally, Verdict};

fn main() -> ExitCode {
    let tally = Tally::default();
    for name in std::env::args().skip(1) {
        match Corpus::named(&name) {
            None => tally.note(&name, Verdict::Failed("  no such corpus\n".to_owned())),
            Some(corpus) => tally.note_all(&name, depmod::available(corpus), || depmod::compare(corpus)),
        }
    }
    tally.finish()
}
