//! Bringing everything into the cache that the comparisons take.

use std::io;

use kbuild_rs_debian::{Found, Unavailable, package};

use crate::corpus::Corpus;
use crate::original::{KERNELS, Target};
use crate::{declared, layouts};

/// What all comparisons on these corpora take, and why something can't be had.
fn packages(corpora: &[&Corpus]) -> (Vec<Found>, Vec<Unavailable>) {
    let (mut packages, mut failures) = (Vec::<Found>::new(), Vec::new());
    let mut add = |found: Result<Vec<Found>, Unavailable>| match found {
        Ok(found) => packages.extend(found),
        Err(error) => failures.push(error),
    };
    for kernel in KERNELS {
        if let Err(error) = kernel.found() {
            // What is missing of it, is missing for the same reason.
            add(Err(error));
            continue;
        }
        add(kernel.packages(Target::Lsb64));
        if kernel.knows_tables_of(Target::Lsb32) {
            add(kernel.packages(Target::Lsb32));
        }
        add(layouts::package(kernel).map(|package| vec![package]));
        add(declared::package(kernel).map(|package| vec![package]));
    }
    for corpus in corpora {
        if corpus.kernel.found().is_ok() {
            add(corpus.kernel.packages(corpus.target));
            add(corpus.packages().map(Vec::from));
        }
    }
    packages.sort_by(|a, b| (&a.name, &a.version, a.suite).cmp(&(&b.name, &b.version, b.suite)));
    packages.dedup();
    failures.dedup();
    (packages, failures)
}

/// Fetches everything, having said what it is; returns what can't be had.
///
/// # Errors
/// If there can't be a cache.
pub fn all(corpora: &[&Corpus]) -> io::Result<Vec<io::Error>> {
    let (packages, failures) = packages(corpora);
    package::announce(&packages)?;
    let mut failures: Vec<_> = failures.into_iter().map(io::Error::from).collect();
    failures.extend(packages.iter().filter_map(|package| package.unpacked().err()));
    Ok(failures)
}
