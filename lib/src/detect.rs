//! Which kernel a tool is to serve, by what it is told and what it finds.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::dialect::{Dialect, Version};
use crate::vendor::{self, Unserved};

/// Where a dialect came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An environment variable.
    Environment(&'static str),
    /// A file of the kernel tree.
    File(PathBuf),
    /// Nothing said otherwise.
    Default,
}

impl Origin {
    /// The variable's name, the file's path, or that it is the default.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        match self {
            Self::Environment(name) => name.as_bytes(),
            Self::File(path) => path.as_os_str().as_bytes(),
            Self::Default => b"the default",
        }
    }
}

/// A kernel that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How it behaves.
    pub dialect: Dialect,
    /// What its version is known by.
    pub origin: Origin,
    /// The file by which it is a vendor's.
    pub evidence: Option<PathBuf>,
}

impl Found {
    /// The kernel and all that it is known by, for people.
    #[must_use]
    pub fn description(&self) -> String {
        let mut text = format!("kernel {}, from {}", self.dialect.name(), String::from_utf8_lossy(self.origin.name()));
        if let Some(evidence) = &self.evidence {
            let _ = write!(text, " and {}", evidence.display());
        }
        text
    }
}

/// Why no kernel is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// `KBUILD_RS_KERNEL` names none.
    BadName(OsString),
    /// The tree is a vendor's that is known to differ in ways that aren't
    /// served.
    Unserved(Unserved, PathBuf),
}

/// How a file of a kernel tree is read for the kernel's version.
type Reader = fn(&[u8]) -> Option<Version>;

/// Where a build leaves the kernel's version, and RHEL's.
const VERSION_HEADER: &str = "include/generated/uapi/linux/version.h";
/// Where a loader's idea of `____versions` is to be seen.
const MODULE_HEADER: &str = "include/linux/module.h";

/// The files of a kernel tree that name its version. Distributions' names for
/// their releases (`6.1.0-50-amd64`) hide the sublevel that tells which fixes
/// are in, so they come last. A source tree has the first; a build directory
/// (`O=`) and a headers package have the others.
const VERSION_FILES: &[(&str, Reader)] = &[
    ("Makefile", Version::from_makefile),
    (VERSION_HEADER, Version::from_header),
    ("include/config/kernel.release", Version::parse),
];

/// Finds the kernel. Its version is that of `KBUILD_RS_KERNEL`, which may also
/// be a [vendor's](vendor) name; of `KERNELVERSION`, which kbuild exports; of
/// the tree that one of the paths of the executable lies in
/// (`scripts/mod/modpost`, two up) or of the working directory; else
/// [`Version::DEFAULT`]. Unless the first says it, headers of the tree say
/// whether it is a vendor's.
///
/// # Errors
/// If `KBUILD_RS_KERNEL` is set and names no kernel, or if the tree is a
/// vendor's that isn't served.
pub fn detect(environment: impl Fn(&str) -> Option<OsString>, executables: &[PathBuf]) -> Result<Found, Failure> {
    if let Some(value) = environment("KBUILD_RS_KERNEL").filter(|v| !v.is_empty()) {
        let vendor = || vendor::named(value.as_bytes()).map(vendor::Vendor::dialect);
        let dialect = Version::parse(value.as_bytes()).map(Dialect::new).or_else(vendor);
        let origin = Origin::Environment("KBUILD_RS_KERNEL");
        return Ok(Found { dialect: dialect.ok_or(Failure::BadName(value))?, origin, evidence: None });
    }
    let in_tree = |path: &&PathBuf| path.parent().is_some_and(|dir| dir.ends_with("scripts/mod"));
    let trees = executables.iter().filter(in_tree).filter_map(|path| path.ancestors().nth(3));
    let trees: Vec<&Path> = trees.chain([Path::new("")]).collect();
    let kbuild = environment("KERNELVERSION").and_then(|v| Version::parse(v.as_bytes()));
    let (version, origin) = match kbuild {
        Some(version) => (version, Origin::Environment("KERNELVERSION")),
        None => by_files(&trees).unwrap_or((Version::DEFAULT, Origin::Default)),
    };
    by_headers(version, origin, &trees)
}

fn by_files(trees: &[&Path]) -> Option<(Version, Origin)> {
    let paths = trees.iter().flat_map(|tree| VERSION_FILES.iter().map(move |(name, read)| (tree.join(name), read)));
    let mut found = paths.filter_map(|(path, read)| Some((read(&std::fs::read(&path).ok()?)?, Origin::File(path))));
    found.next()
}

/// The dialect of a version, or of the vendor whose headers are in a tree.
fn by_headers(version: Version, origin: Origin, trees: &[&Path]) -> Result<Found, Failure> {
    let read = |name: &str| {
        let mut paths = trees.iter().map(|tree| tree.join(name));
        paths.find_map(|path| Some((std::fs::read(&path).ok()?, path)))
    };
    if let Some((header, path)) = read(VERSION_HEADER) {
        match vendor::by_version_header(version, &header) {
            Ok(None) => {}
            Ok(Some(dialect)) => return Ok(Found { dialect, origin, evidence: Some(path) }),
            Err(unserved) => return Err(Failure::Unserved(unserved, path)),
        }
    }
    if vendor::may_be_packed(version) {
        if let Some((header, path)) = read(MODULE_HEADER) {
            if let Some(dialect) = vendor::by_module_header(version, &header) {
                return Ok(Found { dialect, origin, evidence: Some(path) });
            }
        }
    }
    Ok(Found { dialect: Dialect::new(version), origin, evidence: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_comes_first() {
        let plain = |version, name| {
            let dialect = Dialect::new(version);
            Ok(Found { dialect, origin: Origin::Environment(name), evidence: None })
        };
        let env = |set: &'static [(&str, &str)]| {
            move |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v))
        };
        let found = detect(env(&[("KBUILD_RS_KERNEL", "5.10.1"), ("KERNELVERSION", "6.1.2")]), &[]);
        assert_eq!(found, plain(Version::new(5, 10, 1), "KBUILD_RS_KERNEL"));
        let found = detect(env(&[("KERNELVERSION", "6.1.2")]), &[]);
        assert_eq!(found, plain(Version::new(6, 1, 2), "KERNELVERSION"));
        assert_eq!(detect(env(&[("KBUILD_RS_KERNEL", "new")]), &[]), Err(Failure::BadName("new".into())));
    }
}
