//! check: all tests of `make check`, part by part, and a summary.
//!
//! Arguments are names of corpora.

#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use kbuild_rs_debian::Unavailable;
use kbuild_rs_debian::suite::OFFLINE;
use kbuild_rs_tests::corpus::Corpus;
use kbuild_rs_tests::fetch;

/// What decides what our programs do, and is not to come from whoever runs the
/// tests.
const FOREIGN: &[&str] = &[
    "KERNELVERSION",
    "KBUILD_RS_KERNEL",
    "KBUILD_RS_DEBUG",
    "KBUILD_RS_EXPLAIN",
    "KBUILD_RS_REPORT",
    "KBUILD_RS_JOBS",
    "KBUILD_RS_BIN",
    "KBUILD_RS_HISTORY",
    "MAKEFLAGS",
    "MFLAGS",
];

/// What a part came to.
#[derive(Default)]
struct Outcome {
    passed: usize,
    failed: usize,
    skipped: usize,
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
    /// Reads what a program of tests prints: ours, or Rust's own harness.
    fn read(&mut self, line: &str) {
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
fn run(command: &mut Command) -> io::Result<Outcome> {
    for name in FOREIGN {
        command.env_remove(name);
    }
    let mut child = command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut outcome = Outcome::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            io::stdout().write_all(&[&line[..], b"\n"].concat())?;
            outcome.read(&String::from_utf8_lossy(&line));
        }
    }
    let status = child.wait()?;
    if !status.success() && outcome.failed == 0 {
        outcome.failed = 1;
        outcome.remarks.push(format!("failed: {command:?}: {status}"));
    }
    Ok(outcome)
}

/// Fetches what is missing. What can't be fetched is a failure of the
/// comparisons that want it; is the archive out of reach, none tries again.
fn packages(corpora: &[String]) -> io::Result<(Outcome, bool)> {
    let known: Option<Vec<_>> = corpora.iter().map(|name| Corpus::named(name)).collect();
    let failures = fetch::all(&known.ok_or_else(|| io::Error::other(format!("a corpus of {corpora:?} is unknown")))?)?;
    for error in &failures {
        println!("cannot be had: {error}");
    }
    Ok((Outcome::default(), failures.iter().any(|error| !Unavailable::is_gone(error))))
}

fn check(corpora: &[String]) -> io::Result<bool> {
    let dir = env::current_exe()?.parent().map(PathBuf::from).unwrap_or_default();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut golden = corpora.to_vec();
    golden.push("golden".to_owned());
    let tests = ["test", "--locked", "-p", "kbuild-rs-tests"].map(OsString::from).to_vec();
    let suite = ["test", "--locked", "-p", "kbuild-rs-tests", "--test", "suite"].map(OsString::from).to_vec();
    let others = ["test", "--locked", "-p", "kbuild-rs", "--lib", "--test", "dialects"].map(OsString::from).to_vec();
    let programs = ["documents", "explain", "faults", "file2alias", "raised", "sumversion", "swap", "which"];
    let programs = programs.iter().flat_map(|name| ["--test".into(), OsString::from(name)]);
    let programs = tests.iter().cloned().chain(programs).collect();
    let named = |names: &[String]| names.iter().map(OsString::from).collect::<Vec<_>>();
    let parts: [(&str, OsString, Vec<OsString>); 7] = [
        ("units: the library's own tests", cargo.clone(), others),
        ("programs: each as its users call it", cargo.clone(), programs),
        ("suite: cases beside the originals", cargo, suite),
        ("recorded: cases of originals that no archive has", dir.join("check-recorded").into(), Vec::new()),
        ("layouts: device ids as compilers lay them out", dir.join("check-layouts").into(), Vec::new()),
        (
            "corpora: real modules beside the originals, and recorded runs",
            dir.join("check-originals").into(),
            named(&golden),
        ),
        ("depmod: aliases of all modules", dir.join("check-depmod").into(), named(corpora)),
    ];
    let begin = Instant::now();
    let total = parts.len() + 1;
    println!("==> 1/{total} packages: what the comparisons take");
    let (outcome, cut_off) = packages(corpora)?;
    let mut rows = vec![("packages: what the comparisons take", outcome, begin.elapsed())];
    for (number, (name, program, arguments)) in parts.into_iter().enumerate() {
        println!("==> {}/{total} {name}", number + 2);
        let start = Instant::now();
        let mut command = Command::new(program);
        command.args(arguments);
        if cut_off {
            command.env(OFFLINE, "the archive can't be reached");
        }
        let outcome = run(&mut command)?;
        rows.push((name, outcome, start.elapsed()));
    }

    println!("==> summary, after {} s", begin.elapsed().as_secs());
    let mut all = Outcome::default();
    for (name, outcome, time) in rows {
        let Outcome { passed, failed, skipped, remarks } = outcome;
        println!("{name}: {passed} passed, {failed} failed, {skipped} not compared, {} s", time.as_secs());
        all.passed += passed;
        all.failed += failed;
        all.skipped += skipped;
        all.remarks.extend(remarks);
    }
    all.remarks.dedup();
    all.remarks.iter().for_each(|remark| println!("{remark}"));
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
