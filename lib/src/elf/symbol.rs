//! Symbol table entries.

use goblin::elf::section_header::{SHN_HIRESERVE, SHN_LORESERVE, SHN_XINDEX};
use goblin::elf::sym;
use goblin::{elf32, elf64};
use scroll::Pread;

use super::{Encoding, SectionIndex};

/// One entry of the symbol table, of either class.
#[derive(Clone, Copy, Debug)]
pub struct Symbol {
    /// `st_name`: where the name lies in the string table.
    pub name: u32,
    /// `st_info`: type and binding.
    info: u8,
    /// `st_shndx` as it stands in the entry.
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

    /// Bound to be seen by other objects.
    #[must_use]
    pub fn is_global(&self) -> bool {
        matches!(self.binding(), sym::STB_GLOBAL | sym::STB_WEAK)
    }

    /// In no section of its own: absolute, common, and the like.
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

pub(super) const fn size(encoding: Encoding) -> u64 {
    if encoding.is_64 { elf64::sym::SIZEOF_SYM as u64 } else { elf32::sym::SIZEOF_SYM as u64 }
}

/// Parses entries and appends them; returns the greatest `st_name`. `Err` is
/// the number of an entry whose section should stand in `extended` and doesn't.
pub(super) fn parse(bytes: &[u8], extended: &[u8], encoding: Encoding, symbols: &mut Vec<Symbol>) -> Result<u32, u64> {
    let section = |entry: usize, shndx: u16| {
        let index = u32::from(shndx);
        if is_special(shndx) {
            Some(SectionIndex(index.wrapping_sub(SHN_HIRESERVE + 1)))
        } else if index == SHN_XINDEX {
            let word = extended.get(entry * 4..entry * 4 + 4)?;
            Some(SectionIndex(encoding.unsigned(word) as u32))
        } else {
            Some(SectionIndex(index))
        }
    };
    let mut last = 0;
    macro_rules! parse_as {
        ($sym:ty, $size:expr) => {
            for bytes in bytes.chunks_exact($size) {
                // A chunk has the size of an entry, which is all that can fail.
                let Ok(sym) = bytes.pread_with::<$sym>(0, encoding.endian()) else { break };
                let entry = symbols.len();
                last = last.max(sym.st_name);
                symbols.push(Symbol {
                    name: sym.st_name,
                    info: sym.st_info,
                    shndx: sym.st_shndx,
                    section: section(entry, sym.st_shndx).ok_or(entry as u64)?,
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
    Ok(last)
}
