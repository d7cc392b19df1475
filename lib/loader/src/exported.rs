//! What a module itself exports.

use base::bytes::until_nul;
use goblin::elf::section_header::SHN_ABS;

use crate::image::Image;
use crate::signature;
use crate::view::Native;

/// The flag of an export for the GPL alone, where flags stand in a table (`KSYM_FLAG_GPL_ONLY`).
pub(crate) const GPL_ONLY: u8 = 1;

/// An export, as the module that has it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The symbol's name.
    pub name: Vec<u8>,
    /// Its CRC; `None` if it has none.
    pub crc: Option<u32>,
    /// It is for modules with a licence that is compatible with the GPL.
    pub is_gpl: bool,
    /// The namespace that its users must import, "" for none.
    pub namespace: Vec<u8>,
}

/// All exports of a module, which is decompressed; `None` if it can't be read.
pub(crate) fn in_module(bytes: &[u8], native: Native) -> Option<Vec<Exported>> {
    let (bytes, _) = signature::split(bytes);
    Image::of_any(bytes, native).map(|image| of(&image))
}

/// All exports, in the order of their tables. modpost names their entries and
/// what belongs to them after the symbols.
pub(crate) fn of(image: &Image) -> Vec<Exported> {
    let gpl = image.section(b"__ksymtab_gpl");
    let table = image.section(b"__ksymtab");
    let flags = image.section(b"__kflagstab").map_or(&[][..], |section| image.contents(section));
    // Entries have two sizes, by the machine.
    let entry = table.map_or(0, |table| image.contents(table).len()).checked_div(flags.len()).unwrap_or(0);
    let mut exports = Vec::new();
    let (mut crcs, mut namespaces) = (Vec::new(), Vec::new());
    for (symbol, name) in image.symbols() {
        let value = usize::try_from(symbol.st_value).unwrap_or(usize::MAX);
        let rest = || image.sections.get(symbol.st_shndx).and_then(|_| image.contents(symbol.st_shndx).get(value..));
        if let Some(name) = name.strip_prefix(b"__crc_") {
            let is_absolute = symbol.st_shndx == SHN_ABS as usize;
            let crc = if is_absolute {
                Some(symbol.st_value as u32)
            } else {
                rest().and_then(|at| image.native().u32(at, 0))
            };
            crcs.push((name, crc));
        } else if let Some(name) = name.strip_prefix(b"__kstrtabns_") {
            namespaces.push((name, rest().map(until_nul).unwrap_or_default()));
        } else if let Some(name) = name.strip_prefix(b"__ksymtab_") {
            let flag = value.checked_div(entry).and_then(|number| flags.get(number));
            let is_gpl = Some(symbol.st_shndx) == gpl || flag.is_some_and(|flag| flag & GPL_ONLY != 0);
            let export = Exported { name: name.to_vec(), crc: None, is_gpl, namespace: Vec::new() };
            exports.push(((Some(symbol.st_shndx) == gpl, value), export));
        }
    }
    exports.sort_by_key(|(place, _)| *place);
    let mut exports: Vec<Exported> = exports.into_iter().map(|(_, export)| export).collect();
    crcs.sort_unstable();
    namespaces.sort_unstable();
    for export in &mut exports {
        let at = crcs.binary_search_by(|(name, _)| (*name).cmp(&export.name));
        export.crc = at.ok().and_then(|at| crcs[at].1);
        let at = namespaces.binary_search_by(|(name, _)| (*name).cmp(&export.name));
        export.namespace = at.map_or_else(|_| Vec::new(), |at| namespaces[at].1.to_vec());
    }
    exports
}
