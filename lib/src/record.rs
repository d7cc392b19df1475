//! What a swap recorded of the kernel that a program serves, so that nothing
//! has to be guessed again: see `kbuild-rs-swap`.
//!
//! A record is lines of a key and a value: `kernel` and a name as
//! `KBUILD_RS_KERNEL` takes it; `rhelversion` and `suserelease`, where there are
//! such; `with` or `without` a flag, where the kernel differs from that name's;
//! `kernelversion` and the version that kbuild gave the tree then, for another of
//! which the record doesn't hold; and `original`, which is for people.

use std::fmt::Write;

use crate::dialect::{Dialect, Version};

/// Where the record lies, from the folder of the program.
pub const PATH: &str = ".kbuild-rs/kernel";

/// The record of a dialect.
#[must_use]
pub fn render(dialect: &Dialect) -> String {
    let mut text = format!("kernel {}\n", dialect.name);
    let named = Dialect::named(dialect.name.as_bytes());
    if let Some((major, minor)) = dialect.rhel_version {
        let _ = writeln!(text, "rhelversion {major}.{minor}");
    }
    if let Some(release) = &dialect.suse_release {
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

/// The dialect of a record; `None` if it is none, of another version of these
/// programs with other flags, or not for what kbuild says of the kernel's
/// version.
#[must_use]
pub fn parse(text: &str, kbuild: Option<Version>) -> Option<Dialect> {
    let lines = || text.lines().filter_map(|line| line.split_once(' '));
    let name = lines().find_map(|(key, value)| (key == "kernel").then_some(value))?;
    let mut dialect = Dialect::named(name.as_bytes())?;
    for (key, value) in lines() {
        match key {
            "rhelversion" => {
                let (major, minor) = value.split_once('.')?;
                dialect.rhel_version = Some((major.parse().ok()?, minor.parse().ok()?));
            }
            "suserelease" => dialect.suse_release = Some(value.as_bytes().to_vec()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Version;

    #[test]
    fn records_are_read_as_written() {
        let plain = Dialect::new(Version::new(6, 12, 117));
        let fedora = Dialect { rhel_version: Some((10, 99)), ..plain.clone() };
        let tumbleweed = Dialect::named(b"suse/6.12.9");
        let tumbleweed = tumbleweed.map(|suse| Dialect { suse_release: Some(b"openSUSE Tumbleweed".to_vec()), ..suse });
        let odd = Dialect { cdx_tables: false, packed_versions: true, ..plain.clone() };
        assert_eq!(render(&odd), "kernel 6.12.117\nwith packed_versions\nwithout cdx_tables\n");
        let named = [b"rhel/9.6", b"suse/15."].into_iter().filter_map(|name| Dialect::named(name));
        for dialect in [plain, fedora, odd].into_iter().chain(tumbleweed).chain(named) {
            assert_eq!(parse(&render(&dialect), None), Some(dialect));
        }
        for bad in ["", "kernel\n", "kernel six\n", "kernel 6.1\nwith nothing\n", "kernel 6.12\nrhelversion 10\n"] {
            assert_eq!(parse(bad, None), None, "{bad}");
        }
        let of = |kbuild| parse("kernel rhel/9.6\nkernelversion 5.14.0\n", kbuild).map(|dialect| dialect.name);
        for kbuild in [None, Some(Version::new(5, 14, 0))] {
            assert_eq!(of(kbuild).as_deref(), Some("rhel/9.6"));
        }
        assert_eq!(of(Some(Version::new(6, 12, 0))), None);
    }
}
