//! check-symvers: compares genksyms with ours on every source of Debian's 6.1 that
//! exports something, and the versions with those in Debian's `Module.symvers`. The
//! argument says that each so-manieth source will do. What was the same is remembered
//! for this program: an interrupted run goes on.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;
use std::sync::Mutex;

use kbuild_rs_tests::original::{Target, Tool, V6_1};
use kbuild_rs_tests::parallel;
use kbuild_rs_tests::symvers::{self, Outcome};
use kbuild_rs_tests::tally::{Tally, Verdict};

/// How many versions that aren't Debian's are named.
const SHOWN: usize = 20;

#[derive(Default)]
struct Counts {
    not_made: usize,
    agreeing: usize,
    /// Of symbols that several sources export.
    ambiguous: usize,
    others: Vec<String>,
}

fn check(tally: &Tally, step: usize) -> io::Result<()> {
    let (debian, tree) = (symvers::debian()?, symvers::tree()?);
    let sources = symvers::sources(&tree)?;
    let exporters = symvers::exporters(&tree, &sources)?;
    let sources: Vec<_> = sources.into_iter().step_by(step).collect();
    println!("{} sources that export something", sources.len());
    let counts = Mutex::new(Counts::default());
    parallel::each(&sources, |path| {
        let name = path.display().to_string();
        match symvers::compare(&tree, path, &debian) {
            Err(error) => tally.note(&name, Verdict::Failed(format!("  {error}\n"))),
            Ok(Outcome::NotMade) => counts.lock().expect("no thread panics with the lock").not_made += 1,
            Ok(Outcome::Compared(report, versions)) => {
                let verdict = if report.is_empty() { Verdict::Passed } else { Verdict::Failed(report).of(&V6_1) };
                tally.note(&name, verdict);
                let mut counts = counts.lock().expect("no thread panics with the lock");
                for (symbol, version) in versions {
                    match debian.get(&symbol) {
                        Some((theirs, _)) if *theirs == version => counts.agreeing += 1,
                        Some(_) if exporters.get(&symbol).is_some_and(|&sources| sources > 1) => counts.ambiguous += 1,
                        Some(_) => counts.others.push(format!("{name}: {symbol}")),
                        // Not in this configuration.
                        None => {}
                    }
                }
            }
        }
    });
    let Counts { not_made, agreeing, ambiguous, mut others } = counts.into_inner().expect("all threads have ended");
    others.sort();
    println!("{not_made} sources can't be preprocessed alone, or aren't part of Debian's kernel");
    println!("{agreeing} versions are those of Debian's Module.symvers, {} are others", others.len());
    println!("{ambiguous} others are of symbols that several sources export, of which the kernel has one");
    others.iter().take(SHOWN).for_each(|name| println!("  another: {name}"));
    if agreeing == 0 {
        tally.note("Module.symvers", Verdict::Failed("  no version is Debian's\n".to_owned()));
    }
    Ok(())
}

fn main() -> ExitCode {
    let step = std::env::args().nth(1).map_or(Some(1), |step| step.parse().ok()).filter(|&step| step > 0);
    let Some(step) = step else {
        eprintln!("check-symvers: not a number above 0");
        return ExitCode::from(2);
    };
    let tally = Tally::default();
    if let Err(error) = V6_1.program(Tool::Genksyms, Target::Lsb64) {
        tally.note("6.1", Verdict::not_compared(&error));
    } else if let Err(error) = check(&tally, step) {
        tally.note("6.1", Verdict::not_compared(&error));
    }
    tally.finish()
}
