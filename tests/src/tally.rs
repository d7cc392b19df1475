//! Counting: what passed, what failed, and what could not be compared.

use std::io;
use std::process::ExitCode;
use std::sync::Mutex;

/// One comparison: its name, and what differs; "" if nothing does.
pub type Finding = (String, String);

/// The counts of a run of tests.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    passed: usize,
    failed: Vec<String>,
    skipped: Vec<String>,
}

/// What became of one test.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// What is wrong.
    Failed(String),
    /// Why it couldn't be told.
    NotCompared(String),
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
            Verdict::Failed(why) => {
                eprintln!("FAILED {name}\n{why}");
                counts.failed.push(name.to_owned());
            }
            Verdict::NotCompared(why) => {
                eprintln!("NOT COMPARED {name}: {why}");
                counts.skipped.push(name.to_owned());
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
            return self.note(name, Verdict::NotCompared(error.to_string()));
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

    /// Prints the counts. What could not be compared is a failure where a
    /// machine is to be able to: under `CI=true`.
    ///
    /// # Panics
    /// If another thread panicked while taking note.
    #[must_use]
    pub fn finish(self) -> ExitCode {
        let counts = self.0.into_inner().expect("no thread panics with the lock");
        for name in &counts.failed {
            println!("failed: {name}");
        }
        for name in &counts.skipped {
            println!("not compared: {name}");
        }
        let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        let unseen = if in_ci { counts.skipped.len() } else { 0 };
        println!(
            "{} passed, {} failed, {} skipped",
            counts.passed,
            counts.failed.len() + unseen,
            counts.skipped.len() - unseen
        );
        if counts.failed.len() + unseen == 0 && counts.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
