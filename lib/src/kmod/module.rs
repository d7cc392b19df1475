//! One module's aliases: those in its `.modinfo`, and those of its device
//! tables, which a finished module has in both places.

use crate::alias::layout;
use crate::diag::Fatal;
use crate::dialect::{Dialect, Version};
use crate::elf::{Elf, Malformed, Source, Tables};
use crate::object::modinfo::pairs;
use crate::object::{self, Context, DeviceTables, Wanted};
use crate::section::Rules;

/// What modules are read with.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The kernel, if it isn't to be the one that a module was built for.
    pub version: Option<Version>,
    /// The kernel for modules that don't say which.
    pub fallback: Version,
    /// Which device tables are read, and how.
    pub wanted: Wanted,
    /// The kernel build's own layouts of device ids.
    pub offsets: Option<layout::Offsets>,
}

/// What a worker keeps from module to module.
#[derive(Debug, Default)]
pub struct Scratch {
    kernel: Option<(Version, Dialect, Rules)>,
    tables: Tables,
    object: object::Scratch,
}

/// A module's aliases.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Those in `.modinfo`, in order.
    pub modinfo: Vec<Vec<u8>>,
    /// Those of device tables.
    pub tables: DeviceTables,
}

impl Module {
    /// All aliases: those in `.modinfo`, then those that device tables alone
    /// have.
    pub fn aliases(&self) -> impl Iterator<Item = &[u8]> {
        let more = self.tables.aliases.iter().filter(|alias| !self.modinfo.iter().any(|known| known == alias));
        self.modinfo.iter().map(Vec::as_slice).chain(more)
    }
}

/// The value of a tag in a module's `.modinfo`, the first if there are several.
///
/// # Errors
/// If the object is malformed.
pub fn modinfo(path: &[u8], source: &Source, tag: &[u8]) -> Result<Option<Vec<u8>>, Fatal> {
    let mut tables = Tables::default();
    // It is read the same by all kernels.
    let elf = Elf::parse(source, &mut tables, &Dialect::new(Version::DEFAULT)).map_err(|error| error.fatal(path))?;
    let Some((elf, section)) = elf.and_then(|elf| elf.modinfo.map(|section| (elf, section))) else {
        return Ok(None);
    };
    let bytes = elf.strings_of(section).map_err(|malformed| malformed.fatal(path))?;
    Ok(pairs(&bytes.0).find(|(known, _)| *known == tag).map(|(_, value)| value.to_vec()))
}

/// What `.modinfo` says here.
#[derive(Debug, Default)]
struct Info {
    aliases: Vec<Vec<u8>>,
    version: Option<Version>,
}

impl Info {
    fn read(source: &Source, tables: &mut Tables, dialect: &Dialect) -> Result<Self, Malformed> {
        let mut info = Self::default();
        // What is wrong with the object, reading its tables will say.
        let Ok(Some(elf)) = Elf::parse(source, tables, dialect) else {
            return Ok(info);
        };
        let Some(section) = elf.modinfo else {
            return Ok(info);
        };
        for (tag, value) in pairs(&elf.strings_of(section)?.0) {
            match tag {
                b"alias" => info.aliases.push(value.to_vec()),
                b"vermagic" => {
                    info.version = Version::parse(value).map(|version| newest_of_a_series(version, value));
                }
                _ => {}
            }
        }
        Ok(info)
    }
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

impl Reader {
    /// Reads a module. What is wrong with it is told by its tables.
    #[must_use]
    pub fn read(&self, path: &[u8], source: &Source, scratch: &mut Scratch) -> Module {
        let Scratch { kernel, tables, object } = scratch;
        // .modinfo is read the same by all kernels.
        let info = Info::read(source, tables, &Dialect::new(self.fallback));
        let info = match info {
            Ok(info) => info,
            Err(malformed) => {
                let tables = DeviceTables { fatal: Some(malformed.fatal(path)), ..DeviceTables::default() };
                return Module { modinfo: Vec::new(), tables };
            }
        };
        let version = self.version.or(info.version).unwrap_or(self.fallback);
        let (_, dialect, rules) = match kernel {
            Some(known) if known.0 == version => known,
            _ => {
                let dialect = Dialect::new(version);
                let rules = Rules::new(&dialect);
                kernel.insert((version, dialect, rules))
            }
        };
        let context = Context::new(dialect, rules, self.offsets.as_ref());
        Module { modinfo: info.aliases, tables: object::device_tables(path, source, &self.wanted, &context, object) }
    }
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
