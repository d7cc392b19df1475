//! All installed headers, and all trees that were swapped.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::place::{KEPT, TIME};

/// Where distributions install headers: a directory, what its entries begin with, and
/// what the headers are in each.
const INSTALLED: &[(&str, &str, &str)] = &[
    ("lib/modules", "", "build"),
    ("usr/src", "linux-headers-", ""),
    ("usr/src/kernels", "", ""),
    ("usr/lib", "linux-kbuild-", ""),
];

/// The headers that are installed in a root, and the trees of which something is kept in
/// a directory of the state. Several names may lead to one: the first says most about the
/// kernel, and the others are left out.
#[must_use]
pub fn all(root: &Path, state: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (dir, prefix, below) in INSTALLED {
        let entries = fs::read_dir(root.join(dir)).into_iter().flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()));
        let mut trees: Vec<_> = named.map(|entry| entry.path().join(below)).collect();
        trees.sort();
        found.extend(trees);
    }
    let kept = state.join(KEPT);
    for entry in WalkDir::new(&kept).sort_by_file_name().into_iter().flatten() {
        if entry.file_name() == TIME {
            // TREE/scripts/mod/.time
            let tree = entry.path().ancestors().nth(3).and_then(|tree| tree.strip_prefix(&kept).ok());
            found.extend(tree.map(|tree| Path::new("/").join(tree)));
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|tree| fs::canonicalize(tree.join("scripts")).is_ok_and(|scripts| seen.insert(scripts)));
    found
}
