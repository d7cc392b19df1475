//! One tree after another.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use base::regular;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use swap::change::Change;
use swap::group::{GROUPS, Group};
use swap::kept::State;
use swap::machine::{self, Machine};
use swap::ours::Ours;
use swap::owner::Owner;
use swap::place::{self, Place, Purpose};
use swap::replace::{self, Replacements};
use swap::{Error, trees};
use tempfile::TempDir;
use walkdir::WalkDir;

use crate::delegate;
use crate::report::{Outcome, Report};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Swap,
    Undo,
    Check,
    Status,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) what: What,
    /// The directory with our programs.
    pub(crate) from: PathBuf,
    /// The store of the originals.
    pub(crate) state: State,
    /// Whether the command line names the state.
    pub(crate) is_state_given: bool,
    /// The groups of programs that are meant; all, if none are named.
    pub(crate) only: Option<Vec<String>>,
    /// The machine that builds with the tree.
    pub(crate) host: Option<&'static Machine>,
    pub(crate) kernel: Option<OsString>,
    pub(crate) is_forced: bool,
}

/// No configuration of a kernel is larger, in bytes.
const MAX_CONFIGURATION: u64 = 16 << 20;
/// No record of a comparison is larger, in bytes.
const MAX_RECORD: u64 = 1 << 20;

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    move |error| Error::Io(path.to_owned(), error)
}

impl Options {
    fn wants(&self, group: &Group) -> bool {
        self.only.as_ref().is_none_or(|names| names.iter().any(|name| name == group.directory))
    }

    /// Whether a tree must have the programs of a group.
    fn needs(&self, group: &Group) -> bool {
        self.wants(group) && (self.only.is_some() || group.directory == GROUPS[0].directory)
    }

    fn purpose(&self) -> Purpose {
        if matches!(self.what, What::Swap | What::Undo) { Purpose::Change } else { Purpose::Look }
    }

    /// Our programs.
    fn ours(&self) -> Result<Ours, Error> {
        let names: Vec<_> = GROUPS.iter().flat_map(|group| group.ours).copied().collect();
        Ours::in_directory(&self.from, &names)
    }

    fn places(&self, tree: &Path, ours: &Ours, report: &mut Report<'_, '_>) -> Result<Vec<Place>, Error> {
        let mut places = Vec::new();
        let mut watch = |change: &Change| {
            report.streams.explain(&change.to_string());
            Ok(())
        };
        for group in GROUPS.iter().filter(|group| self.wants(group)) {
            places.extend(Place::find(tree, group, &self.state, ours, self.purpose(), &mut watch)?);
        }
        Ok(places)
    }
}

/// Does what is to be done with all installed headers and all trees that were swapped, as
/// far as they have programs that are meant. Root leaves out those that others can change,
/// and says so. Returns whether everything was done.
pub(crate) fn all(root: &Path, options: &Options, report: &mut Report<'_, '_>) -> Result<bool, Error> {
    let mut all = true;
    for found in trees::all(root, &options.state)? {
        let has = |group: &&Group| found.join("scripts").join(group.directory).is_dir();
        if !GROUPS.iter().any(|group| options.needs(group) && has(&group)) {
            continue;
        }
        let done = match delegate::owner_of(&found) {
            Ok(Owner::Root) => one(&found, options, report, true),
            Ok(Owner::User(user)) => {
                report.left_out(&found, &format!("belongs to {user}: kbuild-rs-swap must be given its path"));
                Ok(true)
            }
            Err(error @ Error::Refused(..)) => {
                report.left_out(&found, &error.to_string());
                Ok(true)
            }
            Err(error) => Err(error),
        };
        // One after the other, whatever becomes of each.
        all &= done.unwrap_or_else(|error| {
            report.complain(&error.to_string());
            false
        });
    }
    Ok(all)
}

/// Does what is to be done in a tree: with root's rights if it is root's, with its owner's
/// if it is another user's. Returns whether everything was done.
pub(crate) fn tree(tree: &Path, options: &Options, report: &mut Report<'_, '_>) -> Result<bool, Error> {
    if !fs::metadata(tree).map_err(io(tree))?.is_dir() {
        return Err(Error::refused(tree, "is not a directory"));
    }
    match delegate::owner_of(tree)? {
        Owner::Root => one(tree, options, report, false),
        Owner::User(user) => {
            for group in GROUPS.iter().filter(|group| options.wants(group)) {
                let directory = fs::canonicalize(tree.join("scripts").join(group.directory)).ok();
                let kept = directory.and_then(|directory| place::kept_at(&options.state, &directory));
                if let Some(kept) = kept {
                    report.notice(&format!(
                        "{}: originals that an earlier swap by root has replaced are kept here, and stay here",
                        kept.display()
                    ));
                }
            }
            delegate::run_as(&user, tree, options, report)
        }
    }
}

/// Does what is to be done in a tree with the rights that this process has. Returns
/// whether ours behaves like the originals, for a check.
fn one(tree: &Path, options: &Options, report: &mut Report<'_, '_>, is_one_of_all: bool) -> Result<bool, Error> {
    let ours = options.ours()?;
    let places = options.places(tree, &ours, report)?;
    for group in GROUPS.iter().filter(|group| options.needs(group)) {
        let (dir, tool) = (group.directory, group.tool);
        if places.iter().any(|place| place.group.directory == dir) {
            continue;
        } else if is_one_of_all {
            return Ok(true);
        } else if !tree.join("scripts").join(dir).is_dir() {
            return Err(Error::refused(tree, format!("not a kernel: it has no scripts/{dir}")));
        }
        return Err(Error::refused(tree, format!("not a kernel: scripts/{dir} has neither {tool} nor its source")));
    }
    match options.what {
        What::Status => places.iter().for_each(|place| report.status(place)),
        What::Check => {
            check_programs(&places, options)?;
            // Each is judged, whatever was found of the others.
            let mut judge = |place: &Place| {
                let (is_same, proof) = prove(tree, place, options, None, report)?;
                let outcome = if is_same { Outcome::Same } else { Outcome::Different };
                report.outcome(place, outcome, &proof, None);
                Ok(is_same)
            };
            let judged: Vec<_> = places.iter().map(&mut judge).collect();
            return judged.into_iter().try_fold(true, |all, one: Result<bool, Error>| one.map(|one| all && one));
        }
        What::Undo => undo(&places, report)?,
        What::Swap => swap(tree, &places, &ours, options, report)?,
    }
    Ok(true)
}

/// Changes files while signals are kept back, so that a run that was told to end either
/// has changed nothing or has done everything.
fn without_interruption(
    report: &mut Report<'_, '_>,
    work: impl FnOnce(&mut dyn FnMut(&Change) -> Result<(), Error>) -> Result<(), Error>,
) -> Result<(), Error> {
    let signals: SigSet = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
    let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(std::io::Error::from);
    let before = before.map_err(io(Path::new("signals")))?;
    let done = work(&mut |change| {
        report.streams.explain(&change.to_string());
        Ok(())
    });
    let _ = before.thread_set_mask();
    done
}

fn undo(places: &[Place], report: &mut Report<'_, '_>) -> Result<(), Error> {
    // What was never swapped isn't ours to judge.
    for place in places.iter().filter(|place| place.is_touched()) {
        place.check_undo()?;
    }
    without_interruption(report, |watch| replace::undo(places, watch))?;
    for place in places {
        let (outcome, line) = if place.is_touched() {
            (Outcome::Undone, "has its originals again")
        } else {
            (Outcome::Original, "has its originals")
        };
        report.outcome(place, outcome, &[], Some(line));
    }
    Ok(())
}

/// Whether our programs are there for these directories.
fn check_programs(places: &[Place], options: &Options) -> Result<(), Error> {
    let from = &options.from;
    let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./+@:,=~-".contains(byte);
    if !from.as_os_str().as_encoded_bytes().iter().all(is_safe) {
        return Err(Error::refused(from, "contains characters that are unsafe in a Makefile"));
    }
    let beside = ["Kbuild", "kbuild-rs-prove", "cases.tar.zst"];
    for name in places.iter().flat_map(|place| place.group.ours).chain(&beside) {
        if !from.join(name).exists() {
            return Err(Error::refused(from.join(name), "is missing"));
        }
    }
    Ok(())
}

/// The originals of a directory under their own names, as links to where they are.
fn linked(place: &Place, state: &State) -> Result<TempDir, Error> {
    let links = tempfile::tempdir().map_err(io(&std::env::temp_dir()))?;
    for (name, path) in place.originals(state) {
        let link = links.path().join(name);
        symlink(&path, &link).map_err(io(&link))?;
    }
    Ok(links)
}

/// Compares ours with the originals of a directory, and says what it found; writes what is
/// to be recorded to a file, if one is named. Returns whether they behave alike, and the
/// lines that said so, if these weren't shown.
fn prove(
    tree: &Path,
    place: &Place,
    options: &Options,
    record: Option<&Path>,
    report: &mut Report<'_, '_>,
) -> Result<(bool, Vec<String>), Error> {
    let program = options.from.join("kbuild-rs-prove");
    let links = linked(place, &options.state)?;
    let mut prover = Command::new(&program);
    prover.args(["--tool", place.group.tool, "--from"]).arg(&options.from);
    prover.arg("--scripts").arg(place.path()).arg("--originals").arg(links.path());
    if let Some(kernel) = &options.kernel {
        prover.arg("--kernel").arg(kernel);
    }
    if let Some(record) = record {
        prover.arg("--record").arg(record);
    }
    let (status, lines) = report.run(prover.arg("--").arg(tree)).map_err(io(&program))?;
    Ok((status.success(), lines))
}

/// The machine that builds with a tree. What runs here isn't necessarily what is to run
/// there. Headers for this machine that have another's programs, as cross-built kernels
/// do, get this one's: then it says so, and returns true.
fn host(
    tree: &Path,
    places: &[Place],
    native: &'static Machine,
    options: &Options,
    report: &mut Report<'_, '_>,
) -> Result<(&'static Machine, bool), Error> {
    if let Some(host) = options.host {
        return Ok((host, false));
    }
    for place in places {
        let Some((program, theirs)) = place.original() else { continue };
        if theirs == native {
            return Ok((native, false));
        }
        let says = format!("is for {}, and this machine is {}", theirs.name, native.name);
        let is_set = format!("{}=y", native.option);
        let configurations = ["include/config/auto.conf", ".config"].map(|name| tree.join(name));
        let texts = configurations.iter().filter_map(|path| regular::read(path, MAX_CONFIGURATION).ok());
        let mut texts = texts.map(|text| String::from_utf8_lossy(&text).into_owned());
        if texts.any(|text| text.lines().any(|line| line == is_set)) {
            report.note(&format!("{}: {says}", program.display()));
            return Ok((native, true));
        }
        return Err(Error::refused(program, format!("{says}: --host says where ours is to run")));
    }
    Ok((native, false))
}

fn swap(
    tree: &Path,
    places: &[Place],
    ours: &Ours,
    options: &Options,
    report: &mut Report<'_, '_>,
) -> Result<(), Error> {
    check_programs(places, options)?;
    places.iter().try_for_each(Place::check_swap)?;
    let modpost = options.from.join(GROUPS[0].ours[0]);
    let native =
        machine::of(&modpost).map_err(io(&modpost))?.ok_or_else(|| Error::refused(&modpost, "is not a program"))?;
    let (host, is_mended) = host(tree, places, native, options, report)?;
    let programs = if host == native { options.from.clone() } else { options.from.join(host.name) };
    for name in places.iter().flat_map(|place| place.group.ours) {
        if machine::of(&programs.join(name)).ok().flatten() != Some(host) {
            return Err(Error::refused(programs.join(name), format!("is missing, or not for {}", host.name)));
        }
    }
    let kbuild = ours.kbuild()?;
    let (mut given, mut proofs) = (Vec::new(), Vec::new());
    for place in places {
        let dir = tempfile::tempdir().map_err(io(&std::env::temp_dir()))?;
        let record = dir.path().join("record");
        let (is_same, proof) = prove(tree, place, options, Some(&record), report)?;
        proofs.push(proof);
        match (is_same, options.is_forced) {
            (true, _) => {}
            (false, true) => report.complain(&format!(
                "{}: swapped although kbuild-rs could not be verified to behave like the original (--force)",
                place.path().display()
            )),
            (false, false) => {
                let why = "not swapped: could not verify that kbuild-rs behaves like the original (--force overrides)";
                return Err(Error::refused(place.path(), why));
            }
        }
        let record = regular::read(&record, MAX_RECORD).ok();
        given.push(Replacements { programs: programs.clone(), kbuild: kbuild.clone(), record });
    }
    without_interruption(report, |watch| replace::swap(places, &given, watch))?;
    if is_mended {
        name_others(tree, host, report);
    }
    let line = format!("uses kbuild-rs of {}", programs.display());
    for (place, proof) in places.iter().zip(&proofs) {
        report.outcome(place, Outcome::Swapped, proof, Some(&line));
    }
    Ok(())
}

/// Names the other programs that a build calls and that can't run on a machine.
fn name_others(tree: &Path, host: &Machine, report: &mut Report<'_, '_>) {
    for dir in ["scripts", "tools"] {
        let Ok(dir) = fs::canonicalize(tree.join(dir)) else { continue };
        for entry in WalkDir::new(dir).sort_by_file_name().into_iter().flatten() {
            let is_program =
                entry.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o100 != 0);
            match machine::of(entry.path()) {
                Ok(Some(theirs)) if is_program && theirs != host => report.complain(&format!(
                    "{}: is for {}, too, and isn't replaced: what calls it fails",
                    entry.path().display(),
                    theirs.name
                )),
                _ => {}
            }
        }
    }
}
