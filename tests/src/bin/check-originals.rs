//! check-originals: runs the originals and ours on all modules of a
//! distribution's kernel, and compares every byte; and asks modcheck whether they would
//! load.
//!
//! Arguments are names of corpora, which `--list` prints; `golden` is the
//! recorded runs.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use kbuild_rs_tests::corpus::{self, CORPORA, Corpus, OptionSet};
use kbuild_rs_tests::golden::{GOLDENS, Golden};
use kbuild_rs_tests::loads;
use kbuild_rs_tests::tally::{Tally, Verdict};

fn check_set(corpus: &Corpus, set: OptionSet, table: &mut Vec<String>) -> Verdict {
    eprintln!("comparing {} {}", corpus.name, set.options);
    if let Err(error) = corpus.kernel.modpost(corpus.target).and_then(|_| corpus.directory()) {
        return Verdict::not_compared(&error);
    }
    match corpus::compare(corpus, set) {
        Ok(comparison) => {
            table.push(format!(
                "{:12} {:8} {:43} files {:5} differing {} status {} stderr {:8} bytes",
                corpus.name,
                corpus.kernel.version(),
                set.options,
                comparison.files,
                comparison.differing,
                comparison.status.map_or("signal".to_owned(), |status| status.to_string()),
                comparison.stderr
            ));
            if comparison.report.is_empty() { Verdict::Passed } else { Verdict::Failed(comparison.report) }
        }
        Err(error) => Verdict::Failed(format!("  {error}\n")),
    }
}

fn check_loads(corpus: &Corpus) -> Verdict {
    eprintln!("asking modcheck about {}", corpus.name);
    let found = corpus.modules().and_then(|modules| Ok((modules, corpus.headers_directory()?)));
    let (modules, headers) = match found {
        Ok(found) => found,
        Err(error) => return Verdict::not_compared(&error),
    };
    match loads::report(&modules, &headers) {
        Ok(report) if report.is_empty() => Verdict::Passed,
        Ok(report) => Verdict::Failed(report),
        Err(error) => Verdict::Failed(format!("  {error}\n")),
    }
}

fn check_golden(golden: &Golden, table: &mut Vec<String>) -> Verdict {
    eprintln!("comparing golden {} {}", golden.directory, golden.run);
    match golden.check() {
        Ok((agreeing, report)) if report.is_empty() => {
            table.push(format!(
                "{:12} {:8} {:43} files {agreeing:5} differing 0",
                golden.directory,
                golden.kernel,
                format!("golden {}", golden.run)
            ));
            Verdict::Passed
        }
        Ok((_, report)) => Verdict::Failed(report),
        Err(error) => Verdict::not_compared(&error),
    }
}

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if names == ["--list"] {
        CORPORA.iter().for_each(|corpus| println!("{}", corpus.name));
        return ExitCode::SUCCESS;
    }
    let (tally, mut table) = (Tally::default(), Vec::new());
    for name in &names {
        if name == "golden" {
            for golden in GOLDENS {
                tally.note(&format!("golden {} {}", golden.directory, golden.run), check_golden(golden, &mut table));
            }
        } else if let Some(corpus) = Corpus::named(name) {
            for &set in corpus.option_sets {
                let verdict = check_set(corpus, set, &mut table).of(corpus.kernel);
                tally.note(&format!("{name} {}", set.options), verdict);
            }
            tally.note(&format!("{name}: modcheck, its own modules"), check_loads(corpus).of(corpus.kernel));
        } else {
            let known: Vec<_> = CORPORA.iter().map(|corpus| corpus.name).collect();
            tally.note(name, Verdict::Failed(format!("  no such corpus; there are: golden {}\n", known.join(" "))));
        }
    }
    table.iter().for_each(|row| println!("{row}"));
    tally.finish()
}
