//! The proof that ours does what the original does that it is to replace.
//!
//! Each original is asked in two ways: whether it has the options and the
//! texts that a kernel's must have, and, if it can be run here, whether it does
//! byte for byte what ours does on recorded cases.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::Version;
use kernel::detect;
use kernel::record;
use modpost::dialect::{CHANGES, Dialect};
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::error::{ENOUGH, Error};
use crate::recording;
use crate::recording::pack::Pack;
use crate::run::Call;
use crate::subject::{Subject, TARGETS, Target};
use crate::texts::{Finding, Texts};
use crate::{compare, parallel, run};

/// What is to be proved.
#[derive(Clone, Debug)]
pub struct Request {
    /// The kernel tree, build directory or headers package.
    pub tree: PathBuf,
    /// Its `scripts/mod`.
    pub scripts: PathBuf,
    /// Where an earlier swap keeps the originals.
    pub kept: Option<PathBuf>,
    /// The directory with our programs.
    pub ours: PathBuf,
    /// The pack of recorded cases.
    pub cases: PathBuf,
    /// The kernel that the originals are said to be of.
    pub kernel: Option<Dialect>,
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
    /// The kernel.
    pub dialect: Dialect,
    /// The version that kbuild gives it, if the tree says that.
    pub kbuild: Option<Version>,
    /// The kernel is the one that was asked for.
    pub given: bool,
    /// Each original.
    pub judged: Vec<Judged>,
}

impl Proof {
    /// Whether it is this very kernel. If only texts were read and the tree
    /// doesn't say its version, it may be another stable release.
    #[must_use]
    pub(crate) fn is_exact(&self) -> bool {
        self.given || self.kbuild.is_some() || self.judged.iter().any(|judged| matches!(judged.how, How::Ran(_)))
    }

    /// What the kernel is called.
    #[must_use]
    pub fn kernel(&self) -> String {
        let Version { major, minor, .. } = self.dialect.kernel.version;
        if self.is_exact() { self.dialect.kernel.name.clone() } else { format!("{major}.{minor}") }
    }

    /// The record that a swap leaves; `None` if there is nothing that kbuild
    /// won't say better.
    #[must_use]
    pub fn record(&self) -> Option<String> {
        let mut text = record::render(&self.dialect);
        if let Some(version) = self.kbuild {
            text += &format!("kernelversion {version}\n");
        }
        for Judged { name, digest, .. } in &self.judged {
            if let Some(digest) = digest {
                text += &format!("original {digest} {name}\n");
            }
        }
        self.is_exact().then_some(text)
    }
}

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, Error> {
    result.map_err(|error| Error::Io(path.to_owned(), error))
}

/// The names that modpost can have: Debian's is a wrapper around one for each
/// target.
fn names() -> impl Iterator<Item = &'static str> {
    ["modpost"].into_iter().chain(TARGETS.into_iter().map(Target::program))
}

/// The files of modpost's source.
const SOURCES: &[&str] = &["modpost.c", "modpost.h", "file2alias.c", "sumversion.c", "symsearch.c"];

/// What only our programs have.
const OURS: &[u8] = b"KBUILD_RS";

/// Debian's wrapper makes the name of what it runs from this.
const WRAPPER: &[u8] = b"%s.real-%s-%s";

/// A program that is to be replaced.
#[derive(Debug)]
struct Original {
    name: &'static str,
    path: PathBuf,
    bytes: Vec<u8>,
    /// Why it can't be run here.
    unable: Option<String>,
}

impl Original {
    fn is_wrapper(&self) -> bool {
        memchr::memmem::find(&self.bytes, WRAPPER).is_some()
    }

    fn digest(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The targets that it may serve: Debian's say it, a kernel's own has one.
    fn targets(&self) -> Vec<Target> {
        TARGETS.into_iter().filter(|target| self.name == "modpost" || self.name == target.program()).collect()
    }
}

/// The originals of these names, as they were kept by a swap or are in `scripts/mod`.
fn originals(request: &Request, names: impl Iterator<Item = &'static str>) -> Result<Vec<Original>, Error> {
    let mut originals = Vec::new();
    for name in names {
        for path in request.kept.iter().chain([&request.scripts]).map(|dir| dir.join(name)) {
            let bytes = match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                bytes => at(&path, bytes)?,
            };
            if memchr::memmem::find(&bytes, OURS).is_none() {
                let unable = unable(&path)?;
                originals.push(Original { name, path, bytes, unable });
                break;
            }
        }
    }
    Ok(originals)
}

/// Why a program can't be run here, if it can't.
fn unable(program: &Path) -> Result<Option<String>, Error> {
    let dir = at(program, tempfile::tempdir())?;
    let mut command = Command::new(program);
    let output = command.current_dir(dir.path()).env_clear().stdin(Stdio::null()).output();
    let said = match &output {
        Err(error) => return Ok(Some(error.to_string())),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    // What the loader of shared libraries says, or a shell.
    let loader = ["GLIBC_", "error while loading shared libraries", "Exec format error"];
    let line = said.lines().find(|line| loader.iter().any(|mark| line.contains(mark)));
    let line = line.map(|line| line.split_once(" (required by").map_or(line, |(line, _)| line));
    Ok(line.map(|line| line.rsplit_once(": ").map_or(line, |(_, reason)| reason).to_owned()))
}

/// The dialects that an original may have, the likeliest first.
fn candidates(request: &Request, found: Option<&(Dialect, Version)>) -> Result<Vec<Dialect>, Error> {
    if let Some(dialect) = &request.kernel {
        return Ok(vec![dialect.clone()]);
    }
    let mut all = Vec::new();
    let dialect = match found {
        Some((dialect, _)) => dialect.clone(),
        None => Dialect::new(named_by(&request.scripts).ok_or(Error::NoKernel)?),
    };
    if found.is_some() || dialect.kernel.version.sublevel > 0 {
        all.push(dialect.clone());
    }
    if dialect.kernel.name == dialect.kernel.version.to_string() {
        // A stable release may have more or fewer fixes than its number says.
        let Version { major, minor, .. } = dialect.kernel.version;
        let stable = CHANGES.iter().flat_map(|change| change.stable);
        let mut sublevels: Vec<u16> = stable.filter(|s| (s.0, s.1) == (major, minor)).map(|s| s.2).collect();
        sublevels.push(0);
        sublevels.sort_unstable_by(|a, b| b.cmp(a));
        sublevels.dedup();
        for sublevel in sublevels {
            let mut other = Dialect::new(Version::new(major, minor, sublevel));
            other.kernel.rhel_version = dialect.kernel.rhel_version;
            other.kernel.suse_release.clone_from(&dialect.kernel.suse_release);
            if all.iter().all(|known| known.flags() != other.flags()) {
                all.push(other);
            }
        }
    }
    Ok(all)
}

/// The version in the name of the directory, as in `linux-kbuild-6.1`.
fn named_by(scripts: &Path) -> Option<Version> {
    let names = scripts.ancestors().filter_map(|path| path.file_name()?.to_str());
    let mut versions = names.filter_map(|name| {
        let start = name.find(|c: char| c.is_ascii_digit())?;
        Version::parse(&name.as_bytes()[start..])
    });
    versions.next()
}

/// Proves that ours does what the originals do.
///
/// # Errors
/// What speaks against it.
pub fn prove(request: &Request) -> Result<Proof, Error> {
    // Programs are run from elsewhere.
    let absolute = |path: &Path| at(path, std::path::absolute(path));
    let (scripts, ours) = (absolute(&request.scripts)?, absolute(&request.ours)?);
    let request = &Request { scripts, ours, ..request.clone() };
    let elfconfigs = originals(request, ["mk_elfconfig"].into_iter())?;
    let originals = originals(request, names())?;
    let source = source_of(&request.scripts)?;
    let mut texts: Vec<(String, Texts)> = Vec::new();
    for original in originals.iter().filter(|original| !original.is_wrapper()) {
        texts.push((original.name.to_owned(), Texts::of_program(original.bytes.clone())));
    }
    texts.extend(source.map(|source| ("its source".to_owned(), Texts::of_source(&source))));
    if originals.is_empty() && texts.is_empty() {
        return Err(Error::NoOriginal);
    }
    let found = detect::of_tree(&request.tree);
    let full_name = || named_by(&request.scripts).filter(|version| version.sublevel > 0);
    let kbuild = found.as_ref().map(|(_, version)| *version).or_else(full_name);
    let candidates = candidates(request, found.as_ref())?;
    let mut errors: Vec<Error> = Vec::new();
    let mut pack = None;
    for dialect in &candidates {
        let judged = read(dialect, &texts).and_then(|()| {
            let mut all = originals.iter().chain(&elfconfigs);
            let runs = all.any(|original| !original.is_wrapper() && original.unable.is_none());
            if runs && pack.is_none() {
                pack = Some(at(&request.cases, Pack::read(&request.cases))?);
            }
            let programs = originals.iter().map(|original| judge(original, dialect, request, pack.as_ref()));
            let elfconfigs =
                elfconfigs.iter().map(|original| judge_elfconfig(original, dialect, request, pack.as_ref()));
            programs.chain(elfconfigs).collect::<Result<Vec<_>, _>>()
        });
        match judged {
            Ok(mut judged) => {
                if texts.iter().any(|(name, _)| name == "its source") {
                    judged.push(Judged { name: "its source".to_owned(), digest: None, how: How::Source });
                }
                return Ok(Proof { dialect: dialect.clone(), kbuild, given: request.kernel.is_some(), judged });
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

fn source_of(scripts: &Path) -> Result<Option<Vec<u8>>, Error> {
    if !scripts.join(SOURCES[0]).exists() {
        return Ok(None);
    }
    let mut source = Vec::new();
    for name in SOURCES {
        let path = scripts.join(name);
        match fs::read(&path) {
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
fn read(dialect: &Dialect, texts: &[(String, Texts)]) -> Result<(), Error> {
    for (name, texts) in texts {
        let findings = texts.findings(dialect);
        if !findings.is_empty() {
            return Err(Error::Texts { name: name.clone(), kernel: dialect.kernel.name.clone(), findings });
        }
    }
    Ok(())
}

fn judge(original: &Original, dialect: &Dialect, request: &Request, pack: Option<&Pack>) -> Result<Judged, Error> {
    let how = match (&original.unable, pack) {
        _ if original.is_wrapper() => How::Wrapper,
        (None, Some(pack)) => How::Ran(run_both(original, dialect, request, pack)?),
        (unable, _) => How::Read(unable.clone().unwrap_or_default()),
    };
    Ok(Judged { name: original.name.to_owned(), digest: Some(original.digest()), how })
}

/// What mk_elfconfig writes in any kernel.
const ELFCONFIG_TEXT: &[u8] = b"KERNEL_ELFCLASS";

/// Judges the program that tells the C build its target, by an object of each.
fn judge_elfconfig(
    original: &Original,
    dialect: &Dialect,
    request: &Request,
    pack: Option<&Pack>,
) -> Result<Judged, Error> {
    let judged = |how| Judged { name: original.name.to_owned(), digest: Some(original.digest()), how };
    let (None, Some(pack)) = (&original.unable, pack) else {
        if memchr::memmem::find(&original.bytes, ELFCONFIG_TEXT).is_none() {
            let findings = vec![Finding::Missing("KERNEL_ELFCLASS")];
            return Err(Error::Texts { name: original.name.to_owned(), kernel: dialect.kernel.name.clone(), findings });
        }
        return Ok(judged(How::Read(original.unable.clone().unwrap_or_default())));
    };
    let place = at(&original.path, run::place())?;
    let ours = at(&request.ours, our_program(request, dialect, place.path(), "mk_elfconfig"))?;
    let objects = at(&request.cases, objects(pack))?;
    for (number, object) in objects.iter().enumerate() {
        let call = Call { stdin: object.clone(), ..Call::default() };
        let outcome = |subject: &Subject, who: &str| {
            let dir = place.path().join(format!("{who}-{number}"));
            fs::create_dir(&dir)?;
            run::observe(subject, &dir, &dialect.kernel.version.to_string(), &call)
        };
        let theirs = at(&original.path, outcome(&Subject::new(&original.path), "theirs"))?;
        let report = compare::differences(&theirs, &at(&request.ours, outcome(&ours, "ours"))?);
        if !report.is_empty() {
            return Err(Error::Differs {
                name: original.name.to_owned(),
                kernel: dialect.kernel.name.clone(),
                cases: (1, objects.len()),
                first: ("an object".to_owned(), report),
            });
        }
    }
    Ok(judged(How::Ran(objects.len())))
}

/// An object of each target, and what is none.
fn objects(pack: &Pack) -> io::Result<Vec<Vec<u8>>> {
    let mut objects = vec![Vec::new(), b"not an object".to_vec()];
    let Some(name) = pack.names()?.pop() else { return Ok(objects) };
    let recorded = recording::of(pack, &name)?;
    for target in TARGETS {
        let cases = recorded.iter().filter(|recorded| recorded.case.target == target);
        let mut files = cases.flat_map(|recorded| &recorded.case.files);
        objects
            .extend(files.find(|(_, contents)| contents.starts_with(b"\x7fELF")).map(|(_, contents)| contents.clone()));
    }
    Ok(objects)
}

/// How many flags differ.
fn distance(one: &Dialect, other: &Dialect) -> usize {
    let (one, other) = (one.flags(), other.flags());
    let only_in = |one: &[&str], other: &[&str]| one.iter().filter(|flag| !other.contains(flag)).count();
    only_in(&one, &other) + only_in(&other, &one)
}

/// Cases for these targets that a kernel like this one had: those of the
/// recording whose kernel differs from it in the fewest ways, and for targets
/// of which that has none, of the next.
fn probes(pack: &Pack, dialect: &Dialect, targets: &[Target]) -> io::Result<Vec<(String, Case)>> {
    let mut recordings = Vec::new();
    for name in pack.names()? {
        // A name is a kernel's.
        recordings.extend(Dialect::named(name.as_bytes()).map(|other| (distance(dialect, &other), name)));
    }
    recordings.sort();
    let is_root = nix::unistd::geteuid().is_root();
    let is_usable = |recorded: &recording::Recorded| {
        let is_64 = matches!(recorded.case.target, Target::Lsb64 | Target::Msb64);
        !recorded.crashed() && (is_root || !recorded.case.depends_on_root()) && (is_64 || !has_tables(&recorded.case))
    };
    let mut wanted = targets.to_vec();
    let mut probes: Vec<(String, Case)> = Vec::new();
    for (_, name) in recordings {
        let recorded = recording::of(pack, &name)?.into_iter();
        let fits = |recorded: &recording::Recorded| wanted.contains(&recorded.case.target) && is_usable(recorded);
        probes.extend(recorded.filter(fits).map(|recorded| (recorded.name, recorded.case)));
        wanted.retain(|target| probes.iter().all(|(_, case)| case.target != *target));
        if wanted.is_empty() {
            break;
        }
    }
    Ok(probes)
}

/// Debian's programs for 32-bit targets in the amd64 packages have the layouts
/// of a 64-bit kernel's device ids, and end the run of a real module. Ours has
/// the right ones.
fn has_tables(case: &Case) -> bool {
    case.files.iter().any(|(_, contents)| memchr::memmem::find(contents, b"__mod_").is_some())
}

/// Runs original and ours on the cases; returns their number.
fn run_both(original: &Original, dialect: &Dialect, request: &Request, pack: &Pack) -> Result<usize, Error> {
    let place = at(&original.path, run::place())?;
    let ours = at(&request.ours, our_program(request, dialect, place.path(), "modpost"))?;
    let theirs = Subject::new(&original.path);
    let kernel = dialect.kernel.version.to_string();
    let compare = |number: usize, case: &Case| -> io::Result<String> {
        let outcomes = |subject: &Subject, who: &str| {
            let dir = place.path().join(format!("{who}-{number}"));
            let outcomes = case.outcomes(subject, &dir, &kernel, "2");
            fs::remove_dir_all(&dir)?;
            outcomes
        };
        Ok(case.differences(&outcomes(&theirs, "theirs")?, &outcomes(&ours, "ours")?))
    };
    let mut cases = at(&request.cases, probes(pack, dialect, &original.targets()))?;
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
            kernel: dialect.kernel.name.clone(),
            cases: (differing.into_inner(), cases.len()),
            first: (cases[number].0.clone(), report),
        }),
    }
}

/// Ours, in a directory of its own with what a swap would leave beside it.
fn our_program(request: &Request, dialect: &Dialect, place: &Path, name: &str) -> io::Result<Subject> {
    let directory = place.join("program");
    let record = directory.join(record::PATH);
    fs::create_dir_all(record.parent().unwrap_or(&directory))?;
    fs::write(record, record::render(dialect))?;
    let program = directory.join(name);
    fs::copy(request.ours.join(name), &program)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let offsets = request.scripts.join("devicetable-offsets.h");
    if offsets.exists() {
        fs::copy(offsets, directory.join("devicetable-offsets.h"))?;
    }
    Ok(Subject::new(program))
}
