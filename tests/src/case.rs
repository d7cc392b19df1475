//! A case of the suite: what is run, and the kernel whose original runs it.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use kbuild_rs_proof::case::Case as Parts;
use kbuild_rs_proof::recording::Recorded;

use crate::original::{self, Kernel, Subject, Target, Tool};
use crate::run::{self, Call, Outcome};
use crate::tally::Verdict;

/// What one case is made of.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// The kernel whose original runs.
    pub kernel: &'static Kernel,
    pub(crate) parts: Parts,
}

impl Case {
    /// A case for a kernel's original, called once without arguments until
    /// said otherwise.
    #[must_use]
    pub fn new(kernel: &'static Kernel, name: impl Into<String>) -> Self {
        Self { name: name.into(), kernel, parts: Parts::new(Target::Lsb64) }
    }

    /// Of another tool than modpost.
    #[must_use]
    pub fn tool(mut self, tool: Tool) -> Self {
        self.parts.tool = tool;
        self
    }

    /// With objects for another target than 64-bit little-endian ones.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.parts.target = target;
        self
    }

    /// With a file.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>, contents: impl AsRef<[u8]>) -> Self {
        self.parts.files.push((path.into(), contents.as_ref().to_vec()));
        self
    }

    /// With an object and a `.mod` file that lists nothing.
    #[must_use]
    pub fn module(self, name: &str, object: &[u8]) -> Self {
        self.file(format!("{name}.o"), object).file(format!("{name}.mod"), "\n")
    }

    /// With an empty directory.
    #[must_use]
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.parts.directories.push(path.into());
        self
    }

    /// With a symbolic link.
    #[must_use]
    pub fn symlink(mut self, path: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        self.parts.links.push((path.into(), target.into(), true));
        self
    }

    /// With another name for a file.
    #[must_use]
    pub fn hard_link(mut self, path: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        self.parts.links.push((path.into(), target.into(), false));
        self
    }

    /// With another mode of a file.
    #[must_use]
    pub fn mode(mut self, path: impl Into<PathBuf>, mode: u32) -> Self {
        self.parts.modes.push((path.into(), mode));
        self
    }

    fn last_call(&mut self) -> &mut Call {
        if self.parts.calls.is_empty() {
            self.parts.calls.push(Call::default());
        }
        let last = self.parts.calls.len() - 1;
        &mut self.parts.calls[last]
    }

    /// Called with these arguments, white space between them.
    #[must_use]
    pub fn args(mut self, arguments: &str) -> Self {
        let arguments = arguments.split_whitespace().map(OsString::from).collect();
        self.last_call().arguments = arguments;
        self
    }

    /// Called with these arguments, one by one.
    #[must_use]
    pub fn arg_list(mut self, arguments: &[&str]) -> Self {
        self.last_call().arguments = arguments.iter().map(OsString::from).collect();
        self
    }

    /// The same with other options before the arguments of each call.
    #[must_use]
    pub fn with_options(&self, options: &str) -> Self {
        let mut case = self.clone();
        case.name = format!("{} ({options})", self.name);
        for call in &mut case.parts.calls {
            let options = options.split_whitespace().map(OsString::from);
            call.arguments = options.chain(call.arguments.drain(..)).collect();
        }
        case
    }

    /// With this on standard input.
    #[must_use]
    pub fn stdin(mut self, input: impl AsRef<[u8]>) -> Self {
        self.last_call().stdin = input.as_ref().to_vec();
        self
    }

    /// With a variable set.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: &str) -> Self {
        self.last_call().environment.push((name, value.into()));
        self
    }

    /// And then called once more.
    #[must_use]
    pub fn again(mut self) -> Self {
        let call = self.last_call().clone();
        self.parts.calls.push(call);
        self
    }

    /// The numbers of workers that ours is run with. The outputs must not depend
    /// on it, and can only if there are several objects.
    fn workers(&self) -> &'static [&'static str] {
        let is_several = |call: &Call| {
            let is_object = |argument: &&OsString| argument.as_encoded_bytes().ends_with(b".o");
            call.arguments.iter().any(|argument| argument == "-T")
                || call.arguments.iter().filter(is_object).count() > 1
        };
        let is_parallel = self.parts.tool == Tool::Modpost && self.parts.calls.iter().any(is_several);
        if is_parallel { &["2", "1", "7"] } else { &["2"] }
    }

    fn outcomes(&self, subject: &Subject, dir: &Path, workers: &str) -> io::Result<Vec<Outcome>> {
        let mut parts = self.parts.clone();
        if let Some(name) = self.kernel.vendor() {
            // Its version doesn't tell.
            parts.calls.iter_mut().for_each(|call| call.environment.push(("KBUILD_RS_KERNEL", name.into())));
        }
        parts.outcomes(subject, dir, self.kernel.version(), workers)
    }

    fn original(&self) -> io::Result<Subject> {
        self.kernel.program(self.parts.tool, self.parts.target)
    }

    /// What the original does.
    fn observe_original(&self) -> io::Result<Vec<Outcome>> {
        let dir = run::place()?;
        self.outcomes(&self.original()?, &dir.path().join("original"), "1")
    }

    /// What differs between what the original did and ours.
    fn compare(&self, theirs: &[Outcome]) -> io::Result<String> {
        let dir = run::place()?;
        let ours = &original::ours(self.parts.tool.name())?;
        let mut report = String::new();
        for workers in self.workers() {
            let ours = self.outcomes(ours, &dir.path().join(format!("ours-{workers}")), workers)?;
            let differences = self.parts.differences(theirs, &ours);
            if !differences.is_empty() {
                report += &format!("  with {workers} workers:\n{differences}");
            }
        }
        if !report.is_empty() {
            // What failed stays to be looked at.
            report += &format!("  in {}\n", dir.keep().display());
        }
        Ok(report)
    }

    /// The case and what the original does.
    ///
    /// # Errors
    /// If the original can't be had or run.
    pub fn record(&self) -> io::Result<Recorded> {
        let name = self.name.strip_prefix(self.kernel.version()).unwrap_or(&self.name).trim_start().to_owned();
        Ok(Recorded { name, case: self.parts.clone(), outcomes: self.observe_original()? })
    }

    /// Whether the outcome depends on being root.
    #[must_use]
    pub fn depends_on_root(&self) -> bool {
        self.parts.depends_on_root()
    }

    /// Runs ours, where it is known what the original did.
    #[must_use]
    pub fn verdict_beside(&self, theirs: &[Outcome]) -> Verdict {
        match self.compare(theirs) {
            Ok(report) if report.is_empty() => Verdict::Passed,
            Ok(report) => Verdict::Failed(report),
            Err(error) => Verdict::Failed(format!("  {error}\n")),
        }
    }

    /// Runs both subjects.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if let Err(error) = self.original() {
            return Verdict::not_compared(&error);
        }
        let theirs = match self.observe_original() {
            Ok(theirs) => theirs,
            Err(error) => return Verdict::Failed(format!("  {error}\n")),
        };
        if let Some(crashed) = theirs.iter().find(|outcome| outcome.status.code().is_none()) {
            return Verdict::Failed(format!("  the original was ended: {}\n", crashed.status));
        }
        self.verdict_beside(&theirs).of(self.kernel)
    }
}
