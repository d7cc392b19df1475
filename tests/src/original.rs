//! The C originals that run today, and ours.

use std::io;
use std::path::PathBuf;

use crate::apt::{Package, Suite};

const BOOKWORM: Suite = Suite { name: "bookworm", architecture: "amd64" };
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
    /// Where in the package they are.
    folder: &'static str,
}

/// Debian 11's.
pub static V5_10: Kernel = Kernel {
    version: "5.10.262",
    release: "5.10",
    package: Package { suite: BULLSEYE_SECURITY, name: "linux-kbuild-5.10", version: "5.10.262-1" },
    folder: "usr/lib/linux-kbuild-5.10/scripts/mod",
};

/// Debian 12's.
pub static V6_1: Kernel = Kernel {
    version: "6.1.176",
    release: "6.1",
    package: Package { suite: BOOKWORM, name: "linux-kbuild-6.1", version: "6.1.176-1" },
    folder: "usr/lib/linux-kbuild-6.1/scripts/mod",
};

/// The kernels whose originals run the suite's cases.
pub static KERNELS: [&Kernel; 2] = [&V5_10, &V6_1];

/// The modules of Debian 12's kernel.
pub const MODULES_6_1_AMD64: Package =
    Package { suite: BOOKWORM, name: "linux-image-6.1.0-50-amd64-unsigned", version: "6.1.176-1" };
/// Its `Module.symvers`.
pub const HEADERS_6_1_AMD64: Package =
    Package { suite: BOOKWORM, name: "linux-headers-6.1.0-50-amd64", version: "6.1.176-1" };

impl Kernel {
    /// The original's modpost for 64-bit little-endian targets.
    ///
    /// # Errors
    /// If the package can't be had.
    pub fn modpost(&self) -> io::Result<PathBuf> {
        Ok(self.package.unpacked()?.join(self.folder).join("modpost.real-lsb-64"))
    }
}

/// One of our programs: in the folder that `KBUILD_RS_BIN` names, or beside
/// the test's own executable.
///
/// # Errors
/// If it hasn't been built.
pub fn ours(program: &str) -> io::Result<PathBuf> {
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
    if path.exists() { Ok(path) } else { Err(io::Error::other(format!("{} has not been built", path.display()))) }
}
