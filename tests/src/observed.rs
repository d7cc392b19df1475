//! What a program did in a directory of many files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::compare;
use crate::original::Subject;
use crate::run::{self, Call};

/// What a program did.
#[derive(Clone, Debug)]
pub struct Observed {
    /// How it ended; `None` if it had to be killed.
    pub status: Option<ExitStatus>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The files that it wrote.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Observed {
    /// Runs a subject.
    ///
    /// # Errors
    /// If it can't be run or a file can't be read.
    pub fn of(subject: &Subject, dir: &Path, kernel: &str, call: &Call) -> io::Result<Self> {
        let before = run::stamps(dir)?;
        let (status, stdout, stderr) = run::call(subject, dir, kernel, call)?;
        let written = run::stamps(dir)?.into_iter().filter(|(path, stamp)| before.get(path) != Some(stamp));
        let read = |(path, _): (PathBuf, _)| fs::read(dir.join(&path)).map(|contents| (path, contents));
        Ok(Self { status: Some(status), stdout, stderr, files: written.map(read).collect::<io::Result<_>>()? })
    }

    /// What is different of ours, "" if nothing is; and how many files are.
    #[must_use]
    pub fn differences(&self, ours: &Self) -> (String, usize) {
        let mut report = String::new();
        if self.status != ours.status {
            report += &format!("  status: original {:?}, ours {:?}\n", self.status, ours.status);
        }
        compare::bytes(&mut report, "stdout", &self.stdout, &ours.stdout);
        compare::bytes(&mut report, "stderr", &self.stderr, &ours.stderr);
        let differing = compare::files(&mut report, &self.files, &ours.files);
        (report, differing)
    }
}
