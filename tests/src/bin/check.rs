//! check: all tests of `make check`, part by part, and a summary.
//!
//! Arguments are names of corpora.

#![forbid(unsafe_code)]

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use kbuild_rs_debian::Unavailable;
use kbuild_rs_debian::suite::OFFLINE;
use kbuild_rs_tests::corpus::Corpus;
use kbuild_rs_tests::fetch;

/// Variables that change what our programs do. The tests set them themselves;
/// what the caller's environment has is removed.
const FOREIGN: &[&str] = &[
    "KERNELVERSION",
    "KBUILD_RS_KERNEL",
    "KBUILD_RS_DEBUG",
    "KBUILD_RS_EXPLAIN",
    "KBUILD_RS_REPORT",
    "KBUILD_RS_JOBS",
    "KBUILD_RS_BIN",
    "KBUILD_RS_HOST",
    "KBUILD_RS_HISTORY",
    "KBUILD_RS_COMPARE",
    "KBUILD_RS_RECORD",
    "MAKEFLAGS",
    "MFLAGS",
];

/// What a part came to.
#[derive(Default)]
struct Outcome {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// How many of those that passed could not compare.
    missed: usize,
    /// Each failure, and each comparison that could not be made.
    remarks: Vec<String>,
}

/// The number before a word, as in `12 passed`.
fn count(line: &str, word: &str) -> usize {
    let words: Vec<&str> = line.split([' ', ';', ',']).filter(|word| !word.is_empty()).collect();
    let found = words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse().ok());
    found.unwrap_or(0)
}

impl Outcome {
    /// Reads a line that tests print. To Rust's own harness a test that could
    /// not compare has passed.
    fn read(&mut self, line: &str, is_harness: bool) {
        if is_harness && line.starts_with("not compared: ") {
            self.skipped += 1;
            self.missed += 1;
        }
        let is_count = line.starts_with("test result: ") || line.ends_with(" skipped");
        if is_count {
            self.passed += count(line, "passed");
            self.failed += count(line, "failed");
            self.skipped += count(line, "skipped") + count(line, "ignored");
        }
        let is_remark =
            ["failed: ", "not compared: ", "differs from a newer "].iter().any(|text| line.starts_with(text));
        if is_remark || line.starts_with("test ") && line.ends_with(" FAILED") || line.contains(" ... ignored") {
            self.remarks.push(line.to_owned());
        }
    }
}

/// Runs a part; what it prints is passed on.
fn run(command: &mut Command, is_harness: bool) -> io::Result<Outcome> {
    for name in FOREIGN {
        command.env_remove(name);
    }
    let mut child = command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut outcome = Outcome::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            io::stdout().write_all(&[&line[..], b"\n"].concat())?;
            outcome.read(&String::from_utf8_lossy(&line), is_harness);
        }
    }
    outcome.passed = outcome.passed.saturating_sub(outcome.missed);
    let status = child.wait()?;
    if !status.success() && outcome.failed == 0 {
        outcome.failed = 1;
        outcome.remarks.push(format!("failed: {command:?}: {status}"));
    }
    Ok(outcome)
}

/// Fetches what is missing, and says what can't be had. If the archive is out
/// of reach, no later part tries again.
fn packages(corpora: &[String]) -> io::Result<(Outcome, bool)> {
    let known: Option<Vec<_>> = corpora.iter().map(|name| Corpus::named(name)).collect();
    let failures = fetch::all(&known.ok_or_else(|| io::Error::other(format!("a corpus of {corpora:?} is unknown")))?)?;
    for error in &failures {
        println!("cannot be had: {error}");
    }
    Ok((Outcome::default(), failures.iter().any(|error| !Unavailable::is_gone(error))))
}

/// Has Rust's harness print what tests say that pass.
const SHOW: &str = "--show-output";

/// A part: what it is, cargo or one of our programs, and its arguments.
type Part = (&'static str, &'static str, String);

/// The tests that have a part of their own.
const SUITE: &str = "suite";

/// Names of this package's tests: each file `NAME.rs` or `NAME/main.rs` that there is, so
/// that none is forgotten. Cargo refuses names that are not in the manifest.
fn tests() -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(env!("CARGO_MANIFEST_DIR"))? {
        let path = entry?.path();
        let is_test = path.extension().is_some_and(|end| end == "rs") || path.join("main.rs").exists();
        names.extend(path.file_stem().filter(|_| is_test).map(|name| name.to_string_lossy().into_owned()));
    }
    names.retain(|name| name != SUITE);
    names.sort();
    Ok(names)
}

fn parts(corpora: &[String]) -> io::Result<[Part; 10]> {
    let tests: String = tests()?.iter().map(|name| format!(" --test {name}")).collect();
    let corpora = corpora.join(" ");
    Ok([
        (
            "units: the crates' own tests",
            "cargo",
            "test --locked --no-fail-fast --workspace --exclude kbuild-rs-tests".to_owned(),
        ),
        (
            "programs: each as its users call it",
            "cargo",
            format!("test --locked --no-fail-fast -p kbuild-rs-tests{tests} -- {SHOW}"),
        ),
        (
            "suite: cases, compared with the originals",
            "cargo",
            format!("test --locked -p kbuild-rs-tests --test {SUITE}"),
        ),
        ("texts: corrupted sources and dependency files beside the originals", "check-texts", "200".to_owned()),
        ("declared: what real headers declare, beside genksyms", "check-declared", "core net".to_owned()),
        ("recorded: cases of originals that no archive has", "check-recorded", String::new()),
        ("layouts: device ids as compilers lay them out", "check-layouts", String::new()),
        (
            "corpora: real modules beside the originals, and recorded runs",
            "check-originals",
            format!("{corpora} golden"),
        ),
        ("depmod: aliases of all modules", "check-depmod", corpora),
        ("boot: what a real kernel does with modules, beside modcheck", "check-boot", "--sample 6.1".to_owned()),
    ])
}

fn check(corpora: &[String]) -> io::Result<bool> {
    let dir = env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let parts = parts(corpora)?;
    let begin = Instant::now();
    let total = parts.len() + 1;
    const PACKAGES: &str = "packages: what the comparisons take";
    println!("==> 1/{total} {PACKAGES}");
    let (outcome, cut_off) = packages(corpora)?;
    let mut rows = vec![(PACKAGES, outcome, begin.elapsed())];
    for (number, (name, program, arguments)) in parts.into_iter().enumerate() {
        println!("==> {}/{total} {name}", number + 2);
        let start = Instant::now();
        let program = if program == "cargo" { cargo.clone() } else { dir.join(program).into() };
        let mut command = Command::new(program);
        command.args(arguments.split_whitespace());
        if cut_off {
            command.env(OFFLINE, "the archive can't be reached");
        }
        let is_harness = arguments.ends_with(SHOW);
        rows.push((name, run(&mut command, is_harness)?, start.elapsed()));
    }

    println!("==> summary, after {} s", begin.elapsed().as_secs());
    let mut all = Outcome::default();
    let mut incomplete = Vec::new();
    for (name, outcome, time) in rows {
        let Outcome { passed, failed, skipped, remarks, .. } = outcome;
        println!("{name}: {passed} passed, {failed} failed, {skipped} not compared, {} s", time.as_secs());
        all.passed += passed;
        all.failed += failed;
        all.skipped += skipped;
        all.remarks.extend(remarks);
        if skipped > 0 {
            incomplete.push(name.split(':').next().unwrap_or(name));
        }
    }
    all.remarks.dedup();
    all.remarks.iter().for_each(|remark| println!("{remark}"));
    if !incomplete.is_empty() {
        println!("{} of {total} parts could not be compared completely: {}", incomplete.len(), incomplete.join(", "));
    }
    println!("{} passed, {} failed, {} skipped", all.passed, all.failed, all.skipped);
    Ok(all.failed == 0 && all.passed > 0)
}

fn main() -> ExitCode {
    let corpora: Vec<String> = env::args().skip(1).collect();
    match check(&corpora) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("check: {error}");
            ExitCode::FAILURE
        }
    }
}
