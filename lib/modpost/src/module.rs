//! One module's aliases: those in its `.modinfo`, and those of its device
//! tables, which a finished module has in both places.

use elf::{Demands, Elf, Source, Tables};
use kernel::Version;
use kmod::modinfo::{pairs, strings, version};

use crate::alias::layout;
use crate::cli::Options;
use crate::dialect::Dialect;
use crate::malformed::Ending;
use crate::object::{self, Context, DeviceTables, Wanted};
use crate::section::Rules;

/// How modules are read.
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

/// How it is known which kernel a module is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was asked for.
    Asked,
    /// The module's vermagic.
    Vermagic,
    /// Neither says it.
    Fallback,
}

/// A module's aliases.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// The kernel that it was read for; none, if it couldn't be read.
    pub kernel: Option<(Version, Origin)>,
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

/// What `.modinfo` says here.
#[derive(Debug, Default)]
struct Info {
    aliases: Vec<Vec<u8>>,
    version: Option<Version>,
}

impl Info {
    fn read(source: &Source, tables: &mut Tables) -> elf::Result<Self> {
        let mut info = Self::default();
        let elf = match Elf::parse(source, tables, Demands::default()) {
            Ok(Some(elf)) => elf,
            Err(error @ elf::Error::Unreadable { .. }) => return Err(error),
            // Reading the tables reports whatever else is wrong with the object.
            Ok(None) | Err(_) => return Ok(info),
        };
        let Some(section) = elf.modinfo else {
            return Ok(info);
        };
        for (tag, value) in pairs(&strings(&elf, section, source)?) {
            match tag {
                b"alias" => info.aliases.push(value.to_vec()),
                b"vermagic" => info.version = version(value),
                _ => {}
            }
        }
        Ok(info)
    }
}

impl Reader {
    /// Reads a module. What is wrong with it is told by its tables.
    #[must_use]
    pub fn read(&self, path: &[u8], source: &Source, scratch: &mut Scratch) -> Module {
        let Scratch { kernel, tables, object } = scratch;
        // .modinfo is read the same by all kernels.
        let info = Info::read(source, tables);
        let info = match info {
            Ok(info) => info,
            Err(error) => {
                let tables = DeviceTables { fatal: Some(error.fatal(path)), ..DeviceTables::default() };
                return Module { tables, ..Module::default() };
            }
        };
        let (version, origin) = match (self.version, info.version) {
            (Some(version), _) => (version, Origin::Asked),
            (None, Some(version)) => (version, Origin::Vermagic),
            (None, None) => (self.fallback, Origin::Fallback),
        };
        let (_, dialect, rules) = match kernel {
            Some(known) if known.0 == version => known,
            _ => {
                let dialect = Dialect::new(version);
                let rules = Rules::new(&dialect);
                kernel.insert((version, dialect, rules))
            }
        };
        let options = Options::default();
        let context = Context { offsets: self.offsets.as_ref(), ..Context::new(dialect, rules, &options) };
        let tables = object::device_tables(path, source, &self.wanted, &context, object);
        Module { kernel: Some((version, origin)), modinfo: info.aliases, tables }
    }
}
