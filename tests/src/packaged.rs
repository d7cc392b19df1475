//! Packages of a kernel's headers as kbuild makes them, with the original in them and
//! with ours, by each of the routes to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, copy};
use crate::corpus::working_directory;
use crate::external::{Builder, swap_from, swapper};
use crate::kernel::{Beside, Tree, Way, make};
use crate::original::{self, Tool};
use crate::route;
use crate::swapped::EXTERNALS;
use crate::tally::{self, Finding};

/// A kernel that is packaged.
struct Packager<'a> {
    source: &'a Path,
    /// The build directory, beside which packages appear.
    out: &'a Path,
    /// What make is told.
    arguments: &'a [&'a str],
    /// Where packages are unpacked.
    root: PathBuf,
}

impl Packager<'_> {
    /// Makes the packages, and unpacks the headers, where the last ones were.
    fn headers(&self, variables: &[&str]) -> io::Result<PathBuf> {
        // Whether the build machine has what Debian wants installed is not to be looked at.
        let target = ["bindeb-pkg", "DPKG_FLAGS=-d", "KDEB_PKGVERSION=1"];
        make(self.source, &[self.arguments, variables, &target].concat())?;
        if self.root.exists() {
            fs::remove_dir_all(&self.root)?;
        }
        let mut found = None;
        for entry in fs::read_dir(self.out.parent().unwrap_or(self.out))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("linux-headers-") && name.ends_with(".deb") {
                command::run(Command::new("dpkg-deb").arg("-x").args([&entry.path(), &self.root]))?;
                found = name.split_once('_').map(|(package, _)| package.to_owned());
            }
            if name.starts_with("linux-") && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        let found = found.ok_or_else(|| io::Error::other("bindeb-pkg made no linux-headers"))?;
        Ok(self.root.join("usr/src").join(found))
    }
}

/// The class, byte order and machine in a program's ELF header.
fn machine(program: &[u8]) -> Option<(&[u8], &[u8])> {
    Some((program.get(4..6)?, program.get(18..20)?))
}

/// Says whether the headers' programs are the expected ones, the originals or those of a
/// directory, and all for one machine.
fn judge(headers: &Path, ours: Option<&Path>) -> io::Result<String> {
    let mut report = String::new();
    let mut machines = Vec::new();
    for tool in Tool::ALL {
        let program = fs::read(headers.join("scripts").join(tool.path()))?;
        let expected = match ours {
            Some(ours) => program == fs::read(ours.join(tool.name()))?,
            None => memchr::memmem::find(&program, b"KBUILD_RS").is_none(),
        };
        if !expected {
            report += &format!("  {} isn't the expected program\n", tool.name());
        }
        machines.push(machine(&program).map(|(class, machine)| (class.to_owned(), machine.to_owned())));
    }
    machines.dedup();
    if machines.len() > 1 {
        report += "  the programs are for several machines\n";
    }
    Ok(report)
}

/// Puts a directory's programs into headers, as docs/packaging.md says.
fn install(programs: &Path, headers: &Path) -> io::Result<()> {
    for tool in Tool::ALL {
        let place = headers.join("scripts").join(tool.path());
        fs::remove_file(&place)?;
        fs::copy(programs.join(tool.name()), place)?;
    }
    Ok(())
}

/// Removes ours from headers; returns whether that could be done.
fn undo(tree: &Path) -> io::Result<bool> {
    Ok(swapper()?.arg("--undo").arg(tree).output()?.status.success())
}

/// A kernel and how it is packaged; `programs` are ours for the machine that its headers
/// are used on.
struct Case<'a> {
    packager: Packager<'a>,
    builder_arguments: &'a [&'a str],
    programs: &'a Path,
    /// The headers' programs are compiled again for that machine, from the C sources.
    is_cross: bool,
    dir: &'a Path,
}

impl Case<'_> {
    fn compare(&self) -> io::Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/external");
        let beside = self.dir.join("beside");
        let ours = self.programs;

        let headers = self.packager.headers(&[])?;
        let arguments = self.builder_arguments;
        let builder = Builder { tree: &headers, sources: &fixtures, beside: &beside, modpost: None, arguments };
        let theirs = builder.all(EXTERNALS)?;
        findings.push(("the original's headers".to_owned(), judge(&headers, None)?));
        if self.is_cross {
            findings.extend(self.mend(&headers)?);
            findings.extend(theirs.compare(&builder)?.into_iter().map(tally::of("mended")));
        }

        let native = original::ours("modpost")?.program;
        let value = route::value(&self.packager.source.join("scripts"), &native)?;
        self.packager.headers(&[&format!("MODPOST={value}")])?;
        install(ours, &headers)?;
        findings.push(("MODPOST=: its headers, with ours installed".to_owned(), judge(&headers, Some(ours))?));
        findings.extend(theirs.compare(&builder)?.into_iter().map(tally::of("MODPOST=")));

        // The programs are not where the headers are used.
        let (installed, away) = (self.dir.join("installed"), self.dir.join("away"));
        copy(native.parent().unwrap_or(&native), &installed)?;
        swap_from(&installed, self.packager.source)?;
        self.packager.headers(&[])?;
        fs::rename(&installed, &away)?;
        let expected = (!self.is_cross).then_some(ours);
        findings.push(("swapped: its headers".to_owned(), judge(&headers, expected)?));
        findings.extend(theirs.compare(&builder)?.into_iter().map(tally::of("swapped")));
        let undone = undo(&headers)?;
        let report = if undone == self.is_cross { "" } else { "  undo doesn't do what it can\n" };
        findings.push(("swapped: undo in its headers".to_owned(), report.to_owned()));
        findings.extend(theirs.compare(&builder)?.into_iter().map(tally::of("after undo")));
        fs::rename(&away, &installed)?;
        let report = if undo(self.packager.source)? { "" } else { "  isn't possible\n" };
        findings.push(("swapped: undo in the tree".to_owned(), report.to_owned()));
        Ok(findings)
    }

    /// Gives headers this machine's programs, as those of kernels that were built on
    /// another machine have, and then ours for the right one.
    fn mend(&self, headers: &Path) -> io::Result<Vec<Finding>> {
        let mut report = String::new();
        for tool in Tool::ALL {
            let [wrong, place] = [self.packager.out, headers].map(|tree| tree.join("scripts").join(tool.path()));
            let (wrong, right) = (fs::read(wrong)?, fs::read(self.programs.join(tool.name()))?);
            if machine(&wrong) == machine(&right) {
                report += &format!("  {} is for the right machine before\n", tool.name());
            }
            fs::write(place, wrong)?;
        }
        swap_from(self.programs, headers)?;
        report += &judge(headers, Some(self.programs))?;
        Ok(vec![("headers with programs for another machine, swapped".to_owned(), report)])
    }
}

/// Makes packages on this machine for this machine.
///
/// # Errors
/// If something can't be copied, built or read.
pub fn compare(kernel: &Tree) -> io::Result<Vec<Finding>> {
    let dir = working_directory()?;
    let tree = dir.path().join("linux");
    copy(&kernel.built()?, &tree)?;
    make(&tree, &[])?;
    let ours = original::ours("modpost")?.program;
    let packager = Packager { source: &tree, out: &tree, arguments: &[], root: dir.path().join("root") };
    let programs = ours.parent().unwrap_or(&ours);
    Case { packager, builder_arguments: &[], programs, is_cross: false, dir: dir.path() }.compare()
}

/// Makes packages on this machine for another, whose programs an emulator runs.
///
/// # Errors
/// If something can't be unpacked, built or read.
pub fn compare_for(kernel: &Tree, way: &Way, programs: &Path) -> io::Result<Vec<Finding>> {
    let Beside { dir, source, out, arguments } = way.built(kernel, |_| Ok(()))?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // Its programs find their libraries there.
    let builder_arguments = [way.arguments, &["QEMU_LD_PREFIX=/usr/aarch64-linux-gnu"]].concat();
    let packager = Packager { source: &source, out: &out, arguments: &arguments, root: dir.path().join("root") };
    let programs = &std::path::absolute(programs)?;
    Case { packager, builder_arguments: &builder_arguments, programs, is_cross: true, dir: dir.path() }.compare()
}
