//! How a program was called, and what its environment says.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use base::message::{Fatal, Kind, text};

use crate::detect::{self, Found};
use crate::flags::Flags;
use crate::tree::Trees;

/// How a program was called.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// The name that it was called by.
    pub name: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// Whether a variable that turns something on is 1.
#[must_use]
pub fn is_on(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value == "1")
}

impl Invocation {
    /// How this process was called.
    #[must_use]
    pub fn current() -> Self {
        let mut arguments = std::env::args_os();
        Self { name: arguments.next().unwrap_or_default(), arguments: arguments.collect() }
    }

    /// The paths that the program goes by: as it was called, which may be
    /// through a symbolic link, and its own.
    fn executables(&self) -> Vec<PathBuf> {
        let called = Some(PathBuf::from(&self.name)).filter(|_| self.name.as_bytes().contains(&b'/'));
        called.into_iter().chain(std::env::current_exe()).collect()
    }

    /// Detects the kernel to serve. With `KBUILD_RS_DEBUG=1` one line on `err`
    /// says which, and how that is known.
    ///
    /// # Errors
    /// If `KBUILD_RS_KERNEL` doesn't name a version.
    pub fn dialect<D: Flags>(&self, err: &mut dyn Write) -> Result<D, Fatal> {
        Ok(self.found(err)?.dialect)
    }

    /// The same, with how the kernel is known.
    ///
    /// # Errors
    /// As [`Invocation::dialect`].
    pub fn found<D: Flags>(&self, err: &mut dyn Write) -> Result<Found<D>, Fatal> {
        let found = detect::detect(|name| std::env::var_os(name), &self.executables())?;
        if is_on("KBUILD_RS_DEBUG") {
            let line = text!("kbuild-rs: {}\n", found.description());
            // stderr is closed: nobody to report to.
            let _ = err.write_all(&line);
        }
        Ok(found)
    }

    /// The kernel trees that the program may belong to.
    #[must_use]
    pub fn trees(&self) -> Trees {
        detect::trees(|name| std::env::var_os(name), &self.executables())
    }

    /// How many workers `KBUILD_RS_JOBS` asks for, if it is set.
    ///
    /// # Errors
    /// If it isn't a number above 0.
    pub fn jobs(&self) -> Result<Option<usize>, Fatal> {
        let Some(value) = std::env::var_os("KBUILD_RS_JOBS").filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let jobs = value.to_str().and_then(|value| value.parse().ok()).filter(|&jobs| jobs > 0);
        jobs.map(Some).ok_or_else(|| {
            let text = text!("KBUILD_RS_JOBS: not a number of workers: {}\n", value.as_bytes());
            Fatal::refusal(Kind::USAGE, text)
        })
    }

    /// The paths of a file beside the program.
    pub fn beside(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        self.executables().into_iter().map(move |path| path.with_file_name(name))
    }
}
