//! What completions know of the machine: the modules that are loaded.

use std::fs;
use std::path::Path;

use clap::Command;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

/// The loaded modules that have a srcversion.
fn loaded(sysfs: &Path) -> Vec<String> {
    let entries = fs::read_dir(sysfs.join("module")).into_iter().flatten().flatten();
    let modules = entries.filter(|entry| entry.path().join("srcversion").exists());
    let mut names: Vec<_> = modules.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// The command line, with them.
pub(crate) fn command() -> Command {
    let candidates = || loaded(Path::new("/sys")).into_iter().map(CompletionCandidate::new).collect();
    crate::command::command().mut_arg("loaded", |arg| arg.add(ArgValueCandidates::new(candidates)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_with_a_srcversion() -> std::io::Result<()> {
        let sysfs = tempfile::tempdir()?;
        for name in ["snd", "dummy", "kernel"] {
            fs::create_dir_all(sysfs.path().join("module").join(name))?;
        }
        for name in ["snd", "dummy"] {
            fs::write(sysfs.path().join("module").join(name).join("srcversion"), "AA\n")?;
        }
        assert_eq!(loaded(sysfs.path()), ["dummy", "snd"]);
        assert!(loaded(&sysfs.path().join("nowhere")).is_empty());
        Ok(())
    }
}
