//! Real kernels, in a machine that QEMU emulates: whether they load the modules that
//! modcheck says they would, and log what it says they log.

pub mod built;
mod cases;
mod machine;
mod types;
mod vfio;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use kmod::module_name;
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{copy, output, run};
use crate::corpus::{bytes_of, working_directory};
use crate::headers;
use crate::needs;
use crate::original::{self, Kernel, V5_10, V6_1, V6_12, V7_3};
use crate::route;
use crate::tally::Finding;
use cases::{Case, DOCTORED, Edit, REAL};
use machine::Machine;

/// A kernel of Debian's that is booted.
#[derive(Debug)]
pub struct Booted {
    /// Which.
    pub kernel: &'static Kernel,
    /// The package with its image.
    image: &'static str,
    /// The package with its modules.
    modules: &'static str,
    /// Whether this machine's compiler is the one that its headers are for.
    builds: bool,
}

/// Every kernel of Debian's that is booted.
pub static BOOTED: &[Booted] = &[
    Booted { kernel: &V5_10, image: WITH_MODULES, modules: WITH_MODULES, builds: false },
    Booted { kernel: &V6_1, image: WITH_MODULES, modules: WITH_MODULES, builds: true },
    Booted { kernel: &V6_12, image: WITH_MODULES, modules: WITH_MODULES, builds: false },
    Booted { kernel: &V7_3, image: "linux-binary-unsigned-*-amd64", modules: "linux-modules-*-amd64", builds: false },
];

/// The package that has both.
const WITH_MODULES: &str = "linux-image-*-amd64-unsigned";

/// Inserts every module, and says what came of it.
const SCRIPT: &str = r#"
for case in /modules/*; do
	for other in $(cat "$case/before"); do /bin/insmod "/before/$other"; done
	dmesg -c >/tmp/before
	echo "@case ${case#/modules/}"
	echo "@tainted $(cat /proc/sys/kernel/tainted)"
	/bin/insmod "$case"/*.ko 2>/tmp/said
	echo "@status $?"
	sed 's/^/@said /' /tmp/said
	dmesg | sed 's/^\[[^]]*\] /@line /'
	while [ -n "$(lsmod | sed 1d)" ]; do
		for module in $(lsmod | sed 's/ .*//;1d'); do /bin/rmmod "$module" 2>/dev/null; done
		[ "$(lsmod)" != "$before" ] || break
		before=$(lsmod)
	done
done
echo "@modules $(lsmod | sed 's/ .*//;1d' | tr '\n' ' ')"
"#;

/// What a kernel did with a module.
#[derive(Debug, Default)]
struct Outcome {
    tainted: String,
    status: String,
    said: String,
    lines: Vec<String>,
}

impl Outcome {
    /// Whether it was loaded, and said itself that it has no device: no loader says that.
    fn has_no_device(&self) -> bool {
        self.said.ends_with("No such device")
    }
}

/// What the script's lines say, by case.
fn outcomes(said: &str) -> BTreeMap<String, Outcome> {
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    let mut name = String::new();
    for line in said.lines() {
        let Some((word, rest)) = line.strip_prefix('@').map(|line| line.split_once(' ').unwrap_or((line, ""))) else {
            continue;
        };
        if word == "case" {
            rest.clone_into(&mut name);
        }
        let outcome = outcomes.entry(name.clone()).or_default();
        match word {
            "tainted" => rest.clone_into(&mut outcome.tainted),
            "status" => rest.clone_into(&mut outcome.status),
            "said" => rest.clone_into(&mut outcome.said),
            "line" => outcome.lines.push(rest.to_owned()),
            _ => {}
        }
    }
    outcomes
}

/// A kernel's files.
struct Files {
    release: String,
    image: PathBuf,
    /// Its modules by their paths below `kernel`, without suffix.
    modules: BTreeMap<String, PathBuf>,
    /// The directory in which they are.
    installed: PathBuf,
    /// What modules are built against.
    headers: PathBuf,
}

/// Every file below a directory.
fn below(dir: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(crate::run::stamps(dir)?.into_keys().map(|path| dir.join(path)).collect())
}

/// Whether a kernel can be booted here.
///
/// # Errors
/// If something is missing: what.
pub fn available() -> io::Result<()> {
    let programs =
        [("qemu-system-x86_64", "qemu-system-x86"), ("cpio", "cpio"), ("kmod", "kmod"), ("objcopy", "binutils")];
    programs.iter().try_for_each(|(program, package)| needs::program(program, package))
}

/// The modules below a directory, and the release that they are for.
fn modules(dir: &Path) -> io::Result<(String, BTreeMap<String, PathBuf>)> {
    let mut found = BTreeMap::new();
    let mut release = String::new();
    for path in below(dir)? {
        let text = path.to_string_lossy();
        if let Some((before, after)) = text.split_once("/kernel/") {
            if let Some(end) = after.rfind(".ko") {
                before.rsplit('/').next().unwrap_or_default().clone_into(&mut release);
                found.insert(after[..end].to_owned(), path.clone());
            }
        }
    }
    Ok((release, found))
}

impl Booted {
    /// The kernel of a release.
    #[must_use]
    pub fn named(release: &str) -> Option<&'static Self> {
        BOOTED.iter().find(|booted| booted.kernel.release == release)
    }

    /// Whether it can be booted.
    ///
    /// # Errors
    /// If something is missing: what.
    pub fn available(&self) -> io::Result<()> {
        available()?;
        self.files().map(drop)
    }

    /// One of its modules.
    fn module(&self, path: &str) -> io::Result<Vec<u8>> {
        let (_, modules) = modules(&self.kernel.unpacked(self.modules, "amd64")?)?;
        let path = modules.get(path).ok_or_else(|| io::Error::other("a kernel lacks a module"))?;
        bytes_of(path)
    }

    fn files(&self) -> io::Result<Files> {
        let image = self.kernel.unpacked(self.image, "amd64")?;
        let installed = self.kernel.unpacked(self.modules, "amd64")?;
        let headers = self.kernel.unpacked("linux-headers-*-amd64", "amd64")?;
        let is_image =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz"));
        let image = below(&image)?.into_iter().find(is_image);
        let image = image.ok_or_else(|| io::Error::other("the package has no kernel"))?;
        let headers = below(&headers)?.into_iter().find(|path| path.ends_with("Module.symvers"));
        let headers = headers.as_deref().and_then(Path::parent);
        let headers = headers.ok_or_else(|| io::Error::other("the package has no exports"))?.to_owned();
        let (release, modules) = modules(&installed)?;
        Ok(Files { release, image, modules, installed, headers })
    }
}

/// Builds the modules of a fixture by our modpost, in a tree or against headers.
fn outside(tree: &Path, arguments: &[String], fixture: &str) -> io::Result<TempDir> {
    let dir = working_directory()?;
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(fixture).join("."), dir.path())?;
    let modpost = route::value(&tree.join("scripts"), &original::ours("modpost")?.program)?;
    let mut make = Command::new("make");
    make.args(arguments).arg(format!("M={}", dir.path().display())).arg(format!("MODPOST={modpost}"));
    output(make.current_dir(tree).env_remove("MAKEFLAGS").env_remove("KBUILD_RS_BIN"))?;
    Ok(dir)
}

/// A case with its bytes, and what has to be loaded before.
struct Prepared {
    number: usize,
    name: String,
    file: String,
    module: Vec<u8>,
    /// Paths of modules that are inserted before, in their order.
    before: Vec<String>,
    /// Paths of modules that are not to be there.
    missing: Vec<String>,
}

/// The modules that one needs, in the order of loading, by its `depends`.
fn needed(path: &str, files: &Files, found: &mut Vec<String>) -> io::Result<()> {
    let Some(file) = files.modules.get(path) else { return Ok(()) };
    let bytes = bytes_of(file)?;
    let depends = kmod::modinfo::value(&elf::Source::Memory(bytes), b"depends").map_err(io::Error::other)?;
    for name in depends.unwrap_or_default().split(|&byte| byte == b',').filter(|name| !name.is_empty()) {
        let other = files.modules.keys().find(|path| module_name(path.as_bytes()) == module_name(name));
        let other = other.ok_or_else(|| io::Error::other("a module's dependency isn't there"))?.clone();
        if !found.contains(&other) {
            needed(&other, files, found)?;
            found.push(other);
        }
    }
    Ok(())
}

/// The name of a module's file, without suffix.
fn file(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn prepared(case: &Case, number: usize, files: &Files, dir: &Path) -> io::Result<Option<Prepared>> {
    let Some(path) = files.modules.get(case.module) else { return Ok(None) };
    let module = bytes_of(path)?;
    let Some(module) = case.edit.apply(&module, dir)? else { return Ok(None) };
    let mut before = Vec::new();
    needed(case.module, files, &mut before)?;
    let missing = if matches!(case.edit, Edit::Alone) { std::mem::take(&mut before) } else { Vec::new() };
    Ok(Some(Prepared { number, name: case.name.to_owned(), file: file(case.module), module, before, missing }))
}

/// Lines of the kernel's own, in which no module is named: one about a taint, and one that
/// comes when it has gathered enough randomness.
const OF_NO_MODULE: &[&str] = &["Disabling lock debugging due to kernel taint", "random: crng init done"];

/// A system's root with a kernel's modules and headers.
fn root(files: &Files, dir: &Path) -> io::Result<PathBuf> {
    let root = dir.join("root");
    let [lib, usr] = ["lib/modules", "usr/lib/modules"].map(|place| files.installed.join(place).join(&files.release));
    let place = root.join("lib/modules").join(&files.release);
    fs::create_dir_all(&place)?;
    let link = |from: &Path, to: &Path| run(Command::new("cp").arg("-rl").args([from, to]));
    link(&(if lib.exists() { lib } else { usr }).join("kernel"), &place)?;
    copy(&files.headers, &root.join("headers"))?;
    symlink("/headers", place.join("build"))?;
    fs::create_dir(root.join("boot"))?;
    fs::copy(&files.image, root.join("boot").join(format!("vmlinuz-{}", files.release)))?;
    Ok(root)
}

/// What modcheck says of a module on the kernel that has run.
fn said(case: &Prepared, outcome: &Outcome, files: &Files, words: &str, root: &Path) -> io::Result<Value> {
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, text)
    };
    write("proc/sys/kernel/osrelease", &files.release)?;
    write("proc/sys/kernel/tainted", &outcome.tainted)?;
    let enforces = if words.contains("module.sig_enforce") { "Y" } else { "N" };
    write("sys/module/module/parameters/sig_enforce", enforces)?;
    let lockdown = if words.contains("lockdown") { "none [integrity] confidentiality" } else { "[none] integrity" };
    write("sys/kernel/security/lockdown", lockdown)?;
    let file = root.join(format!("{}.ko", case.file));
    fs::write(&file, &case.module)?;
    let place = root.join("lib/modules").join(&files.release).join("kernel");
    let of = |path: &String| files.modules[path].file_name().map(|name| place.join(path).with_file_name(name));
    let missing: Vec<PathBuf> = case.missing.iter().filter_map(of).collect();
    missing.iter().try_for_each(fs::remove_file)?;
    let modcheck = original::ours("modcheck")?.program;
    let arguments = ["--json", "--kernel", &files.release, "--root"];
    let output = Command::new(modcheck).args(arguments).args([root, &file]).output()?;
    fs::remove_file(&file)?;
    for (path, place) in case.missing.iter().zip(&missing) {
        fs::hard_link(&files.modules[path], place)?;
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| io::Error::other(format!("modcheck: {error}: {}", String::from_utf8_lossy(&output.stderr))))
}

/// What differs between a kernel and modcheck.
fn differences(outcome: &Outcome, said: &Value) -> String {
    let mut report = String::new();
    let is_loaded = outcome.status == "0" || outcome.has_no_device();
    let verdict = said["verdict"].as_str().unwrap_or_default();
    if verdict != if is_loaded { "loads" } else { "refused" } {
        report += &format!("  the kernel's status is {}, {}\n  modcheck: {verdict}\n", outcome.status, outcome.said);
    }
    let findings = said["findings"].as_array().cloned().unwrap_or_default();
    let refused = findings.iter().find(|finding| finding["effect"] == "refused").map(|finding| &finding["check"]);
    let mut lines: Vec<&str> = Vec::new();
    for finding in &findings {
        let is_reached = refused.is_none_or(|check| finding["check"] == *check) || finding["effect"] == "logged";
        lines.extend(finding["line"].as_str().filter(|_| is_reached));
    }
    let logged = outcome.lines.iter().map(String::as_str).filter(|line| !OF_NO_MODULE.contains(line));
    // What is loaded may say something itself.
    let logged: Vec<&str> = if is_loaded { logged.take(lines.len()).collect() } else { logged.collect() };
    if logged != lines {
        report += &format!("  the kernel logs {logged:#?}\n  modcheck {lines:#?}\n");
    }
    let error = said["error"]["text"].as_str().unwrap_or_default();
    if !is_loaded && !outcome.said.ends_with(error) {
        report += &format!("  insmod: {}\n  modcheck: {error}\n", outcome.said);
    }
    report
}

/// Words on a kernel's command line with which it is booted, and how many cases it is
/// given then: of what lockdown keeps away a kernel logs ten in five seconds.
const WORDS: &[(&str, usize)] = &[("", usize::MAX), ("module.sig_enforce", usize::MAX), ("lockdown=integrity", 8)];

/// Boots a kernel, gives it modules, and compares with what modcheck says of each.
fn inserted(files: &Files, cases: &[Case], words: &str, root: &Path) -> io::Result<Vec<Finding>> {
    let dir = working_directory()?;
    let mut all = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        all.extend(prepared(case, number, files, dir.path())?);
    }
    let mut contents = Vec::new();
    let mut before = BTreeMap::new();
    for case in &all {
        let place = PathBuf::from(format!("modules/{:03}", case.number));
        contents.push((place.join(format!("{}.ko", case.file)), case.module.clone()));
        let names: String = case.before.iter().map(|path| format!("{}.ko\n", file(path))).collect();
        contents.push((place.join("before"), names.into_bytes()));
        before.extend(case.before.iter().map(|path| (path.clone(), &files.modules[path])));
    }
    for (path, file_of) in before {
        let bytes = bytes_of(file_of)?;
        contents.push((PathBuf::from("before").join(format!("{}.ko", file(&path))), bytes));
    }
    let written = Machine::new(SCRIPT, &contents, &[])?.boot(&files.image, words, &[])?;
    let outcomes = outcomes(&written);
    let mut findings = Vec::new();
    for case in &all {
        let how = if words.is_empty() { String::new() } else { format!(", {words}") };
        let outcome = outcomes.get(&format!("{:03}", case.number));
        let device = if outcome.is_some_and(Outcome::has_no_device) { ", which has no device" } else { "" };
        let report = match outcome {
            Some(outcome) => differences(outcome, &said(case, outcome, files, words, root)?),
            None => "  the machine says nothing of it\n".to_owned(),
        };
        findings.push((format!("{}{how}{device}", case.name), report));
    }
    Ok(findings)
}

/// Boots a kernel of Debian's, gives it modules, and compares with what modcheck says; as
/// a sample, once only.
///
/// # Errors
/// If something can't be had, run or read.
pub fn compare(booted: &Booted, is_sample: bool) -> io::Result<Vec<Finding>> {
    let files = booted.files()?;
    let dir = working_directory()?;
    let real = REAL.iter().map(|module| Case { name: module, module, edit: Edit::None });
    let mut cases: Vec<Case> = DOCTORED.iter().copied().chain(real).collect();
    // Where types that are wrong are allowed, a kernel says so once.
    let config = fs::read_to_string(files.headers.join(".config"))?;
    let edited: Vec<String> = (0..types::EDITED).map(|number| format!("types with another word, {number}")).collect();
    if !is_sample && !config.contains("CONFIG_MODULE_ALLOW_BTF_MISMATCH=y") {
        cases.extend(types::BASES);
        let case = |(number, name)| Case { name, module: types::module(number), edit: Edit::TypesEdited(number) };
        cases.extend(edited.iter().map(String::as_str).enumerate().map(case));
    }
    let root = root(&files, dir.path())?;
    let has_aliases = booted.kernel.dialect().pci_override_only;
    let mut findings = vfio::compare(&files, has_aliases, None)?;
    if booted.builds && !is_sample {
        let tree = headers::install(&dir.path().join("built"))?;
        let variant = vfio::variant(&tree, &[])?;
        findings.extend(vfio::compare(&files, has_aliases, Some(variant))?);
    }
    for &(words, most) in WORDS.iter().take(if is_sample { 1 } else { WORDS.len() }) {
        findings.extend(inserted(&files, &cases[..most.min(cases.len())], words, &root)?);
    }
    Ok(findings)
}
