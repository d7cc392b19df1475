//! A bounds-checked view of an ELF object: every read of an object passes
//! through here, in the object's own class and byte order.
//!
//! Structures and constants are goblin's; what the fields mean is the gABI's
//! (System V ABI, "Object Files"). What counts as well-formed, and in which
//! order it is checked, is `parse_elf()` in `scripts/mod/modpost.c`.
//!
//! | module | what it does |
//! | --- | --- |
//! | `error` | what keeps an object from being read |
//! | [`arch`] | what differs between machines |
//! | `source`, `window` | where an object's bytes come from, and those read last |
//! | `symbol`, `relocation` | the entries of these tables |
//! | `headers` | the section headers |
//! | `native` | an object of the other byte order, as the original has it in memory |
//! | `parse` | finding the tables |

#![forbid(unsafe_code)]

pub mod arch;
mod error;
mod headers;
mod native;
mod parse;
mod relocation;
mod source;
mod symbol;
mod window;

use std::cell::{OnceCell, RefCell, RefMut};
use std::fmt;
use std::ops::Range;

use arch::Machine;
use base::bytes::until_nul;
pub use error::{Error, Result};
use goblin::container::{Container, Ctx, Endian};
pub use goblin::elf::header::{self, Header};
pub use goblin::elf::section_header::{self, SectionHeader};
use memchr::{memchr, memchr2};
use native::View;
pub use relocation::{Relocation, Relocations};
pub use source::{ObjectFile, Source};
pub use symbol::{Symbol, is_special};
use window::{AHEAD, Window};

/// The number of a section header, 0 being the null section. Special ones
/// (`SHN_ABS`, `SHN_COMMON`, …) stand at the top of the range, where no real
/// section can be: see [`Symbol::section`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectionIndex(pub u32);

/// What is required of an object besides being well-formed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// It is relocatable, `ET_REL`.
    pub relocatable: bool,
    /// Its byte order is looked for first: one of neither is
    /// [`Error::UnknownByteOrder`], and all section headers are in the
    /// file.
    pub known_byte_order: bool,
}

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
    pub(crate) symbols: Vec<Symbol>,
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
    /// The machine, by `e_machine`.
    pub machine: &'static Machine,
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
    /// Ranges of the file that others than their readers see byte-swapped, in
    /// [`Elf::image`].
    swapped: Vec<Range<u64>>,
    image: OnceCell<Option<Source>>,
    /// Where in the file the symbol table is.
    symbols_at: u64,
    /// Whether the file ends before the symbol table does.
    symbols_are_cut: bool,
    tables: &'t mut Tables,
}

impl fmt::Debug for Elf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elf").field("header", &self.header).finish_non_exhaustive()
    }
}

const HEADERS: SectionIndex = SectionIndex(0);

impl<'t> Elf<'t> {
    fn section(&self, index: SectionIndex, what: &'static str) -> Result<&SectionHeader> {
        self.sections.get(index.0 as usize).ok_or_else(|| Error::malformed(what, HEADERS, u64::from(index.0)))
    }

    /// The same, or what lies where its header would be if there were as many:
    /// the original doesn't count. As only what belongs to a table is brought
    /// into the host's byte order, that is in it already.
    fn stray_section(&self, index: SectionIndex, what: &'static str) -> Result<SectionHeader> {
        if let Ok(section) = self.section(index, what) {
            return Ok(section.clone());
        }
        let size = self.encoding.section_header_size();
        let offset = self.header.e_shoff.checked_add(u64::from(index.0) * size as u64);
        let mut bytes = Vec::new();
        let read = offset.is_some_and(|offset| self.source.read_exact(offset, size as u64, &mut bytes));
        let mut headers = SectionHeader::parse_from(&bytes, 0, usize::from(read), self.encoding.of_host().context());
        let header = headers.as_mut().ok().and_then(Vec::pop);
        header.ok_or_else(|| Error::malformed(what, HEADERS, u64::from(index.0)))
    }

    /// Looks whether a symbol's section has a name, as the original does that
    /// doesn't count sections: what lies where its header would be is one, if
    /// the file has it and what it says of its name.
    ///
    /// # Errors
    /// If it hasn't.
    pub fn check_section_of(&self, symbol: &Symbol) -> Result<()> {
        if self.sections.get(symbol.section.0 as usize).is_some() {
            return self.section_name(symbol.section).map(|_| ());
        }
        let names = self.stray_section(self.section_strings, "no such section header string table")?;
        // Of the header, its first word is looked at.
        let header = u64::from(symbol.section.0) * self.encoding.section_header_size() as u64;
        let place = self.header.e_shoff.checked_add(header);
        let mut word = Vec::new();
        let is_read = place.is_some_and(|place| self.source.read_exact(place, 4, &mut word));
        let name = names.sh_offset.checked_add(self.encoding.of_host().unsigned(&word)).filter(|_| is_read);
        let in_file = name.is_some_and(|name| name < self.source.size());
        let what = "symbol in a section that doesn't exist";
        in_file.then_some(()).ok_or_else(|| Error::malformed(what, HEADERS, u64::from(symbol.section.0)))
    }

    /// Brings a part of a table into the window, and of those that follow it
    /// as many as are read at once.
    fn load(&mut self, offset: u64, len: u64) -> bool {
        let Tables { runs, window, .. } = &mut *self.tables;
        if window.of_image {
            window.clear();
        }
        let run = runs.partition_point(|run| run.0 <= offset).checked_sub(1);
        window.load(&self.source, offset, len, run.map_or(0, |run| runs[run].1))
    }

    /// Where to read a range that is no table of structures: in the file, or
    /// as the original has it.
    fn seen(&self, offset: u64, len: u64) -> &Source {
        let end = offset.saturating_add(len);
        let is_whole = matches!(self.source, View::Whole(_));
        if !(is_whole && self.swapped.iter().any(|range| offset < range.end && range.start < end)) {
            return &self.source;
        }
        self.image().unwrap_or(&self.source)
    }

    /// The file as the original has it.
    fn image(&self) -> Option<&Source> {
        let make = || native::image(&self.source, &self.header, self.claimed, self.encoding).map(|(_, image)| image);
        self.image.get_or_init(make).as_ref()
    }

    /// The same as [`Elf::load`] of what [`Elf::seen`] gives.
    fn load_seen(&mut self, offset: u64, len: u64) -> bool {
        if std::ptr::eq(self.seen(offset, len), &*self.source) {
            return self.load(offset, len);
        }
        let Some(Some(image)) = self.image.get() else { return false };
        let window = &mut self.tables.window;
        window.clear();
        window.of_image = true;
        window.load(image, offset, len, 0)
    }

    /// Where a table of `entry`-sized entries lies in the file. A last entry
    /// that the size covers in part belongs to it, as in the original.
    fn table(&self, index: SectionIndex, entry: u64) -> Result<(u64, u64)> {
        let section = &self.sections[index.0 as usize];
        let size = native::size_of(section, self.encoding).div_ceil(entry).checked_mul(entry);
        let end = size.and_then(|size| section.sh_offset.checked_add(size));
        match (size, end) {
            (Some(size), Some(end)) if end <= self.source.size() => Ok((section.sh_offset, size)),
            _ => Err(unreadable(index, section.sh_offset)),
        }
    }

    /// The same, as far as the file has it, and whether it ends there: entries
    /// are taken one by one, and something may end the run before.
    fn part_of_table(&self, index: SectionIndex, entry: u64) -> Result<(u64, u64, bool)> {
        let section = &self.sections[index.0 as usize];
        let room = self.source.size().checked_sub(section.sh_offset);
        let room = room.ok_or_else(|| unreadable(index, section.sh_offset))? / entry * entry;
        Ok(match self.table(index, entry) {
            Ok((offset, size)) => (offset, size, false),
            Err(_) => (section.sh_offset, room, true),
        })
    }

    /// The symbol of a number; if the table has none, what follows it in the
    /// file: the original doesn't count. As only the table is brought into the
    /// host's byte order, that is in it already.
    ///
    /// # Errors
    /// If the file ends before.
    pub fn symbol(&self, number: u32) -> Result<Symbol> {
        if let Some(symbol) = self.tables.symbols.get(number as usize) {
            return Ok(*symbol);
        }
        let what = "relocation refers to a symbol that doesn't exist";
        let entry = symbol::size(self.encoding);
        let place = u64::from(number) * entry;
        let offset = self.symbols_at.checked_add(place);
        let mut bytes = Vec::new();
        if !offset.is_some_and(|offset| self.seen(offset, entry).read_exact(offset, entry, &mut bytes)) {
            return Err(Error::malformed(what, self.symtab, place));
        }
        let mut symbols = Vec::new();
        let rest = self.extended.rest.clone();
        let rest = self.seen(rest.start, rest.end.saturating_sub(rest.start));
        symbol::parse(number as usize, &bytes, &self.extended, self.encoding.of_host(), rest, &mut symbols);
        let symbol = symbols.pop().filter(|symbol| symbol.section != symbol::UNKNOWN);
        symbol.ok_or_else(|| Error::malformed(what, self.symtab, place))
    }

    /// Checks that a symbol's section is known.
    ///
    /// # Errors
    /// If it is one.
    pub fn has_section(&self, number: usize) -> Result<()> {
        if self.tables.symbols[number].section != symbol::UNKNOWN {
            return Ok(());
        }
        let place = number as u64 * symbol::size(self.encoding);
        Err(Error::malformed("symbol without its section number", self.symtab, place))
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
    pub fn section_name(&self, index: SectionIndex) -> Result<&[u8]> {
        self.section_name_after(index, 0)
    }

    /// What follows the first `skip` bytes of the section's name.
    ///
    /// # Errors
    /// As for [`Elf::section_name`].
    pub fn section_name_after(&self, index: SectionIndex, skip: u64) -> Result<&[u8]> {
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
        string_at(table, offset).ok_or_else(|| self.without_end(offset))
    }

    const fn without_end(&self, offset: u64) -> Error {
        Error::malformed("section name without end", self.section_strings, offset)
    }

    /// Checks that the file contains the whole symbol table.
    ///
    /// # Errors
    /// If it ends before.
    pub fn check_symbol_table(&self) -> Result<()> {
        if self.symbols_are_cut { Err(unreadable(self.symtab, self.symbols_at)) } else { Ok(()) }
    }

    /// Checks that every symbol's name begins in the file.
    ///
    /// # Errors
    /// If one doesn't.
    pub fn check_symbol_names(&self) -> Result<()> {
        let len = self.tables.strings.len() as u64;
        let beyond = self.tables.symbols.iter().map(|symbol| u64::from(symbol.name)).find(|&name| name >= len);
        beyond.map_or(Ok(()), |name| Err(Error::malformed("symbol name without end", self.strtab, name)))
    }

    /// The symbol's name, as it is after [`Elf::cut_name`].
    ///
    /// # Errors
    /// If the name lies outside the string table or has no end.
    pub fn symbol_name(&self, symbol: &Symbol) -> Result<&[u8]> {
        string_at(&self.tables.strings, u64::from(symbol.name))
            .ok_or_else(|| Error::malformed("symbol name without end", self.strtab, u64::from(symbol.name)))
    }

    /// The length of the symbol's name, and where the first dot in it is.
    ///
    /// # Errors
    /// As for [`Elf::symbol_name`].
    pub fn symbol_name_len(&self, symbol: &Symbol) -> Result<(usize, Option<usize>)> {
        let rest = self.tables.strings.get(symbol.name as usize..).unwrap_or_default();
        let found = memchr2(0, b'.', rest).map(|at| (at, rest[at]));
        let len = match found {
            Some((end, 0)) => return Ok((end, None)),
            Some((dot, _)) => memchr(0, &rest[dot..]).map(|end| (dot + end, Some(dot))),
            None => None,
        };
        len.ok_or_else(|| Error::malformed("symbol name without end", self.strtab, u64::from(symbol.name)))
    }

    /// The symbol's name, whose length is known.
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

    /// What was last read of sections, with a range of one, if the file has it.
    fn window(&self, section: &SectionHeader, offset: u64, len: u64) -> RefMut<'_, Window> {
        let seen = self.seen(offset, len);
        let mut window = self.tables.data.borrow_mut();
        if !std::ptr::eq(seen, &*self.source) {
            window.clear();
        }
        window.load(seen, offset, len, data_until(section, offset));
        window
    }

    /// The `len` bytes at `value` in a section. They may reach into what
    /// follows it in the file, as the original's do.
    ///
    /// # Errors
    /// If there is no such section or the file ends before.
    pub fn data(&self, index: SectionIndex, value: u64, len: u64) -> Result<Vec<u8>> {
        let section = self.section(index, "no such section")?;
        let offset = self.file_offset(section, value);
        let bytes = self.window(section, offset, len).get(offset, len).map(<[u8]>::to_vec);
        bytes.ok_or_else(|| Error::malformed("data beyond the end of the file", index, value))
    }

    /// Swaps the bytes of fields, for later reads.
    pub fn swap(&mut self, index: SectionIndex, value: u64, fields: &[Range<usize>]) {
        let Some(section) = self.sections.get(index.0 as usize).filter(|_| !fields.is_empty()) else { return };
        let base = self.file_offset(section, value);
        if matches!(self.source, View::Whole(_)) {
            self.image();
        }
        let places = (&mut self.source, self.image.get_mut());
        let ((View::Native(image), _) | (View::Whole(_), Some(Some(image)))) = places else { return };
        native::swap_fields(image, base, fields);
        let place = |at: usize| base.saturating_add(at as u64);
        self.swapped.extend(fields.iter().map(|field| place(field.start)..place(field.end)));
        self.tables.data.get_mut().clear();
    }

    /// The string at `value` in a section, without its NUL.
    ///
    /// # Errors
    /// If there is no such section or the file ends before the string does.
    pub fn c_string(&self, index: SectionIndex, value: u64) -> Result<Vec<u8>> {
        const STEP: u64 = 256;
        let section = self.section(index, "no such section")?;
        let mut offset = self.file_offset(section, value);
        let mut string = Vec::new();
        while offset < self.source.size() {
            let swapped = self.swapped.iter().map(|range| range.start).find(|start| *start > offset);
            let end = swapped.unwrap_or(u64::MAX).min(self.source.size());
            let len = STEP.min(end - offset);
            let window = self.window(section, offset, len);
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
        Err(Error::malformed("string without end", index, value))
    }

    /// The whole of a section, and as much of what follows as it takes to end
    /// its last string; there is one even if the section is empty. With it its
    /// size, as far as the original's variable holds it.
    ///
    /// # Errors
    /// If the file ends before.
    pub fn strings_of(&self, index: SectionIndex) -> Result<(Vec<u8>, usize)> {
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
    pub fn read_relocations(&mut self, index: SectionIndex, first: usize) -> Result<bool> {
        self.relocation_format.rela = self.section(index, "no such section")?.sh_type == section_header::SHT_RELA;
        let entry = self.relocation_format.entry_size() as u64;
        let (offset, size, is_cut) = self.part_of_table(index, entry)?;
        let before = size.min(first as u64 * entry);
        let len = (size - before).min(AHEAD / entry * entry);
        if !self.load_seen(offset + before, len) || is_cut && len == 0 {
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

const fn unreadable(index: SectionIndex, offset: u64) -> Error {
    Error::malformed("table reaches beyond the end of the file", index, offset)
}

fn string_at(table: &[u8], offset: u64) -> Option<&[u8]> {
    let rest = table.get(usize::try_from(offset).ok()?..)?;
    let string = until_nul(rest);
    (string.len() < rest.len()).then_some(string)
}
