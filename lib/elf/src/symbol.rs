//! Symbol table entries.

use std::ops::Range;

use goblin::elf::section_header::{SHN_HIRESERVE, SHN_LORESERVE, SHN_XINDEX};
use goblin::elf::sym;
use goblin::{elf32, elf64};
use scroll::Pread;

use crate::{Encoding, SectionIndex, Source};

/// One entry of the symbol table, of either class.
#[derive(Clone, Copy, Debug)]
pub struct Symbol {
    /// `st_name`: where the name lies in the string table.
    pub name: u32,
    /// `st_info`: type and binding.
    info: u8,
    /// `st_shndx` as it is in the entry.
    pub shndx: u16,
    /// The section: `st_shndx`, or the entry of `SHT_SYMTAB_SHNDX` that
    /// belongs to `SHN_XINDEX`. Special indices lie at the top of the range
    /// (`SHN_ABS`, 0xfff1, is 0xfffffff1), out of the way of real ones.
    pub section: SectionIndex,
    /// `st_value`: in a relocatable object, the offset in the section.
    pub value: u64,
    /// `st_size`, in bytes.
    pub size: u64,
}

impl Symbol {
    /// `STT_…`: the low half of `st_info`.
    #[must_use]
    pub fn kind(&self) -> u8 {
        sym::st_type(self.info)
    }

    /// `STB_…`: the high half of `st_info`.
    #[must_use]
    pub fn binding(&self) -> u8 {
        sym::st_bind(self.info)
    }

    /// Whether other objects can see it.
    #[must_use]
    pub fn is_global(&self) -> bool {
        matches!(self.binding(), sym::STB_GLOBAL | sym::STB_WEAK)
    }

    /// Whether it is in no ordinary section: absolute, common, and the like.
    #[must_use]
    pub fn is_special(&self) -> bool {
        is_special(self.shndx)
    }
}

/// Whether `st_shndx` is a reserved index other than `SHN_XINDEX`.
#[must_use]
pub fn is_special(shndx: u16) -> bool {
    let index = u32::from(shndx);
    index != SHN_XINDEX && (SHN_LORESERVE..=SHN_HIRESERVE).contains(&index)
}

pub(crate) const fn size(encoding: Encoding) -> u64 {
    if encoding.is_64 { elf64::sym::SIZEOF_SYM as u64 } else { elf32::sym::SIZEOF_SYM as u64 }
}

/// A symbol's section if the file doesn't say which it is: no section has that
/// number, and no special one.
pub(crate) const UNKNOWN: SectionIndex = SectionIndex(0xffff_feff);

/// The section of type `SHT_SYMTAB_SHNDX`.
#[derive(Debug, Default)]
pub(crate) struct Extended {
    /// What is in it.
    pub(crate) table: Vec<u8>,
    /// Where in the file the rest is that the original would read on in. As
    /// only the table is brought into the host's byte order, that is in it
    /// already.
    pub(crate) rest: Range<u64>,
}

impl Extended {
    fn section(&self, entry: usize, encoding: Encoding, source: &Source) -> SectionIndex {
        let at = entry * 4;
        if let Some(word) = self.table.get(at..at + 4) {
            return SectionIndex(encoding.unsigned(word) as u32);
        }
        let offset = self.rest.start + (at - self.table.len()) as u64;
        let mut word = Vec::new();
        if offset < self.rest.end && source.read_exact(offset, 4, &mut word) {
            SectionIndex(encoding.of_host().unsigned(&word) as u32)
        } else {
            UNKNOWN
        }
    }
}

/// Parses entries, of which the first has a number, and appends them; returns
/// the greatest `st_name`.
pub(crate) fn parse(
    first: usize,
    bytes: &[u8],
    extended: &Extended,
    encoding: Encoding,
    source: &Source,
    symbols: &mut Vec<Symbol>,
) -> u32 {
    let section = |entry: usize, shndx: u16| {
        let index = u32::from(shndx);
        if is_special(shndx) {
            SectionIndex(index.wrapping_sub(SHN_HIRESERVE + 1))
        } else if index == SHN_XINDEX {
            extended.section(entry, encoding, source)
        } else {
            SectionIndex(index)
        }
    };
    let mut last = 0;
    macro_rules! parse_as {
        ($sym:ty, $size:expr) => {
            for (entry, bytes) in (first..).zip(bytes.chunks_exact($size)) {
                // A chunk has the size of an entry, which is all that can fail.
                let Ok(sym) = bytes.pread_with::<$sym>(0, encoding.endian()) else { break };
                last = last.max(sym.st_name);
                symbols.push(Symbol {
                    name: sym.st_name,
                    info: sym.st_info,
                    shndx: sym.st_shndx,
                    section: section(entry, sym.st_shndx),
                    value: u64::from(sym.st_value),
                    size: u64::from(sym.st_size),
                });
            }
        };
    }
    if encoding.is_64 {
        parse_as!(elf64::sym::Sym, elf64::sym::SIZEOF_SYM);
    } else {
        parse_as!(elf32::sym::Sym, elf32::sym::SIZEOF_SYM);
    }
    last
}
