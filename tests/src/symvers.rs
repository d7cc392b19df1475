//! Every export of a real kernel: each source of Debian's 6.1 that has some is
//! preprocessed as Debian configures it, for the original of genksyms and for ours. And
//! the versions are those that Debian's own build wrote into `Module.symvers`, which
//! nobody here made.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use kbuild_rs_debian::cache;

use crate::declared::{self, differences, preprocessor};
use crate::golden::digest;
use crate::kernel::TREES;
use crate::original::{self, V6_1};

/// The directories whose sources Debian's kernel for amd64 is made of.
const DIRECTORIES: &[&str] = &[
    "arch/x86", "block", "certs", "crypto", "drivers", "fs", "init", "io_uring", "ipc", "kernel", "lib", "mm", "net",
    "security", "sound", "virt",
];

/// What is in `Module.symvers`: versions by name, and whether a module exports it.
pub type Symvers = BTreeMap<String, (String, bool)>;

/// Debian's `Module.symvers`.
///
/// # Errors
/// If the package can't be had.
pub fn debian() -> io::Result<Symvers> {
    let package = declared::package(&V6_1)?.unpacked()?;
    let text = fs::read_to_string(declared::directory(&package, "-amd64")?.join("Module.symvers"))?;
    let entry = |line: &str| {
        let mut words = line.split('\t');
        let (version, name, module) = (words.next()?, words.next()?, words.next()?);
        Some((name.to_owned(), (version.to_owned(), module != "vmlinux")))
    };
    Ok(text.lines().filter_map(entry).collect())
}

/// The kernel's source, unpacked once.
///
/// # Errors
/// If it can't be had.
pub fn tree() -> io::Result<PathBuf> {
    let tree = TREES.iter().find(|tree| tree.kernel.release == V6_1.release);
    let tree = tree.ok_or_else(|| io::Error::other("6.1 isn't among the kernels that can be built"))?;
    cache::once(&format!("sources/{}", V6_1.version()), |dir| tree.unpack(dir))
}

/// The sources that export something, in order.
///
/// # Errors
/// Those of the file system.
pub fn sources(tree: &Path) -> io::Result<Vec<PathBuf>> {
    let mut todo: Vec<PathBuf> = DIRECTORIES.iter().map(PathBuf::from).collect();
    let mut found = Vec::new();
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(tree.join(&dir))? {
            let entry = entry?;
            let path = dir.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|extension| extension == "c") {
                let text = fs::read(tree.join(&path))?;
                if memchr::memmem::find(&text, b"\nEXPORT_SYMBOL").is_some() {
                    found.push(path);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// How many sources export each symbol. Of several, the kernel has one.
///
/// # Errors
/// Those of the file system.
pub fn exporters(tree: &Path, sources: &[PathBuf]) -> io::Result<BTreeMap<String, usize>> {
    let mut exporters = BTreeMap::new();
    for path in sources {
        let text = fs::read(tree.join(path))?;
        let text = String::from_utf8_lossy(&text);
        let exports = text.lines().filter(|line| line.starts_with("EXPORT_SYMBOL"));
        for name in exports.filter_map(|line| Some(line.split_once('(')?.1.split([')', ',']).next()?.trim())) {
            *exporters.entry(name.to_owned()).or_default() += 1;
        }
    }
    Ok(exporters)
}

/// What became of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The compiler doesn't preprocess it without its directory's own options, or the
    /// kernel isn't configured to have it.
    NotMade,
    /// What differs between the original and ours; "" if nothing does. And the versions.
    Compared(String, Versions),
}

/// The exports that a preprocessed source asks for.
fn exports(source: &str) -> Vec<&str> {
    let begins = source.match_indices("__GENKSYMS_EXPORT_SYMBOL(").map(|(at, begin)| &source[at + begin.len()..]);
    begins.filter_map(|rest| rest.split_once(')')).map(|(name, _)| name.trim()).collect()
}

/// Names and versions.
type Versions = Vec<(String, String)>;

/// The versions in lines that genksyms wrote.
fn versions(lines: &str) -> Versions {
    let words = lines.lines().filter_map(|line| line.strip_prefix("#SYMVER ")?.split_once(' '));
    words.map(|(name, version)| (name.to_owned(), version.to_owned())).collect()
}

/// Preprocesses a source, for a module or not.
fn preprocessed(tree: &Path, path: &Path, is_module: bool) -> io::Result<Option<String>> {
    let mut command = preprocessor(&V6_1)?;
    command.args(is_module.then_some("-DMODULE")).arg("-I").arg(path.parent().unwrap_or(path)).arg(path);
    let output = command.current_dir(tree).stdin(Stdio::null()).output()?;
    Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn outcome(tree: &Path, path: &Path, symvers: &Symvers) -> io::Result<Outcome> {
    let Some(mut source) = preprocessed(tree, path, false)? else { return Ok(Outcome::NotMade) };
    let known =
        |source: &str| exports(source).into_iter().find_map(|name| symvers.get(name).map(|(_, module)| *module));
    match known(&source) {
        None => return Ok(Outcome::NotMade),
        Some(true) => match preprocessed(tree, path, true)? {
            Some(of_module) => source = of_module,
            None => return Ok(Outcome::NotMade),
        },
        Some(false) => {}
    }
    let (lines, report) = differences(&V6_1, source.as_bytes(), "-T types")?;
    Ok(Outcome::Compared(report, versions(&lines)))
}

/// What becomes of a source. For this program, it is asked once.
///
/// # Errors
/// If something can't be run, or the cache can't be written.
pub fn compare(tree: &Path, path: &Path, symvers: &Symvers) -> io::Result<Outcome> {
    let program = digest(&fs::read(original::ours("genksyms")?.program)?);
    let dir = cache::directory(&format!("symvers/{}/{}", V6_1.version(), &program[..16]))?;
    let kept = dir.join(path.to_string_lossy().replace('/', "%"));
    if let Ok(text) = fs::read_to_string(&kept) {
        return Ok(if text == NOT_MADE { Outcome::NotMade } else { Outcome::Compared(String::new(), versions(&text)) });
    }
    let outcome = outcome(tree, path, symvers)?;
    match &outcome {
        Outcome::NotMade => fs::write(kept, NOT_MADE)?,
        // What differs is looked at again.
        Outcome::Compared(report, versions) if report.is_empty() => {
            let text: String = versions.iter().map(|(name, version)| format!("#SYMVER {name} {version}\n")).collect();
            fs::write(kept, text)?;
        }
        Outcome::Compared(..) => {}
    }
    Ok(outcome)
}

const NOT_MADE: &str = "not made\n";
