//! A suite of the archive, for one architecture: a directory of apt's own for
//! each, with the system's mirror and keys. The system's apt isn't touched.
//! apt verifies the index's signature, and each package by the index.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, thread};

use crate::cache;
use crate::error::Unavailable;
use crate::index::{self, Entry};

/// A suite of the archive for one architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suite {
    /// The suite's code name, as in `bookworm` or `bullseye-security`.
    pub name: &'static str,
    /// The architecture, as dpkg calls it, or [`SOURCE`].
    pub architecture: &'static str,
}

/// The architecture's name for source packages.
pub const SOURCE: &str = "source";

/// The keys that Debian signs its archive with.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// If this variable is set, nothing is fetched.
pub const OFFLINE: &str = "KBUILD_RS_OFFLINE";

/// How long an index is taken for current. Asking again for one that hasn't
/// changed costs one small request.
const CURRENT: Duration = Duration::from_secs(24 * 60 * 60);

/// apt locks its directories, and doesn't wait.
static APT: Mutex<()> = Mutex::new(());

pub(crate) fn lock() -> MutexGuard<'static, ()> {
    APT.lock().unwrap_or_else(PoisonError::into_inner)
}

type Indexes = BTreeMap<Suite, Result<Arc<[Entry]>, Unavailable>>;

/// The result for each suite that was asked for: none is asked twice.
static INDEXES: Mutex<Indexes> = Mutex::new(BTreeMap::new());

/// Why the archive can't be reached, once that is known.
static UNREACHABLE: Mutex<Option<String>> = Mutex::new(None);

/// Whether nothing is to be fetched, and why.
fn cut_off() -> Option<String> {
    if let Some(why) = env::var_os(OFFLINE).filter(|value| !value.is_empty()) {
        return Some(format!("{OFFLINE}={}", why.to_string_lossy()));
    }
    UNREACHABLE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The archive's address, from the machine's own sources. The security archive
/// is what they name as such, or else the main archive's sibling.
fn address(suite: Suite) -> Result<String, Unavailable> {
    let format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
    let output = Command::new("apt-get").args(["indextargets", "--no-release-info", "--format", format]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let os = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let machines = os.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).unwrap_or_default();
    let security = format!("{machines}-security");
    let of = |release: &str| {
        let lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let mut targets = lines.filter(|words| words[1..] == [release, "main"]);
        targets.next().map(|words| words[0].trim_end_matches('/').to_owned())
    };
    let main = of(machines);
    let found = if suite.name.ends_with("-security") {
        of(&security).or_else(|| main.map(|main| format!("{main}-security")))
    } else {
        main
    };
    let sources = || format!("this machine's apt names no mirror of Debian: it has no source for {machines:?} main");
    found.ok_or_else(|| Unavailable::Unreachable(sources()))
}

impl Suite {
    fn directory(self) -> io::Result<PathBuf> {
        cache::directory(&format!("apt/{}-{}", self.name, self.architecture))
    }

    /// An apt program that knows this suite alone.
    pub(crate) fn apt(self, program: &str) -> io::Result<Command> {
        let mut command = Command::new(program);
        command.arg("-c").arg(self.directory()?.join("apt.conf")).env("LC_ALL", "C");
        Ok(command)
    }

    /// Lays out apt's directory.
    fn lay_out(self) -> Result<PathBuf, Unavailable> {
        let dir = self.directory()?;
        for path in ["state", "parts", "lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(dir.join(path))?;
        }
        let (kind, architecture) = match self.architecture {
            SOURCE => ("deb-src", String::new()),
            name => ("deb", format!("APT::Architecture \"{name}\";\nAPT::Architectures {{ \"{name}\"; }};\n")),
        };
        let mut options = Vec::new();
        match self.architecture {
            SOURCE => options.push("target=Sources".to_owned()),
            name => options.push(format!("arch={name} target=Packages")),
        }
        if Path::new(KEYRING).exists() {
            options.push(format!("signed-by={KEYRING}"));
        }
        let source = format!("{kind} [{}] {} {} main\n", options.join(" "), address(self)?, self.name);
        fs::write(dir.join("sources.list"), source)?;
        let paths = [
            ("Dir::State", "state"),
            ("Dir::State::lists", "lists"),
            ("Dir::Cache", "cache"),
            ("Dir::Etc::sourcelist", "sources.list"),
            ("Dir::Etc::sourceparts", "parts"),
            ("Dir::Etc::preferencesparts", "parts"),
        ];
        let paths: String =
            paths.iter().map(|(name, path)| format!("{name} \"{}\";\n", dir.join(path).display())).collect();
        // As root, apt would read as a user who has no access to the cache. The
        // hooks are for updates of the system's own lists.
        let rest = "Dir::State::status \"/dev/null\";\nAPT::Sandbox::User \"root\";\nAcquire::Retries \"2\";\n\
                    Acquire::Languages { \"none\"; };\nAPT::Update::Error-Mode \"any\";\n\
                    #clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n\
                    #clear APT::Update::Post-Invoke-Success;\n";
        fs::write(dir.join("apt.conf"), format!("#clear APT::Architectures;\n{paths}{architecture}{rest}"))?;
        Ok(dir)
    }

    /// Brings the index up to date and condenses it.
    fn update(self) -> Result<(), Unavailable> {
        let dir = self.lay_out()?;
        run(self.apt("apt-get")?.arg("update"), &format!("the index of {} {}", self.name, self.architecture))?;
        let mut targets = self.apt("apt-get")?;
        let kind = if self.architecture == SOURCE { "Created-By: Sources" } else { "Created-By: Packages" };
        let output = targets.args(["indextargets", "--format", "$(FILENAME)", kind]).output()?;
        let part = dir.join("index.part");
        let mut lines = BufWriter::new(File::create(&part)?);
        for file in String::from_utf8_lossy(&output.stdout).lines() {
            let mut cat = Command::new("/usr/lib/apt/apt-helper")
                .args(["cat-file", file])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()?;
            if let Some(text) = cat.stdout.take() {
                index::condense(BufReader::new(text), &mut lines)?;
            }
            cat.wait()?;
        }
        drop(lines);
        fs::rename(part, dir.join("index"))?;
        Ok(())
    }

    fn is_current(self) -> io::Result<bool> {
        let Ok(metadata) = self.directory()?.join("index").metadata() else { return Ok(false) };
        // A time in the future doesn't count as current.
        Ok(metadata.modified()?.elapsed().is_ok_and(|age| age < CURRENT))
    }

    /// The packages that it has, as the archive says, or, where the archive
    /// can't be reached, as it last said.
    ///
    /// # Errors
    /// If the archive doesn't have the suite, or can't be reached.
    pub fn index(self) -> Result<Arc<[Entry]>, Unavailable> {
        let _held = lock();
        let mut known = INDEXES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = known.get(&self) {
            return index.clone();
        }
        let index = self.read_index();
        known.insert(self, index.clone());
        index
    }

    fn read_index(self) -> Result<Arc<[Entry]>, Unavailable> {
        let file = self.directory()?.join("index");
        if !self.is_current()? {
            let updated = match cut_off() {
                Some(why) => Err(Unavailable::Unreachable(why)),
                None => self.update(),
            };
            match updated {
                Err(Unavailable::Unreachable(why)) if file.exists() => {
                    eprintln!("{} {}: {why}; going by the index that is here", self.name, self.architecture);
                }
                other => other?,
            }
        }
        Ok(index::entries(&fs::read_to_string(file)?).collect())
    }
}

/// Runs apt-get, and tells apart what it says.
pub(crate) fn run(command: &mut Command, what: &str) -> Result<(), Unavailable> {
    if let Some(why) = cut_off() {
        return Err(Unavailable::Unreachable(format!("{what} is not fetched: {why}")));
    }
    eprintln!("fetching {what}");
    let stdout = if io::stderr().is_terminal() { Stdio::from(io::stderr()) } else { Stdio::null() };
    let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn()?;
    let stderr = child.stderr.take();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stderr.map(|mut stderr| stderr.read_to_string(&mut text)).transpose().map(|_| text)
    });
    let status = child.wait()?;
    let said = reader.join().unwrap_or_else(|_| Ok(String::new()))?;
    if status.success() {
        return Ok(());
    }
    let first = said.lines().find(|line| line.starts_with("E: ")).unwrap_or("E: apt-get failed");
    let why = format!("{what}: {}", first.trim_start_matches("E: "));
    let says = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    if says(&["404 ", "have a Release file", "has a Release file", "Mirror sync in progress", "Hash Sum mismatch"]) {
        return Err(Unavailable::Gone(why));
    }
    if says(&["No space left", "Permission denied", "Could not open lock", "Unable to lock"]) {
        return Err(Unavailable::Failed(why));
    }
    *UNREACHABLE.lock().unwrap_or_else(PoisonError::into_inner) = Some("the archive can't be reached".to_owned());
    Err(Unavailable::Unreachable(why))
}
