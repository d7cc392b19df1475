//! A kernel tree in which kbuild calls ours, by each of the routes to it: kbuild's
//! own commands run before and after, in one directory, so that every byte that
//! they print can be the same.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::compare;
use crate::corpus::working_directory;
use crate::external::{Builder, Builds, COMMAND, External, State, restore, scripts, swap};
use crate::kernel::{Beside, Tree, Way, make};
use crate::original::{self, Tool};
use crate::route;
use crate::run;
use crate::tally::{self, Finding};

/// In this order: one needs what another has exported.
pub(crate) const EXTERNALS: &[External] = &[
    External::new("exporter"),
    External { arguments: &["KBUILD_EXTRA_SYMBOLS=@/exporter/Module.symvers"], ..External::new("importer") },
    External { succeeds: false, says: "mismatch_stays", ..External::new("mismatch") },
    External {
        name: "mismatch, allowed",
        arguments: &["CONFIG_SECTION_MISMATCH_WARN_ONLY=y"],
        says: "mismatch_stays",
        ..External::new("mismatch")
    },
    External { succeeds: false, says: "undefined_anywhere", ..External::new("undefined") },
    External { succeeds: false, says: "does not import it", ..External::new("namespace") },
    External { name: "nsdeps", arguments: &["nsdeps"], says: "does not import it", ..External::new("namespace") },
    External { succeeds: false, says: "GPL-incompatible module", ..External::new("gplonly") },
];

/// The programs that a tree makes, in its `scripts`.
const PROGRAMS: &[&str] = &["mod/modpost", "mod/mk_elfconfig", "basic/fixdep", "genksyms/genksyms"];

/// Files that modpost and mk_elfconfig write, or that are made for them.
const PRODUCTS: &[&str] =
    &["Module.symvers", "vmlinux.symvers", "modules-only.symvers", "elfconfig.h", "devicetable-offsets.h"];

/// What of a kernel's tree depends on modpost.
pub(crate) fn is_product(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    PRODUCTS.contains(&&*name)
        || [".ko", ".mod.c", ".mod.o"].iter().any(|ending| name.ends_with(ending))
        || name.starts_with(".vmlinux.export.")
}

/// The record that kbuild makes of a target, with what fixdep lists of its sources; not
/// those of the programs that are swapped.
fn is_record(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "cmd") && !is_of_programs(path)
}

/// What lies where the programs do that are swapped.
fn is_of_programs(path: &Path) -> bool {
    Tool::ALL.iter().any(|tool| path.starts_with(Path::new("scripts").join(tool.directory())))
}

/// What of a build with ours is compared with one with the originals.
fn is_compared(path: &Path) -> bool {
    is_product(path) || is_record(path)
}

/// Files of a built kernel.
type Products = BTreeMap<PathBuf, Vec<u8>>;

/// Removes a kernel's products, makes them anew and compares.
fn make_anew(source: &Path, out: &Path, arguments: &[&str], original: &Products) -> io::Result<Finding> {
    for path in original.keys() {
        fs::remove_file(out.join(path))?;
    }
    // Its exports are written when it is linked.
    fs::remove_file(out.join("vmlinux"))?;
    make(source, arguments)?;
    let mut report = String::new();
    compare::files(&mut report, original, &run::contents(out, is_product)?);
    let modules = original.keys().filter(|path| path.extension().is_some_and(|e| e == "ko")).count();
    if modules < 20 {
        report += &format!("  there are {modules} modules only\n");
    }
    Ok((format!("{} files of the tree, {modules} modules among them", original.len()), report))
}

/// Whether the programs in a tree are ours.
fn are_ours(tree: &Path) -> io::Result<String> {
    let mut report = String::new();
    for tool in Tool::ALL {
        let path = Path::new("scripts").join(tool.path());
        if fs::read(tree.join(&path))? != fs::read(original::ours(tool.name())?.program)? {
            report += &format!("  {} isn't ours\n", path.display());
        }
    }
    Ok(report)
}

/// Makes a kernel's tree clean, and what configures it anew, which `clean` removes.
pub(crate) fn make_clean(source: &Path, arguments: &[&str]) -> io::Result<()> {
    make(source, &[arguments, &["clean"]].concat())?;
    make(source, &[arguments, &["olddefconfig"]].concat())
}

/// Makes a kernel anew, all of it.
fn make_all(source: &Path, arguments: &[&str]) -> io::Result<()> {
    make_clean(source, arguments)?;
    make(source, arguments)
}

/// Makes a kernel anew, with ours where the originals were, and then once more, when
/// nothing is to be done.
fn remake(
    source: &Path,
    out: &Path,
    arguments: &[&str],
    original: &Products,
    findings: &mut Vec<Finding>,
) -> io::Result<()> {
    swap(source)?;
    make_all(source, arguments)?;
    let mut report = String::new();
    compare::files(&mut report, original, &run::contents(out, is_compared)?);
    report += &are_ours(out)?;
    let count = |of: fn(&Path) -> bool| original.keys().filter(|path| of(path)).count();
    let (records, modules) = (count(is_record), count(|path| path.extension().is_some_and(|e| e == "ko")));
    if modules < 20 || records < 500 {
        report += "  these are too few\n";
    }
    findings.push((format!("a whole build, {modules} modules and {records} records"), report));

    let times = || -> io::Result<BTreeMap<_, _>> {
        let times = run::stamps(out)?.into_iter();
        Ok(times.filter(|(path, _)| is_product(path) || is_of_programs(path)).collect())
    };
    let first = times()?;
    make(source, arguments)?;
    let second = times()?;
    let anew = second.iter().filter(|(path, time)| first.get(*path) != Some(time));
    let report = anew.map(|(path, _)| format!("  {}: made anew\n", path.display())).collect();
    findings.push((format!("a second make, {} files", first.len()), report));
    Ok(())
}

/// The tree as it is, told to call ours; then with ours installed in it as in a
/// headers package.
fn unswapped(tree: &Path, theirs: &Builds, builder: &Builder, findings: &mut Vec<Finding>) -> io::Result<()> {
    let ours = original::ours("modpost")?.program;
    let modpost = route::value(&tree.join("scripts"), &ours)?;
    let variable = format!("MODPOST={modpost}");
    let (what, report) = make_anew(tree, tree, &[&variable], &run::contents(tree, is_product)?)?;
    findings.push(tally::of("MODPOST=")((what, report)));
    findings.extend(
        theirs.compare(&Builder { modpost: Some(&modpost), ..*builder })?.into_iter().map(tally::of("MODPOST=")),
    );
    // 5.10 joins the tree's Module.symvers of two others.
    let tree_record =
        [".modules-only.symvers.cmd", COMMAND].map(|name| tree.join(name)).into_iter().find(|path| path.exists());
    let mut report = String::new();
    for record in [tree_record.unwrap_or_default(), builder.beside.join("exporter").join(COMMAND)] {
        if !fs::read_to_string(&record)?.contains(&*ours.to_string_lossy()) {
            report += &format!("  {}: doesn't call ours\n", record.display());
        }
    }
    findings.push(("MODPOST=: ours is called".to_owned(), report));

    let kept = |program: &Path| program.with_extension("kept");
    let programs = Tool::ALL.map(|tool| (tool, tree.join("scripts").join(tool.path())));
    for (tool, program) in &programs {
        fs::rename(program, kept(program))?;
        fs::copy(original::ours(tool.name())?.program, program)?;
    }
    findings.extend(theirs.compare(builder)?.into_iter().map(tally::of("installed")));
    programs.iter().try_for_each(|(_, program)| fs::rename(kept(program), program))
}

/// Where our programs are not installed, a swapped tree builds its own.
fn without_ours(tree: &Path, before: &BTreeMap<String, State>) -> io::Result<Finding> {
    make(tree, &["KBUILD_RS=/nonexistent", "modules_prepare"])?;
    let scripts = scripts(tree)?;
    let differs = |name: &&str| scripts.get(*name).map(|state| &state.2) != before.get(*name).map(|state| &state.2);
    let differing = PROGRAMS.iter().copied().filter(differs);
    let report = differing.map(|name| format!("  {name}: isn't what the tree's own Makefile makes\n")).collect();
    Ok(("the tree's own programs, without ours".to_owned(), report))
}

/// `make mrproper` removes what our Kbuild has made.
fn clean(source: &Path, out: &Path, arguments: &[&str]) -> io::Result<Finding> {
    make(source, &[arguments, &["mrproper"]].concat())?;
    let others = ["mod/empty.o", "mod/elfconfig.h", "mod/devicetable-offsets.h", "mod/devicetable-offsets.s"];
    let left = PROGRAMS.iter().chain(&others).filter(|name| out.join("scripts").join(name).exists());
    Ok(("make mrproper".to_owned(), left.map(|name| format!("  {name}: is still there\n")).collect()))
}

/// Builds a kernel and modules outside of it with the original and with ours.
///
/// # Errors
/// If something can't be copied, built or read.
pub fn compare(kernel: &Tree) -> io::Result<Vec<Finding>> {
    kernel.in_copy(compare_in)
}

fn compare_in(tree: &Path) -> io::Result<Vec<Finding>> {
    let dir = working_directory()?;
    let mut findings = Vec::new();

    // All of it in this place: some records name it.
    make_all(tree, &[])?;
    let original = run::contents(tree, is_compared)?;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/external");
    let builder = Builder { tree, sources: &fixtures, beside: dir.path(), modpost: None, arguments: &[] };
    let theirs = builder.all(EXTERNALS)?;
    unswapped(tree, &theirs, &builder, &mut findings)?;
    // That has the tree's programs made anew.
    let before = scripts(tree)?;
    remake(tree, tree, &[], &original, &mut findings)?;
    findings.extend(theirs.compare(&builder)?);
    findings.push(without_ours(tree, &before)?);
    findings.push(clean(tree, tree, &[])?);
    findings.push(restore(tree, &before)?);
    Ok(findings)
}

/// Builds a kernel in another way, in a directory beside its source, with the original
/// and then from the source that has our Kbuild.
///
/// # Errors
/// If something can't be unpacked, built or read.
pub fn compare_built(kernel: &Tree, way: &Way) -> io::Result<Vec<Finding>> {
    let Beside { source, out, arguments, dir: _dir } = way.built(kernel, |_| Ok(()))?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let before = scripts(&source)?;
    let mut findings = Vec::new();
    remake(&source, &out, &arguments, &run::contents(&out, is_compared)?, &mut findings)?;
    findings.push(clean(&source, &out, &arguments)?);
    findings.push(restore(&source, &before)?);
    Ok(findings)
}
