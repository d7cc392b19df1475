//! Modules together, with those that they depend on.

use std::collections::{HashMap, HashSet};
use std::mem::take;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use base::message::text;
use base::workers::Workers;
use kmod::archive::{self, Memory};
use kmod::module_name;

use crate::additions::Additions;
use crate::check::{Checked, check};
use crate::exported::Exported;
use crate::finding::{Effect, Errno, Finding, Step, Verdict};
use crate::place::{Place, stem};
use crate::symbols::unknown;
use crate::target::Target;

/// A module's file, and what was found.
#[derive(Debug)]
pub struct Judged {
    /// The file.
    pub path: PathBuf,
    /// What was found, or why it can't be read.
    pub checked: Result<Checked, archive::Error>,
}

impl Judged {
    fn is_refused(&self) -> bool {
        self.checked.as_ref().is_ok_and(|checked| matches!(checked.verdict(), Verdict::Refused(_)))
    }

    fn is_proprietary(&self) -> bool {
        self.checked.as_ref().is_ok_and(|checked| checked.is_proprietary)
    }

    fn name(&self) -> Vec<u8> {
        module_name(self.path.as_os_str().as_bytes())
    }
}

/// What was found in a file.
struct Found {
    module: Judged,
    /// What it exports.
    exports: Vec<Exported>,
    /// Its types for BPF, if they wait for the kernel's.
    additions: Option<Additions<'static>>,
}

/// Checks a file. Types for BPF are left for later if the kernel's haven't been read.
fn check_file(path: &Path, target: &Target, memory: &mut Memory) -> Found {
    let mut left = None;
    let mut checked = memory.read(path).map(|bytes| {
        let (mut checked, additions) = check(&bytes, target);
        match additions {
            Some(additions) if target.has_looked_for_types() => checked.findings.extend(additions.check(target)),
            additions => left = additions.map(Additions::into_owned),
        }
        checked
    });
    let exports = checked.as_mut().map_or_else(|_| Vec::new(), |checked| take(&mut checked.exports));
    Found { module: Judged { path: path.to_owned(), checked }, exports, additions: left }
}

/// Checks files, in their order.
fn check_all(files: &[PathBuf], target: &Target, progress: impl Fn() + Sync) -> Vec<Found> {
    let work = |memory: &mut Memory, path: &PathBuf| {
        let found = check_file(path, target, memory);
        progress();
        found
    };
    Workers::new(None, files.len()).map_with(files, Memory::default, work)
}

/// Checks files while the kernel's types for BPF are read.
fn check_first(files: &[PathBuf], target: &Target, progress: impl Fn() + Sync) -> Vec<Found> {
    let (_, mut all) = Workers::both(|| target.btf(), || check_all(files, target, &progress));
    let late = Workers::new(None, all.len()).map(&all, |found| found.additions.as_ref().map(|late| late.check(target)));
    for (found, findings) in all.iter_mut().zip(late) {
        if let Ok(checked) = &mut found.module.checked {
            checked.findings.extend(findings.into_iter().flatten());
        }
    }
    all
}

/// Judges modules, in the order of their files. They may use each other's exports, and
/// those of installed modules. `progress` is called once for each.
#[must_use]
pub fn judge(files: &[PathBuf], place: &Place, target: &Target, progress: impl Fn() + Sync) -> Vec<Judged> {
    let found = check_first(files, target, progress).into_iter();
    let (mut judged, mut exports): (Vec<Judged>, Vec<Vec<Exported>>) =
        found.map(|found| (found.module, found.exports)).unzip();
    add_exporters(&mut judged, &mut exports, place, target);
    check_again(&mut judged, &exports, target);
    let mut verdicts = Verdicts { place, target, known: HashMap::new(), open: HashSet::new() };
    for module in &judged {
        verdicts.known.entry(module.name()).or_insert_with(|| Known::of(module));
    }
    judged.truncate(files.len());
    for module in &mut judged {
        if let Ok(checked) = &mut module.checked {
            checked.findings.extend(verdicts.dependencies(checked));
        }
    }
    judged
}

/// The symbols that nothing exports.
fn lacking(module: &Judged) -> impl Iterator<Item = &[u8]> {
    let is_lacking = |finding: &&Finding| {
        finding.step == Step::Symbols && matches!(finding.effect, Effect::Refused(Errno::ENOENT) | Effect::Unknown)
    };
    let findings = module.checked.as_ref().map_or(&[][..], |checked| &checked.findings);
    findings.iter().filter(is_lacking).filter_map(|finding| finding.symbol.as_deref())
}

/// Adds the installed modules that export what is lacking, which the kernel's own list
/// hasn't if they were built outside of its tree, and those that export what these lack.
fn add_exporters(judged: &mut Vec<Judged>, exports: &mut Vec<Vec<Exported>>, place: &Place, target: &Target) {
    let mut seen = 0;
    while seen < judged.len() {
        let wanted: HashSet<&[u8]> = judged[seen..].iter().flat_map(lacking).collect();
        if wanted.is_empty() {
            return;
        }
        let known: HashSet<&Path> = judged.iter().map(|module| module.path.as_path()).collect();
        let mut files = place.exporters(&wanted);
        files.retain(|file| !known.contains(file.as_path()));
        seen = judged.len();
        for found in check_all(&files, target, || ()) {
            judged.push(found.module);
            exports.push(found.exports);
        }
    }
}

/// Checks those again that lack symbols which others of them export, and which would be
/// loaded: each once, after those that it needs.
fn check_again(judged: &mut [Judged], exports: &[Vec<Exported>], target: &Target) {
    let stems: Vec<Vec<u8>> = judged.iter().map(|module| stem(&module.path)).collect();
    let exported: HashSet<&[u8]> = exports.iter().flatten().map(|export| &export.name[..]).collect();
    let mut open: Vec<usize> = (0..judged.len()).filter(|&at| lacking(&judged[at]).next().is_some()).collect();
    while !open.is_empty() {
        let mut more = target.exports.clone();
        for ((module, stem), exports) in judged.iter().zip(&stems).zip(exports) {
            if !module.is_refused() {
                more.add_exported(stem, exports, module.is_proprietary());
            }
        }
        let is_there = |symbol: &[u8]| more.get(symbol).is_some();
        let waits = |&at: &usize| lacking(&judged[at]).any(|symbol| !is_there(symbol) && exported.contains(symbol));
        let gains =
            |&at: &usize| lacking(&judged[at]).any(|symbol| is_there(symbol) && target.exports.get(symbol).is_none());
        let (waiting, ready): (Vec<usize>, Vec<usize>) = open.into_iter().partition(waits);
        // What waits for modules that are refused comes last.
        let (mut now, later) = if ready.is_empty() { (waiting, Vec::new()) } else { (ready, waiting) };
        now.retain(gains);
        let target = Target { exports: more, ..target.clone() };
        let files: Vec<PathBuf> = now.iter().map(|&at| judged[at].path.clone()).collect();
        for (at, found) in now.into_iter().zip(check_all(&files, &target, || ())) {
            judged[at] = found.module;
        }
        open = later;
    }
}

/// What has to be known of a module on which others depend.
struct Known {
    /// It would not be loaded itself.
    is_refused: bool,
    /// The modules that it needs.
    owners: Vec<Vec<u8>>,
    /// Whether it and all that it depends on would be loaded, once that is known.
    loads: Option<bool>,
}

impl Known {
    fn of(module: &Judged) -> Self {
        let owners = module.checked.as_ref().map_or(&[][..], |checked| &checked.owners);
        let owners = owners.iter().map(|owner| owner.module.clone()).collect();
        Self { is_refused: module.checked.is_err() || module.is_refused(), owners, loads: None }
    }
}

/// Verdicts of modules that others depend on.
struct Verdicts<'a> {
    place: &'a Place,
    target: &'a Target<'a>,
    known: HashMap<Vec<u8>, Known>,
    /// Modules that wait for others. A cycle of dependencies refuses no module.
    open: HashSet<Vec<u8>>,
}

impl Verdicts<'_> {
    /// What is found in the modules that one depends on.
    fn dependencies(&mut self, checked: &Checked) -> Vec<Finding> {
        let mut findings = Vec::new();
        for owner in &checked.owners {
            let (meaning, advice) = if !self.is_there(&owner.module) {
                if self.place.modules.is_none() {
                    continue;
                }
                (text!("{} isn't installed, which exports it", owner.module), text!("install {}", owner.module))
            } else if !self.loads(&owner.module) {
                let meaning = text!("{}, which exports it, would not be loaded itself", owner.module);
                (meaning, text!("see what modcheck says of {}", owner.module))
            } else {
                continue;
            };
            findings.extend(owner.symbols.iter().map(|symbol| Finding {
                step: Step::Dependencies,
                effect: Effect::Refused(Errno::ENOENT),
                symbol: Some(symbol.clone()),
                line: Some(unknown(&checked.name, symbol, Errno::ENOENT)),
                meaning: meaning.clone(),
                advice: Some(advice.clone()),
            }));
        }
        findings
    }

    fn is_there(&self, module: &[u8]) -> bool {
        self.known.contains_key(module) || self.place.file(module).is_some()
    }

    /// Whether a module and all that it depends on would be loaded. A chain of modules
    /// may be of any length, so what waits for a dependency is kept here, not on the
    /// thread's stack.
    fn loads(&mut self, module: &[u8]) -> bool {
        let mut waiting = Vec::new();
        let mut loads = self.begin(module.to_vec(), &mut waiting);
        while let Some(Waiting { module, owners }) = waiting.last_mut() {
            let next = if loads { owners.next() } else { None };
            loads = match next {
                Some(owner) if self.is_there(&owner) => self.begin(owner, &mut waiting),
                // Without a directory of modules, nobody knows whether one is missing.
                Some(_) => self.place.modules.is_none(),
                None => {
                    self.end(module, loads);
                    waiting.pop();
                    loads
                }
            };
        }
        loads
    }

    /// Begins with a module. If it depends on others, it waits for them, and would be
    /// loaded as far as is known.
    fn begin(&mut self, module: Vec<u8>, waiting: &mut Vec<Waiting>) -> bool {
        if let Some(loads) = self.known.get(&module).and_then(|known| known.loads) {
            return loads;
        }
        if !self.open.insert(module.clone()) {
            return true;
        }
        if let Some(path) = self.place.file(&module).filter(|_| !self.known.contains_key(&module)) {
            let found = check_file(path, self.target, &mut Memory::default());
            self.known.insert(module.clone(), Known::of(&found.module));
        }
        let needed = self.known.get_mut(&module).filter(|known| !known.is_refused).map(|known| take(&mut known.owners));
        let Some(owners) = needed else {
            self.end(&module, false);
            return false;
        };
        waiting.push(Waiting { module, owners: owners.into_iter() });
        true
    }

    /// Notes whether a module would be loaded.
    fn end(&mut self, module: &[u8], loads: bool) {
        self.open.remove(module);
        if let Some(known) = self.known.get_mut(module) {
            known.loads = Some(loads);
        }
    }
}

/// A module, and its dependencies that weren't checked yet.
struct Waiting {
    module: Vec<u8>,
    owners: std::vec::IntoIter<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the first of these modules would be loaded: each with those that it needs,
    /// and whether it is refused itself.
    fn loads(modules: impl IntoIterator<Item = (String, Vec<String>, bool)>) -> bool {
        let place = Place::default();
        let target = place.target();
        let mut verdicts = Verdicts { place: &place, target: &target, known: HashMap::new(), open: HashSet::new() };
        let mut first = None;
        for (name, owners, is_refused) in modules {
            let owners = owners.into_iter().map(String::into_bytes).collect();
            first.get_or_insert_with(|| name.clone());
            verdicts.known.insert(name.into_bytes(), Known { is_refused, owners, loads: None });
        }
        let loads = verdicts.loads(first.unwrap_or_default().as_bytes());
        assert!(verdicts.open.is_empty());
        loads
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_modules() {
        const LAST: usize = 100_000;
        let chain = |is_refused| {
            let module = move |number: usize| {
                let owners = if number < LAST { vec![format!("m{}", number + 1)] } else { Vec::new() };
                (format!("m{number}"), owners, number == LAST && is_refused)
            };
            (0..=LAST).map(module)
        };
        assert!(loads(chain(false)));
        assert!(!loads(chain(true)));
    }

    #[test]
    fn what_modules_depend_on() {
        let module = |name: &str, owners: &[&str], is_refused| {
            (name.to_owned(), owners.iter().map(|&owner| owner.to_owned()).collect(), is_refused)
        };
        assert!(loads([module("a", &["b", "c"], false), module("b", &["a"], false), module("c", &["b"], false)]));
        assert!(!loads([module("a", &["b", "c"], false), module("b", &["a"], false), module("c", &["b"], true)]));
        // Without a directory of modules, a missing one counts as installed.
        assert!(loads([module("a", &["gone"], false)]));
        assert!(!loads([]));
    }
}
