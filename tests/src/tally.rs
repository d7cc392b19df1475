//! Counting: what passed, what failed, and what could not be compared.

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;
use std::sync::Mutex;

use kbuild_rs_debian::Unavailable;

use crate::original::Kernel;

fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// What a test of Rust's own harness needs; `None` if it can't be had. That is
/// printed in the words of [`Tally::finish`], and counted by `check`.
///
/// # Errors
/// Under `CI=true`, if the archive has it.
pub fn available<T>(test: &str, wanted: io::Result<T>) -> io::Result<Option<T>> {
    match wanted {
        Err(error) if !in_ci() || Unavailable::is_gone(&error) => {
            println!("not compared: {test}: {error}");
            Ok(None)
        }
        wanted => wanted.map(Some),
    }
}

/// One comparison: its name, and what differs; "" if nothing does.
pub type Finding = (String, String);

/// The same finding of one of several ways.
pub fn of(way: &'static str) -> impl Fn(Finding) -> Finding {
    move |(what, report)| (format!("{way}: {what}"), report)
}

/// The counts of a run of tests.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    passed: usize,
    failed: Vec<String>,
    news: Vec<String>,
    /// By reason.
    skipped: BTreeMap<String, Skipped>,
}

#[derive(Debug, Default)]
struct Skipped {
    tests: Vec<String>,
    gone: bool,
}

/// What became of one test.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// What is wrong.
    Failed(String),
    /// What differs from an original that is newer than those that ours was
    /// verified with.
    News(String),
    /// Why it couldn't be told.
    NotCompared {
        /// The reason.
        why: String,
        /// What it takes is in no archive any more.
        gone: bool,
    },
}

impl Verdict {
    /// A comparison for which something can't be had.
    #[must_use]
    pub fn not_compared(error: &io::Error) -> Self {
        Self::NotCompared { why: error.to_string(), gone: Unavailable::is_gone(error) }
    }

    /// What a difference says, when `kernel`'s original was compared.
    #[must_use]
    pub fn of(self, kernel: &Kernel) -> Self {
        match self {
            Self::Failed(report) if kernel.is_news() => Self::News(report),
            other => other,
        }
    }
}

impl Tally {
    /// Takes note of a test.
    ///
    /// # Panics
    /// If another thread panicked while doing so.
    pub fn note(&self, name: &str, verdict: Verdict) {
        let mut counts = self.0.lock().expect("no thread panics with the lock");
        match verdict {
            Verdict::Passed => counts.passed += 1,
            Verdict::Failed(report) => {
                eprintln!("FAILED {name}\n{report}");
                counts.failed.push(name.to_owned());
            }
            Verdict::News(report) => {
                eprintln!("DIFFERS FROM A NEWER ORIGINAL {name}\n{report}");
                counts.news.push(name.to_owned());
            }
            Verdict::NotCompared { why, gone } => {
                if !counts.skipped.contains_key(&why) {
                    eprintln!("NOT COMPARED {name}: {why}");
                }
                let skipped = counts.skipped.entry(why).or_default();
                skipped.tests.push(name.to_owned());
                skipped.gone = gone;
            }
        }
    }

    /// Makes several comparisons, unless something can't be had for them, and
    /// takes note of each.
    ///
    /// # Panics
    /// If another thread panicked while doing so.
    pub fn note_all(&self, name: &str, available: io::Result<()>, compare: impl FnOnce() -> io::Result<Vec<Finding>>) {
        if let Err(error) = available {
            return self.note(name, Verdict::not_compared(&error));
        }
        match compare() {
            Err(error) => self.note(name, Verdict::Failed(format!("  {error}\n"))),
            Ok(findings) => {
                for (what, report) in findings {
                    let what = format!("{name}: {what}");
                    if report.is_empty() {
                        println!("{what}: the same");
                        self.note(&what, Verdict::Passed);
                    } else {
                        self.note(&what, Verdict::Failed(report));
                    }
                }
            }
        }
    }

    /// Prints the counts. Under `CI=true`, where a machine is to be able to
    /// compare everything that the archive still has, it is a failure if
    /// something could not be compared, or differs from a newer original.
    ///
    /// # Panics
    /// If another thread panicked while taking note.
    #[must_use]
    pub fn finish(self) -> ExitCode {
        let counts = self.0.into_inner().expect("no thread panics with the lock");
        for name in &counts.failed {
            println!("failed: {name}");
        }
        for name in &counts.news {
            println!("differs from a newer original than those verified: {name}");
        }
        let in_ci = in_ci();
        let (mut failed, mut skipped) = (counts.failed.len(), 0);
        for (why, Skipped { tests, gone }) in &counts.skipped {
            let first = tests.first().map_or("", String::as_str);
            let more = if tests.len() > 1 { format!(" and {} more", tests.len() - 1) } else { String::new() };
            println!("not compared: {first}{more}: {why}");
            *if in_ci && !gone { &mut failed } else { &mut skipped } += tests.len();
        }
        *if in_ci { &mut failed } else { &mut skipped } += counts.news.len();
        println!("{} passed, {failed} failed, {skipped} skipped", counts.passed);
        if failed == 0 && counts.passed + skipped > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
