//! A case: files, and a call. Nothing in it knows which subject runs.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::compare;
use crate::original::{self, Kernel, Subject, Target};
use crate::recording::Recorded;
use crate::run::{self, Call, Outcome};
use crate::tally::Verdict;

/// What one case is made of.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// The kernel whose original runs.
    pub kernel: &'static Kernel,
    pub(crate) target: Target,
    pub(crate) files: Vec<(PathBuf, Vec<u8>)>,
    pub(crate) folders: Vec<PathBuf>,
    /// Names that are links to others, symbolic or not.
    pub(crate) links: Vec<(PathBuf, PathBuf, bool)>,
    pub(crate) modes: Vec<(PathBuf, u32)>,
    pub(crate) calls: Vec<Call>,
}

impl Case {
    /// A case for a kernel's original, called once without arguments until
    /// said otherwise.
    #[must_use]
    pub fn new(kernel: &'static Kernel, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kernel,
            target: Target::Lsb64,
            files: Vec::new(),
            folders: Vec::new(),
            links: Vec::new(),
            modes: Vec::new(),
            calls: vec![Call::default()],
        }
    }

    /// With objects for another target than 64-bit little-endian ones.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// With a file.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>, contents: impl AsRef<[u8]>) -> Self {
        self.files.push((path.into(), contents.as_ref().to_vec()));
        self
    }

    /// With an object and a `.mod` file that lists nothing.
    #[must_use]
    pub fn module(self, name: &str, object: &[u8]) -> Self {
        self.file(format!("{name}.o"), object).file(format!("{name}.mod"), "\n")
    }

    /// With an empty folder.
    #[must_use]
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.folders.push(path.into());
        self
    }

    /// With a symbolic link.
    #[must_use]
    pub fn symlink(mut self, path: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        self.links.push((path.into(), target.into(), true));
        self
    }

    /// With another name for a file.
    #[must_use]
    pub fn hard_link(mut self, path: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Self {
        self.links.push((path.into(), target.into(), false));
        self
    }

    /// With another mode of a file.
    #[must_use]
    pub fn mode(mut self, path: impl Into<PathBuf>, mode: u32) -> Self {
        self.modes.push((path.into(), mode));
        self
    }

    fn last_call(&mut self) -> &mut Call {
        if self.calls.is_empty() {
            self.calls.push(Call::default());
        }
        let last = self.calls.len() - 1;
        &mut self.calls[last]
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
        for call in &mut case.calls {
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
        self.calls.push(call);
        self
    }

    fn lay_out(&self, dir: &Path) -> io::Result<()> {
        for folder in &self.folders {
            fs::create_dir_all(dir.join(folder))?;
        }
        for (path, contents) in &self.files {
            let path = dir.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, contents)?;
        }
        for (path, target, symbolic) in &self.links {
            let path = dir.join(path);
            if *symbolic { std::os::unix::fs::symlink(target, path)? } else { fs::hard_link(dir.join(target), path)? }
        }
        for (path, mode) in &self.modes {
            fs::set_permissions(dir.join(path), fs::Permissions::from_mode(*mode))?;
        }
        Ok(())
    }

    /// The numbers of workers that ours is run with. The outputs must not depend
    /// on it, and can only if there are several objects.
    fn workers(&self) -> &'static [&'static str] {
        let is_several = |call: &Call| {
            let is_object = |argument: &&OsString| argument.as_encoded_bytes().ends_with(b".o");
            call.arguments.iter().any(|argument| argument == "-T")
                || call.arguments.iter().filter(is_object).count() > 1
        };
        if self.calls.iter().any(is_several) { &["2", "1", "7"] } else { &["2"] }
    }

    fn outcomes(&self, subject: &Subject, dir: &Path, workers: &'static str) -> io::Result<Vec<Outcome>> {
        fs::create_dir(dir)?;
        self.lay_out(dir)?;
        let observe = |call: &Call| {
            let mut call = call.clone();
            call.environment.push(("KBUILD_RS_JOBS", workers.into()));
            run::observe(subject, dir, self.kernel.version(), &call)
        };
        self.calls.iter().map(observe).collect()
    }

    /// What the original does.
    fn observe_original(&self) -> io::Result<Vec<Outcome>> {
        let dir = run::place()?;
        self.outcomes(&self.kernel.modpost(self.target)?, &dir.path().join("original"), "1")
    }

    /// What differs between what the original did and ours.
    fn compare(&self, theirs: &[Outcome]) -> io::Result<String> {
        let dir = run::place()?;
        let ours = &original::ours("modpost")?;
        let mut report = String::new();
        for workers in self.workers() {
            let ours = self.outcomes(ours, &dir.path().join(format!("ours-{workers}")), workers)?;
            for (number, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
                if theirs.status.code().is_none() {
                    // The original crashed: nothing is to be compared, but ours
                    // ends by itself.
                    if !matches!(ours.status.code(), Some(0 | 1)) {
                        report += &format!("  call {number}, {workers} workers: ours ends with {}\n", ours.status);
                    }
                    break;
                }
                let differences = compare::differences(theirs, ours);
                if !differences.is_empty() {
                    let arguments = self.calls[number].arguments.join(std::ffi::OsStr::new(" "));
                    let arguments = arguments.to_string_lossy();
                    report += &format!("  call {number}, {workers} workers: modpost {arguments}\n{differences}");
                }
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
        Ok(Recorded { case: self.clone(), outcomes: self.observe_original()? })
    }

    /// Whether the outcome depends on being root: for others, the system removes
    /// the set-user-id bit of a file that is written.
    #[must_use]
    pub fn depends_on_root(&self) -> bool {
        self.modes.iter().any(|(_, mode)| mode & 0o6000 != 0)
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
        if let Err(error) = self.kernel.modpost(self.target) {
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
