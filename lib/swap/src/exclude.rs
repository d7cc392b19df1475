//! Files that git doesn't show: a clone has a list for what only it has, `info/exclude`
//! (gitignore(5), gitrepository-layout(5)).
//!
//! git itself is not asked. It would be found by a path and read a configuration that the
//! clone's owner has written.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::change::{Change, Watch};
use crate::directory::Directory;
use crate::error::Error;
use crate::group::KBUILD;
use crate::owner;
use crate::place::Place;

const EXCLUDE: &str = "exclude";
/// The name of the new list until it is complete.
const TEMPORARY: &str = "exclude.kbuild-rs";
/// No list of patterns and no file of git's that names a directory is larger, in bytes.
const MAX_TEXT: u64 = 16 << 20;

/// Finds the clone that a directory is in. Returns the clone's `info` directory, which has
/// the list, and the path from the clone's top to the directory.
fn info(directory: &Path) -> io::Result<Option<(Directory, PathBuf)>> {
    for top in directory.ancestors() {
        let top = Directory::open(top)?;
        let Some(metadata) = top.metadata_of(".git")? else { continue };
        let git = if metadata.is_dir() {
            top.child(".git")?
        } else {
            // A worktree or submodule names its directory.
            let Some(path) = named(&top, ".git", b"gitdir: ")? else { return Ok(None) };
            Directory::open(&path)?
        };
        // Worktrees of one clone have one list.
        let common = match named(&git, "commondir", b"")? {
            Some(path) => Directory::open(&path)?,
            None => git,
        };
        let (info, ancestors) = Directory::walk(common.child("info")?.path())?;
        let is_safe = if rustix::process::geteuid().is_root() {
            owner::check_roots(&ancestors).is_ok()
        } else {
            info.metadata()?.uid() == rustix::process::geteuid().as_raw()
        };
        let below = directory.strip_prefix(top.path()).unwrap_or(Path::new("")).to_owned();
        return Ok(is_safe.then_some((info, below)));
    }
    Ok(None)
}

/// The path that a file of git's names, after these bytes.
fn named(directory: &Directory, name: &str, prefix: &[u8]) -> io::Result<Option<PathBuf>> {
    let Some(text) = directory.read(name, MAX_TEXT)? else { return Ok(None) };
    let line = text.strip_suffix(b"\n").unwrap_or(&text);
    Ok(line.strip_prefix(prefix).map(|path| directory.join(OsStr::from_bytes(path))))
}

/// The list with the pattern at its end, or without it.
fn changed(list: &[u8], pattern: &[u8], hide: bool) -> Vec<u8> {
    let is_others = |line: &&[u8]| *line != pattern && line.strip_suffix(b"\n") != Some(pattern);
    let mut after = list.split_inclusive(|&byte| byte == b'\n').filter(is_others).collect::<Vec<_>>().concat();
    if hide {
        if after.last().is_some_and(|&byte| byte != b'\n') {
            after.push(b'\n');
        }
        after.extend([pattern, b"\n"].concat());
    }
    after
}

fn update(place: &Place, hide: bool, watch: &mut Watch<'_>) -> Result<(), Error> {
    let Ok(Some((info, below))) = info(place.path()) else { return Ok(()) };
    let pattern = [b"/", below.as_os_str().as_bytes(), b"/", KBUILD.as_bytes()].concat();
    // A list that can't be read stays as it is.
    let Ok(before) = info.read(EXCLUDE, MAX_TEXT) else { return Ok(()) };
    let before = before.unwrap_or_default();
    let after = changed(&before, &pattern, hide);
    if after == before {
        return Ok(());
    }
    watch(&Change::Exclude(info.join(EXCLUDE)))?;
    let mode = info.metadata_of(EXCLUDE).ok().flatten().map_or(0o644, |metadata| metadata.mode() & 0o777);
    if info.write(EXCLUDE, TEMPORARY, &after, mode).is_err() {
        let _ = info.remove(TEMPORARY);
    }
    Ok(())
}

/// Has git hide the files for kbuild of these directories, or show them. A list that can't
/// be changed stays as it is, since no build depends on it.
pub(crate) fn update_all(places: &[Place], hide: bool, watch: &mut Watch<'_>) -> Result<(), Error> {
    places.iter().filter(|place| place.has_kbuild()).try_for_each(|place| update(place, hide, watch))
}

#[cfg(test)]
mod tests {
    use super::changed;

    #[test]
    fn lists_of_patterns() {
        assert_eq!(changed(b"", b"/a", true), b"/a\n");
        assert_eq!(changed(b"*.o", b"/a", true), b"*.o\n/a\n");
        assert_eq!(changed(b"/a\n*.o\n", b"/a", true), b"*.o\n/a\n");
        assert_eq!(changed(b"*.o\n/a", b"/a", false), b"*.o\n");
    }
}
