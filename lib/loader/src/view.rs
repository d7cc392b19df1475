//! Bytes as a kernel reads them: in its own class and byte order, whatever those of the
//! file are.

use base::bytes::until_nul;
use goblin::container::{Container, Ctx, Endian};
use goblin::elf::header::{Header, header32, header64};
use goblin::elf::section_header::{SHT_NOBITS, SectionHeader, section_header32, section_header64};
use goblin::elf::sym::{self, Sym};
use scroll::Pread;

/// What a kernel runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Native {
    /// Its words have 64 bits.
    pub is_64: bool,
    /// The least significant byte comes first.
    pub is_little: bool,
    /// The machine: `e_machine`.
    pub machine: u16,
}

impl Native {
    /// What an object's header says.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let ident = bytes.strip_prefix(b"\x7fELF")?;
        let native = Self { is_64: ident.first() == Some(&2), is_little: ident.get(1) == Some(&1), machine: 0 };
        Some(Self { machine: native.u16(bytes, 18)?, ..native })
    }

    fn endian(self) -> Endian {
        if self.is_little { Endian::Little } else { Endian::Big }
    }

    fn context(self) -> Ctx {
        Ctx::new(if self.is_64 { Container::Big } else { Container::Little }, self.endian())
    }

    /// A number of two bytes.
    pub(crate) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        bytes.pread_with(at, self.endian()).ok()
    }

    /// A number of four bytes.
    pub(crate) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        bytes.pread_with(at, self.endian()).ok()
    }

    /// The size of an ELF header.
    pub(crate) fn header_size(self) -> usize {
        if self.is_64 { header64::SIZEOF_EHDR } else { header32::SIZEOF_EHDR }
    }

    /// The size of a section header.
    pub(crate) fn section_size(self) -> usize {
        if self.is_64 { section_header64::SIZEOF_SHDR } else { section_header32::SIZEOF_SHDR }
    }

    /// The size of a symbol.
    pub(crate) fn symbol_size(self) -> usize {
        if self.is_64 { sym::sym64::SIZEOF_SYM } else { sym::sym32::SIZEOF_SYM }
    }

    /// The ELF header.
    pub(crate) fn header(self, bytes: &[u8]) -> Option<Header> {
        if self.is_64 {
            bytes.pread_with::<header64::Header>(0, self.endian()).ok().map(Header::from)
        } else {
            bytes.pread_with::<header32::Header>(0, self.endian()).ok().map(Header::from)
        }
    }

    /// The section headers; `None` if there aren't as many.
    pub(crate) fn sections(self, bytes: &[u8], offset: u64, count: usize) -> Option<Vec<SectionHeader>> {
        let offset = usize::try_from(offset).ok()?;
        let size = self.section_size();
        let table = bytes.get(offset..)?.get(..count.checked_mul(size)?)?;
        table.chunks_exact(size).map(|header| header.pread_with(0, self.context()).ok()).collect()
    }

    /// Symbols, in the table's order.
    pub(crate) fn symbols(self, table: &[u8]) -> impl Iterator<Item = Sym> {
        table.chunks_exact(self.symbol_size()).filter_map(move |entry| entry.pread_with(0, self.context()).ok())
    }
}

/// A section's name, which ends at the table's end at the latest.
pub(crate) fn name_at(names: &[u8], at: usize) -> &[u8] {
    until_nul(names.get(at..).unwrap_or_default())
}

/// A section's bytes, as far as the file has them.
pub(crate) fn contents<'a>(bytes: &'a [u8], section: &SectionHeader) -> &'a [u8] {
    if section.sh_type == SHT_NOBITS {
        return &[];
    }
    section.file_range().and_then(|range| bytes.get(range)).unwrap_or_default()
}
