//! One tree after another.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use swap::machine::{self, Machine};
use swap::place::{self, GROUPS, Group, Place};
use swap::plan::{Given, Plan, kbuild_of};
use swap::{Error, trees};
use walkdir::WalkDir;

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
    pub(crate) state: PathBuf,
    /// The groups of programs that are meant; all, if none are named.
    pub(crate) only: Option<Vec<String>>,
    /// The machine that builds with the tree.
    pub(crate) host: Option<&'static Machine>,
    pub(crate) kernel: Option<OsString>,
    pub(crate) is_forced: bool,
}

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

    fn places(&self, tree: &Path) -> Result<Vec<Place>, Error> {
        let mut places = Vec::new();
        for group in GROUPS.iter().filter(|group| self.wants(group)) {
            places.extend(Place::find(tree, group, &self.state)?);
        }
        Ok(places)
    }
}

/// All installed headers and all trees that were swapped, as far as they have what is
/// meant.
pub(crate) fn all(root: &Path, options: &Options) -> Vec<PathBuf> {
    let mut all = trees::all(root, &options.state);
    // One that can't be read is kept, so that it is told of.
    let has = |tree: &Path, group| Place::find(tree, group, &options.state).map_or(true, |place| place.is_some());
    all.retain(|tree| GROUPS.iter().any(|group| options.needs(group) && has(tree, group)));
    all
}

/// Does what is to be done in a tree. Returns whether ours does the same there, for a
/// check.
pub(crate) fn tree(tree: &Path, options: &Options, report: &mut Report<'_, '_>) -> Result<bool, Error> {
    fs::metadata(tree).map_err(io(tree))?;
    let places = options.places(tree)?;
    for group in GROUPS.iter().filter(|group| options.needs(group)) {
        let (dir, tool) = (group.directory, group.tool);
        if !tree.join("scripts").join(dir).is_dir() {
            return Err(Error::refused(tree, format!("not a kernel: it has no scripts/{dir}")));
        } else if places.iter().all(|place| place.group.directory != dir) {
            return Err(Error::refused(tree, format!("not a kernel: scripts/{dir} has neither {tool} nor its source")));
        }
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
        What::Swap => swap(tree, &places, options, report)?,
    }
    Ok(true)
}

/// Keeps signals back, so that a run that was told to end either has changed nothing or
/// has done everything.
fn without_interruption(work: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    let signals: SigSet = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
    let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(std::io::Error::from);
    let before = before.map_err(io(Path::new("signals")))?;
    let done = work();
    let _ = before.thread_set_mask();
    done
}

fn undo(places: &[Place], report: &mut Report<'_, '_>) -> Result<(), Error> {
    // What was never swapped isn't ours to judge.
    for place in places.iter().filter(|place| place.is_touched()) {
        place.check_undo()?;
    }
    let plan = Plan::undo(places)?;
    plan.steps().for_each(|step| report.streams.explain(&step.to_string()));
    without_interruption(|| plan.run())?;
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

/// Whether our programs are there for these places.
fn check_programs(places: &[Place], options: &Options) -> Result<(), Error> {
    let from = &options.from;
    let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./+@:,=~-".contains(byte);
    if !from.as_os_str().as_encoded_bytes().iter().all(is_safe) {
        return Err(Error::refused(from, "contains characters that are unsafe in a Makefile"));
    }
    for name in places.iter().flat_map(|place| place.group.ours).chain(&["Kbuild"]) {
        match place::is_ours(&from.join(name)) {
            Ok(true) => {}
            Ok(false) => return Err(Error::refused(from.join(name), "is not of kbuild-rs")),
            Err(_) => return Err(Error::refused(from.join(name), "is missing")),
        }
    }
    for name in ["kbuild-rs-prove", "cases.tar.zst"] {
        if !from.join(name).exists() {
            return Err(Error::refused(from.join(name), "is missing"));
        }
    }
    Ok(())
}

/// Compares ours with what is in a place, and says what it found; writes what is to be
/// recorded to a file, if one is named. Returns whether they are the same, and the lines
/// that said so, if these weren't shown.
fn prove(
    tree: &Path,
    place: &Place,
    options: &Options,
    record: Option<&Path>,
    report: &mut Report<'_, '_>,
) -> Result<(bool, Vec<String>), Error> {
    let program = options.from.join("kbuild-rs-prove");
    let mut prover = Command::new(&program);
    prover.args(["--tool", place.group.tool, "--from"]).arg(&options.from);
    prover.arg("--scripts").arg(&place.dir).arg("--kept").arg(&place.kept);
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
        let Some((program, theirs)) = place.original()? else { continue };
        if theirs == native {
            return Ok((native, false));
        }
        let says = format!("is for {}, and this machine is {}", theirs.name, native.name);
        let is_set = format!("{}=y", native.option);
        let configurations = ["include/config/auto.conf", ".config"].map(|name| tree.join(name));
        let texts = configurations.iter().filter_map(|path| fs::read_to_string(path).ok());
        if texts.into_iter().any(|text| text.lines().any(|line| line == is_set)) {
            report.note(&format!("{}: {says}", program.display()));
            return Ok((native, true));
        }
        return Err(Error::refused(program, format!("{says}: --host says where ours is to run")));
    }
    Ok((native, false))
}

fn swap(tree: &Path, places: &[Place], options: &Options, report: &mut Report<'_, '_>) -> Result<(), Error> {
    check_programs(places, options)?;
    places.iter().try_for_each(Place::check_swap)?;
    let ours = options.from.join(GROUPS[0].ours[0]);
    let native = machine::of(&ours).map_err(io(&ours))?.ok_or_else(|| Error::refused(&ours, "is not a program"))?;
    let (host, is_mended) = host(tree, places, native, options, report)?;
    let programs = if host == native { options.from.clone() } else { options.from.join(host.name) };
    for name in places.iter().flat_map(|place| place.group.ours) {
        if machine::of(&programs.join(name)).ok().flatten() != Some(host) {
            return Err(Error::refused(programs.join(name), format!("is missing, or not for {}", host.name)));
        }
    }
    let kbuild = kbuild_of(&options.from)?;
    let (mut given, mut proofs) = (Vec::new(), Vec::new());
    for place in places {
        let dir = tempfile::tempdir().map_err(io(&std::env::temp_dir()))?;
        let record = dir.path().join("record");
        let (is_same, proof) = prove(tree, place, options, Some(&record), report)?;
        proofs.push(proof);
        match (is_same, options.is_forced) {
            (true, _) => {}
            (false, true) => report.complain(&format!(
                "{}: swapped all the same, as --force says: what is built there may differ",
                place.dir.display()
            )),
            (false, false) => {
                return Err(Error::refused(&place.dir, "nothing is changed: ours isn't proved to do the same there"));
            }
        }
        given.push(Given { programs: programs.clone(), kbuild: kbuild.clone(), record: fs::read(record).ok() });
    }
    fs::create_dir_all(&options.state).map_err(|error| Error::State(options.state.clone(), error))?;
    let plan = Plan::swap(places, &given)?;
    plan.steps().for_each(|step| report.streams.explain(&step.to_string()));
    without_interruption(|| plan.run())?;
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
