//! Packages from Debian's archive, of any suite and architecture, without
//! touching the system's own apt: a folder of apt's own for each, with the
//! system's mirror and keys. apt verifies the index's signature and each
//! package's checksum, resumes, and shows progress.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

use crate::cache;

/// A suite of the archive for one architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The suite's code name, as in `bookworm` or `bullseye-security`.
    pub name: &'static str,
    /// The architecture, as dpkg calls it, or [`SOURCE`].
    pub architecture: &'static str,
}

/// What stands in an architecture's place where source packages are meant.
pub const SOURCE: &str = "source";

/// A package of a certain version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package<'a> {
    /// Where it is.
    pub suite: Suite,
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'static str,
}

fn failed(what: impl Into<String>) -> io::Error {
    io::Error::other(what.into())
}

/// The address of the mirror that this machine uses for Debian's main archive.
fn mirror() -> io::Result<String> {
    let output = Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI) $(COMPONENT)"]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut addresses = text.lines().filter_map(|line| line.split_once(' ')).map(|(address, _)| address);
    let main = addresses.find(|address| address.trim_end_matches('/').ends_with("/debian"));
    main.map(|address| address.trim_end_matches('/').to_owned())
        .ok_or_else(|| failed("apt names no mirror of Debian's archive"))
}

/// The security archive lies beside the main one.
fn address(suite: Suite) -> io::Result<String> {
    let mirror = mirror()?;
    Ok(if suite.name.ends_with("-security") { format!("{mirror}-security") } else { mirror })
}

impl Suite {
    fn folder(self) -> io::Result<PathBuf> {
        cache::folder(&format!("apt/{}-{}", self.name, self.architecture))
    }

    fn apt(self, program: &str) -> io::Result<Command> {
        let dir = self.folder()?;
        let mut command = Command::new(program);
        let mut set = |name: &str, value: &str| {
            command.arg("-o").arg(format!("{name}={value}"));
        };
        for (name, path) in [
            ("Dir::State", "state"),
            ("Dir::State::lists", "lists"),
            ("Dir::Cache", "cache"),
            ("Dir::Etc::sourcelist", "sources.list"),
            ("Dir::Etc::sourceparts", "parts"),
            ("Dir::Etc::preferencesparts", "parts"),
        ] {
            set(name, &dir.join(path).to_string_lossy());
        }
        if self.architecture != SOURCE {
            set("APT::Architecture", self.architecture);
            set("APT::Architectures::", self.architecture);
        }
        for (name, value) in [
            ("Dir::State::status", "/dev/null"),
            // As root, apt would want to read as a user who can't.
            ("APT::Sandbox::User", "root"),
            ("Acquire::Retries", "3"),
            ("Acquire::Languages", "none"),
        ] {
            set(name, value);
        }
        Ok(command)
    }

    /// Brings the index up to date.
    fn update(self) -> io::Result<()> {
        let dir = self.folder()?;
        for path in ["state", "parts", "lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(dir.join(path))?;
        }
        let kind = match self.architecture {
            SOURCE => "deb-src".to_owned(),
            architecture => format!("deb [arch={architecture}]"),
        };
        fs::write(dir.join("sources.list"), format!("{kind} {} {} main\n", address(self)?, self.name))?;
        run(self.apt("apt-get")?.arg("update"), &format!("index of {} {}", self.name, self.architecture))
    }
}

fn run(command: &mut Command, what: &str) -> io::Result<()> {
    eprintln!("fetching {what}");
    if !io::stderr().is_terminal() {
        command.arg("-q");
    }
    let status = command.stdin(Stdio::null()).stdout(io::stderr()).status()?;
    if status.success() { Ok(()) } else { Err(failed(format!("{what}: apt-get ended with {status}"))) }
}

impl Package<'_> {
    /// The same package for another architecture.
    #[must_use]
    pub const fn of(self, architecture: &'static str) -> Self {
        Self { suite: Suite { architecture, ..self.suite }, ..self }
    }

    /// The package unpacked, downloaded if it isn't in the cache.
    ///
    /// # Errors
    /// If the archive can't be reached or doesn't have it, or it can't be
    /// unpacked.
    pub fn unpacked(&self) -> io::Result<PathBuf> {
        let Self { suite, name, version } = self;
        cache::once(&format!("packages/{name}_{version}_{}", suite.architecture), |dir| {
            let file = self.download()?;
            let status = Command::new("dpkg-deb").arg("-x").args([&file, dir]).status()?;
            if !status.success() {
                return Err(failed(format!("{}: dpkg-deb ended with {status}", file.display())));
            }
            fs::remove_file(file)
        })
    }

    /// Downloads the package, or of a source package upstream's part.
    ///
    /// # Errors
    /// If the archive can't be reached or doesn't have it.
    pub fn download(&self) -> io::Result<PathBuf> {
        let Self { suite, name, version } = self;
        if env::var_os("KBUILD_RS_OFFLINE").is_some_and(|value| !value.is_empty()) {
            return Err(failed(format!("{name} {version} is not in the cache, and KBUILD_RS_OFFLINE is set")));
        }
        // apt locks its folders, and doesn't wait.
        static APT: Mutex<()> = Mutex::new(());
        let _held = APT.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = suite.folder()?.join("debs");
        fs::create_dir_all(&dir)?;
        let wanted = format!("{name}={version}");
        let action: &[&str] = match suite.architecture {
            SOURCE => &["source", "--download-only", "--tar-only"],
            _ => &["download"],
        };
        let fetch = || run(suite.apt("apt-get")?.current_dir(&dir).args(action).arg(&wanted), &wanted);
        // An index from an earlier day may name files that are gone.
        if !suite.folder()?.join("sources.list").exists() || fetch().is_err() {
            suite.update()?;
            fetch()?;
        }
        let upstream = version.split('-').next().unwrap_or(version);
        find(&dir, &if suite.architecture == SOURCE { format!("{name}_{upstream}.") } else { format!("{name}_") })
    }
}

fn find(dir: &Path, prefix: &str) -> io::Result<PathBuf> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            return Ok(entry.path());
        }
    }
    Err(failed(format!("{}: no {prefix}*", dir.display())))
}
