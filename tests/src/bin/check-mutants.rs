//! check-mutants: gives corrupted objects to the original, compiled with
//! sanitizers, and to ours.
//!
//! The arguments are a kernel's release and how many; `RELEASE N DIR` fills a
//! directory with the one of number N, and says how it is read.

#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::process::ExitCode;

use kbuild_rs_tests::mutants::{self, Fate};
use kbuild_rs_tests::mutate;
use kbuild_rs_tests::original::KERNELS;

/// Whether none is wrong.
fn check(arguments: &[String]) -> io::Result<bool> {
    let release = arguments.first().map_or("6.1", String::as_str);
    let kernel = KERNELS.into_iter().find(|kernel| kernel.release == release);
    let kernel = kernel.ok_or_else(|| io::Error::other(format!("{release}: no kernel that is known")))?;
    let number = arguments.get(1).and_then(|count| count.parse().ok()).unwrap_or(20_000);
    if let Some(dir) = arguments.get(2) {
        let options = mutants::write(kernel, number, Path::new(dir))?;
        println!("cd {dir} && modpost {options} -i in -o out m.o");
        return Ok(true);
    }
    let mutants = mutants::run(kernel, 0..number)?;
    let mut reports: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    let mut table = vec![[0usize; 5]; mutate::COUNT + 1];
    let mut wrong = 0;
    for mutant in &mutants {
        let column = match &mutant.fate {
            Fate::Same => 0,
            Fate::Refused(report) => {
                *reports.entry((report, true)).or_default() += 1;
                1
            }
            Fate::WentOn(report) => {
                eprintln!("FAILED mutant {} of {}\n  ours goes on: {report}\n", mutant.number, mutant.seed);
                wrong += 1;
                *reports.entry((report, false)).or_default() += 1;
                2
            }
            Fate::OtherTarget => 3,
            Fate::Wrong(report) => {
                eprintln!("FAILED mutant {} of {}\n{report}", mutant.number, mutant.seed);
                wrong += 1;
                4
            }
        };
        table[mutant.way][column] += 1;
    }
    println!(
        "| corrupted | mutants | the same | undefined, refused | undefined, went on | of another target | wrong |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for (way, [same, refused, went_on, other, wrong]) in table.iter().enumerate() {
        let name = mutate::name(way);
        let all = same + refused + went_on + other + wrong;
        println!("| {name} | {all} | {same} | {refused} | {went_on} | {other} | {wrong} |");
    }
    println!("\n| the original's behaviour is undefined | ours refuses | ours goes on |\n| --- | --- | --- |");
    let kinds: BTreeSet<&str> = reports.keys().map(|(report, _)| *report).collect();
    for kind in kinds {
        let count = |refused| reports.get(&(kind, refused)).copied().unwrap_or(0);
        println!("| {kind} | {} | {} |", count(true), count(false));
    }
    println!("\n{}: {} mutants, {wrong} wrong", kernel.version(), mutants.len());
    Ok(wrong == 0)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match check(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("check-mutants: {error}");
            ExitCode::FAILURE
        }
    }
}
