//! The proof that ours does what the original does that it is to replace.
//!
//! Each original is asked in two ways: whether it has the options and the
//! texts that a kernel's must have, and, if it can be run here, whether it does
//! byte for byte what ours does on recorded cases.

mod candidates;
mod elfconfig;
mod original;
mod probes;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base::regular;
use kernel::{Change, Flags, Version, detect, record};

use candidates::{candidates, named_by};
use original::{Original, names, originals};
use probes::probes;

use crate::case::Case;
use crate::error::{ENOUGH, Error};
use crate::recording::pack::Pack;
use crate::subject::{Subject, TARGETS, Target, Tool};
use crate::texts::{self, Finding, Texts};
use crate::{parallel, run};

/// The most bytes that a file of a tool's source may have.
const MAX_SOURCE: u64 = 16 << 20;

/// What is to be proved.
#[derive(Clone, Debug)]
pub struct Request {
    /// The tool that is to be replaced.
    pub tool: Tool,
    /// The kernel tree, build directory or headers package.
    pub tree: PathBuf,
    /// Its directory of the tool, as in `scripts/mod`.
    pub scripts: PathBuf,
    /// The directory with the originals, each under its own name; `scripts` if `None`.
    pub originals: Option<PathBuf>,
    /// The directory with our programs.
    pub ours: PathBuf,
    /// The pack of recorded cases.
    pub cases: PathBuf,
    /// The kernel that the originals are said to be of, a version or a vendor's name.
    pub kernel: Option<OsString>,
}

/// One original, and how it was judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The file's name.
    pub name: String,
    /// Its SHA-256, for a program.
    pub digest: Option<String>,
    /// What was done.
    pub how: How,
}

/// How an original was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It did what ours does in so many cases.
    Ran(usize),
    /// It can't be run here, for this reason; its texts are the kernel's.
    Read(String),
    /// It only chooses one of the others.
    Wrapper,
    /// The texts of its source are the kernel's.
    Source,
}

/// What was proved.
#[derive(Clone, Debug)]
pub struct Proof {
    /// What the kernel is called.
    pub kernel: String,
    /// The record that a swap leaves; `None` if there is nothing that kbuild won't
    /// say better.
    pub record: Option<String>,
    /// Each original.
    pub judged: Vec<Judged>,
}

impl Proof {
    /// What was proved of a kernel: the one that was asked for, or one whose version
    /// kbuild gives it.
    fn new<D: Flags>(dialect: &D, kbuild: Option<Version>, is_given: bool, judged: Vec<Judged>) -> Self {
        let kernel = dialect.kernel();
        // If only texts were read and the tree doesn't say its version, it may be
        // another stable release.
        let has_run = judged.iter().any(|judged| matches!(judged.how, How::Ran(_)));
        if !(is_given || kbuild.is_some() || has_run) {
            let Version { major, minor, .. } = kernel.version;
            return Self { kernel: format!("{major}.{minor}"), record: None, judged };
        }
        let mut text = record::render(dialect);
        if let Some(version) = kbuild {
            text += &format!("kernelversion {version}\n");
        }
        for Judged { name, digest, .. } in &judged {
            if let Some(digest) = digest {
                text += &format!("original {digest} {name}\n");
            }
        }
        Self { kernel: kernel.name.clone(), record: Some(text), judged }
    }
}

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, Error> {
    result.map_err(|error| Error::Io(path.to_owned(), error))
}

/// What an original of a tool is judged by.
struct Means<D> {
    /// The tool's table.
    changes: &'static [Change],
    /// The files of its source in which its texts are: the first is in every kernel.
    sources: &'static [&'static str],
    /// What texts speak against a dialect.
    findings: fn(&Texts, &D) -> Vec<Finding>,
}

/// Proves that ours does what the originals of a tool do.
///
/// # Errors
/// What speaks against it.
pub fn prove(request: &Request) -> Result<Proof, Error> {
    // Programs are run from elsewhere.
    let absolute = |path: &Path| at(path, std::path::absolute(path));
    let (scripts, ours) = (absolute(&request.scripts)?, absolute(&request.ours)?);
    let request = &Request { scripts, ours, ..request.clone() };
    match request.tool {
        Tool::Modpost => prove_by(
            request,
            &Means {
                changes: modpost::dialect::CHANGES,
                sources: &["modpost.c", "modpost.h", "file2alias.c", "sumversion.c", "symsearch.c"],
                findings: Texts::findings,
            },
        ),
        Tool::Fixdep => prove_by(
            request,
            &Means { changes: fixdep::dialect::CHANGES, sources: &["fixdep.c"], findings: texts::of_fixdep },
        ),
        Tool::Genksyms => prove_by(
            request,
            &Means {
                changes: symversions::dialect::CHANGES,
                sources: &["genksyms.c", "keywords.c"],
                findings: texts::of_genksyms,
            },
        ),
    }
}

fn prove_by<D: Flags>(request: &Request, means: &Means<D>) -> Result<Proof, Error> {
    let elfconfigs = match request.tool {
        Tool::Modpost => originals(request, &["mk_elfconfig"])?,
        _ => Vec::new(),
    };
    let originals = originals(request, &names(request.tool))?;
    let source = source_of(&request.scripts, means.sources)?;
    let mut texts: Vec<(String, Texts)> = Vec::new();
    for original in originals.iter().filter(|original| !original.is_wrapper()) {
        texts.push((original.name.to_owned(), Texts::of_program(original.bytes.clone())));
    }
    texts.extend(source.map(|source| ("its source".to_owned(), Texts::of_source(&source))));
    if originals.is_empty() && texts.is_empty() {
        return Err(Error::NoOriginal);
    }
    let found: Option<(D, Version)> = detect::of_tree(&request.tree);
    let full_name = || named_by(&request.scripts).filter(|version| version.sublevel > 0);
    let kbuild = found.as_ref().map(|(_, version)| *version).or_else(full_name);
    let candidates = candidates(request, means.changes, found.as_ref())?;
    let mut errors: Vec<Error> = Vec::new();
    let mut pack = None;
    for dialect in &candidates {
        let judged = read(dialect, &texts, means.findings).and_then(|()| {
            let mut all = originals.iter().chain(&elfconfigs);
            let runs = all.any(|original| !original.is_wrapper() && original.unable.is_none());
            if runs && pack.is_none() {
                pack = Some(at(&request.cases, Pack::read(&request.cases))?);
            }
            let programs = originals.iter().map(|original| judge(original, dialect, request, pack.as_ref()));
            let elfconfigs =
                elfconfigs.iter().map(|original| elfconfig::judge(original, dialect, request, pack.as_ref()));
            programs.chain(elfconfigs).collect::<Result<Vec<_>, _>>()
        });
        match judged {
            Ok(mut judged) => {
                if texts.iter().any(|(name, _)| name == "its source") {
                    judged.push(Judged { name: "its source".to_owned(), digest: None, how: How::Source });
                }
                return Ok(Proof::new(dialect, kbuild, request.kernel.is_some(), judged));
            }
            Err(error @ Error::Io(..)) => return Err(error),
            Err(error) => errors.push(error),
        }
    }
    // The one that came furthest.
    let rank = |error: &Error| match error {
        Error::Differs { cases: (differing, _), .. } => (0, *differing),
        Error::Texts { findings, .. } => (1, findings.len()),
        _ => (2, 0),
    };
    Err(errors.into_iter().min_by_key(rank).unwrap_or(Error::NoKernel))
}

fn source_of(scripts: &Path, names: &[&str]) -> Result<Option<Vec<u8>>, Error> {
    if !names.first().is_some_and(|name| scripts.join(name).exists()) {
        return Ok(None);
    }
    let mut source = Vec::new();
    for name in names {
        let path = scripts.join(name);
        match regular::read(&path, MAX_SOURCE) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            text => {
                source.extend(at(&path, text)?);
                source.extend(b"\n;\n");
            }
        }
    }
    Ok(Some(source))
}

/// Whether all texts are a kernel's.
fn read<D: Flags>(
    dialect: &D,
    texts: &[(String, Texts)],
    findings: fn(&Texts, &D) -> Vec<Finding>,
) -> Result<(), Error> {
    for (name, texts) in texts {
        let findings = findings(texts, dialect);
        if !findings.is_empty() {
            return Err(Error::Texts { name: name.clone(), kernel: dialect.kernel().name.clone(), findings });
        }
    }
    Ok(())
}

fn judge<D: Flags>(original: &Original, dialect: &D, request: &Request, pack: Option<&Pack>) -> Result<Judged, Error> {
    let how = match (&original.unable, pack) {
        _ if original.is_wrapper() => How::Wrapper,
        (None, Some(pack)) => How::Ran(run_both(original, dialect, request, pack)?),
        (unable, _) => How::Read(unable.clone().unwrap_or_default()),
    };
    Ok(Judged { name: original.name.to_owned(), digest: Some(original.digest()), how })
}

/// Runs original and ours on the cases; returns their number.
fn run_both<D: Flags>(original: &Original, dialect: &D, request: &Request, pack: &Pack) -> Result<usize, Error> {
    let place = at(&original.path, run::place())?;
    let ours = at(&request.ours, our_program(request, dialect, place.path(), request.tool.name()))?;
    let theirs = Subject { tool: request.tool, ..Subject::new(&original.path) };
    let kernel = dialect.kernel().version.to_string();
    let compare = |number: usize, case: &Case| -> io::Result<String> {
        let outcomes = |subject: &Subject, who: &str| {
            let dir = place.path().join(format!("{who}-{number}"));
            let outcomes = case.outcomes(subject, &dir, &kernel, "2");
            fs::remove_dir_all(&dir)?;
            outcomes
        };
        Ok(case.differences(&outcomes(&theirs, "theirs")?, &outcomes(&ours, "ours")?))
    };
    let mut cases = at(&request.cases, probes(pack, request.tool, dialect, &original.targets()))?;
    if original.name == "modpost" {
        // A kernel's own is for one target alone, which nothing says.
        let mut served = Vec::new();
        for target in TARGETS {
            let first = cases.iter().enumerate().find(|(_, (_, case))| case.target == target);
            if let Some((number, (_, case))) = first {
                if at(&original.path, compare(number, case))?.is_empty() {
                    served.push(target);
                }
            }
        }
        if served.is_empty() {
            // What it differs in from the most usual is told.
            served.push(Target::Lsb64);
        }
        cases.retain(|(_, case)| served.contains(&case.target));
    }
    let differing = AtomicUsize::new(0);
    let first: Mutex<Option<(usize, String)>> = Mutex::new(None);
    let numbered: Vec<_> = cases.iter().enumerate().collect();
    parallel::each(&numbered, |&(number, (_, case))| {
        if differing.load(Ordering::Relaxed) >= ENOUGH {
            return;
        }
        let report = compare(number, case).unwrap_or_else(|error| format!("  {error}\n"));
        if report.is_empty() {
            return;
        }
        differing.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut first) = first.lock() {
            if first.as_ref().is_none_or(|(earlier, _)| number < *earlier) {
                *first = Some((number, report));
            }
        }
    });
    match first.into_inner().ok().flatten() {
        None => Ok(cases.len()),
        Some((number, report)) => Err(Error::Differs {
            name: original.name.to_owned(),
            kernel: dialect.kernel().name.clone(),
            cases: (differing.into_inner(), cases.len()),
            first: (cases[number].0.clone(), report),
        }),
    }
}

/// Ours, in a directory of its own with what a swap would leave beside it.
fn our_program<D: Flags>(request: &Request, dialect: &D, place: &Path, name: &str) -> io::Result<Subject> {
    let directory = place.join("program");
    let record = directory.join(record::PATH);
    fs::create_dir_all(record.parent().unwrap_or(&directory))?;
    fs::write(record, record::render(dialect))?;
    let program = directory.join(name);
    fs::copy(request.ours.join(name), &program)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let offsets = request.scripts.join("devicetable-offsets.h");
    match regular::read(&offsets, MAX_SOURCE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        text => fs::write(directory.join("devicetable-offsets.h"), text?)?,
    }
    Ok(Subject { tool: request.tool, ..Subject::new(program) })
}
