//! An installed headers package with ours in the original's place, and the
//! modules of others that are built against it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kbuild_rs_debian::{Found, Rule, Suite, Unavailable, Which, package};

use crate::command::copy;
use crate::corpus::working_directory;
use crate::external::{Builder, External, restore, scripts, swap};
use crate::original::V6_1;
use crate::tally::Finding;

const BOOKWORM: Suite = Suite { name: "bookworm", architecture: "amd64" };

/// Packages of sources for DKMS, and the directory that they unpack to but for
/// a version.
const SOURCES: [(Rule<'static>, &str); 2] = [
    (Rule { suite: BOOKWORM, name: "v4l2loopback-dkms", which: Which::Newest }, "v4l2loopback"),
    (Rule { suite: BOOKWORM, name: "xtables-addons-dkms", which: Which::Newest }, "xtables-addons"),
];

const V4L2LOOPBACK: External = External { arguments: &["modules"], ..External::new("v4l2loopback") };
const XTABLES: External = External {
    below: "extensions",
    arguments: &["XA_ABSTOPSRCDIR=@/xtables-addons", "XA_TOPSRCDIR=@/xtables-addons", "modules"],
    ..External::new("xtables-addons")
};

/// As DKMS would have them built, with several jobs, and with the symbols of
/// others.
const EXTERNALS: &[External] = &[
    XTABLES,
    V4L2LOOPBACK,
    External {
        name: "v4l2loopback, others' symbols",
        arguments: &["KBUILD_EXTRA_SYMBOLS=@/xtables-addons/extensions/Module.symvers", "modules"],
        ..V4L2LOOPBACK
    },
    External { name: "v4l2loopback, two jobs", arguments: &["-j2", "modules"], ..V4L2LOOPBACK },
    External {
        name: "xtables-addons, two jobs, others' symbols",
        arguments: &[
            "-j2",
            "KBUILD_EXTRA_SYMBOLS=@/v4l2loopback/Module.symvers",
            "XA_ABSTOPSRCDIR=@/xtables-addons",
            "XA_TOPSRCDIR=@/xtables-addons",
            "modules",
        ],
        ..XTABLES
    },
];

/// All packages.
fn packages() -> Result<Vec<Found>, Unavailable> {
    let patterns = ["linux-headers-*-amd64", "linux-headers-*-common", "linux-kbuild-6.1"].into_iter();
    let kernel = patterns.map(|pattern| V6_1.package(pattern, "amd64"));
    kernel.chain(SOURCES.iter().map(|(rule, _)| rule.find())).collect()
}

/// Gives a directory that is named after a version a name without.
fn rename(sources: &Path, name: &str) -> io::Result<()> {
    for entry in fs::read_dir(sources)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&format!("{name}-")) {
            return fs::rename(entry.path(), sources.join(name));
        }
    }
    Err(io::Error::other(format!("{}: no {name}-*", sources.display())))
}

/// Brings the packages into the cache.
///
/// # Errors
/// If they can't be had.
pub fn fetch() -> io::Result<()> {
    let packages = packages()?;
    package::announce(&packages)?;
    packages.iter().try_for_each(|package| package.unpacked().map(drop))
}

/// Copies the packages into a root; returns the directory that modules are built against.
///
/// # Errors
/// If they can't be had or copied.
pub fn install(root: &Path) -> io::Result<PathBuf> {
    fs::create_dir(root)?;
    for package in packages()? {
        copy(&package.unpacked()?.join("usr"), root)?;
    }
    let sources = root.join("usr/src");
    let tree = sources.join(format!("linux-headers-{}-amd64", V6_1.found()?.release));
    // The one absolute path in it.
    let makefile = tree.join("Makefile");
    let text = fs::read_to_string(&makefile)?;
    fs::write(&makefile, text.replace("/usr/src/", &format!("{}/", sources.display())))?;
    Ok(tree)
}

/// Builds with the original and with ours.
///
/// # Errors
/// If the packages can't be had, or something can't be copied or run.
pub fn compare() -> io::Result<Vec<Finding>> {
    let dir = working_directory()?;
    let root = dir.path().join("root");
    let tree = install(&root)?;
    let sources = root.join("usr/src");
    for (_, name) in SOURCES {
        rename(&sources, name)?;
    }

    let builder =
        Builder { tree: &tree, sources: &sources, beside: &dir.path().join("build"), modpost: None, arguments: &[] };
    let before = scripts(&tree)?;
    let theirs = builder.all(EXTERNALS)?;
    swap(&tree)?;
    let mut findings = theirs.compare(&builder)?;
    findings.push(restore(&tree, &before)?);
    Ok(findings)
}
