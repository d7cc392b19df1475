//! bench: measures the originals and ours in turns and writes
//! `docs/benchmarks.md`.
//!
//! Arguments are letters of cases, to measure these alone and print the table.

#![forbid(unsafe_code)]

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use kbuild_rs_tests::bench::cases::Cases;
use kbuild_rs_tests::bench::report::Report;
use kbuild_rs_tests::bench::{chart, cost};

const LETTERS: [&str; 9] = ["a", "b", "c", "d", "e", "f", "h", "i", "k"];
const PICTURE: &str = "benchmarks.svg";
/// How many pairs of runs each case has, unless `KBUILD_RS_PAIRS` says it.
const PAIRS: usize = 11;

fn bench(chosen: &[OsString]) -> Result<(), Box<dyn Error>> {
    let pairs = std::env::var("KBUILD_RS_PAIRS").ok().and_then(|value| value.parse().ok()).unwrap_or(PAIRS);
    let mut cases = Cases::new(pairs)?;
    let wanted = |letter: &str| chosen.is_empty() || chosen.iter().any(|word| word == letter);
    let mut report = Report { pairs, ..Report::default() };
    for letter in LETTERS.into_iter().filter(|letter| wanted(letter)) {
        report.rows.extend(cases.rows(letter)?);
    }
    if wanted("g") {
        report.modules = cases.modules()?;
        report.sections = cases.sections()?;
    }
    if wanted("j") {
        report.build = cases.build()?;
    }
    if chosen.is_empty() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let document = report.document(PICTURE);
        fs::write(docs.join(PICTURE), chart::svg(&report.rows, &report.modules, &report.sections)?)?;
        fs::write(docs.join("benchmarks.md"), document)?;
    }
    print!("{}\n{}\n{}", report.table(), report.building(), report.growth());
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if words.first().is_some_and(|word| word == cost::MEASURE) {
        return cost::measure_child(&words[1..]);
    }
    match bench(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
