//! Whether two have the same srcversion.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base::message::{Fatal, text};
use base::{regular, textfile};
use kmod::{archive, limits, modinfo};
use modpost::dialect::Dialect;
use modpost::kind;

use crate::print::{Report, Side};
use crate::sum;

/// What a module's file has.
pub(crate) fn of_file(path: &[u8]) -> Result<Option<Vec<u8>>, Fatal> {
    let refusal = |what: &str| Fatal::refusal(kind::MALFORMED_OBJECT, text!("{}: {}\n", path, what));
    let source = archive::open(textfile::path(path)).map_err(|error| refusal(&error.to_string()))?;
    if !archive::is_elf(&source).map_err(|error| refusal(&error.to_string()))? {
        return Err(refusal("not a module"));
    }
    modinfo::value(&source, b"srcversion").map_err(|error| refusal(&error.to_string()))
}

/// Two modules.
pub(crate) fn modules(first: &[u8], second: &[u8], report: &mut Report<'_, '_>) -> Result<bool, Fatal> {
    report.comparison(&[(first, of_file(first)?), (second, of_file(second)?)])
}

/// What a tree gives a module.
fn of_tree(module: &[u8], dialect: &Dialect, report: &mut Report<'_, '_>) -> Result<Option<Vec<u8>>, Fatal> {
    sum(module, false, dialect, report.streams).map(|(sum, _)| sum.map(String::into_bytes))
}

/// A module and the tree in which it lies.
pub(crate) fn with_tree(file: &[u8], dialect: &Dialect, report: &mut Report<'_, '_>) -> Result<bool, Fatal> {
    // What can't be had has no tree, either.
    let own = of_file(file)?;
    let tree = of_tree(file, dialect, report)?;
    report.comparison(&[(file, own), (b"its tree", tree)])
}

/// Modules, each a file or a tree's, and a loaded one.
pub(crate) fn with_loaded(
    modules: &[&[u8]],
    loaded: &str,
    sysfs: &Path,
    dialect: &Dialect,
    report: &mut Report<'_, '_>,
) -> Result<bool, Fatal> {
    let path = sysfs.join("module").join(loaded.replace('-', "_"));
    let what = path.as_os_str().as_bytes();
    // A loaded module has a directory, if not a srcversion.
    fs::metadata(&path).map_err(|error| Fatal::perror(what, error))?;
    let sum = regular::read(&path.join("srcversion"), limits::SMALL).ok().map(|text| text.trim_ascii_end().to_vec());
    let side: Side<'_> = (what, sum);
    if modules.is_empty() {
        report.side(&side)?;
        return Ok(side.1.is_some());
    }
    let mut all = true;
    for &module in modules {
        let is_file = module.ends_with(b".ko") || module.windows(4).any(|part| part == b".ko.");
        let own = if is_file { of_file(module)? } else { of_tree(module, dialect, report)? };
        all &= report.comparison(&[(module, own), side.clone()])?;
    }
    Ok(all)
}
