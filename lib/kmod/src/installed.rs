//! The kernels whose modules are installed, as depmod(8) and modprobe(8) find them.

use std::fs;
use std::path::{Path, PathBuf};

/// Where a system has them, below its root.
const DIRECTORIES: [&str; 2] = ["lib/modules", "usr/lib/modules"];

/// A kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its release, as uname(1) gives it.
    pub release: String,
    /// The directory with its modules.
    pub directory: PathBuf,
}

/// All kernels of a system, by their releases. What can't be read has none.
#[must_use]
pub fn kernels(root: &Path) -> Vec<Installed> {
    let entries = DIRECTORIES.iter().flat_map(|directory| fs::read_dir(root.join(directory)).into_iter().flatten());
    let kernel = |entry: fs::DirEntry| {
        let directory = entry.path();
        let release = entry.file_name().into_string().ok().filter(|_| directory.is_dir())?;
        Some(Installed { release, directory })
    };
    let mut kernels: Vec<_> = entries.flatten().filter_map(kernel).collect();
    // Of two, that which is found first.
    kernels.sort_by(|one, other| one.release.cmp(&other.release));
    kernels.dedup_by(|one, other| one.release == other.release);
    kernels
}

/// Where the modules of a kernel would be that isn't installed.
#[must_use]
pub fn directory(root: &Path, release: &str) -> PathBuf {
    root.join(DIRECTORIES[0]).join(release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_places_count() -> std::io::Result<()> {
        let root = tempfile::tempdir()?;
        for directory in ["lib/modules/6.1.0", "usr/lib/modules/6.1.0", "usr/lib/modules/5.10.0"] {
            fs::create_dir_all(root.path().join(directory))?;
        }
        fs::write(root.path().join("lib/modules/README"), "")?;
        let found = kernels(root.path());
        let releases: Vec<_> = found.iter().map(|kernel| kernel.release.as_str()).collect();
        assert_eq!(releases, ["5.10.0", "6.1.0"]);
        assert_eq!(found[1].directory, directory(root.path(), "6.1.0"));
        assert!(kernels(&root.path().join("nowhere")).is_empty());
        Ok(())
    }
}
