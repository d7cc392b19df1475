//! Modules built outside the kernel's tree, by kbuild, with the original and
//! with ours in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use kbuild_rs_debian::cache;

use crate::command::{self, copy};
use crate::observed::Observed;
use crate::original::{self, Tool};
use crate::run;
use crate::tally::Finding;

/// A build.
#[derive(Clone, Copy, Debug)]
pub struct External {
    /// What it is called.
    pub name: &'static str,
    /// The directory of its sources.
    pub directory: &'static str,
    /// The directory in it that make is told.
    pub below: &'static str,
    /// What else make is told; `@` is the directory of all builds.
    pub arguments: &'static [&'static str],
    /// Whether the original can build it.
    pub succeeds: bool,
    /// What the original says about it, without which the sources are wrong.
    pub says: &'static str,
}

impl External {
    /// What can be built without more ado.
    #[must_use]
    pub const fn new(directory: &'static str) -> Self {
        Self { name: directory, directory, below: "", arguments: &[], succeeds: true, says: "" }
    }

    /// Parallel jobs print in any order.
    fn is_ordered(&self) -> bool {
        !self.arguments.iter().any(|argument| argument.starts_with("-j"))
    }
}

/// Where things are built.
#[derive(Clone, Copy, Debug)]
pub struct Builder<'a> {
    /// The kernel's tree or headers.
    pub tree: &'a Path,
    /// The directory of all sources.
    pub sources: &'a Path,
    /// The directory to build in.
    pub beside: &'a Path,
    /// The modpost that make is told to call, if it is told one.
    pub modpost: Option<&'a str>,
    /// What else make is told.
    pub arguments: &'a [&'a str],
}

/// Where kbuild records how it called modpost.
pub const COMMAND: &str = ".Module.symvers.cmd";

/// What the original did.
#[derive(Debug)]
pub struct Builds<'a>(Vec<(&'a External, Observed)>);

impl Builder<'_> {
    /// Builds in a fresh copy of the sources.
    fn build(&self, case: &External) -> io::Result<Observed> {
        let dir = self.beside.join(case.directory);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(self.beside)?;
        copy(&self.sources.join(case.directory), &dir)?;
        let beside = self.beside.to_string_lossy();
        let output = Command::new("make")
            .arg("--no-print-directory")
            .arg(format!("M={}", dir.join(case.below).display()))
            .args(case.arguments.iter().map(|argument| argument.replace('@', &beside)))
            .args(self.arguments)
            .args(self.modpost.map(|modpost| format!("MODPOST={modpost}")))
            .current_dir(self.tree)
            .env("LC_ALL", "C")
            .env("SPATCH", Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/external/spatch"))
            .env_remove("MAKEFLAGS")
            .env_remove("KBUILD_RS_BIN")
            .output()?;
        let files = run::contents(&dir, |_| true)?;
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| {
            let mut lines: Vec<_> = text.split_inclusive(|&byte| byte == b'\n').collect();
            if !case.is_ordered() {
                lines.sort_unstable();
            }
            lines.concat()
        });
        Ok(Observed { status: Some(output.status), stdout, stderr, files })
    }

    /// Builds all, in order.
    ///
    /// # Errors
    /// If one can't be copied or make can't be run.
    pub fn all<'a>(&self, cases: &'a [External]) -> io::Result<Builds<'a>> {
        cases.iter().map(|case| Ok((case, self.build(case)?))).collect::<io::Result<_>>().map(Builds)
    }
}

impl Builds<'_> {
    /// Builds all again, and compares.
    ///
    /// # Errors
    /// If one can't be copied or make can't be run.
    pub fn compare(&self, builder: &Builder) -> io::Result<Vec<Finding>> {
        let compare = |(case, theirs): &(&External, Observed)| {
            let (mut theirs, mut ours) = (theirs.clone(), builder.build(case)?);
            if builder.modpost.is_some() {
                // Where it is called by another name, so says the record.
                for observed in [&mut theirs, &mut ours] {
                    observed.files.retain(|path, _| !path.ends_with(COMMAND));
                }
            }
            let mut report = theirs.differences(&ours).0;
            let stderr = String::from_utf8_lossy(&theirs.stderr);
            if theirs.status.is_some_and(|status| status.success()) != case.succeeds || !stderr.contains(case.says) {
                report += &format!("  the original ended with {:?}, saying:\n{stderr}\n", theirs.status);
            }
            let modules = theirs.files.keys().filter(|path| path.extension().is_some_and(|e| e == "ko")).count();
            if case.succeeds && modules == 0 {
                report += "  the original built no module\n";
            }
            Ok((format!("{}, {} files, {modules} modules", case.name, theirs.files.len()), report))
        };
        self.0.iter().map(compare).collect()
    }
}

/// Mode, time and contents of a file.
pub type State = (u32, (i64, i64), Vec<u8>);

/// The programs that swapping replaces, in a tree's `scripts`. Debian's modpost is several.
fn is_program(dir: &str, name: &str) -> bool {
    match dir {
        "mod" => ["modpost", "mk_elfconfig"].contains(&name) || name.starts_with("modpost.real-"),
        "basic" => name == "fixdep",
        _ => name == "genksyms",
    }
}

/// What swapping changes, and is to bring back: the programs, and the files that make
/// them, by their names in `scripts`.
///
/// # Errors
/// If they can't be read.
pub fn scripts(tree: &Path) -> io::Result<BTreeMap<String, State>> {
    let mut found = BTreeMap::new();
    for dir in Tool::ALL.map(Tool::directory) {
        let path = tree.join("scripts").join(dir);
        if !path.exists() {
            continue;
        }
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_program(dir, &name) || name == "Makefile" || name == "Kbuild" {
                let metadata = entry.metadata()?;
                let time = (metadata.mtime(), metadata.mtime_nsec());
                found.insert(format!("{dir}/{name}"), (metadata.mode(), time, fs::read(entry.path())?));
            }
        }
    }
    Ok(found)
}

/// kbuild-rs-swap, keeping originals where they are in nobody's way.
///
/// # Errors
/// If it hasn't been built, or there is no place for them.
pub fn swapper() -> io::Result<Command> {
    let mut swapper = Command::new(original::ours("kbuild-rs-swap")?.program);
    swapper.arg("--state").arg(cache::directory("state")?);
    Ok(swapper)
}

/// Puts programs of ours into a tree.
///
/// # Errors
/// If that can't be done.
pub fn swap_from(programs: &Path, tree: &Path) -> io::Result<()> {
    command::output(swapper()?.arg("--from").args([programs, tree])).map(drop)
}

/// Puts ours into a tree.
///
/// # Errors
/// If that can't be done.
pub fn swap(tree: &Path) -> io::Result<()> {
    let ours = original::ours("modpost")?.program;
    swap_from(ours.parent().unwrap_or(&ours), tree)
}

/// Takes ours out of a tree again.
///
/// # Errors
/// If that can't be done.
pub fn restore(tree: &Path, before: &BTreeMap<String, State>) -> io::Result<Finding> {
    command::output(swapper()?.arg("--undo").arg(tree))?;
    let after = scripts(tree)?;
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let mut report: String = changed.map(|name| format!("  {name}: isn't as it was\n")).collect();
    for dir in Tool::ALL.map(Tool::directory) {
        if tree.join("scripts").join(dir).join(".kbuild-rs").exists() {
            report += &format!("  {dir}/.kbuild-rs: is still there\n");
        }
    }
    Ok((format!("the originals again, {}", before.len()), report))
}
