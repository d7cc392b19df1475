//! The C originals that run today, and ours.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use kbuild_rs::dialect::{Dialect, Version};

use crate::apt::{Package, Suite};

/// Debian 12.
pub const BOOKWORM: Suite = Suite { name: "bookworm", architecture: "amd64" };
const TRIXIE: Suite = Suite { name: "trixie", architecture: "amd64" };
const TRIXIE_BACKPORTS: Suite = Suite { name: "trixie-backports", architecture: "amd64" };
const BULLSEYE_SECURITY: Suite = Suite { name: "bullseye-security", architecture: "amd64" };

/// Sets of options.
pub type Variants = &'static [&'static str];

/// A kernel whose original a Debian package has, or that was compiled here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its version, as kbuild gives it in `KERNELVERSION`.
    pub version: &'static str,
    /// Its release, for short.
    pub release: &'static str,
    /// The package that holds its programs.
    package: Package<'static>,
    /// What its modules' packages are named after: its release on Debian.
    abi: &'static str,
    /// Options that kbuild gives it for a kernel with modules and their
    /// versions, in several ways.
    pub variants: Variants,
    /// Where in the package they are.
    folder: &'static str,
    /// The C library that they want, if it may be newer than the machine's.
    libc: Option<Package<'static>>,
    /// The C library that the programs of the i386 package want; `None` if the
    /// archive has no such package.
    libc_i386: Option<Package<'static>>,
    /// Where its programs are if they were compiled here.
    compiled: Option<PathBuf>,
}

/// For which targets an original was compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// 64 bits, little-endian.
    Lsb64,
    /// 64 bits, big-endian.
    Msb64,
    /// 32 bits, little-endian.
    Lsb32,
    /// 32 bits, big-endian.
    Msb32,
}

impl Target {
    /// The file of its program.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Lsb64 => "modpost.real-lsb-64",
            Self::Msb64 => "modpost.real-msb-64",
            Self::Lsb32 => "modpost.real-lsb-32",
            Self::Msb32 => "modpost.real-msb-32",
        }
    }

    /// The programs for 32-bit targets in the amd64 packages have the layouts
    /// of a 64-bit kernel's device ids; those in the i386 packages are right.
    const fn is_i386(self) -> bool {
        matches!(self, Self::Lsb32 | Self::Msb32)
    }
}

/// Trixie's C library.
const LIBC: Package<'static> = Package { suite: TRIXIE, name: "libc6", version: "2.41-12+deb13u4" };
const TRIXIE_LIBC_I386: Package<'static> = LIBC.of("i386");
/// Bookworm's, for 32 bits.
const BOOKWORM_LIBC_I386: Package<'static> =
    Package { suite: BOOKWORM, name: "libc6", version: "2.36-9+deb12u14" }.of("i386");

/// A program to be run: one of ours or an original, by itself or through the
/// loader of another C library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The program.
    pub program: PathBuf,
    /// The loader, beside which the rest of its C library is.
    pub loader: Option<PathBuf>,
}

/// What kbuild may give since 6.5.
pub const SINCE_6_5: Variants = &["-M", "-M -t"];
/// And since 6.14.
pub const SINCE_6_14: Variants = &["-M -b", "-M -b -x", "-M -x -t"];

/// Debian 11's.
pub static V5_10: Kernel = Kernel {
    version: "5.10.262",
    release: "5.10",
    variants: &[],
    package: Package { suite: BULLSEYE_SECURITY, name: "linux-kbuild-5.10", version: "5.10.262-1" },
    abi: "5.10.0-46",
    folder: "usr/lib/linux-kbuild-5.10/scripts/mod",
    libc: None,
    libc_i386: None,
    compiled: None,
};

/// Debian 12's.
pub static V6_1: Kernel = Kernel {
    version: "6.1.176",
    release: "6.1",
    variants: &[],
    package: Package { suite: BOOKWORM, name: "linux-kbuild-6.1", version: "6.1.176-1" },
    abi: "6.1.0-50",
    folder: "usr/lib/linux-kbuild-6.1/scripts/mod",
    libc: None,
    libc_i386: Some(BOOKWORM_LIBC_I386),
    compiled: None,
};

/// Debian 13's.
pub static V6_12: Kernel = Kernel {
    version: "6.12.107",
    release: "6.12",
    variants: SINCE_6_5,
    package: Package { suite: TRIXIE, name: "linux-kbuild-6.12.107+deb13", version: "6.12.107-1" },
    abi: "6.12.107+deb13",
    folder: "usr/lib/linux-kbuild-6.12.107+deb13/scripts/mod",
    libc: Some(LIBC),
    libc_i386: Some(TRIXIE_LIBC_I386),
    compiled: None,
};

/// Backported to Debian 13 before it.
pub static V7_2: Kernel = Kernel {
    version: "7.2.12",
    release: "7.2",
    variants: SINCE_6_14,
    package: Package { suite: TRIXIE_BACKPORTS, name: "linux-kbuild-7.2.12+deb13", version: "7.2.12-1~bpo13+1" },
    abi: "7.2.12+deb13",
    folder: "usr/lib/linux-kbuild-7.2.12+deb13/scripts/mod",
    libc: Some(LIBC),
    libc_i386: None,
    compiled: None,
};

/// Debian 13's newest, from backports.
pub static V7_3: Kernel = Kernel {
    version: "7.3.4",
    release: "7.3",
    variants: SINCE_6_14,
    package: Package { suite: TRIXIE_BACKPORTS, name: "linux-kbuild-7.3.4+deb13", version: "7.3.4-1~bpo13+1" },
    abi: "7.3.4+deb13",
    folder: "usr/lib/linux-kbuild-7.3.4+deb13/scripts/mod",
    libc: Some(LIBC),
    libc_i386: None,
    compiled: None,
};

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

/// Debian 11's source of the kernel.
pub const SOURCE_5_10: Package<'static> =
    Package { suite: BULLSEYE_SECURITY, name: "linux-source-5.10", version: "5.10.262-1" };
/// Debian 12's.
pub const SOURCE_6_1: Package<'static> = Package { suite: BOOKWORM, name: "linux-source-6.1", version: "6.1.176-1" };
/// Debian 13's.
pub const SOURCE_6_12: Package<'static> = Package { suite: TRIXIE, name: "linux-source-6.12", version: "6.12.107-1" };
/// Its newest, from backports.
pub const SOURCE_7_3: Package<'static> =
    Package { suite: TRIXIE_BACKPORTS, name: "linux-source-7.3", version: "7.3.4-1~bpo13+1" };

impl Subject {
    /// How it is called.
    #[must_use]
    pub fn words(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some(loader) = &self.loader {
            let folder = loader.parent().unwrap_or(loader);
            words.extend([loader.into(), "--library-path".into(), folder.into()]);
        }
        words.push(self.program.clone().into());
        words
    }
}

impl Kernel {
    /// A kernel whose programs for each target lie in `dir`, which were
    /// compiled with the layouts of a 64-bit kernel.
    #[must_use]
    pub fn compiled(version: &'static str, release: &'static str, variants: Variants, dir: PathBuf) -> Self {
        Self { version, release, variants, compiled: Some(dir), libc_i386: None, ..V7_3.clone() }
    }

    /// How it behaves, by our table.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        Dialect::new(Version::parse(self.version.as_bytes()).unwrap_or(Version::DEFAULT))
    }

    /// Whether the original has the target's own layouts of device ids.
    #[must_use]
    pub const fn knows_tables_of(&self, target: Target) -> bool {
        !target.is_i386() || self.libc_i386.is_some()
    }

    /// What its modules' packages are named after.
    #[must_use]
    pub const fn abi(&self) -> &'static str {
        self.abi
    }

    /// A package of this kernel, its name a pattern in which `*` is what
    /// modules' packages are named after, for an architecture; unpacked.
    ///
    /// # Errors
    /// If the package can't be had.
    pub fn unpacked(&self, pattern: &str, architecture: &'static str) -> io::Result<PathBuf> {
        let name = pattern.replace('*', self.abi);
        Package { name: &name, ..self.package }.of(architecture).unpacked()
    }

    /// The version of its packages.
    #[must_use]
    pub const fn package_version(&self) -> &'static str {
        self.package.version
    }

    /// The original's modpost for a target.
    ///
    /// # Errors
    /// If the package can't be had.
    pub fn modpost(&self, target: Target) -> io::Result<Subject> {
        if let Some(dir) = &self.compiled {
            return Ok(Subject { program: dir.join(target.program()), loader: None });
        }
        let (package, libc) = match self.libc_i386 {
            Some(libc) if target.is_i386() => (self.package.of("i386"), Some(libc)),
            _ => (self.package, self.libc),
        };
        let program = package.unpacked()?.join(self.folder).join(target.program());
        let loader = match libc {
            None => None,
            Some(libc) => Some(find_loader(&libc.unpacked()?)?),
        };
        Ok(Subject { program, loader })
    }
}

/// The loader of an unpacked C library: where it is differs by release.
fn find_loader(libc: &Path) -> io::Result<PathBuf> {
    let folders = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/i386-linux-gnu", "lib/i386-linux-gnu"];
    let names = ["ld-linux-x86-64.so.2", "ld-linux.so.2"];
    let paths = folders.iter().flat_map(|folder| names.iter().map(move |name| libc.join(folder).join(name)));
    let mut found = paths.filter(|path| path.exists());
    found.next().ok_or_else(|| io::Error::other(format!("{}: no loader", libc.display())))
}

/// One of our programs: in the folder that `KBUILD_RS_BIN` names, or beside
/// the test's own executable.
///
/// # Errors
/// If it hasn't been built.
pub fn ours(program: &str) -> io::Result<Subject> {
    let dir = match std::env::var_os("KBUILD_RS_BIN").filter(|dir| !dir.is_empty()) {
        Some(dir) => std::path::absolute(dir)?,
        None => {
            let executable = std::env::current_exe()?;
            let dir = executable.parent().map(PathBuf::from).unwrap_or_default();
            // Tests lie one folder deeper than programs.
            if dir.ends_with("deps") { dir.parent().map(PathBuf::from).unwrap_or_default() } else { dir }
        }
    };
    let path = dir.join(program);
    if path.exists() {
        Ok(Subject { program: path, loader: None })
    } else {
        Err(io::Error::other(format!("{} has not been built", path.display())))
    }
}
