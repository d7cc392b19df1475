//! A package: the rule by which it is found, and its files.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::cache;
use crate::error::Unavailable;
use crate::index::{self, Entry};
use crate::suite::{self, SOURCE, Suite};

/// Which version of a package is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// The newest.
    Newest,
    /// The newest of a kernel's series, as in `6.12`.
    Series(&'a str),
    /// This one.
    Version(&'a str),
}

/// What package is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    /// Where it is.
    pub suite: Suite,
    /// Its name. A `*` matches a kernel's release, as in `6.1.0-50` or
    /// `6.12.107+deb13`: parts that begin with a digit, hyphens between them.
    pub name: &'a str,
    /// Which version.
    pub which: Which<'a>,
}

/// A package that the archive has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub suite: Suite,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How large the download is, in bytes.
    pub size: u64,
    /// What the `*` of the rule's name matched.
    pub release: String,
}

/// What is in the name of Debian's part of a source package.
const DEBIANS: &str = ".debian.tar.";

static FOUND: Mutex<BTreeMap<String, Result<Found, Unavailable>>> = Mutex::new(BTreeMap::new());

/// What the `*` of a pattern matches in a name.
fn matched<'n>(pattern: &str, name: &'n str) -> Option<&'n str> {
    let Some((before, after)) = pattern.split_once('*') else { return (pattern == name).then_some("") };
    let release = name.strip_prefix(before)?.strip_suffix(after)?;
    let is_number = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
    release.split('-').all(is_number).then_some(release)
}

/// A version is of a series if more numbers follow the series'.
fn is_of(version: &str, series: &str) -> bool {
    version.strip_prefix(series).is_some_and(|rest| rest.starts_with('.'))
}

impl Rule<'_> {
    /// The package, by the archive's index.
    ///
    /// # Errors
    /// If the archive can't be reached or doesn't have it.
    pub fn find(&self) -> Result<Found, Unavailable> {
        // A package is looked up once in a run, whether or not it was found.
        let mut known = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(format!("{self:?}")).or_insert_with(|| self.look_up()).clone()
    }

    fn look_up(&self) -> Result<Found, Unavailable> {
        let index = self.suite.index()?;
        let named: Vec<_> = index.iter().filter_map(|entry| Some((entry, matched(self.name, &entry.name)?))).collect();
        let wanted = |entry: &Entry| match self.which {
            Which::Newest => true,
            Which::Series(series) => is_of(&entry.version, series),
            Which::Version(version) => entry.version == version,
        };
        let mut newest: Option<(&Entry, &str)> = None;
        for &(entry, release) in named.iter().filter(|(entry, _)| wanted(entry)) {
            let later = match newest {
                None => true,
                Some((other, _)) => index::compare(&entry.version, &other.version)? == Ordering::Greater,
            };
            if later {
                newest = Some((entry, release));
            }
        }
        let Some((entry, release)) = newest else {
            let mut instead: Vec<_> = named.iter().map(|(entry, _)| &*entry.version).collect();
            instead.dedup();
            let Self { suite, name, which } = self;
            let wanted = match which {
                Which::Newest => String::new(),
                Which::Series(series) => format!(" of {series}"),
                Which::Version(version) => format!(" {version}"),
            };
            let instead = if instead.is_empty() { "none".to_owned() } else { instead.join(", ") };
            return Err(Unavailable::Gone(format!(
                "{} {} has no {name}{wanted}; of that name it has: {instead}",
                suite.name, suite.architecture
            )));
        };
        Ok(Found {
            suite: self.suite,
            name: entry.name.clone(),
            version: entry.version.clone(),
            size: entry.size,
            release: release.to_owned(),
        })
    }
}

/// Every version of a package that the archive has, in the index's order.
///
/// # Errors
/// If the archive can't be reached or doesn't have the suite.
pub fn versions(suite: Suite, name: &str) -> Result<Vec<Found>, Unavailable> {
    let index = suite.index()?;
    let entries = index.iter().filter(|entry| entry.name == name);
    let found = |entry: &Entry| Found {
        suite,
        name: entry.name.clone(),
        version: entry.version.clone(),
        size: entry.size,
        release: String::new(),
    };
    Ok(entries.map(found).collect())
}

impl Found {
    /// The name of its directory in the cache.
    fn key(&self) -> String {
        format!("packages/{}_{}_{}", self.name, self.version, self.suite.architecture)
    }

    /// The version that upstream gave it: what stands before Debian's own.
    #[must_use]
    pub fn upstream(&self) -> &str {
        self.version.rsplit_once('-').map_or(&self.version, |(upstream, _)| upstream)
    }

    /// Whether it is here already.
    ///
    /// # Errors
    /// If there can't be a cache.
    pub fn is_here(&self) -> io::Result<bool> {
        Ok(cache::directory("")?.join(self.key()).exists())
    }

    /// The package unpacked, downloaded if it isn't in the cache; of a source package,
    /// Debian's part.
    ///
    /// # Errors
    /// If the archive can't be reached or doesn't have it, or it can't be
    /// unpacked.
    pub fn unpacked(&self) -> io::Result<PathBuf> {
        cache::once(&self.key(), |dir| {
            let (file, mut command) = match self.suite.architecture {
                SOURCE => (self.part("--diff-only", DEBIANS)?, Command::new("tar")),
                _ => (self.download()?, Command::new("dpkg-deb")),
            };
            match self.suite.architecture {
                SOURCE => command.arg("-xf").arg(&file).arg("-C").arg(dir),
                _ => command.arg("-x").args([&file, dir]),
            };
            let status = command.status()?;
            if !status.success() {
                return Err(io::Error::other(format!("{}: {command:?} ended with {status}", file.display())));
            }
            fs::remove_file(file)
        })
    }

    /// Downloads the package, or of a source package upstream's part.
    ///
    /// # Errors
    /// If the archive can't be reached or doesn't have it.
    pub fn download(&self) -> io::Result<PathBuf> {
        match self.suite.architecture {
            SOURCE => self.part("--tar-only", ".orig.tar."),
            _ => self.fetch(&["download"], ".deb"),
        }
    }

    /// Downloads a part of a source package.
    fn part(&self, option: &str, mark: &str) -> io::Result<PathBuf> {
        self.fetch(&["source", "--download-only", option], mark)
    }

    /// Has apt-get bring files, and returns the one whose name has the mark.
    fn fetch(&self, action: &[&str], mark: &str) -> io::Result<PathBuf> {
        let Self { suite, name, version, .. } = self;
        let _held = suite::lock();
        let dir = cache::directory(&format!("apt/{}-{}", suite.name, suite.architecture))?.join("debs");
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(&dir)?;
        let mut command = suite.apt("apt-get")?;
        command.current_dir(&dir).args(action).arg(format!("{name}={version}"));
        // The index has the size of upstream's.
        let size = if mark == DEBIANS { "Debian's part".to_owned() } else { megabytes(self.size) };
        suite::run(&mut command, &format!("{name} {version} for {} ({size})", suite.architecture))?;
        for entry in fs::read_dir(&dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.contains(mark) && !name.ends_with(".asc") {
                return Ok(path);
            }
        }
        Err(io::Error::other(format!("{}: apt-get brought nothing", dir.display())))
    }
}

/// A size in megabytes, for people.
#[must_use]
pub fn megabytes(size: u64) -> String {
    let tenths = (size + 50_000) / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

/// Prints which of these packages are missing and how large they are, before
/// they are fetched; nothing if all are in the cache.
///
/// # Errors
/// If there can't be a cache.
pub fn announce(packages: &[Found]) -> io::Result<()> {
    let mut missing = Vec::new();
    for package in packages {
        if !package.is_here()? {
            missing.push(package);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let cache = cache::directory("")?;
    let total: u64 = missing.iter().map(|package| package.size).sum();
    eprintln!("to be fetched from Debian's archive into {}: {}", cache.display(), megabytes(total));
    for Found { suite, name, version, size, .. } in missing {
        eprintln!("  {name} {version} {} {}", suite.architecture, megabytes(*size));
    }
    Ok(())
}
