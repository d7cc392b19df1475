//! check-boot: boots real kernels in an emulated machine, inserts modules, and compares
//! what becomes of them with what modcheck says.
//!
//! Arguments are kernel releases, as in `6.12`, which are Debian's, and `6.12-booted`,
//! which is built here by our programs; `7.3-extended` has extended versions of symbols
//! alone. `--sample` before them boots each once.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use kbuild_rs_tests::boot::{self, Booted, built};
use kbuild_rs_tests::kernel::Tree;
use kbuild_rs_tests::tally::{Tally, Verdict};

fn main() -> ExitCode {
    let tally = Tally::default();
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let is_sample = names.first().is_some_and(|name| name == "--sample");
    for name in names.drain(usize::from(is_sample)..) {
        if let Some(booted) = Booted::named(&name) {
            tally.note_all(&name, booted.available(), || boot::compare(booted, is_sample));
            continue;
        }
        match Tree::and_way(&name) {
            Ok((tree, Some(way))) => tally.note_all(&name, boot::available(), || built::compare(tree, way)),
            Ok((_, None)) => tally.note(&name, Verdict::Failed("  that kernel isn't booted\n".to_owned())),
            Err(error) => tally.note(&name, Verdict::Failed(format!("  {error}\n"))),
        }
    }
    tally.finish()
}
