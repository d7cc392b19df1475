//! A case: files, and calls of a tool on them. Nothing in it knows which subject
//! runs.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::compare;
use crate::run::{self, Call, Outcome};
use crate::subject::{Subject, Target, Tool};

/// What one case is made of.
#[derive(Clone, Debug)]
pub struct Case {
    /// The tool that is called.
    pub tool: Tool,
    /// For which target modpost's objects are.
    pub target: Target,
    /// Files and their contents.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Empty directories.
    pub directories: Vec<PathBuf>,
    /// Names that are links to others, symbolic or not.
    pub links: Vec<(PathBuf, PathBuf, bool)>,
    /// Files' modes, where they are others than usual.
    pub modes: Vec<(PathBuf, u32)>,
    /// How the tool is called, once or several times.
    pub calls: Vec<Call>,
}

impl Case {
    /// Nothing, for a target, and one call of modpost without arguments.
    #[must_use]
    pub fn new(target: Target) -> Self {
        let (files, directories, links, modes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { tool: Tool::Modpost, target, files, directories, links, modes, calls: vec![Call::default()] }
    }

    fn lay_out(&self, dir: &Path) -> io::Result<()> {
        for directory in &self.directories {
            fs::create_dir_all(dir.join(directory))?;
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

    /// What a subject does in a directory, which must not be there yet, as the
    /// tool of a kernel's version.
    ///
    /// # Errors
    /// If files can't be made or read, or the subject can't be run.
    pub fn outcomes(&self, subject: &Subject, dir: &Path, kernel: &str, workers: &str) -> io::Result<Vec<Outcome>> {
        fs::create_dir(dir)?;
        self.lay_out(dir)?;
        let observe = |call: &Call| {
            let mut call = call.clone();
            call.environment.push(("KBUILD_RS_JOBS", workers.into()));
            run::observe(subject, dir, kernel, &call)
        };
        self.calls.iter().map(observe).collect()
    }

    /// What differs between what the original did and ours; "" if nothing does.
    #[must_use]
    pub fn differences(&self, theirs: &[Outcome], ours: &[Outcome]) -> String {
        let mut report = String::new();
        for (number, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
            if theirs.status.code().is_none() {
                // The original crashed: nothing is to be compared, but ours ends
                // by itself.
                if !matches!(ours.status.code(), Some(0 | 1)) {
                    report += &format!("  call {number}: ours ends with {}\n", ours.status);
                }
                break;
            }
            let differences = compare::differences(theirs, ours);
            if !differences.is_empty() {
                let arguments = self.calls[number].arguments.join(std::ffi::OsStr::new(" "));
                report += &format!("  call {number}: {}\n{differences}", arguments.to_string_lossy());
            }
        }
        report
    }

    /// Whether the outcome depends on being root: for others, the system removes
    /// the set-user-id bit of a file that is written.
    #[must_use]
    pub fn depends_on_root(&self) -> bool {
        self.modes.iter().any(|(_, mode)| mode & 0o6000 != 0)
    }
}
