//! The files of a kernel's source tree, build directory or headers package.

use std::path::PathBuf;

use base::regular;

use crate::version::Version;

/// How a file of a kernel tree is read for the kernel's version.
type Reader = fn(&[u8]) -> Option<Version>;

/// Where a build leaves the kernel's version, and RHEL's.
pub(crate) const VERSION_HEADER: &str = "include/generated/uapi/linux/version.h";

/// The files of a kernel tree that name its version. Distributions' names for
/// their releases (`6.1.0-50-amd64`) hide the sublevel that tells which fixes
/// are in, so they come last. A source tree has the first; a build directory
/// (`O=`) and a headers package have the others.
const VERSION_FILES: &[(&str, Reader)] = &[
    ("Makefile", Version::from_makefile),
    (VERSION_HEADER, Version::from_header),
    ("include/config/kernel.release", Version::parse),
];

/// The size of the largest file that is read, in bytes: more than ten times a kernel's
/// configuration or main Makefile.
pub(crate) const LARGEST: u64 = 1 << 22;

/// Where files of the kernel may be, in search order.
#[derive(Clone, Debug)]
pub struct Trees(Vec<PathBuf>);

impl Trees {
    /// These directories.
    #[must_use]
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(paths.into_iter().collect())
    }

    /// The first file of a name that can be read, and its path.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<(Vec<u8>, PathBuf)> {
        let mut paths = self.0.iter().map(|tree| tree.join(name));
        paths.find_map(|path| Some((regular::read(&path, LARGEST).ok()?, path)))
    }

    /// The first file that has one of these names.
    #[must_use]
    pub fn find(&self, names: &[String]) -> Option<PathBuf> {
        let mut paths = self.0.iter().flat_map(|tree| names.iter().map(move |name| tree.join(name)));
        paths.find(|path| path.exists())
    }

    /// The kernel's version, and the file that says it.
    #[must_use]
    pub fn version(&self) -> Option<(Version, PathBuf)> {
        let paths =
            self.0.iter().flat_map(|tree| VERSION_FILES.iter().map(move |(name, read)| (tree.join(name), read)));
        let mut found = paths.filter_map(|(path, read)| Some((read(&regular::read(&path, LARGEST).ok()?)?, path)));
        found.next()
    }

    /// Makes of a dialect what a file says that it is; returns the file's path
    /// if that is another one.
    pub fn judge<D>(&self, name: &str, dialect: &mut D, judge: impl FnOnce(&D, &[u8]) -> Option<D>) -> Option<PathBuf> {
        let (text, path) = self.read(name)?;
        *dialect = judge(dialect, &text)?;
        Some(path)
    }
}
