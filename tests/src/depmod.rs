//! Aliases of a distribution's whole kernel, as depmod(8) extracts them and as
//! file2alias does.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::command::output;
use crate::compression;
use crate::corpus::{self, Corpus};
use crate::kernel;
use crate::needs;
use crate::original;
use crate::tally::Finding;
use crate::variants;

/// Where it is is not in everybody's path.
const DEPMOD: &str = "/sbin/depmod";
/// Some release: depmod wants it to look like one.
const RELEASE: &str = "1.0.0";
/// How many modules are compressed by each of the ways.
const COMPRESSED: usize = 20;

fn file2alias(path: &Path) -> io::Result<Command> {
    let mut command = Command::new(original::ours("file2alias")?.program);
    command.args(["--format", "modules.alias"]).arg(path);
    Ok(command)
}

/// The lines of a text but for comments, sorted: each as often as it is there.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<_> = text.split(|&byte| byte == b'\n').filter(|line| !line.starts_with(b"#")).collect();
    lines.sort_unstable();
    lines
}

fn differences(theirs: &[u8], ours: &[u8]) -> String {
    let (theirs, ours) = (lines(theirs), lines(ours));
    if theirs == ours {
        return String::new();
    }
    let (all, own): (BTreeSet<_>, BTreeSet<_>) = (theirs.iter().collect(), ours.iter().collect());
    let one = |name: &str, line: Option<&&&[u8]>| {
        line.map_or(String::new(), |line| format!("  first of {name} alone: {}\n", String::from_utf8_lossy(line)))
    };
    let counts = format!("  depmod has {} lines, file2alias {}\n", theirs.len(), ours.len());
    counts + &one("depmod", all.difference(&own).next()) + &one("file2alias", own.difference(&all).next())
}

/// The aliases of the modules of a kernel that was built.
///
/// # Errors
/// If file2alias can't be run.
pub fn aliases_of_tree(dir: &Path) -> io::Result<Vec<u8>> {
    let mut command = Command::new(original::ours("file2alias")?.program);
    let modules = kernel::stems(dir)?.into_iter().map(|stem| format!("{stem}.ko"));
    output(command.args(["--format", "modules.alias"]).args(modules).current_dir(dir))
}

/// Whether what the comparison takes is there.
///
/// # Errors
/// If it isn't.
pub fn available(corpus: &Corpus) -> io::Result<()> {
    needs::program(DEPMOD, "kmod")?;
    corpus.package().map(drop)
}

/// Compares all modules of a corpus, and some of them compressed in each way.
///
/// # Errors
/// If what it takes can't be had.
pub fn compare(corpus: &Corpus) -> io::Result<Vec<Finding>> {
    let modules = corpus.modules()?;
    let dir = corpus::working_directory()?;
    let directory = dir.path().join("lib/modules").join(RELEASE);
    for (module, below) in &modules {
        let target = directory.join("kernel").join(below);
        fs::create_dir_all(target.parent().unwrap_or(&directory))?;
        fs::hard_link(module, target)?;
    }
    // It asks for these, and has nothing to take from them.
    for name in ["modules.order", "modules.builtin", "modules.builtin.modinfo"] {
        fs::write(directory.join(name), "")?;
    }
    output(Command::new(DEPMOD).arg("-b").arg(dir.path()).arg(RELEASE))?;
    let theirs = fs::read(directory.join("modules.alias"))?;
    let ours = output(file2alias(Path::new("-r"))?.arg(directory.join("kernel")))?;
    let mut findings = vec![(format!("{} modules", modules.len()), differences(&theirs, &ours))];
    findings.push(variants::compare(&directory.join("modules.alias"))?);

    for way in compression::SUFFIXES {
        let mut report = String::new();
        for (path, module) in modules.iter().step_by(modules.len() / COMPRESSED) {
            let bytes = corpus::bytes_of(path)?;
            let name = module.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let target = dir.path().join(format!("{}.{way}", name.trim_end_matches(".xz")));
            fs::write(&target, compression::compressed(&bytes, way)?)?;
            report += &differences(&output(&mut file2alias(path)?)?, &output(&mut file2alias(&target)?)?);
        }
        findings.push((format!("compressed as .{way}"), report));
    }
    Ok(findings)
}
