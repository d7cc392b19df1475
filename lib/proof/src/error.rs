//! Why nothing was proved.

use std::ffi::OsString;
use std::path::PathBuf;
use std::{error, fmt, io};

use kernel::Version;

use crate::texts::Finding;

/// Why nothing was proved.
#[derive(Debug)]
pub enum Error {
    /// Something can't be read, made or run.
    Io(PathBuf, io::Error),
    /// There is no original.
    NoOriginal,
    /// Nothing tells which kernel it is.
    NoKernel,
    /// What it is said to be is no kernel.
    NotAKernel(OsString),
    /// The kernel is older than all that are served.
    TooOld(Version),
    /// The kernel's tool behaves in this way, which is not served.
    NotServed(&'static str),
    /// An original's options or texts are not the kernel's.
    Texts {
        /// The original.
        name: String,
        /// The kernel that comes nearest.
        kernel: String,
        /// What speaks against it.
        findings: Vec<Finding>,
    },
    /// An original did something else.
    Differs {
        /// The original.
        name: String,
        /// The kernel.
        kernel: String,
        /// In how many cases of all; when there is no doubt no more are run.
        cases: (usize, usize),
        /// The name of one of them, and what differs.
        first: (String, String),
    },
}

/// How many cases must differ that there is no doubt.
pub(crate) const ENOUGH: usize = 20;

/// How many findings are told.
const SHOWN: usize = 5;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::NoOriginal => f.write_str("there is neither an original nor its source"),
            Self::NoKernel => f.write_str("nothing tells which kernel it is of"),
            Self::NotAKernel(name) => write!(f, "{}: not a kernel", name.to_string_lossy()),
            Self::TooOld(version) => {
                let Version { major, minor, .. } = Version::OLDEST;
                write!(f, "kernel {version} is older than {major}.{minor}, the oldest that is served")?;
                write!(f, " (--kernel {major}.{minor} treats it as that)")
            }
            Self::NotServed(why) => write!(f, "{why}, which is not served"),
            Self::Texts { name, kernel, findings } => {
                write!(f, "{name}: is not what kernel {kernel} has")?;
                for finding in findings.iter().take(SHOWN) {
                    write!(f, "\n  {finding}")?;
                }
                match findings.len().saturating_sub(SHOWN) {
                    0 => Ok(()),
                    more => write!(f, "\n  and {more} more"),
                }
            }
            Self::Differs { name, kernel, cases: (differing, all), first: (case, report) } => {
                let or_more = if *differing >= ENOUGH { " or more" } else { "" };
                write!(
                    f,
                    "{name}: does not what ours does as kernel {kernel}, in {differing}{or_more} of {all} cases"
                )?;
                write!(f, "\n  {case}\n{}", report.trim_end())
            }
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            _ => None,
        }
    }
}
