//! Why symbols are undefined and namespaces not imported, and what to do about
//! it: for people, after all that the original says, if `KBUILD_RS_EXPLAIN=1`.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use base::bytes::split_path;
use base::message::text;
use base::{regular, textfile};
use indexmap::{IndexMap, IndexSet};
use kmod::limits;
use strsim::generic_levenshtein;

use crate::dialect::Dialect;
use crate::link::{Link, ModuleId};

/// What begins each line.
const MARK: &str = "kbuild-rs: ";
/// A name this many edits away, or fewer, is similar.
const NEAR: usize = 2;
/// With more undefined symbols than this, similar names aren't looked for.
const MANY: usize = 200;

/// What an explanation needs besides the finished table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    /// The kernel.
    pub dialect: &'a Dialect,
    /// The files of `-i`.
    pub dumps: &'a [Vec<u8>],
    /// The namespaces that modules should import.
    pub missing: &'a [(ModuleId, IndexSet<Vec<u8>>)],
}

/// The symbols that nobody exports, with the modules that use them.
type Undefined<'l> = IndexMap<&'l [u8], Vec<ModuleId>>;

fn undefined<'l>(link: &'l Link) -> Undefined<'l> {
    let mut undefined = Undefined::new();
    for id in link.written() {
        let facts = &link.module(id).facts;
        let strong = facts.undefined.iter().zip(&facts.weak).filter(|(_, weak)| !facts.is_vmlinux && !**weak);
        for (name, _) in strong {
            let found = link.symbols.find(name).filter(|symbol| link.symbols.get(*symbol).module != id);
            if found.is_none() {
                undefined.entry(name).or_default().push(id);
            }
        }
    }
    undefined
}

/// The lines, each beginning `kbuild-rs: `; nothing if nothing is wrong.
#[must_use]
pub(crate) fn explain(link: &Link, run: &Run) -> Vec<u8> {
    let undefined = undefined(link);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    if !undefined.is_empty() {
        lines.extend(cause(link, run, &undefined));
        let elsewhere = elsewhere(link, run, &undefined);
        for (name, modules) in &undefined {
            lines.push(one(link, name, modules, elsewhere.get(name), undefined.len() <= MANY));
        }
        let files: IndexSet<&PathBuf> = elsewhere.values().collect();
        if !files.is_empty() {
            let files: Vec<&[u8]> = files.iter().map(|file| file.as_os_str().as_bytes()).collect();
            lines.push(text!("  build with KBUILD_EXTRA_SYMBOLS='{}'", files.join(&b" "[..])));
        }
    }
    lines.extend(namespaces(link, run));
    lines.into_iter().flat_map(|line| [MARK.as_bytes(), &line, b"\n"].concat()).collect()
}

/// The headline, and what to do.
fn cause(link: &Link, run: &Run, undefined: &Undefined) -> [Vec<u8>; 2] {
    let (count, s) = (undefined.len().to_string(), if undefined.len() == 1 { "" } else { "s" });
    let headline = |why: &str| text!("{} undefined symbol{}: {}", count, s, why);
    let wanted: IndexSet<&[u8]> =
        link.written().into_iter().flat_map(|id| link.module(id).facts.undefined.iter()).collect();
    if !link.has_vmlinux() {
        let why = if run.dumps.is_empty() {
            "no Module.symvers was given, so nothing of the kernel is known"
        } else {
            "the Module.symvers that was given has no symbol of vmlinux"
        };
        let remedy = "  a kernel's Module.symvers is made by building it, not by `make modules_prepare`";
        [headline(why), remedy.into()]
    } else if undefined.len() * 2 > wanted.len() && wanted.len() > 4 {
        let why = "most of what is used isn't exported: Module.symvers seems to be of another kernel";
        [headline(why), b"  take the Module.symvers of the kernel you are building against".to_vec()]
    } else {
        let remedy = "  known are exports of the kernel, and of modules whose Module.symvers is given";
        [headline("no export of that name is known"), remedy.into()]
    }
}

/// One symbol: who uses it, and what it may have been meant for.
fn one(link: &Link, name: &[u8], modules: &[ModuleId], elsewhere: Option<&PathBuf>, search: bool) -> Vec<u8> {
    let users: Vec<Vec<u8>> = modules.iter().map(|id| link.module(*id).facts.called()).collect();
    let mut line = text!("  {}, used by {}", name, users.join(&b", "[..]));
    if let Some(file) = elsewhere {
        line.extend(text!(": {} has it", file.as_os_str().as_bytes()));
    } else if let Some(near) = search.then(|| near(link, name)).flatten() {
        line.extend(text!(": did you mean {}?", near));
    }
    line
}

/// The most similar exported name, if one is similar.
fn near<'l>(link: &'l Link, name: &[u8]) -> Option<&'l [u8]> {
    let names = link.symbols.iter().map(|symbol| &*symbol.export.name);
    let close = names.filter(|other| other.len().abs_diff(name.len()) <= NEAR && name.len() > 2 * NEAR);
    let distances = close.map(|other| (generic_levenshtein(&Bytes(other), &Bytes(name)), other));
    distances.filter(|(distance, _)| *distance <= NEAR).min_by_key(|(distance, _)| *distance).map(|(_, other)| other)
}

/// Bytes as strsim takes them.
struct Bytes<'a>(&'a [u8]);

impl<'b> IntoIterator for &Bytes<'b> {
    type Item = &'b u8;
    type IntoIter = std::slice::Iter<'b, u8>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The symbols that a `Module.symvers` beside the directories of the modules has.
fn elsewhere<'l>(link: &Link, run: &Run, undefined: &Undefined<'l>) -> IndexMap<&'l [u8], PathBuf> {
    let given: IndexSet<PathBuf> =
        run.dumps.iter().filter_map(|dump| fs::canonicalize(textfile::path(dump)).ok()).collect();
    let directories: IndexSet<PathBuf> = undefined
        .values()
        .flatten()
        .filter_map(|id| {
            let (directory, _) = split_path(&link.module(*id).facts.name);
            let directory = if directory.is_empty() { Path::new(".") } else { textfile::path(directory) };
            Some(fs::canonicalize(directory).ok()?.parent()?.to_owned())
        })
        .collect();
    let mut found = IndexMap::new();
    for directory in directories {
        let Ok(entries) = fs::read_dir(directory) else { continue };
        let mut files: Vec<PathBuf> =
            entries.filter_map(Result::ok).map(|entry| entry.path().join("Module.symvers")).collect();
        files.sort_unstable();
        for file in files.into_iter().filter(|file| !given.contains(file)) {
            let Ok(text) = regular::read(&file, limits::LIST) else { continue };
            for name in textfile::lines(&text).filter_map(|line| line.split(|&byte| byte == b'\t').nth(1)) {
                if let Some((name, _)) = undefined.get_key_value(name) {
                    found.entry(*name).or_insert_with(|| file.clone());
                }
            }
        }
    }
    found
}

/// The lines that modules lack, as their kernel writes them.
fn namespaces(link: &Link, run: &Run) -> Vec<Vec<u8>> {
    let mut modules: IndexMap<&[u8], Vec<Vec<u8>>> = IndexMap::new();
    for (id, namespaces) in run.missing {
        for namespace in namespaces {
            modules.entry(namespace).or_default().push(link.module(*id).facts.called());
        }
    }
    let line = |(namespace, users): (&[u8], Vec<Vec<u8>>)| {
        let quote = if run.dialect.namespaces_are_strings { "\"" } else { "" };
        text!("to be added: MODULE_IMPORT_NS({}{}{}); in {}", quote, namespace, quote, users.join(&b", "[..]))
    };
    modules.into_iter().map(line).collect()
}
