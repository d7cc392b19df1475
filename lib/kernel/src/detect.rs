//! Detecting which kernel a tool is to serve.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use base::message::{Fatal, Kind, text};
use base::regular;

use crate::flags::{Flags, Kernel};
use crate::record;
use crate::tree::{LARGEST, Trees};
use crate::vendor;
use crate::version::Version;

/// Where a dialect came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An environment variable.
    Environment(&'static str),
    /// A file: a swap's record, or one of the kernel tree.
    File(PathBuf),
    /// Nothing said which kernel it is.
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
pub struct Found<D> {
    /// How the tool behaves there.
    pub dialect: D,
    /// The evidence for its version.
    pub origin: Origin,
    /// The files that show that it is a vendor's.
    pub evidence: Vec<PathBuf>,
}

impl<D: Flags> Found<D> {
    /// The kernel and the evidence for it, for people.
    #[must_use]
    pub fn description(&self) -> String {
        let Kernel { name, version, .. } = self.dialect.kernel();
        let mut text = format!("kernel {name}");
        if version.is_newer_than_known() {
            let newest = Version::NEWEST;
            let _ = write!(text, " (taken for {}.{}, the newest that is known)", newest.0, newest.1);
        }
        let _ = write!(text, ", from {}", String::from_utf8_lossy(self.origin.name()));
        for evidence in &self.evidence {
            let _ = write!(text, " and {}", evidence.display());
        }
        text
    }
}

/// Finds the kernel, by the first of these that says it:
///
/// 1. `KBUILD_RS_KERNEL`, a version or a [vendor's](crate::vendor) name;
/// 2. what a swap [recorded](record) beside the program;
/// 3. `KERNELVERSION`, which kbuild exports, and else a file of the tree that
///    one of the paths of the executable lies in (`scripts/mod/modpost`, two
///    up), of kbuild's `srctree` or of the working directory. These trees also
///    say whether it is a vendor's.
///
/// Without any of these, it is [`Version::DEFAULT`].
///
/// # Errors
/// `KBUILD_RS_KERNEL` is set and names no kernel, or the kernel is older than all that are
/// served, or its source shows that it does what isn't served.
pub fn detect<D: Flags>(
    environment: impl Fn(&str) -> Option<OsString>,
    executables: &[PathBuf],
) -> Result<Found<D>, Fatal> {
    if let Some(value) = environment("KBUILD_RS_KERNEL").filter(|value| !value.is_empty()) {
        let dialect: D = vendor::of_name(value.as_bytes()).ok_or_else(|| {
            let text = text!("KBUILD_RS_KERNEL: {}: not a kernel, as in 6.1, 6.1.176 or rhel/9.6\n", value.as_bytes());
            Fatal::refusal(Kind::USAGE, text)
        })?;
        let version = dialect.kernel().version;
        if version.is_too_old() {
            let text = text!("KBUILD_RS_KERNEL: {}\n", too_old(version));
            return Err(Fatal::refusal(Kind::USAGE, text));
        }
        return Ok(Found { dialect, origin: Origin::Environment("KBUILD_RS_KERNEL"), evidence: Vec::new() });
    }
    let kbuild = environment("KERNELVERSION").and_then(|version| Version::parse(version.as_bytes()));
    let records = executables.iter().map(|path| path.with_file_name(record::PATH));
    let read = |path: &Path| record::parse(std::str::from_utf8(&regular::read(path, LARGEST).ok()?).ok()?, kbuild);
    let mut recorded = records.filter_map(|path| Some((read(&path)?, path)));
    if let Some((dialect, path)) = recorded.next() {
        return Ok(Found { dialect, origin: Origin::File(path), evidence: Vec::new() });
    }
    let trees = trees(environment, executables);
    let by_file = || trees.version().map(|(version, path)| (version, Origin::File(path)));
    let by_kbuild = kbuild.map(|version| (version, Origin::Environment("KERNELVERSION")));
    let (version, origin) = by_kbuild.or_else(by_file).unwrap_or((Version::DEFAULT, Origin::Default));
    if version.is_too_old() {
        let insist = format!("KBUILD_RS_KERNEL={}.{}", Version::OLDEST.major, Version::OLDEST.minor);
        let text = text!("{}: {}; {} treats it as that\n", origin.name(), too_old(version), insist);
        return Err(Fatal::refusal(Kind::USAGE, text));
    }
    let mut dialect = D::of_version(version);
    let evidence = dialect.judge(&trees);
    if let Some(why) = dialect.kernel().unserved {
        let file = evidence.last().map_or(&b"the tree"[..], |path| path.as_os_str().as_bytes());
        return Err(Fatal::refusal(Kind::USAGE, text!("{}: {}, which is not served\n", file, why)));
    }
    Ok(Found { dialect, origin, evidence })
}

/// Why a version is refused.
fn too_old(version: Version) -> String {
    let Version { major, minor, .. } = Version::OLDEST;
    format!("kernel {version} is older than {major}.{minor}, the oldest that is served")
}

/// The kernel trees that a program may belong to: those that its paths lie in
/// (`scripts/mod/modpost`, two up), kbuild's `srctree`, and the working directory.
pub(crate) fn trees(environment: impl Fn(&str) -> Option<OsString>, executables: &[PathBuf]) -> Trees {
    let in_tree = |path: &&PathBuf| {
        path.parent().is_some_and(|dir| dir.parent().is_some_and(|scripts| scripts.ends_with("scripts")))
    };
    let trees = executables.iter().filter(in_tree).filter_map(|path| path.ancestors().nth(3)).map(Path::to_owned);
    let source = environment("srctree").filter(|path| !path.is_empty()).map(PathBuf::from);
    Trees::new(trees.chain(source).chain([PathBuf::new()]))
}

/// The kernel of a tree, build directory or headers package, and the version
/// that kbuild gives it; `None` if nothing there says its version. Kernels that
/// are too old to be served are not judged to be a vendor's.
#[must_use]
pub fn of_tree<D: Flags>(tree: &Path) -> Option<(D, Version)> {
    // A build directory's source may lie elsewhere.
    let trees = Trees::new([tree.to_owned(), tree.join("source")]);
    let (version, _) = trees.version()?;
    let mut dialect = D::of_version(version);
    if !version.is_too_old() {
        dialect.judge(&trees);
    }
    Some((dialect, version))
}
