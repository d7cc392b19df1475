//! Originals that version 0.2.0 has kept: those of `/DIR/scripts/mod` lie under their own
//! names in `STATE/kept/DIR/scripts/mod`, and a file `.time` there has the time of the
//! directory before the swap.

use std::path::{Path, PathBuf};

use memchr::memmem;

use crate::change::Watch;
use crate::directory::Directory;
use crate::error::{Error, at};
use crate::found_file::{FileDigest, FoundFile, MAX_PROGRAM, Times};
use crate::group::{Group, KBUILD, RECORDS};
use crate::kept::{Lock, Manifest, State};

/// The name of version 0.2.0's directory of originals in the state.
const KEPT: &str = "kept";
const TIME: &str = ".time";
/// A text that every file of version 0.2.0 contains, and no original does.
const OURS: &[u8] = b"KBUILD_RS";

/// The path of the originals that version 0.2.0 keeps of a directory.
pub(crate) fn path_of(state: &State, place: &Path) -> PathBuf {
    state.path().join(KEPT).join(place.strip_prefix("/").unwrap_or(place))
}

/// Whether version 0.2.0 keeps originals of a directory.
///
/// # Errors
/// The system's error, if the state can't be read.
pub(crate) fn is_due(state: &State, place: &Path) -> Result<bool, Error> {
    let path = path_of(state, place);
    match state.open(&path)? {
        Some(old) => Ok(at(&path, old.metadata_of(TIME))?.is_some()),
        None => Ok(false),
    }
}

/// Lists the directories of programs whose originals version 0.2.0 keeps.
#[must_use]
pub(crate) fn directories(state: &State) -> Vec<PathBuf> {
    let kept = state.path().join(KEPT);
    let entries = walkdir::WalkDir::new(&kept).sort_by_file_name().into_iter().flatten();
    let times = entries.filter(|entry| entry.file_name() == TIME);
    let place = |entry: walkdir::DirEntry| Some(Path::new("/").join(entry.path().parent()?.strip_prefix(&kept).ok()?));
    times.filter_map(place).collect()
}

/// Brings originals that version 0.2.0 keeps to where this version keeps them.
///
/// # Errors
/// If one isn't what that version's swap recorded, or can't be kept.
pub(crate) fn adopt(
    state: &State,
    lock: &Lock,
    place: &Directory,
    group: &Group,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    let path = path_of(state, place.path());
    let Some(old) = state.open(&path)? else { return Ok(()) };
    let Some(time) = at(&path, old.metadata_of(TIME))? else { return Ok(()) };
    let modified = Times::of(&time).modified;
    let mut manifest = Manifest::new(place.path(), Times { accessed: modified, modified });
    let record = at(place.path(), recorded(place))?;
    for name in group.names() {
        let Some(found) = at(&old.join(name), FoundFile::find(&old, name))? else { continue };
        let line = |line: &&str| line.split(' ').next_back() == Some(name) && line.starts_with("original ");
        if let Some(line) = record.lines().find(line) {
            if line.split(' ').nth(1) != Some(found.digest.to_string().as_str()) {
                let why = "is not the original that version 0.2.0 has replaced: nothing is changed";
                return Err(Error::refused(old.join(name), why));
            }
        }
        manifest.originals.push(lock.keep(&old, name, &found, watch)?);
    }
    for name in group.names().chain([KBUILD]) {
        let contents = at(&place.join(name), place.read(name, MAX_PROGRAM))?;
        if let Some(contents) = contents.filter(|contents| memmem::find(contents, OURS).is_some()) {
            manifest.installed.insert(FileDigest::of(&contents));
        }
    }
    lock.record(&manifest, watch)?;
    remove(state, &path)
}

/// Reads the record that version 0.2.0 has left in the directory of the programs.
fn recorded(place: &Directory) -> std::io::Result<String> {
    let Some(metadata) = place.metadata_of(RECORDS)? else { return Ok(String::new()) };
    if !metadata.is_dir() {
        return Ok(String::new());
    }
    let text = place.child(RECORDS)?.read("kernel", MAX_PROGRAM)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Removes what was brought elsewhere, and the directories above it that are empty.
fn remove(state: &State, path: &Path) -> Result<(), Error> {
    if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
        if let Some(directory) = state.open(parent)? {
            at(path, directory.remove(name))?;
        }
    }
    let above = path.ancestors().skip(1).take_while(|dir| dir.starts_with(state.path().join(KEPT)));
    above.map_while(|dir| std::fs::remove_dir(dir).ok()).for_each(drop);
    Ok(())
}
