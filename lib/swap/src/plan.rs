//! The steps of a swap and of an undo.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Error, at};
use crate::exclude;
use crate::place::{Is, KBUILD, KEPT, Place, RECORDS, TIME};
use crate::step::Step;

/// The name of a record.
const KERNEL: &str = "kernel";

/// The steps of a swap or of an undo.
#[derive(Debug, Default)]
pub struct Plan {
    /// What changes nothing that is used.
    prepare: Vec<Step>,
    /// What does.
    commit: Vec<Step>,
    /// What removes what was prepared, however far it went.
    tidy: Vec<Step>,
}

/// What a place gets.
#[derive(Debug)]
pub struct Given {
    /// The directory with our programs for the machine.
    pub programs: PathBuf,
    /// The file for kbuild.
    pub kbuild: Vec<u8>,
    /// What was proved, to be recorded; nothing if there was no proof.
    pub record: Option<Vec<u8>>,
}

/// The same path with more at its end.
fn with(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

impl Plan {
    /// Puts ours into places, each with what it gets.
    ///
    /// # Errors
    /// If a file can't be read.
    pub fn swap(places: &[Place], given: &[Given]) -> Result<Self, Error> {
        let mut plan = Self::default();
        for (place, given) in places.iter().zip(given) {
            plan.add_swap(place, given)?;
        }
        plan.commit.extend(exclude::steps(places, true));
        Ok(plan)
    }

    /// Takes ours out of places.
    ///
    /// # Errors
    /// If a file can't be read.
    pub fn undo(places: &[Place]) -> Result<Self, Error> {
        let mut plan = Self::default();
        for place in places {
            plan.add_undo(place)?;
        }
        plan.commit.extend(exclude::steps(places, false));
        Ok(plan)
    }

    fn add_swap(&mut self, place: &Place, given: &Given) -> Result<(), Error> {
        if place.is_of_0_1_0() {
            return Err(Error::refused(&place.dir, "was swapped by version 0.1.0: run kbuild-rs-swap --undo first"));
        }
        let (dir, kept) = (&place.dir, &place.kept);
        let (new, new_kept, records) = (dir.join(".kbuild-rs.new"), with(kept, ".new"), dir.join(RECORDS));
        let time = modified(dir)?;
        // An earlier run may have left them.
        self.prepare.extend([Step::Remove(new.clone()), Step::Remove(new_kept.clone())]);
        self.prepare.extend([Step::MakeDirectory(new_kept.clone()), Step::MakeDirectory(new.join(RECORDS))]);
        let stamp = new_kept.join(TIME);
        self.prepare.extend([Step::Write(stamp.clone(), Vec::new()), Step::Date(stamp, time)]);
        if !place.is_swapped {
            self.commit.push(Step::Rename(new_kept.clone(), kept.clone()));
        }
        let mut replacements = vec![Step::MakeDirectory(records.clone())];
        if let Some(record) = &given.record {
            let path = new.join(RECORDS).join(KERNEL);
            self.prepare.push(Step::Write(path.clone(), record.clone()));
            replacements.push(Step::Rename(path, records.join(KERNEL)));
        } else {
            replacements.push(Step::Remove(records.join(KERNEL)));
        }
        for entry in &place.entries {
            let path = dir.join(entry.name);
            let (like, contents) = match entry.ours {
                None => (dir.join("Makefile"), given.kbuild.clone()),
                Some(_) if entry.is == Is::Missing => continue,
                Some(ours) => {
                    if entry.is == Is::Theirs {
                        let copy = new_kept.join(entry.name);
                        self.prepare.push(Step::Copy(path.clone(), copy.clone()));
                        if place.is_swapped {
                            self.commit.push(Step::Rename(copy, kept.join(entry.name)));
                        }
                    }
                    let ours = given.programs.join(ours);
                    (path.clone(), at(&ours, fs::read(&ours))?)
                }
            };
            let ready = new.join(entry.name);
            self.prepare.push(Step::WriteLike { like, contents, path: ready.clone() });
            replacements.push(Step::Rename(ready, path));
        }
        self.commit.extend(replacements);
        self.add_tidying(place, new, new_kept, time);
        Ok(())
    }

    /// Removes what was prepared, and the directories of the state that are empty then.
    fn add_tidying(&mut self, place: &Place, new: PathBuf, new_kept: PathBuf, time: SystemTime) {
        self.tidy.extend([Step::Remove(new), Step::Remove(new_kept)]);
        if let Some(parent) = place.kept.parent() {
            self.tidy.push(Step::Prune(parent.to_owned(), place.state.join(KEPT)));
        }
        self.tidy.push(Step::Date(place.dir.clone(), time));
    }

    fn add_undo(&mut self, place: &Place) -> Result<(), Error> {
        let (dir, kept) = (&place.dir, &place.kept);
        let (new, old, records) = (dir.join(".kbuild-rs.new"), with(kept, ".new"), dir.join(RECORDS));
        let time = modified(&kept.join(TIME)).or_else(|_| modified(dir))?;
        self.prepare.extend([Step::Remove(new.clone()), Step::Remove(old.clone())]);
        if place.is_touched() {
            self.prepare.push(Step::MakeDirectory(new.clone()));
            if place.is_of_0_1_0() && kept.join("Makefile").exists() {
                // It replaced the Makefile.
                self.commit.push(Step::Rename(kept.join("Makefile"), dir.join("Makefile")));
            }
            for entry in &place.entries {
                let (path, ready) = (dir.join(entry.name), new.join(entry.name));
                if entry.is_kept && entry.is != Is::Theirs {
                    self.prepare.push(Step::Copy(kept.join(entry.name), ready.clone()));
                    self.commit.push(Step::Rename(ready, path));
                } else if entry.is == Is::Ours {
                    self.commit.push(Step::Remove(path));
                }
            }
            if !place.is_of_0_1_0() {
                self.commit.push(Step::Remove(records));
            }
            if place.is_swapped {
                // In one step, so that no part of it is ever mistaken for the whole.
                self.commit.extend([Step::Remove(old.clone()), Step::Rename(kept.clone(), old.clone())]);
            }
        }
        self.add_tidying(place, new, old, time);
        Ok(())
    }

    /// All its steps, in their order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.prepare.iter().chain(&self.commit).chain(&self.tidy)
    }

    /// Takes them. If one can't be taken, what was prepared is removed all the same.
    ///
    /// # Errors
    /// What kept the first from being taken that couldn't be.
    pub fn run(&self) -> Result<(), Error> {
        let done = self.prepare.iter().chain(&self.commit).try_for_each(Step::take);
        let tidied = self.tidy.iter().map(Step::take).fold(Ok(()), Result::and);
        done.and(tidied)
    }
}

fn modified(path: &Path) -> Result<SystemTime, Error> {
    at(path, path.metadata().and_then(|metadata| metadata.modified()))
}

/// The text of the file for kbuild, which copies the programs of a directory.
///
/// # Errors
/// If it can't be read.
pub fn kbuild_of(from: &Path) -> Result<Vec<u8>, Error> {
    let path = from.join(KBUILD);
    let text = at(&path, fs::read_to_string(&path))?;
    let assignment = "KBUILD_RS ?=";
    let line = |line: &str| match line.strip_prefix(assignment) {
        Some(_) => format!("{assignment} {}\n", from.display()),
        None => format!("{line}\n"),
    };
    Ok(text.lines().map(line).collect::<String>().into_bytes())
}
