//! The C originals that run today, and ours.

use std::io;
use std::path::PathBuf;

use crate::apt::{Package, Suite};

const BOOKWORM: Suite = Suite { name: "bookworm", architecture: "amd64" };
const TRIXIE: Suite = Suite { name: "trixie", architecture: "amd64" };
const TRIXIE_BACKPORTS: Suite = Suite { name: "trixie-backports", architecture: "amd64" };
const BULLSEYE_SECURITY: Suite = Suite { name: "bullseye-security", architecture: "amd64" };

/// A kernel whose original a Debian package has.
#[derive(Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its version, as kbuild gives it in `KERNELVERSION`.
    pub version: &'static str,
    /// Its release, for short.
    pub release: &'static str,
    /// The package that holds its programs.
    package: Package,
    /// Options that kbuild gives it for a kernel with modules and their
    /// versions, in several ways.
    pub variants: &'static [&'static str],
    /// Where in the package they are.
    folder: &'static str,
    /// The C library that they want, if it may be newer than the machine's.
    libc: Option<Package>,
}

/// Trixie's C library.
const LIBC: Package = Package { suite: TRIXIE, name: "libc6", version: "2.41-12+deb13u4" };

/// A program to be run: one of ours or an original, by itself or through the
/// loader of another C library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The program.
    pub program: PathBuf,
    /// The folder of that C library.
    pub libc: Option<PathBuf>,
}

/// Debian 11's.
pub static V5_10: Kernel = Kernel {
    version: "5.10.262",
    release: "5.10",
    variants: &[],
    package: Package { suite: BULLSEYE_SECURITY, name: "linux-kbuild-5.10", version: "5.10.262-1" },
    folder: "usr/lib/linux-kbuild-5.10/scripts/mod",
    libc: None,
};

/// Debian 12's.
pub static V6_1: Kernel = Kernel {
    version: "6.1.176",
    release: "6.1",
    variants: &[],
    package: Package { suite: BOOKWORM, name: "linux-kbuild-6.1", version: "6.1.176-1" },
    folder: "usr/lib/linux-kbuild-6.1/scripts/mod",
    libc: None,
};

/// Debian 13's.
pub static V6_12: Kernel = Kernel {
    version: "6.12.107",
    release: "6.12",
    variants: &["-M", "-M -t"],
    package: Package { suite: TRIXIE, name: "linux-kbuild-6.12.107+deb13", version: "6.12.107-1" },
    folder: "usr/lib/linux-kbuild-6.12.107+deb13/scripts/mod",
    libc: Some(LIBC),
};

/// Debian 13's newest, from backports.
pub static V7_3: Kernel = Kernel {
    version: "7.3.4",
    release: "7.3",
    variants: &["-M -b", "-M -b -x", "-M -x -t"],
    package: Package { suite: TRIXIE_BACKPORTS, name: "linux-kbuild-7.3.4+deb13", version: "7.3.4-1~bpo13+1" },
    folder: "usr/lib/linux-kbuild-7.3.4+deb13/scripts/mod",
    libc: Some(LIBC),
};

/// The kernels whose originals run the suite's cases.
pub static KERNELS: [&Kernel; 4] = [&V5_10, &V6_1, &V6_12, &V7_3];

/// A kernel's modules.
#[derive(Debug)]
pub struct Modules {
    /// The package that holds them.
    pub modules: Package,
    /// The package that holds its `Module.symvers`.
    pub headers: Package,
}

/// Debian 11's, for amd64.
pub const MODULES_5_10_AMD64: Modules = Modules {
    modules: Package { suite: BULLSEYE_SECURITY, name: "linux-image-5.10.0-46-amd64-unsigned", version: "5.10.262-1" },
    headers: Package { suite: BULLSEYE_SECURITY, name: "linux-headers-5.10.0-46-amd64", version: "5.10.262-1" },
};
/// Debian 12's, for amd64.
pub const MODULES_6_1_AMD64: Modules = Modules {
    modules: Package { suite: BOOKWORM, name: "linux-image-6.1.0-50-amd64-unsigned", version: "6.1.176-1" },
    headers: Package { suite: BOOKWORM, name: "linux-headers-6.1.0-50-amd64", version: "6.1.176-1" },
};
/// Debian 13's, for amd64.
pub const MODULES_6_12_AMD64: Modules = Modules {
    modules: Package { suite: TRIXIE, name: "linux-image-6.12.107+deb13-amd64-unsigned", version: "6.12.107-1" },
    headers: Package { suite: TRIXIE, name: "linux-headers-6.12.107+deb13-amd64", version: "6.12.107-1" },
};

impl Kernel {
    /// The original's modpost for 64-bit little-endian targets.
    ///
    /// # Errors
    /// If the package can't be had.
    pub fn modpost(&self) -> io::Result<Subject> {
        let folder = self.package.unpacked()?.join(self.folder);
        let program = folder.join("modpost.real-lsb-64");
        let libc = match &self.libc {
            None => None,
            Some(package) => Some(package.unpacked()?.join("usr/lib/x86_64-linux-gnu")),
        };
        Ok(Subject { program, libc })
    }
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
        Ok(Subject { program: path, libc: None })
    } else {
        Err(io::Error::other(format!("{} has not been built", path.display())))
    }
}
