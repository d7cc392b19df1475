//! A swap and an undo.
//!
//! A swap first keeps every original, and records that. Only then it changes the tree: new
//! files are written to a directory of their own, and each replaces the old one in a
//! single call. So no program is ever missing or incomplete, and wherever a run ends, the
//! next swap or undo goes on from there.
//!
//! After the files of a tree were read, another program may bring a new original, such as
//! an upgrade of a headers package. Therefore a new file is exchanged with the old one, and
//! the old one must still be the file that was read.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use base::regular;

use crate::change::{Change, Watch};
use crate::directory::{Directory, Identity};
use crate::error::{Error, at};
use crate::exclude;
use crate::found_file::{self, Attributes, FileDigest, FoundFile, MAX_PROGRAM, Times};
use crate::group::{INSTALLED, KBUILD, MAKEFILE, RECORDS};
use crate::kept::{Lock, Manifest};
use crate::place::{Entry, FileOrigin, Place};

/// The directory for new files, in the directory of the programs.
const NEW: &str = ".kbuild-rs.new";
/// The record of the kernel whose originals ours behave like.
const KERNEL: &str = "kernel";
/// The mode of a record.
const TEXT: u32 = 0o644;

/// The files that a directory of programs gets.
#[derive(Debug)]
pub struct Replacements {
    /// The directory with our programs for the machine.
    pub programs: PathBuf,
    /// The file for kbuild.
    pub kbuild: Vec<u8>,
    /// What was found of the kernel and its originals, to be recorded; `None` if nothing
    /// was compared.
    pub record: Option<Vec<u8>>,
}

impl Replacements {
    /// The digest of the original that was compared, by its name.
    fn compared(&self, name: &str) -> Option<FileDigest> {
        let record = self.record.as_deref().unwrap_or_default();
        let text = std::str::from_utf8(record).unwrap_or_default();
        text.lines().find_map(|line| {
            let (digest, original) = line.strip_prefix("original ")?.split_once(' ')?;
            (original == name).then(|| digest.parse().ok())?
        })
    }
}

/// A file that is ready to be put into a tree.
struct New<'a> {
    entry: &'a Entry,
    contents: Contents,
    attributes: Attributes,
    /// Whether it is an original, which gets everything that was kept of it.
    is_original: bool,
}

enum Contents {
    Bytes(Vec<u8>),
    Kept(File),
}

fn lock_of(place: &Place) -> Result<&Lock, Error> {
    place.lock.as_ref().ok_or_else(|| Error::refused(place.path(), "is not locked"))
}

/// Puts ours into directories of programs, each with what it gets.
///
/// # Errors
/// It returns the first error. Originals that were replaced until then are kept.
pub fn swap(places: &[Place], given: &[Replacements], watch: &mut Watch<'_>) -> Result<(), Error> {
    let mut manifests = Vec::new();
    for (place, given) in places.iter().zip(given) {
        manifests.push(keep(place, given, watch)?);
    }
    for ((place, given), manifest) in places.iter().zip(given).zip(&manifests) {
        let done = put(place, given, watch);
        tidy(place, done, manifest.times, watch)?;
    }
    exclude::update_all(places, true, watch)
}

/// Keeps the originals of a directory, and records which files it will get.
fn keep(place: &Place, given: &Replacements, watch: &mut Watch<'_>) -> Result<Manifest, Error> {
    let (lock, directory) = (lock_of(place)?, &place.directory);
    let metadata = at(place.path(), directory.metadata())?;
    let mut manifest = Manifest::new(place.path(), Times::of(&metadata));
    if let Some(known) = &place.manifest {
        manifest.installed.clone_from(&known.installed);
        if !place.entries.iter().any(|entry| place.is_new(entry)) {
            // An earlier swap has changed the directory since.
            manifest.times = known.times;
        }
    }
    for entry in place.entries.iter().filter(|entry| entry.ours.is_some()) {
        match &entry.found {
            Some(found) if entry.origin == FileOrigin::Original => {
                // It is the one that was compared with ours.
                if given.compared(entry.name).is_some_and(|digest| digest != found.digest) {
                    return Err(Error::Changed(directory.join(entry.name)));
                }
                manifest.originals.push(lock.keep(directory, entry.name, found, watch)?);
            }
            _ => manifest.originals.extend(place.kept(entry).cloned()),
        }
    }
    manifest.installed.extend(ours_in(place, given)?.into_iter().map(|(digest, _)| digest));
    lock.record(&manifest, watch)?;
    Ok(manifest)
}

/// The digests and names of all our files that a directory can have now: those that a swap
/// puts there, and those that its Kbuild copies.
fn ours_in(place: &Place, given: &Replacements) -> Result<Vec<(FileDigest, &'static str)>, Error> {
    let mut files = Vec::new();
    for name in place.group.ours {
        let path = given.programs.join(name);
        files.push((FileDigest::of(&at(&path, regular::read(&path, MAX_PROGRAM))?), *name));
    }
    if place.has_kbuild() {
        files.push((FileDigest::of(&given.kbuild), KBUILD));
    }
    Ok(files)
}

/// The files that a directory gets, and their contents.
fn wanted<'a>(place: &'a Place, given: &Replacements) -> Result<Vec<(&'a Entry, Vec<u8>)>, Error> {
    let mut files = Vec::new();
    for entry in &place.entries {
        let contents = match entry.ours {
            None => given.kbuild.clone(),
            Some(_) if entry.found.is_none() => continue,
            Some(ours) => {
                let ours = given.programs.join(ours);
                at(&ours, regular::read(&ours, MAX_PROGRAM))?
            }
        };
        files.push((entry, contents));
    }
    Ok(files)
}

/// Puts ours into a directory.
fn put(place: &Place, given: &Replacements, watch: &mut Watch<'_>) -> Result<(), Error> {
    let directory = &place.directory;
    let mut files = Vec::new();
    for (entry, contents) in wanted(place, given)? {
        let attributes = match &entry.found {
            // Our programs get what the original has, so that nothing is rebuilt.
            Some(found) if entry.ours.is_some() => found.attributes.clone(),
            _ => attributes_of(directory, MAKEFILE)?,
        };
        files.push(New { entry, contents: Contents::Bytes(contents), attributes, is_original: false });
    }
    let new = prepare(place, &files, watch)?;
    record(place, given, watch)?;
    files.iter().try_for_each(|file| replace(directory, &new, file.entry, watch))?;
    at(place.path(), directory.sync())
}

fn attributes_of(directory: &Directory, name: &str) -> Result<Attributes, Error> {
    let path = directory.join(name);
    let missing = || Error::Io(path.clone(), ErrorKind::NotFound.into());
    let file = at(&path, directory.open_file(name))?.ok_or_else(missing)?;
    at(&path, file.metadata().and_then(|metadata| Attributes::of(&file, &metadata)))
}

/// Writes new files to a directory of their own.
fn prepare(place: &Place, files: &[New<'_>], watch: &mut Watch<'_>) -> Result<Directory, Error> {
    let directory = &place.directory;
    let path = directory.join(NEW);
    // An earlier run may have left one.
    at(&path, directory.remove(NEW))?;
    watch(&Change::Prepare(path.clone()))?;
    let new = at(&path, directory.make(NEW))?;
    for file in files {
        let path = new.join(file.entry.name);
        watch(&Change::Prepare(path.clone()))?;
        let mut to = at(&path, new.create(file.entry.name))?;
        match &file.contents {
            Contents::Bytes(bytes) => at(&path, to.write_all(bytes))?,
            Contents::Kept(kept) => at(&path, found_file::copy(kept, &mut to, MAX_PROGRAM).map(drop))?,
        }
        let (attributes, is_original) = (&file.attributes, file.is_original);
        at(&path, if is_original { attributes.restore(&to) } else { attributes.give(&to) })?;
        at(&path, to.sync_all())?;
    }
    at(&path, new.sync())?;
    Ok(new)
}

/// Writes which files are ours and what was found of the kernel, or removes what an earlier
/// swap has found of it.
fn record(place: &Place, given: &Replacements, watch: &mut Watch<'_>) -> Result<(), Error> {
    let path = place.directory.join(RECORDS);
    watch(&Change::Record(path.join(KERNEL)))?;
    let records = match place.directory.make(RECORDS) {
        Ok(records) => {
            // Whoever builds with the tree reads it.
            at(&path, records.set_mode(0o755))?;
            records
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => at(&path, place.directory.child(RECORDS))?,
        Err(error) => return Err(Error::Io(path, error)),
    };
    let lines = ours_in(place, given)?.into_iter().map(|(digest, name)| format!("{digest} {name}\n"));
    at(&path, records.write(INSTALLED, "installed.new", lines.collect::<String>().as_bytes(), TEXT))?;
    at(
        &path,
        match &given.record {
            Some(record) => records.write(KERNEL, "kernel.new", record, TEXT),
            None => records.remove(KERNEL),
        },
    )
}

/// Puts a prepared file into its directory, in place of the one that was found.
fn replace(directory: &Directory, new: &Directory, entry: &Entry, watch: &mut Watch<'_>) -> Result<(), Error> {
    let (name, path) = (entry.name, directory.join(entry.name));
    watch(&Change::Replace(path.clone()))?;
    let changed = || Error::Changed(path.clone());
    let Some(found) = &entry.found else {
        return match new.rename_to_new(name, directory, name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(changed()),
            renamed => at(&path, renamed),
        };
    };
    if !at(&path, found.is_still(directory, name))? {
        return Err(changed());
    }
    if !at(&path, new.exchange(name, directory, name))? {
        // Without an exchange, nothing more can be done than to have looked just before.
        return at(&path, new.rename(name, directory, name));
    }
    if !at(&path, found.is_still(new, name))? {
        // It was replaced since the look. It goes back.
        at(&path, new.exchange(name, directory, name))?;
        return Err(changed());
    }
    Ok(())
}

/// Removes what was prepared, whether or not all was done, and gives the directory its
/// times.
fn tidy(place: &Place, done: Result<(), Error>, times: Times, watch: &mut Watch<'_>) -> Result<(), Error> {
    if matches!(done, Err(Error::Interrupted)) {
        return done;
    }
    let directory = &place.directory;
    let (new, path) = (directory.join(NEW), place.path());
    let tidied = watch(&Change::Remove(new.clone())).and_then(|()| at(&new, directory.remove(NEW)));
    if matches!(tidied, Err(Error::Interrupted)) {
        return tidied;
    }
    let dated = watch(&Change::Date(path.to_owned())).and_then(|()| at(path, directory.set_times(&times.stamps())));
    done.and(tidied).and(dated)
}

/// Takes ours out of directories of programs.
///
/// # Errors
/// It returns the first error. Originals that are not in the tree again are still kept.
pub fn undo(places: &[Place], watch: &mut Watch<'_>) -> Result<(), Error> {
    for place in places.iter().filter(|place| place.is_touched()) {
        let times = times_after(place)?;
        let done = take_out(place, watch);
        tidy(place, done, times, watch)?;
        at(place.path(), place.directory.sync())?;
        lock_of(place)?.forget(watch)?;
    }
    exclude::update_all(places, false, watch)
}

/// The times that a directory has after an undo: those before the swap, unless new
/// originals came since.
fn times_after(place: &Place) -> Result<Times, Error> {
    let now = Times::of(&at(place.path(), place.directory.metadata())?);
    let has_new = place.entries.iter().any(|entry| place.is_new(entry));
    Ok(place.manifest.as_ref().filter(|_| !has_new).map_or(now, |manifest| manifest.times))
}

fn take_out(place: &Place, watch: &mut Watch<'_>) -> Result<(), Error> {
    let (lock, directory) = (lock_of(place)?, &place.directory);
    let mut files = Vec::new();
    for entry in place.entries.iter().filter(|entry| entry.origin != FileOrigin::Original) {
        if let Some(kept) = place.kept(entry) {
            let contents = Contents::Kept(lock.verify(kept)?);
            files.push(New { entry, contents, attributes: kept.attributes.clone(), is_original: true });
        }
    }
    let new = prepare(place, &files, watch)?;
    files.iter().try_for_each(|file| replace(directory, &new, file.entry, watch))?;
    let is_rest = |entry: &&Entry| entry.origin == FileOrigin::Ours && place.kept(entry).is_none();
    for entry in place.entries.iter().filter(is_rest) {
        remove(directory, &new, entry.name, entry.found.as_ref(), watch)?;
    }
    let path = directory.join(RECORDS);
    watch(&Change::Remove(path.clone()))?;
    at(&path, directory.remove(RECORDS))?;
    at(place.path(), directory.sync())
}

/// Removes a file of ours, if it is still the one that was found.
fn remove(
    directory: &Directory,
    new: &Directory,
    name: &str,
    found: Option<&FoundFile>,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    let path = directory.join(name);
    watch(&Change::Remove(path.clone()))?;
    // The file is renamed first and checked afterwards, so that a new file is not removed.
    at(&path, directory.rename(name, new, name))?;
    let taken = at(&path, new.metadata_of(name))?.map(|metadata| Identity::of(&metadata));
    if taken != found.map(|found| found.identity) {
        at(&path, new.rename_to_new(name, directory, name))?;
        return Err(Error::Changed(path));
    }
    Ok(())
}
