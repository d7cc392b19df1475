//! What a swap recorded of the kernel that a program serves, so that nothing
//! has to be guessed again: see `kbuild-rs-swap`.
//!
//! A record is lines of a key and a value: `kernel` and a name as
//! `KBUILD_RS_KERNEL` takes it; `rhelversion` and `suserelease`, where there are
//! such; `with` or `without` a flag, where the kernel differs from that name's;
//! `kernelversion` and the version that kbuild gave the tree then, for another of
//! which the record doesn't hold; and `original`, which is for people.

use std::fmt::Write;

use crate::flags::Flags;
use crate::vendor;
use crate::version::Version;

/// Where the record lies, from the directory of the program.
pub const PATH: &str = ".kbuild-rs/kernel";

/// The record of a dialect.
#[must_use]
pub fn render<D: Flags>(dialect: &D) -> String {
    let kernel = dialect.kernel();
    let mut text = format!("kernel {}\n", kernel.name);
    let named = vendor::of_name::<D>(kernel.name.as_bytes());
    if let Some((major, minor)) = kernel.rhel_version {
        let _ = writeln!(text, "rhelversion {major}.{minor}");
    }
    if let Some(release) = &kernel.suse_release {
        let _ = writeln!(text, "suserelease {}", String::from_utf8_lossy(release));
    }
    let (flags, usual) = (dialect.flags(), named.map(|named| named.flags()).unwrap_or_default());
    for flag in flags.iter().filter(|flag| !usual.contains(flag)) {
        let _ = writeln!(text, "with {flag}");
    }
    for flag in usual.iter().filter(|flag| !flags.contains(flag)) {
        let _ = writeln!(text, "without {flag}");
    }
    text
}

/// The dialect of a record; `None` if it is malformed, of another version of these
/// programs with other flags, or not for what kbuild says of the kernel's
/// version.
#[must_use]
pub fn parse<D: Flags>(text: &str, kbuild: Option<Version>) -> Option<D> {
    let lines = || text.lines().filter_map(|line| line.split_once(' '));
    let name = lines().find_map(|(key, value)| (key == "kernel").then_some(value))?;
    let mut dialect = vendor::of_name::<D>(name.as_bytes())?;
    for (key, value) in lines() {
        match key {
            "rhelversion" => {
                let (major, minor) = value.split_once('.')?;
                dialect.kernel_mut().rhel_version = Some((major.parse().ok()?, minor.parse().ok()?));
            }
            "suserelease" => dialect.kernel_mut().suse_release = Some(value.as_bytes().to_vec()),
            "with" => dialect.set(value, true)?,
            "without" => dialect.set(value, false)?,
            "kernelversion" => {
                let then = Version::parse(value.as_bytes())?;
                kbuild.is_none_or(|now| now == then).then_some(())?;
            }
            _ => {}
        }
    }
    Some(dialect)
}
