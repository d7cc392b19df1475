//! An installed headers package with ours in the original's place, and the
//! modules of others that are built against it.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::apt::Package;
use crate::external::{Builder, External, copy, restore, scripts, swap, workplace};
use crate::original::{BOOKWORM, V6_1};
use crate::tally::Finding;

/// Packages of sources for DKMS.
const SOURCES: &[Package] = &[
    Package { suite: BOOKWORM, name: "v4l2loopback-dkms", version: "0.12.7-2" },
    Package { suite: BOOKWORM, name: "xtables-addons-dkms", version: "3.23-1" },
];

const V4L2LOOPBACK: External = External { arguments: &["modules"], ..External::new("v4l2loopback-0.12.7") };
const XTABLES: External = External {
    below: "extensions",
    arguments: &["XA_ABSTOPSRCDIR=@/xtables-addons-3.23", "XA_TOPSRCDIR=@/xtables-addons-3.23", "modules"],
    ..External::new("xtables-addons-3.23")
};

/// As DKMS would have them built, with several jobs, and with the symbols of
/// others.
const EXTERNALS: &[External] = &[
    XTABLES,
    V4L2LOOPBACK,
    External {
        name: "v4l2loopback-0.12.7, others' symbols",
        arguments: &["KBUILD_EXTRA_SYMBOLS=@/xtables-addons-3.23/extensions/Module.symvers", "modules"],
        ..V4L2LOOPBACK
    },
    External { name: "v4l2loopback-0.12.7, two jobs", arguments: &["-j2", "modules"], ..V4L2LOOPBACK },
    External {
        name: "xtables-addons-3.23, two jobs, others' symbols",
        arguments: &[
            "-j2",
            "KBUILD_EXTRA_SYMBOLS=@/v4l2loopback-0.12.7/Module.symvers",
            "XA_ABSTOPSRCDIR=@/xtables-addons-3.23",
            "XA_TOPSRCDIR=@/xtables-addons-3.23",
            "modules",
        ],
        ..XTABLES
    },
];

/// The folders of all packages.
fn packages() -> io::Result<Vec<PathBuf>> {
    let patterns = ["linux-headers-*-amd64", "linux-headers-*-common", "linux-kbuild-6.1"].into_iter();
    let kernel = patterns.map(|pattern| V6_1.unpacked(pattern, "amd64"));
    kernel.chain(SOURCES.iter().map(Package::unpacked)).collect()
}

/// Brings the packages into the cache.
///
/// # Errors
/// If they can't be had.
pub fn fetch() -> io::Result<()> {
    packages().map(drop)
}

/// Builds with the original and with ours.
///
/// # Errors
/// If the packages can't be had, or something can't be copied or run.
pub fn compare() -> io::Result<Vec<Finding>> {
    let dir = workplace()?;
    let root = dir.path().join("root");
    fs::create_dir(&root)?;
    for package in packages()? {
        copy(&package.join("usr"), &root)?;
    }
    let sources = root.join("usr/src");
    let name = format!("linux-headers-{}-amd64", V6_1.abi());
    let tree = sources.join(name);
    // The one absolute path in it.
    let makefile = tree.join("Makefile");
    let text = fs::read_to_string(&makefile)?;
    fs::write(&makefile, text.replace("/usr/src/", &format!("{}/", sources.display())))?;

    let builder = Builder { tree: &tree, sources: &sources, beside: &dir.path().join("build") };
    let before = scripts(&tree)?;
    let theirs = builder.all(EXTERNALS)?;
    swap(&tree)?;
    let mut findings = theirs.compare(&builder)?;
    findings.push(restore(&tree, &before)?);
    Ok(findings)
}
