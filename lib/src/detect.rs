//! Which kernel a tool is to serve, by what it is told and what it finds.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::dialect::{Dialect, Version};
use crate::{record, vendor};

/// Where a dialect came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An environment variable.
    Environment(&'static str),
    /// A file: a swap's record, or one of the kernel tree.
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
    /// The files by which it is a vendor's.
    pub evidence: Vec<PathBuf>,
}

impl Found {
    /// The kernel and all that it is known by, for people.
    #[must_use]
    pub fn description(&self) -> String {
        let mut text = format!("kernel {}, from {}", self.dialect.name, String::from_utf8_lossy(self.origin.name()));
        for evidence in &self.evidence {
            let _ = write!(text, " and {}", evidence.display());
        }
        text
    }
}

/// `KBUILD_RS_KERNEL` names no kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadName(pub OsString);

/// How a file of a kernel tree is read for the kernel's version.
type Reader = fn(&[u8]) -> Option<Version>;

/// Where a build leaves the kernel's version, and RHEL's.
const VERSION_HEADER: &str = "include/generated/uapi/linux/version.h";

/// The files of a kernel tree that name its version. Distributions' names for
/// their releases (`6.1.0-50-amd64`) hide the sublevel that tells which fixes
/// are in, so they come last. A source tree has the first; a build directory
/// (`O=`) and a headers package have the others.
const VERSION_FILES: &[(&str, Reader)] = &[
    ("Makefile", Version::from_makefile),
    (VERSION_HEADER, Version::from_header),
    ("include/config/kernel.release", Version::parse),
];

/// Finds the kernel, by the first of these that says it:
///
/// 1. `KBUILD_RS_KERNEL`, a version or a [vendor's](vendor) name;
/// 2. what a swap [recorded](record) beside the program;
/// 3. `KERNELVERSION`, which kbuild exports, and else a file of the tree that
///    one of the paths of the executable lies in (`scripts/mod/modpost`, two
///    up), of kbuild's `srctree` or of the working directory. These trees also
///    say whether it is a vendor's.
///
/// [`Version::DEFAULT`] serves where there is nothing.
///
/// # Errors
/// If `KBUILD_RS_KERNEL` is set and names no kernel.
pub fn detect(environment: impl Fn(&str) -> Option<OsString>, executables: &[PathBuf]) -> Result<Found, BadName> {
    if let Some(value) = environment("KBUILD_RS_KERNEL").filter(|value| !value.is_empty()) {
        let dialect = Dialect::named(value.as_bytes()).ok_or(BadName(value))?;
        return Ok(Found { dialect, origin: Origin::Environment("KBUILD_RS_KERNEL"), evidence: Vec::new() });
    }
    let kbuild = environment("KERNELVERSION").and_then(|version| Version::parse(version.as_bytes()));
    let records = executables.iter().map(|path| path.with_file_name(record::PATH));
    let read = |path: &Path| record::parse(&std::fs::read_to_string(path).ok()?, kbuild);
    let mut recorded = records.filter_map(|path| Some((read(&path)?, path)));
    if let Some((dialect, path)) = recorded.next() {
        return Ok(Found { dialect, origin: Origin::File(path), evidence: Vec::new() });
    }
    let in_tree = |path: &&PathBuf| path.parent().is_some_and(|dir| dir.ends_with("scripts/mod"));
    let trees = executables.iter().filter(in_tree).filter_map(|path| path.ancestors().nth(3)).map(Path::to_owned);
    let source = environment("srctree").filter(|path| !path.is_empty()).map(PathBuf::from);
    let trees = Trees(trees.chain(source).chain([PathBuf::new()]).collect());
    let (version, origin) = match kbuild {
        Some(version) => (version, Origin::Environment("KERNELVERSION")),
        None => trees.version().unwrap_or((Version::DEFAULT, Origin::Default)),
    };
    let (dialect, evidence) = trees.vendor(Dialect::new(version));
    Ok(Found { dialect, origin, evidence })
}

/// The kernel of a tree, build directory or headers package, and the version
/// that kbuild gives it; `None` if nothing there says its version.
#[must_use]
pub fn of_tree(tree: &Path) -> Option<(Dialect, Version)> {
    // A build directory's source may lie elsewhere.
    let trees = Trees(vec![tree.to_owned(), tree.join("source")]);
    let (version, _) = trees.version()?;
    Some((trees.vendor(Dialect::new(version)).0, version))
}

/// Where files of the kernel may lie, in the order of looking.
struct Trees(Vec<PathBuf>);

impl Trees {
    fn read(&self, name: &str) -> Option<(Vec<u8>, PathBuf)> {
        let mut paths = self.0.iter().map(|tree| tree.join(name));
        paths.find_map(|path| Some((std::fs::read(&path).ok()?, path)))
    }

    fn version(&self) -> Option<(Version, Origin)> {
        let paths =
            self.0.iter().flat_map(|tree| VERSION_FILES.iter().map(move |(name, read)| (tree.join(name), read)));
        let mut found = paths.filter_map(|(path, read)| Some((read(&std::fs::read(&path).ok()?)?, Origin::File(path))));
        found.next()
    }

    /// Makes of a version's dialect the vendor's whose files are here.
    fn vendor(&self, mut dialect: Dialect) -> (Dialect, Vec<PathBuf>) {
        let mut evidence = Vec::new();
        let mut by = |name: &str, judge: fn(&Dialect, &[u8]) -> Option<Dialect>, dialect: &mut Dialect| {
            let Some((text, path)) = self.read(name) else { return };
            if let Some(vendors) = judge(dialect, &text) {
                *dialect = vendors;
                evidence.push(path);
            }
        };
        by(VERSION_HEADER, vendor::by_version_header, &mut dialect);
        by("include/generated/uapi/linux/suse_version.h", vendor::by_suse_header, &mut dialect);
        if vendor::may_be_packed(dialect.version) {
            by("include/linux/module.h", vendor::by_module_header, &mut dialect);
        }
        by("scripts/mod/modpost.c", vendor::by_source, &mut dialect);
        by("scripts/mod/devicetable-offsets.h", vendor::by_offsets, &mut dialect);
        for (name, old_name, letter) in vendor::CONFIGS {
            let names = [name, old_name].map(|name| format!("include/config/{name}"));
            let mut paths = self.0.iter().flat_map(|tree| names.iter().map(move |name| tree.join(name)));
            let Some(path) = paths.find(|path| path.exists()) else { continue };
            if let Some(vendors) = vendor::by_config(&dialect, *letter) {
                dialect = vendors;
                evidence.push(path);
            }
        }
        (dialect, evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(set: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        move |name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value))
    }

    #[test]
    fn the_environment_comes_first() {
        let plain = |version, name| {
            let dialect = Dialect::new(version);
            Ok(Found { dialect, origin: Origin::Environment(name), evidence: Vec::new() })
        };
        let found = detect(environment(&[("KBUILD_RS_KERNEL", "5.10.1"), ("KERNELVERSION", "6.1.2")]), &[]);
        assert_eq!(found, plain(Version::new(5, 10, 1), "KBUILD_RS_KERNEL"));
        let found = detect(environment(&[("KERNELVERSION", "6.1.2")]), &[]);
        assert_eq!(found, plain(Version::new(6, 1, 2), "KERNELVERSION"));
        assert_eq!(detect(environment(&[("KBUILD_RS_KERNEL", "new")]), &[]), Err(BadName("new".into())));
    }
}
