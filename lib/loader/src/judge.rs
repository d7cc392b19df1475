//! Modules together, with those that they depend on.

use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use base::message::text;
use base::workers::Workers;
use kmod::{archive, module_name};

use crate::check::{Checked, Owner, check};
use crate::exported::Exported;
use crate::finding::{Effect, Errno, Finding, Step, Verdict};
use crate::place::{self, Place};
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

/// A file's path without what its name ends in.
fn stem(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_bytes();
    let end = memchr::memmem::rfind(bytes, b".ko").unwrap_or(bytes.len());
    bytes[..end].to_vec()
}

/// What was found in a file, and what it exports, which is taken out.
fn checked(path: &Path, target: &Target) -> (Judged, Vec<Exported>) {
    let mut checked = place::module(path).map(|bytes| check(&bytes, target));
    let exports = checked.as_mut().map_or_else(|_| Vec::new(), |checked| std::mem::take(&mut checked.exports));
    (Judged { path: path.to_owned(), checked }, exports)
}

/// Judges modules, in the order of their files. They may use each other's exports, and
/// those of installed modules. `progress` is called once for each.
#[must_use]
pub fn judge(files: &[PathBuf], place: &Place, target: &Target, progress: impl Fn() + Sync) -> Vec<Judged> {
    let workers = Workers::new(None, files.len());
    let work = |path: &PathBuf| {
        let result = checked(path, target);
        progress();
        result
    };
    let (mut judged, mut exports): (Vec<Judged>, Vec<Vec<Exported>>) = workers.map(files, work).into_iter().unzip();
    add_exporters(&mut judged, &mut exports, place, target);
    check_again(&mut judged, &exports, target);
    let mut verdicts = Verdicts { place, target, known: HashMap::new(), open: HashSet::new() };
    for module in &judged {
        let own = module.checked.as_ref().ok().cloned();
        verdicts.known.entry(module.name()).or_insert(Known { checked: own, loads: None });
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
        for (module, exported) in Workers::new(None, files.len()).map(&files, |path| checked(path, target)) {
            judged.push(module);
            exports.push(exported);
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
        let again = Workers::new(None, now.len()).map(&now, |&at| checked(&judged[at].path, &target).0);
        for (at, module) in now.into_iter().zip(again) {
            judged[at] = module;
        }
        open = later;
    }
}

struct Known {
    checked: Option<Checked>,
    /// Whether it and all that it depends on would be loaded, once that is known.
    loads: Option<bool>,
}

/// Verdicts of modules that others depend on.
struct Verdicts<'a> {
    place: &'a Place,
    target: &'a Target<'a>,
    known: HashMap<Vec<u8>, Known>,
    /// Those that are being looked at: a circle is no reason to refuse one.
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

    fn loads(&mut self, module: &[u8]) -> bool {
        if let Some(loads) = self.known.get(module).and_then(|known| known.loads) {
            return loads;
        }
        if !self.open.insert(module.to_vec()) {
            return true;
        }
        if !self.known.contains_key(module) {
            let read = self.place.file(module).map(|path| checked(path, self.target).0);
            let known = Known { checked: read.and_then(|read| read.checked.ok()), loads: None };
            self.known.insert(module.to_vec(), known);
        }
        let own = self.known.get(module).and_then(|known| known.checked.clone());
        let loads = own.is_some_and(|own| {
            let is_loaded = |owner: &Owner| match self.is_there(&owner.module) {
                true => self.loads(&owner.module),
                // Which modules there are is known of an installed kernel alone.
                false => self.place.modules.is_none(),
            };
            !matches!(own.verdict(), Verdict::Refused(_)) && own.owners.iter().all(is_loaded)
        });
        self.open.remove(module);
        if let Some(known) = self.known.get_mut(module) {
            known.loads = Some(loads);
        }
        loads
    }
}
