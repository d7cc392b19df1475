//! `.modinfo`: strings `tag=value`, each ended by a NUL, with any number of
//! NULs between them.

use elf::{Demands, Elf, SectionIndex, Source, Tables};
use kernel::Version;
use memchr::memchr;

/// Its strings, as tag and value, in order. A string without `=` is passed over.
pub fn pairs(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = Some(bytes);
    let strings = std::iter::from_fn(move || {
        let bytes = rest?;
        let end = memchr(0, bytes);
        rest = end.map(|end| &bytes[end + 1..]);
        Some(&bytes[..end.unwrap_or(bytes.len())])
    });
    strings.filter_map(|string| {
        let equals = memchr(b'=', string)?;
        Some((&string[..equals], &string[equals + 1..]))
    })
}

/// The bytes of the section.
///
/// # Errors
/// If the object can't be read, or is malformed.
pub fn strings(elf: &Elf, section: SectionIndex, source: &Source) -> elf::Result<Vec<u8>> {
    let (bytes, _) = source.checked(elf.strings_of(section))?;
    Ok(bytes)
}

/// The value of a tag in a module's `.modinfo`, the first if there are several.
///
/// # Errors
/// If the object can't be read, or is malformed.
pub fn value(source: &Source, tag: &[u8]) -> elf::Result<Option<Vec<u8>>> {
    let mut tables = Tables::default();
    let elf = Elf::parse(source, &mut tables, Demands::default())?;
    let Some((elf, section)) = elf.and_then(|elf| elf.modinfo.map(|section| (elf, section))) else {
        return Ok(None);
    };
    let bytes = strings(&elf, section, source)?;
    Ok(pairs(&bytes).find(|(known, _)| *known == tag).map(|(_, value)| value.to_vec()))
}

/// The kernel that a module was built for, by its `vermagic`.
#[must_use]
pub fn version(vermagic: &[u8]) -> Option<Version> {
    Version::parse(vermagic).map(|version| newest_of_a_series(version, vermagic))
}

/// Distributions call their kernels by a series and a number of their own, as
/// in `6.1.0-50-amd64`: which stable release that is can't be told, but it is
/// one, and near its last.
fn newest_of_a_series(version: Version, vermagic: &[u8]) -> Version {
    let numbers = format!("{}.{}.0-", version.major, version.minor);
    let is_distribution =
        vermagic.strip_prefix(numbers.as_bytes()).and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit);
    if is_distribution { Version { sublevel: u16::MAX, ..version } } else { version }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_distributions() {
        for (vermagic, sublevel) in [
            ("6.1.0-50-amd64 SMP", u16::MAX),
            ("6.1.0 SMP", 0),
            ("6.1.0-rc3 SMP", 0),
            ("6.12.107+deb13-amd64 SMP", 107),
            ("6.1.12-1-x", 12),
        ] {
            let version = Version::parse(vermagic.as_bytes()).expect("a version");
            assert_eq!(newest_of_a_series(version, vermagic.as_bytes()).sublevel, sublevel, "{vermagic}");
        }
    }
}
