//! A bounds-checked view of an ELF object: every read of an object passes
//! through here, in the object's own class and byte order.
//!
//! Structures and constants are goblin's; what the fields mean is the gABI's
//! (System V ABI, "Object Files"). What counts as well-formed, and in which
//! order it is checked, is `parse_elf()` in `scripts/mod/modpost.c`.

mod error;
mod native;
mod relocation;
mod source;
mod symbol;
mod window;

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::ops::Range;

use goblin::container::{Container, Ctx, Endian};
pub use goblin::elf::header::{self, Header};
pub use goblin::elf::section_header::{self, SectionHeader};
use memchr::{memchr, memchr2};
use scroll::Pread;

use error::malformed;
pub use error::{Malformed, ParseError};
use native::View;
pub use relocation::{Relocation, Relocations};
pub use source::Source;
pub use symbol::{Symbol, is_special};
use window::{AHEAD, Window};

use crate::bytes::until_nul;
use crate::dialect::Dialect;

/// The number of a section header, 0 being the null section. Special ones
/// (`SHN_ABS`, `SHN_COMMON`, …) stand at the top of the range, where no real
/// section can be: see [`Symbol::section`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectionIndex(pub u32);

/// Class and byte order: how multi-byte values are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// `ELFCLASS64`; else `ELFCLASS32`.
    pub is_64: bool,
    /// `ELFDATA2MSB`; else `ELFDATA2LSB`.
    pub is_big: bool,
}

impl Encoding {
    /// An unsigned integer of 1, 2, 4 or 8 bytes.
    #[must_use]
    pub fn unsigned(self, bytes: &[u8]) -> u64 {
        let fold = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
        if self.is_big { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) }
    }

    /// The size of a `long`, and of an address.
    #[must_use]
    pub const fn word(self) -> usize {
        if self.is_64 { 8 } else { 4 }
    }

    /// The same class in the byte order of the host.
    const fn of_host(self) -> Self {
        Self { is_64: self.is_64, is_big: cfg!(target_endian = "big") }
    }

    const fn endian(self) -> Endian {
        if self.is_big { Endian::Big } else { Endian::Little }
    }

    fn context(self) -> Ctx {
        Ctx::new(if self.is_64 { Container::Big } else { Container::Little }, self.endian())
    }

    const fn header_size(self) -> usize {
        if self.is_64 { header::header64::SIZEOF_EHDR } else { header::header32::SIZEOF_EHDR }
    }

    const fn section_header_size(self) -> usize {
        if self.is_64 {
            section_header::section_header64::SIZEOF_SHDR
        } else {
            section_header::section_header32::SIZEOF_SHDR
        }
    }
}

/// The tables of one object. A worker keeps one and reads object after object
/// into it.
#[derive(Debug, Default)]
pub struct Tables {
    /// The symbol table, in the file's order.
    pub symbols: Vec<Symbol>,
    /// The symbols' string table. It may be written to: see [`Elf::cut_name`].
    strings: Vec<u8>,
    /// The section headers' string table, unless it is the symbols' own.
    section_names: Vec<u8>,
    /// Where in the file tables lie side by side: starts and ends, in order.
    runs: Vec<(u64, u64)>,
    /// What was last read of them.
    window: Window,
    /// What was last read of other sections.
    data: RefCell<Window>,
}

/// An object that was found to have section headers and a symbol table.
pub struct Elf<'t> {
    /// The ELF header.
    pub header: Header,
    /// The section headers, as far as the file has them.
    pub sections: Vec<SectionHeader>,
    /// How many there are said to be.
    claimed: u32,
    /// Class and byte order.
    pub encoding: Encoding,
    /// The section `.modinfo`.
    pub modinfo: Option<SectionIndex>,
    /// The section `.export_symbol`.
    pub export_symbol: Option<SectionIndex>,
    /// The section `.no_trim_symbol`.
    pub no_trim_symbol: Option<SectionIndex>,
    symtab: SectionIndex,
    strtab: SectionIndex,
    section_strings: SectionIndex,
    extended: symbol::Extended,
    relocation_format: relocation::Format,
    /// The relocations that were read last: the number of the first, where
    /// they lie in the file, and their size.
    relocations: (usize, u64, u64),
    source: View<'t>,
    /// How headers, symbols and their section numbers are laid out there.
    structures: Encoding,
    /// Ranges of the file that others than their readers see turned round, in
    /// [`Elf::image`].
    turned: Vec<Range<u64>>,
    image: OnceCell<Option<Source>>,
    /// Where in the file the symbol table is.
    symbols_at: u64,
    tables: &'t mut Tables,
}

impl fmt::Debug for Elf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elf").field("header", &self.header).finish_non_exhaustive()
    }
}

const HEADERS: SectionIndex = SectionIndex(0);

impl<'t> Elf<'t> {
    /// Reads headers, symbol table and string tables into `tables`.
    ///
    /// `Ok(None)` is a file that is silently passed over: too small for an
    /// ELF header, or without its magic.
    ///
    /// # Errors
    /// [`ParseError`], in the order in which the original looks.
    pub fn parse(source: &'t Source, tables: &'t mut Tables, dialect: &Dialect) -> Result<Option<Self>, ParseError> {
        let size = source.size();
        tables.window.clear();
        tables.data.get_mut().clear();
        let len = size.min(header::header64::SIZEOF_EHDR as u64);
        tables.window.load(source, 0, len, len);
        let header_bytes = tables.window.get(0, len).unwrap_or_default();
        if header_bytes.len() < header::header32::SIZEOF_EHDR || !header_bytes.starts_with(header::ELFMAG) {
            return Ok(None);
        }
        let encoding = Encoding {
            is_64: match header_bytes[header::EI_CLASS] {
                header::ELFCLASS32 => false,
                header::ELFCLASS64 => true,
                _ => return Err(malformed("neither a 32-bit nor a 64-bit object", HEADERS, 4).into()),
            },
            is_big: match header_bytes[header::EI_DATA] {
                header::ELFDATA2LSB => false,
                header::ELFDATA2MSB => true,
                _ if dialect.byte_order_of_objects => return Err(ParseError::UnknownByteOrder),
                _ => return Err(malformed("neither little- nor big-endian", HEADERS, 5).into()),
            },
        };
        if header_bytes.len() < encoding.header_size() {
            return Ok(None);
        }
        let mut header: Header = header_bytes.pread(0).map_err(|_| malformed("unreadable ELF header", HEADERS, 0))?;

        if dialect.only_relocatable_objects && header.e_type != header::ET_REL {
            return Err(ParseError::NotRelocatable);
        }
        if header.e_shoff > size {
            return Err(ParseError::SectionHeadersBeyondEnd { offset: header.e_shoff, size });
        }
        let (claimed, mut sections) = read_section_headers(source, &header, encoding, &mut tables.window)?;
        let (mut source, mut structures, mut turned) = (View::Whole(source), encoding, Vec::new());
        if encoding != encoding.of_host() {
            let (ranges, overlap) = native::turned(&header, &sections, encoding);
            turned = ranges;
            if overlap {
                let native = native::image(&source, &header, claimed, encoding);
                let what = "section headers reach beyond the end of the file";
                let (headers, image) = native.ok_or(malformed(what, HEADERS, header.e_shoff))?;
                structures = encoding.of_host();
                turned.clear();
                tables.window.clear();
                let mut kind = [0; 4];
                image.read_at(header::SIZEOF_IDENT as u64, &mut kind);
                header.e_type = structures.unsigned(&kind[..2]) as u16;
                header.e_machine = structures.unsigned(&kind[2..]) as u16;
                (source, sections) = (View::Native(image), headers);
            }
        }
        let section_strings = SectionIndex(if u32::from(header.e_shstrndx) == section_header::SHN_XINDEX {
            sections.first().map_or(0, |null| null.sh_link)
        } else {
            u32::from(header.e_shstrndx)
        });

        let mut elf = Self {
            header,
            sections,
            claimed,
            encoding,
            modinfo: None,
            export_symbol: None,
            no_trim_symbol: None,
            symtab: HEADERS,
            strtab: HEADERS,
            section_strings,
            extended: symbol::Extended::default(),
            relocation_format: relocation::Format {
                encoding,
                rela: true,
                is_mips64: encoding.is_64 && header.e_machine == header::EM_MIPS,
            },
            relocations: (0, 0, 0),
            source,
            structures,
            turned,
            image: OnceCell::new(),
            symbols_at: 0,
            tables,
        };
        elf.find_runs();
        elf.read_section_names()?;
        elf.find_tables()?;
        Ok(Some(elf))
    }

    /// The size of the ELF header of this class, for the original's messages.
    const fn header_size(&self) -> usize {
        self.encoding.header_size()
    }

    fn section(&self, index: SectionIndex, what: &'static str) -> Result<&SectionHeader, Malformed> {
        self.sections.get(index.0 as usize).ok_or(malformed(what, HEADERS, u64::from(index.0)))
    }

    /// The same, or what lies where its header would be if there were as many:
    /// the original doesn't count. As only what belongs to a table is brought
    /// into the host's byte order, that is in it already.
    fn stray_section(&self, index: SectionIndex, what: &'static str) -> Result<SectionHeader, Malformed> {
        if let Ok(section) = self.section(index, what) {
            return Ok(section.clone());
        }
        let size = self.encoding.section_header_size();
        let offset = self.header.e_shoff.checked_add(u64::from(index.0) * size as u64);
        let mut bytes = Vec::new();
        let read = offset.is_some_and(|offset| self.source.read_exact(offset, size as u64, &mut bytes));
        let mut headers = SectionHeader::parse_from(&bytes, 0, usize::from(read), self.encoding.of_host().context());
        let header = headers.as_mut().ok().and_then(Vec::pop);
        header.ok_or(malformed(what, HEADERS, u64::from(index.0)))
    }

    /// Finds out where the tables are that will be read.
    fn find_runs(&mut self) {
        let is_table = |section: &&SectionHeader| {
            use section_header::{SHT_REL, SHT_RELA, SHT_STRTAB, SHT_SYMTAB};
            matches!(section.sh_type, SHT_SYMTAB | SHT_STRTAB | SHT_REL | SHT_RELA)
        };
        let range = |section: &SectionHeader| (section.sh_offset, end_of(section));
        self.tables.runs.clear();
        self.tables.runs.extend(self.sections.iter().filter(is_table).map(range));
        window::merge(&mut self.tables.runs);
    }

    /// Brings a part of a table into the window, and of those that follow it
    /// as many as are read at once.
    fn load(&mut self, offset: u64, len: u64) -> bool {
        let Tables { runs, window, .. } = &mut *self.tables;
        let run = runs.partition_point(|run| run.0 <= offset).checked_sub(1);
        window.load(&self.source, offset, len, run.map_or(0, |run| runs[run].1))
    }

    /// Where to read a range that is no table of structures: in the file, or
    /// as the original has it.
    fn seen(&self, offset: u64, len: u64) -> &Source {
        let end = offset.saturating_add(len);
        if !self.turned.iter().any(|range| offset < range.end && range.start < end) {
            return &self.source;
        }
        let make = || native::image(&self.source, &self.header, self.claimed, self.encoding).map(|(_, image)| image);
        self.image.get_or_init(make).as_ref().unwrap_or(&self.source)
    }

    /// The same as [`Elf::load`] of what [`Elf::seen`] gives.
    fn load_seen(&mut self, offset: u64, len: u64) -> bool {
        if std::ptr::eq(self.seen(offset, len), &*self.source) {
            return self.load(offset, len);
        }
        let Some(Some(image)) = self.image.get() else { return false };
        self.tables.window.clear();
        self.tables.window.load(image, offset, len, 0)
    }

    fn read_section_names(&mut self) -> Result<(), ParseError> {
        if self.claimed <= 1 {
            return Ok(());
        }
        let header = self.stray_section(self.section_strings, "no such section header string table")?;
        let (offset, size) = (header.sh_offset, header.sh_size);
        let last = self.sections.iter().map(|section| section.sh_name).max().unwrap_or(0);
        let mut names = std::mem::take(&mut self.tables.section_names);
        self.read_strings(offset, size, last as u64, &mut names);
        self.tables.section_names = names;
        Ok(())
    }

    /// Reads a string table. Its stated size is taken for what is needed of it
    /// only as long as that holds every name; the original doesn't look at it.
    fn read_strings(&mut self, offset: u64, size: u64, last: u64, buffer: &mut Vec<u8>) {
        let rest = self.source.size().saturating_sub(offset);
        let stated = size.min(rest);
        let read = if stated <= AHEAD && self.load_seen(offset, stated) {
            buffer.clear();
            buffer.extend_from_slice(self.tables.window.get(offset, stated).unwrap_or_default());
            true
        } else {
            self.seen(offset, stated).read_exact(offset, stated, buffer)
        };
        if !(read && last < stated && buffer.last() == Some(&0)) {
            self.seen(offset, rest).read_exact(offset, rest, buffer);
        }
    }

    /// Goes through the section headers once, as the original does, then
    /// reads the tables that they tell of.
    fn find_tables(&mut self) -> Result<(), ParseError> {
        let mut symtab = None;
        let mut shndx = None;
        for number in 1..self.claimed {
            let index = SectionIndex(number);
            let what = "section headers reach beyond the end of the file";
            let section = self.sections.get(number as usize).ok_or(malformed(what, HEADERS, self.header.e_shoff))?;
            let nobits = section.sh_type == section_header::SHT_NOBITS;
            if !nobits && section.sh_offset > self.source.size() {
                return Err(ParseError::Truncated { offset: section.sh_offset, header_size: self.header_size() });
            }
            match self.section_name(index)? {
                b".modinfo" if nobits => return Err(ParseError::NobitsModinfo),
                b".modinfo" => self.modinfo = Some(index),
                b".export_symbol" => self.export_symbol = Some(index),
                b".no_trim_symbol" => self.no_trim_symbol = Some(index),
                _ => {}
            }
            let section = &self.sections[number as usize];
            match section.sh_type {
                section_header::SHT_SYMTAB => symtab = Some((index, SectionIndex(section.sh_link))),
                section_header::SHT_SYMTAB_SHNDX => shndx = Some((index, section.sh_link)),
                _ => {}
            }
        }
        let (symtab, strtab) = symtab.ok_or(ParseError::NoSymtab)?;
        (self.symtab, self.strtab) = (symtab, strtab);
        let strings = self.stray_section(strtab, "no such string table")?;
        if let Some((_, link)) = shndx.filter(|&(_, link)| link != symtab.0) {
            return Err(ParseError::BadShndxLink { link, symtab: symtab.0 });
        }

        let mut last = u64::from(self.read_symbols(symtab, shndx.map(|(index, _)| index))?);
        if self.section_strings == strtab {
            // One table for both kinds of names.
            last = self.sections.iter().map(|section| section.sh_name as u64).fold(last, u64::max);
        }
        if let View::Native(image) = &self.source {
            (_, self.sections) = read_section_headers(image, &self.header, self.structures, &mut Window::default())?;
        }
        let mut names = std::mem::take(&mut self.tables.strings);
        self.read_strings(strings.sh_offset, strings.sh_size, last, &mut names);
        self.tables.strings = names;
        Ok(())
    }

    /// Reads the symbol table; returns the greatest of its `st_name`.
    fn read_symbols(&mut self, symtab: SectionIndex, shndx: Option<SectionIndex>) -> Result<u32, Malformed> {
        let mut extended = symbol::Extended::default();
        if let Some(index) = shndx {
            let (offset, size) = self.table(index, 4)?;
            if !self.source.read_exact(offset, size, &mut extended.table) {
                return Err(unreadable(index, offset));
            }
            extended.rest = offset + size..self.source.size();
        }
        let entry = symbol::size(self.encoding);
        let (offset, size) = self.table(symtab, entry)?;
        self.symbols_at = offset;
        self.tables.symbols.clear();
        let room = self.tables.symbols.try_reserve((size / entry) as usize);
        room.map_err(|_| malformed("no memory for the symbol table", symtab, offset))?;
        let mut last = 0;
        for part in (0..size).step_by((AHEAD / entry * entry) as usize) {
            let len = (size - part).min(AHEAD / entry * entry);
            if !self.load(offset + part, len) {
                return Err(unreadable(symtab, offset));
            }
            let Tables { symbols, window, .. } = &mut *self.tables;
            let bytes = window.get(offset + part, len).unwrap_or_default();
            last = last.max(symbol::parse(bytes, &extended, self.structures, &self.source, symbols));
        }
        self.extended = extended;
        Ok(last)
    }

    /// Where a table of `entry`-sized entries lies in the file. A last entry
    /// that the size covers in part belongs to it, as in the original.
    fn table(&self, index: SectionIndex, entry: u64) -> Result<(u64, u64), Malformed> {
        let section = &self.sections[index.0 as usize];
        // A table of this size ends before it begins, as pointers are counted.
        if (-1 << 47..0).contains(&(section.sh_size as i64)) && self.encoding.is_64 {
            return Ok((section.sh_offset, 0));
        }
        let size = section.sh_size.div_ceil(entry).checked_mul(entry);
        let end = size.and_then(|size| section.sh_offset.checked_add(size));
        match (size, end) {
            (Some(size), Some(end)) if end <= self.source.size() => Ok((section.sh_offset, size)),
            _ => Err(unreadable(index, section.sh_offset)),
        }
    }

    /// The symbol of a number; if the table has none, what follows it in the
    /// file: the original doesn't count. As only the table is brought into the
    /// host's byte order, that is in it already.
    ///
    /// # Errors
    /// If the file ends before.
    pub fn symbol(&self, number: u32) -> Result<Symbol, Malformed> {
        if let Some(symbol) = self.tables.symbols.get(number as usize) {
            return Ok(*symbol);
        }
        let what = "relocation refers to a symbol that doesn't exist";
        let entry = symbol::size(self.encoding);
        let place = u64::from(number) * entry;
        let offset = self.symbols_at.checked_add(place);
        let mut bytes = Vec::new();
        if !offset.is_some_and(|offset| self.source.read_exact(offset, entry, &mut bytes)) {
            return Err(malformed(what, self.symtab, place));
        }
        let mut symbols = Vec::new();
        symbol::parse_from(
            number as usize,
            &bytes,
            &self.extended,
            self.encoding.of_host(),
            &self.source,
            &mut symbols,
        );
        let symbol = symbols.pop().filter(|symbol| symbol.section != symbol::UNKNOWN);
        symbol.ok_or(malformed(what, self.symtab, place))
    }

    /// Refuses a symbol whose section isn't known.
    ///
    /// # Errors
    /// If it is one.
    pub fn has_section(&self, number: usize) -> Result<(), Malformed> {
        if self.tables.symbols[number].section != symbol::UNKNOWN {
            return Ok(());
        }
        let place = number as u64 * symbol::size(self.encoding);
        Err(malformed("symbol without its section number", self.symtab, place))
    }

    /// The symbol table, in the file's order.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.tables.symbols
    }

    /// The section's name; "" for an index that no header has.
    ///
    /// # Errors
    /// If the name lies outside the string table or has no end.
    pub fn section_name(&self, index: SectionIndex) -> Result<&[u8], Malformed> {
        self.section_name_after(index, 0)
    }

    /// What follows the first `skip` bytes of the section's name.
    ///
    /// # Errors
    /// As for [`Elf::section_name`].
    pub fn section_name_after(&self, index: SectionIndex, skip: u64) -> Result<&[u8], Malformed> {
        let Some(section) = self.sections.get(index.0 as usize) else {
            return Ok(b"");
        };
        let offset = section.sh_name as u64 + skip;
        // Some linkers keep one table for both kinds of names. Names that
        // were cut are cut in both, then.
        let table = if self.section_strings == self.strtab && self.strtab != HEADERS {
            &self.tables.strings
        } else {
            &self.tables.section_names
        };
        string_at(table, offset).ok_or(malformed("section name without end", self.section_strings, offset))
    }

    /// The symbol's name, as it is after [`Elf::cut_name`].
    ///
    /// # Errors
    /// If the name lies outside the string table or has no end.
    pub fn symbol_name(&self, symbol: &Symbol) -> Result<&[u8], Malformed> {
        string_at(&self.tables.strings, u64::from(symbol.name)).ok_or(malformed(
            "symbol name without end",
            self.strtab,
            u64::from(symbol.name),
        ))
    }

    /// The length of the symbol's name, and where the first dot in it is.
    ///
    /// # Errors
    /// As for [`Elf::symbol_name`].
    pub fn symbol_name_len(&self, symbol: &Symbol) -> Result<(usize, Option<usize>), Malformed> {
        let rest = self.tables.strings.get(symbol.name as usize..).unwrap_or_default();
        let found = memchr2(0, b'.', rest).map(|at| (at, rest[at]));
        let len = match found {
            Some((end, 0)) => return Ok((end, None)),
            Some((dot, _)) => memchr(0, &rest[dot..]).map(|end| (dot + end, Some(dot))),
            None => None,
        };
        len.ok_or(malformed("symbol name without end", self.strtab, u64::from(symbol.name)))
    }

    /// The symbol's name, of which the length is known.
    #[must_use]
    pub fn symbol_name_of(&self, symbol: &Symbol, len: usize) -> &[u8] {
        let start = symbol.name as usize;
        self.tables.strings.get(start..start + len).unwrap_or_default()
    }

    /// Cuts the string that begins at the symbol's name to `len` bytes, for
    /// every name that shares it: the original writes into its string table.
    pub fn cut_name(&mut self, symbol: &Symbol, len: usize) {
        if let Some(byte) = self.tables.strings.get_mut(symbol.name as usize + len) {
            *byte = 0;
        }
    }

    /// Where in the file the value of a section's symbol lies: an offset in
    /// the section, or in a linked object an address.
    fn file_offset(&self, section: &SectionHeader, value: u64) -> u64 {
        let base = if self.header.e_type == header::ET_REL { 0 } else { section.sh_addr };
        section.sh_offset.wrapping_add(value).wrapping_sub(base)
    }

    /// The `len` bytes at `value` in a section. They may reach into what
    /// follows it in the file, as the original's do.
    ///
    /// # Errors
    /// If there is no such section or the file ends before.
    pub fn data(&self, index: SectionIndex, value: u64, len: u64) -> Result<Vec<u8>, Malformed> {
        let section = self.section(index, "no such section")?;
        let offset = self.file_offset(section, value);
        let seen = self.seen(offset, len);
        let mut window = self.tables.data.borrow_mut();
        if !std::ptr::eq(seen, &*self.source) {
            window.clear();
        }
        window.load(seen, offset, len, data_until(section, offset));
        let bytes = window.get(offset, len).map(<[u8]>::to_vec);
        bytes.ok_or(malformed("data beyond the end of the file", index, value))
    }

    /// The string at `value` in a section, without its NUL.
    ///
    /// # Errors
    /// If there is no such section or the file ends before the string does.
    pub fn c_string(&self, index: SectionIndex, value: u64) -> Result<Vec<u8>, Malformed> {
        const STEP: u64 = 256;
        let section = self.section(index, "no such section")?;
        let mut offset = self.file_offset(section, value);
        let mut string = Vec::new();
        let mut window = self.tables.data.borrow_mut();
        while offset < self.source.size() {
            let turned = self.turned.iter().map(|range| range.start).find(|start| *start > offset);
            let end = turned.unwrap_or(u64::MAX).min(self.source.size());
            let len = STEP.min(end - offset);
            let seen = self.seen(offset, len);
            if !std::ptr::eq(seen, &*self.source) {
                window.clear();
            }
            window.load(seen, offset, len, data_until(section, offset));
            let Some(bytes) = window.get(offset, len) else {
                break;
            };
            if let Some(end) = memchr(0, bytes) {
                string.extend_from_slice(&bytes[..end]);
                return Ok(string);
            }
            string.extend_from_slice(bytes);
            offset += len;
        }
        Err(malformed("string without end", index, value))
    }

    /// The whole of a section, and as much of what follows as it takes to end
    /// its last string; there is one even if the section is empty. With it its
    /// size, as far as the original's variable holds it.
    ///
    /// # Errors
    /// If the file ends before.
    pub fn strings_of(&self, index: SectionIndex) -> Result<(Vec<u8>, usize), Malformed> {
        let size = self.section(index, "no such section")?.sh_size as u32;
        let mut bytes = self.data(index, 0, u64::from(size))?;
        if bytes.last().is_none_or(|&last| last != 0) {
            bytes.extend(self.c_string(index, u64::from(size))?);
            bytes.push(0);
        }
        Ok((bytes, size as usize))
    }

    /// Reads relocations of a section of type `SHT_REL` or `SHT_RELA`, from
    /// number `first` on as many as are read at once, for
    /// [`Elf::relocations`]. `false` if there are none.
    ///
    /// # Errors
    /// If the file ends before the section does.
    pub fn read_relocations(&mut self, index: SectionIndex, first: usize) -> Result<bool, Malformed> {
        self.relocation_format.rela = self.section(index, "no such section")?.sh_type == section_header::SHT_RELA;
        let entry = self.relocation_format.entry_size() as u64;
        let (offset, size) = self.table(index, entry)?;
        let before = size.min(first as u64 * entry);
        let len = (size - before).min(AHEAD / entry * entry);
        if !self.load_seen(offset + before, len) {
            return Err(unreadable(index, offset));
        }
        self.relocations = (first, offset + before, len);
        Ok(len > 0)
    }

    /// Where the first of the relocations that were read last is whose place
    /// lies beyond the end of the file, if one is.
    #[must_use]
    pub fn first_beyond(&self, relocated: SectionIndex, from: usize) -> Option<usize> {
        let start = self.sections.get(relocated.0 as usize).map(|section| self.file_offset(section, 0));
        let room = start.and_then(|start| self.source.size().checked_sub(start)).and_then(|room| room.checked_sub(4));
        self.relocations().first_after(room, from)
    }

    /// The relocations that were read last.
    #[must_use]
    pub fn relocations(&self) -> Relocations<'_> {
        let (first, offset, len) = self.relocations;
        let bytes = self.tables.window.get(offset, len).unwrap_or_default();
        Relocations { format: self.relocation_format, first, bytes }
    }
}

const fn end_of(section: &SectionHeader) -> u64 {
    section.sh_offset.saturating_add(section.sh_size)
}

/// How much of a section is read at once whose strings or numbers are asked
/// for one by one.
const DATA_AHEAD: u64 = 4096;

fn data_until(section: &SectionHeader, offset: u64) -> u64 {
    end_of(section).min(offset.saturating_add(DATA_AHEAD))
}

const fn unreadable(index: SectionIndex, offset: u64) -> Malformed {
    malformed("table reaches beyond the end of the file", index, offset)
}

/// Section names mostly lie before the headers, and are read with them.
const BEFORE_HEADERS: u64 = 4096;

/// How many section headers there are said to be, and those that the file has.
fn read_section_headers(
    source: &Source,
    header: &Header,
    encoding: Encoding,
    window: &mut Window,
) -> Result<(u32, Vec<SectionHeader>), Malformed> {
    let size = encoding.section_header_size();
    let start = header.e_shoff.saturating_sub(BEFORE_HEADERS);
    let room = source.size().saturating_sub(header.e_shoff);
    // The last two fields of the last header are never looked at.
    let unread = if encoding == encoding.of_host() { 2 * encoding.word() as u64 } else { 0 };
    let most = (room + unread) / size as u64;
    let mut read = |count: u32| {
        let count = most.min(u64::from(count));
        let len = room.min(count * size as u64);
        let end = header.e_shoff + len;
        let loaded = window.load(source, start, end - start, end);
        let bytes = window.get(header.e_shoff, len).filter(|_| loaded && count > 0).unwrap_or_default();
        let mut padded;
        let bytes = if bytes.len() % size == 0 {
            bytes
        } else {
            padded = bytes.to_vec();
            padded.resize(count as usize * size, 0);
            &padded
        };
        SectionHeader::parse_from(bytes, 0, bytes.len() / size, encoding.context()).unwrap_or_default()
    };
    // With more than 65,279 sections the number stands in the first header.
    let count = match u32::from(header.e_shnum) {
        0 => {
            let first = read(1).pop();
            let what = "section headers reach beyond the end of the file";
            first.ok_or(malformed(what, HEADERS, header.e_shoff))?.sh_size as u32
        }
        count => count,
    };
    Ok((count, read(count)))
}

fn string_at(table: &[u8], offset: u64) -> Option<&[u8]> {
    let rest = table.get(usize::try_from(offset).ok()?..)?;
    let string = until_nul(rest);
    (string.len() < rest.len()).then_some(string)
}
