//! check-boot: boots real kernels in an emulated machine, inserts modules, and compares
//! what becomes of them with what modcheck says.
//!
//! Arguments are kernel releases, as in `6.12`. `--sample` before them boots each once.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use kbuild_rs_tests::boot::{self, Booted};
use kbuild_rs_tests::tally::{Tally, Verdict};

fn main() -> ExitCode {
    let tally = Tally::default();
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let is_sample = names.first().is_some_and(|name| name == "--sample");
    for name in names.drain(usize::from(is_sample)..) {
        match Booted::named(&name) {
            None => tally.note(&name, Verdict::Failed("  no such kernel\n".to_owned())),
            Some(booted) => tally.note_all(&name, booted.available(), || boot::compare(booted, is_sample)),
        }
    }
    tally.finish()
}
