//! The C originals that run today, and ours.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use kbuild_rs_debian::{Found, Rule, Suite, Unavailable, Which};
pub use kbuild_rs_proof::subject::{Subject, TARGETS, Target, Tool};
use kernel::Version;
use modpost::dialect::Dialect;

use crate::host;

/// Sets of options.
pub type Variants = &'static [&'static str];

/// A kernel whose original a Debian package has, or that was compiled here.
#[derive(Debug)]
pub struct Kernel {
    /// Its release: the series of a package's kernel, as in `6.12`.
    pub release: &'static str,
    /// Options that kbuild gives it for a kernel with modules and their
    /// versions, in several ways.
    pub variants: Variants,
    /// The newest version whose original was seen to do as ours does; of one
    /// that was compiled, its version.
    verified: &'static str,
    programs: Programs,
}

/// Where a kernel's programs come from.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are as many as kernels")]
enum Programs {
    /// Packages of the newest version that a suite has.
    Packages {
        suite: &'static str,
        /// The one that holds the programs.
        kbuild: &'static str,
        /// The C library that they want, if it may be newer than the machine's.
        libc: Option<Rule<'static>>,
        /// The one that the programs of the i386 package want; `None` if the
        /// archive has no such package.
        libc_i386: Option<Rule<'static>>,
        found: OnceLock<Result<Found, Unavailable>>,
    },
    /// A directory in which they were compiled, and a vendor's name if it is a
    /// vendor's.
    Compiled(PathBuf, Option<&'static str>),
}

/// The programs for 32-bit targets in the amd64 packages have the layouts of a
/// 64-bit kernel's device ids; those in the i386 packages are right.
const fn is_i386(target: Target) -> bool {
    matches!(target, Target::Lsb32 | Target::Msb32)
}

const fn libc(suite: &'static str, architecture: &'static str) -> Option<Rule<'static>> {
    Some(Rule { suite: Suite { name: suite, architecture }, name: "libc6", which: Which::Newest })
}

/// What kbuild may give since 6.5.
pub const SINCE_6_5: Variants = &["-M", "-M -t"];
/// And since 6.14.
pub const SINCE_6_14: Variants = &["-M -b", "-M -b -x", "-M -x -t"];

const fn packaged(
    release: &'static str,
    verified: &'static str,
    variants: Variants,
    (suite, kbuild): (&'static str, &'static str),
    [libc, libc_i386]: [Option<Rule<'static>>; 2],
) -> Kernel {
    let programs = Programs::Packages { suite, kbuild, libc, libc_i386, found: OnceLock::new() };
    Kernel { release, verified, variants, programs }
}

/// Debian 11's.
pub static V5_10: Kernel = packaged("5.10", "5.10.262", &[], ("bullseye-security", "linux-kbuild-5.10"), [None, None]);

/// Debian 12's.
pub static V6_1: Kernel =
    packaged("6.1", "6.1.176", &[], ("bookworm", "linux-kbuild-6.1"), [None, libc("bookworm", "i386")]);

/// Debian 13's.
pub static V6_12: Kernel = packaged(
    "6.12",
    "6.12.117",
    SINCE_6_5,
    ("trixie", "linux-kbuild-*"),
    [libc("trixie", "amd64"), libc("trixie", "i386")],
);

/// Backported to Debian 13 before it.
pub static V7_2: Kernel =
    packaged("7.2", "7.2.12", SINCE_6_14, ("trixie-backports", "linux-kbuild-*"), [libc("trixie", "amd64"), None]);

/// Debian 13's newest, from backports.
pub static V7_3: Kernel =
    packaged("7.3", "7.3.4", SINCE_6_14, ("trixie-backports", "linux-kbuild-*"), [libc("trixie", "amd64"), None]);

/// The kernels whose originals have a package.
pub static KERNELS: [&Kernel; 5] = [&V5_10, &V6_1, &V6_12, &V7_2, &V7_3];

static SELECTED: OnceLock<Vec<&'static Kernel>> = OnceLock::new();

/// The kernels whose originals run the suite's cases: those with a package,
/// unless others were selected.
pub fn kernels() -> &'static [&'static Kernel] {
    SELECTED.get().map_or(&KERNELS, Vec::as_slice)
}

/// Selects other kernels. What was selected first, stays.
pub fn select(kernels: Vec<&'static Kernel>) {
    let _ = SELECTED.set(kernels);
}

impl Kernel {
    /// A kernel whose programs for each target lie in `dir`, which were
    /// compiled with the layouts of a 64-bit kernel. A tree that was built has
    /// one program alone, which is taken for a 64-bit little-endian one's.
    #[must_use]
    pub fn compiled(version: &'static str, release: &'static str, variants: Variants, dir: PathBuf) -> Self {
        Self { verified: version, release, variants, programs: Programs::Compiled(dir, None) }
    }

    /// The same of a vendor's kernel, of which the version alone doesn't tell
    /// how it behaves.
    #[must_use]
    pub fn of_vendor(self, name: &'static str) -> Self {
        let programs = match self.programs {
            Programs::Compiled(dir, _) => Programs::Compiled(dir, Some(name)),
            packages => packages,
        };
        Self { programs, ..self }
    }

    /// Its name, if it is a vendor's.
    #[must_use]
    pub const fn vendor(&self) -> Option<&'static str> {
        match &self.programs {
            Programs::Compiled(_, vendor) => *vendor,
            Programs::Packages { .. } => None,
        }
    }

    /// The package that says which version this is: the headers, which are
    /// built together with everything else for amd64.
    ///
    /// # Errors
    /// If the archive can't be reached, or has none of this release.
    pub fn found(&self) -> Result<&Found, Unavailable> {
        let Programs::Packages { suite, found, .. } = &self.programs else {
            return Err(Unavailable::Gone(format!("{} was compiled here and has no packages", self.verified)));
        };
        let suite = Suite { name: suite, architecture: "amd64" };
        let rule = Rule { suite, name: "linux-headers-*-amd64", which: Which::Series(self.release) };
        found.get_or_init(|| rule.find()).as_ref().map_err(Clone::clone)
    }

    /// Its version, as kbuild gives it in `KERNELVERSION`. Where it can't be
    /// known, there is no original to be compared with, either.
    #[must_use]
    pub fn version(&self) -> &str {
        self.found().map_or(self.verified, Found::upstream)
    }

    fn parsed(version: &str) -> Version {
        Version::parse(version.as_bytes()).unwrap_or(Version::DEFAULT)
    }

    /// How it behaves, by our table.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        let vendor = self.vendor().and_then(|name| Dialect::named(name.as_bytes()));
        vendor.unwrap_or_else(|| Dialect::new(Self::parsed(self.version())))
    }

    /// Whether the archive has moved past the newest version that ours was
    /// verified with: then a difference is news, not a fault that was let in.
    #[must_use]
    pub fn is_news(&self) -> bool {
        Self::parsed(self.version()) > Self::parsed(self.verified)
    }

    /// Whether the original has the target's own layouts of device ids.
    #[must_use]
    pub const fn knows_tables_of(&self, target: Target) -> bool {
        !is_i386(target) || matches!(self.programs, Programs::Packages { libc_i386: Some(_), .. })
    }

    /// A package of this kernel, its name a pattern in which `*` is the
    /// kernel's release on Debian, for an architecture.
    ///
    /// # Errors
    /// If the archive can't be reached or doesn't have it.
    pub fn package(&self, pattern: &str, architecture: &'static str) -> Result<Found, Unavailable> {
        let found = self.found()?;
        let name = pattern.replace('*', &found.release);
        let suite = Suite { architecture, ..found.suite };
        Rule { suite, name: &name, which: Which::Version(&found.version) }.find()
    }

    /// Such a package, unpacked.
    ///
    /// # Errors
    /// If it can't be had.
    pub fn unpacked(&self, pattern: &str, architecture: &'static str) -> io::Result<PathBuf> {
        self.package(pattern, architecture)?.unpacked()
    }

    /// The packages that the original for a target needs: the one with the
    /// programs first.
    ///
    /// # Errors
    /// If the archive can't be reached or doesn't have them.
    pub fn packages(&self, target: Target) -> Result<Vec<Found>, Unavailable> {
        let Programs::Packages { kbuild, libc, libc_i386, .. } = &self.programs else { return Ok(Vec::new()) };
        let (architecture, libc) = match libc_i386 {
            Some(libc) if is_i386(target) => ("i386", Some(libc)),
            _ => ("amd64", libc.as_ref()),
        };
        let mut packages = vec![self.package(kbuild, architecture)?];
        packages.extend(libc.map(Rule::find).transpose()?);
        Ok(packages)
    }

    /// The original's modpost for a target.
    ///
    /// # Errors
    /// If the package can't be had.
    pub fn modpost(&self, target: Target) -> io::Result<Subject> {
        self.program(Tool::Modpost, target)
    }

    /// The original of a tool, for a target if there is one for each.
    ///
    /// # Errors
    /// If the package can't be had.
    pub fn program(&self, tool: Tool, target: Target) -> io::Result<Subject> {
        if let Programs::Compiled(dir, _) = &self.programs {
            let alone = dir.join(tool.name());
            let program = dir.join(target.program());
            let is_alone = tool != Tool::Modpost || (target == Target::Lsb64 && !program.exists());
            let program = if is_alone { alone } else { program };
            let missing = || Unavailable::Gone(format!("{}: there is none", program.display()));
            program.exists().then_some(()).ok_or_else(missing)?;
            let through = emulator().map_err(|error| Unavailable::Failed(error.to_string()))?;
            return Ok(Subject { tool, program, through });
        }
        let packages = self.packages(target)?;
        let kbuild = &packages[0];
        let scripts = kbuild.unpacked()?.join("usr/lib").join(&kbuild.name).join("scripts");
        let program = match tool {
            Tool::Modpost => scripts.join("mod").join(target.program()),
            _ => scripts.join(tool.path()),
        };
        let through = match packages.get(1) {
            None => Vec::new(),
            Some(libc) => {
                let loader = find_loader(&libc.unpacked()?)?;
                let libraries = loader.parent().unwrap_or(&loader).to_owned();
                vec![loader.into(), "--library-path".into(), libraries.into()]
            }
        };
        Ok(Subject { tool, program, through })
    }
}

/// The loader of an unpacked C library: where it is differs by release.
fn find_loader(libc: &Path) -> io::Result<PathBuf> {
    let directories =
        ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/i386-linux-gnu", "lib/i386-linux-gnu"];
    let names = ["ld-linux-x86-64.so.2", "ld-linux.so.2"];
    let paths = directories.iter().flat_map(|directory| names.iter().map(move |name| libc.join(directory).join(name)));
    let mut found = paths.filter(|path| path.exists());
    found.next().ok_or_else(|| io::Error::other(format!("{}: no loader", libc.display())))
}

/// What runs a program for the machine that is tested.
fn emulator() -> io::Result<Vec<OsString>> {
    Ok(host::current()?.map(|host| host.emulator.into()).into_iter().collect())
}

/// One of our programs: in the directory that `KBUILD_RS_BIN` names, or beside
/// the test's own executable. One for another machine is run by its emulator.
///
/// # Errors
/// If it hasn't been built.
pub fn ours(program: &str) -> io::Result<Subject> {
    let tool = Tool::ALL.into_iter().find(|tool| tool.name() == program).unwrap_or_default();
    let dir = match std::env::var_os("KBUILD_RS_BIN").filter(|dir| !dir.is_empty()) {
        Some(dir) => std::path::absolute(dir)?,
        None => {
            let executable = std::env::current_exe()?;
            let dir = executable.parent().map(PathBuf::from).unwrap_or_default();
            // Tests lie one directory deeper than programs.
            if dir.ends_with("deps") { dir.parent().map(PathBuf::from).unwrap_or_default() } else { dir }
        }
    };
    let path = dir.join(program);
    if path.exists() {
        Ok(Subject { tool, program: path, through: emulator()? })
    } else {
        Err(io::Error::other(format!("{} has not been built", path.display())))
    }
}
