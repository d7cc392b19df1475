//! All installed headers, and all trees that were swapped.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::adopt;
use crate::error::Error;
use crate::kept::State;

/// Where distributions install headers: a directory, what its entries begin with, and
/// what the headers are in each.
const INSTALLED: &[(&str, &str, &str)] = &[
    ("lib/modules", "", "build"),
    ("usr/src", "linux-headers-", ""),
    ("usr/src/kernels", "", ""),
    ("usr/lib", "linux-kbuild-", ""),
];

/// Lists the headers that are installed in a root, and the trees with kept originals. If
/// several names lead to one tree, the list has the first, because that says most about the
/// kernel.
///
/// # Errors
/// If the state can't be read.
pub fn all(root: &Path, state: &State) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for (dir, prefix, below) in INSTALLED {
        let entries = fs::read_dir(root.join(dir)).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()));
        let mut trees: Vec<_> = named.map(|entry| entry.path().join(below)).collect();
        trees.sort();
        found.extend(trees);
    }
    let swapped = state.directories()?.into_iter().chain(adopt::directories(state));
    // TREE/scripts/mod
    found.extend(swapped.filter_map(|directory| directory.ancestors().nth(2).map(Path::to_owned)));
    let mut seen = BTreeSet::new();
    found.retain(|tree| fs::canonicalize(tree.join("scripts")).is_ok_and(|scripts| seen.insert(scripts)));
    Ok(found)
}
