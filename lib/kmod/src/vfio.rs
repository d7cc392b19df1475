//! Which driver takes a device for a virtual machine.
//!
//! Since "PCI / VFIO: Add 'override_only' support for VFIO PCI sub system"
//! (5.15), drivers that are there for VFIO alone have aliases that begin with
//! `vfio_`, which no device's modalias does: they are never loaded by themselves.
//! User space prefixes the device's modalias and takes, of the aliases that match,
//! the one with the fewest `*`.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use base::{regular, textfile};
use elf::{Demands, Elf, SectionIndex, Source, Tables, section_header};

use crate::{limits, module_name, pci};

/// What the aliases of drivers begin with that are there for VFIO alone.
pub const PREFIX: &[u8] = b"vfio_";

/// A device, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// A PCI address with its domain, as in `0000:01:00.0`.
    Address(String),
    /// A modalias.
    Modalias(Vec<u8>),
}

impl Device {
    /// Reads `0000:01:00.0`, `01:00.0`, or a modalias, of which the bus is
    /// followed by a colon. `None` for anything else.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let is_hex = |text: &[u8], len: usize| text.len() == len && text.iter().all(u8::is_ascii_hexdigit);
        let dot = memchr::memchr(b'.', text);
        let parts: Vec<&[u8]> = dot.map_or(&b""[..], |dot| &text[..dot]).split(|&byte| byte == b':').collect();
        let function = dot.map_or(&b""[..], |dot| &text[dot + 1..]);
        let is_place = |bus, slot| is_hex(bus, 2) && is_hex(slot, 2) && matches!(function, [b'0'..=b'7']);
        let address = |domain: &str| Some(Self::Address(domain.to_owned() + &String::from_utf8_lossy(text)));
        match parts[..] {
            [domain, bus, slot] if domain.len() >= 4 && is_hex(domain, domain.len()) && is_place(bus, slot) => {
                address("").map(Self::lowercase)
            }
            [bus, slot] if is_place(bus, slot) => address("0000:").map(Self::lowercase),
            _ => {
                let kind = &text[..memchr::memchr(b':', text)?];
                let is_kind = kind.first().is_some_and(u8::is_ascii_alphabetic) && !is_hex(kind, 2);
                is_kind.then(|| Self::Modalias(text.to_vec()))
            }
        }
    }

    /// Its address, if it is known by one.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::Address(address) => Some(address),
            Self::Modalias(_) => None,
        }
    }

    /// sysfs uses lower case.
    fn lowercase(self) -> Self {
        match self {
            Self::Address(address) => Self::Address(address.to_ascii_lowercase()),
            other => other,
        }
    }

    /// The modalias that variant drivers match: with the prefix.
    ///
    /// # Errors
    /// If sysfs doesn't know the device.
    pub fn vfio_modalias(&self, sysfs: &Path) -> io::Result<Vec<u8>> {
        let modalias = match self {
            Self::Modalias(modalias) => modalias.clone(),
            Self::Address(address) => {
                regular::read(&pci::Device::directory(address, sysfs).join("modalias"), limits::SMALL)?
            }
        };
        Ok(prefixed(&modalias))
    }
}

/// A modalias with the prefix.
#[must_use]
pub fn prefixed(modalias: &[u8]) -> Vec<u8> {
    let modalias = modalias.trim_ascii();
    if modalias.starts_with(PREFIX) { modalias.to_vec() } else { [PREFIX, modalias].concat() }
}

/// The name of a loaded module's PCI driver, by sysfs; `None` if it isn't
/// loaded, or has several.
#[must_use]
pub fn loaded_driver(module: &[u8], sysfs: &Path) -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    let drivers = sysfs.join("module").join(textfile::path(module)).join("drivers");
    let names = std::fs::read_dir(drivers).ok()?.filter_map(Result::ok).map(|entry| entry.file_name());
    let mut names = names.filter_map(|name| Some(name.as_bytes().strip_prefix(b"pci:")?.to_vec()));
    names.next().filter(|_| names.next().is_none())
}

/// The file of a module by `modules.dep`, relative to its directory.
#[must_use]
pub fn file_of<'a>(modules_dep: &'a [u8], module: &[u8]) -> Option<&'a [u8]> {
    let file = |line: &'a [u8]| line.split(|&byte| byte == b':').next();
    textfile::lines(modules_dep).filter_map(file).find(|file| module_name(file) == module)
}

/// The name of the PCI driver that a module's object registers; `None` if that
/// isn't known, or there are several.
///
/// A driver is told by what only `struct pci_driver` has in all kernels: a
/// `name`, directly followed by an `id_table` that is a device table.
///
/// # Errors
/// If the object can't be read, or is malformed.
pub fn driver_of(source: &Source) -> elf::Result<Option<Vec<u8>>> {
    let mut tables = Tables::default();
    let Some(mut elf) = Elf::parse(source, &mut tables, Demands::default())? else {
        return Ok(None);
    };
    source.checked(driver_in(&mut elf))
}

fn driver_in(elf: &mut Elf) -> elf::Result<Option<Vec<u8>>> {
    let mut device_tables = Vec::new();
    for symbol in elf.symbols().iter().filter(|symbol| symbol.size > 0) {
        if is_pci_table(elf.symbol_name(symbol)?) {
            device_tables.push((symbol.section, symbol.value));
        }
    }
    let mut names = BTreeSet::new();
    for number in 0..elf.sections.len() {
        let header = &elf.sections[number];
        let relocates = matches!(header.sh_type, section_header::SHT_RELA | section_header::SHT_REL);
        let relocated = SectionIndex(header.sh_info);
        let flags = elf.sections.get(header.sh_info as usize).map_or(0, |section| section.sh_flags);
        if relocates && flags & u64::from(section_header::SHF_WRITE) != 0 {
            let pointers = pointers(elf, SectionIndex(number as u32), relocated)?;
            for pair in pointers.windows(2) {
                let ((name_at, name), (table_at, table)) = (pair[0], pair[1]);
                let follows = name_at.checked_add(elf.encoding.word() as u64) == Some(table_at);
                if follows && device_tables.contains(&table) {
                    names.insert(elf.c_string(name.0, name.1)?);
                }
            }
        }
    }
    Ok(names.pop_first().filter(|_| names.is_empty()))
}

/// Whether a symbol is a table of `MODULE_DEVICE_TABLE(pci, …)`, which names it
/// `__mod_pci__NAME_device_table`, since 6.13 `__mod_device_table__pci__NAME`
/// and since 6.18 `__mod_device_table__kmod_MODULE__pci__NAME`.
fn is_pci_table(symbol: &[u8]) -> bool {
    let Some(rest) = symbol.strip_prefix(b"__mod_device_table__") else {
        return symbol.starts_with(b"__mod_pci__") && symbol.ends_with(b"_device_table");
    };
    let in_module = rest.starts_with(b"kmod_") && memchr::memmem::find(rest, b"__pci__").is_some();
    rest.starts_with(b"pci__") || in_module
}

/// A place in an object: a section, and an offset there.
type Place = (SectionIndex, u64);

/// What relocations put into a section, by their offsets there. An addend that
/// a relocation doesn't have is in the section.
fn pointers(elf: &mut Elf, relocations: SectionIndex, relocated: SectionIndex) -> elf::Result<Vec<(u64, Place)>> {
    let mut pointers = Vec::new();
    let (word, mut first) = (elf.encoding.word() as u64, 0);
    while elf.read_relocations(relocations, first)? {
        let read = elf.relocations();
        for relocation in (read.first()..read.end()).map(|number| read.get(number)) {
            let symbol = elf.symbol(relocation.symbol)?;
            let addend = match relocation.addend {
                Some(addend) => addend as u64,
                None => elf.encoding.unsigned(&elf.data(relocated, relocation.offset, word)?),
            };
            let mut at = symbol.value.wrapping_add(addend);
            if !elf.encoding.is_64 {
                at = u64::from(at as u32);
            }
            pointers.push((relocation.offset, (symbol.section, at)));
        }
        first = read.end();
    }
    pointers.sort_unstable();
    Ok(pointers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices() {
        let address = |text: &str| Some(Device::Address(text.to_owned()));
        assert_eq!(Device::parse(b"0000:01:00.0"), address("0000:01:00.0"));
        assert_eq!(Device::parse(b"0A:1f.7"), address("0000:0a:1f.7"));
        assert_eq!(Device::parse(b"10000:e1:00.0"), address("10000:e1:00.0"));
        let modalias = b"pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00";
        assert_eq!(Device::parse(modalias), Some(Device::Modalias(modalias.to_vec())));
        for other in ["01:00.8", "ab:00.8", "0000:01:00", "eth0", ":", ""] {
            assert_eq!(Device::parse(other.as_bytes()), None, "{other}");
        }
        let prefixed = Device::parse(modalias).and_then(|device| device.vfio_modalias(Path::new("/")).ok());
        assert_eq!(prefixed, Some([&b"vfio_"[..], modalias].concat()));
    }

    #[test]
    fn files_of_modules() {
        let dep = b"kernel/drivers/vfio/vfio.ko:\nkernel/drivers/vfio/pci/vfio-pci.ko: kernel/drivers/vfio/vfio.ko\n";
        assert_eq!(file_of(dep, b"vfio_pci"), Some(&b"kernel/drivers/vfio/pci/vfio-pci.ko"[..]));
        assert_eq!(file_of(dep, b"nothing"), None);
    }
}
