//! Finding an object's tables, with what the original finds wrong with them, in
//! its order.

use std::cell::OnceCell;

use goblin::elf::header::{self, Header};
use goblin::elf::section_header::{self, SectionHeader};
use scroll::Pread;

use crate::arch::Machine;
use crate::headers::read_section_headers;
use crate::native::{self, View};
use crate::window::{self, AHEAD, Window};
use crate::{Demands, Elf, Encoding, Error, HEADERS, Result, SectionIndex, Source, Tables};
use crate::{end_of, relocation, string_at, symbol, unreadable};

impl<'t> Elf<'t> {
    /// Reads headers, symbol table and string tables into `tables`.
    ///
    /// `Ok(None)` is a file that is silently passed over: too small for an
    /// ELF header, or without its magic.
    ///
    /// # Errors
    /// [`Error`], in the order in which the original looks.
    pub fn parse(source: &'t Source, tables: &'t mut Tables, demands: Demands) -> Result<Option<Self>> {
        source.checked(Self::parse_unchecked(source, tables, demands))
    }

    /// The same, but what can't be read is treated as missing.
    fn parse_unchecked(source: &'t Source, tables: &'t mut Tables, demands: Demands) -> Result<Option<Self>> {
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
                _ => return Err(Error::malformed("neither a 32-bit nor a 64-bit object", HEADERS, 4)),
            },
            is_big: match header_bytes[header::EI_DATA] {
                header::ELFDATA2LSB => false,
                header::ELFDATA2MSB => true,
                _ if demands.known_byte_order => return Err(Error::UnknownByteOrder),
                _ => return Err(Error::malformed("neither little- nor big-endian", HEADERS, 5)),
            },
        };
        if header_bytes.len() < encoding.header_size() {
            return Ok(None);
        }
        let mut header: Header =
            header_bytes.pread(0).map_err(|_| Error::malformed("unreadable ELF header", HEADERS, 0))?;

        if demands.relocatable && header.e_type != header::ET_REL {
            return Err(Error::NotRelocatable);
        }
        if header.e_shoff > size {
            return Err(Error::SectionHeadersBeyondEnd { offset: header.e_shoff, size });
        }
        // The ELF header is brought into the host's order first, and may be a
        // section's header, too.
        let is_shared = encoding != encoding.of_host() && header.e_shoff < encoding.header_size() as u64;
        let image = is_shared.then(|| native::with_header(source, encoding)).flatten();
        let (claimed, mut sections) = match &image {
            Some(image) => read_section_headers(image, &header, encoding, &mut Window::default())?,
            None => read_section_headers(source, &header, encoding, &mut tables.window)?,
        };
        // All headers are brought into the host's order, by kernels that look
        // for an object's order even if it is that.
        let all_touched = demands.known_byte_order || encoding != encoding.of_host();
        let wanted = u64::from(claimed) * encoding.section_header_size() as u64;
        if all_touched && wanted > size - header.e_shoff {
            return Err(Error::malformed("section headers reach beyond the end of the file", HEADERS, header.e_shoff));
        }
        let file = source;
        let (mut source, mut structures, mut swapped) = (View::Whole(file), encoding, Vec::new());
        if encoding != encoding.of_host() {
            let (ranges, overlap) = native::swapped(&header, &sections, encoding);
            swapped = ranges;
            if overlap {
                let native = native::image(&source, &header, claimed, encoding);
                let what = "section headers reach beyond the end of the file";
                let (headers, image) = native.ok_or_else(|| Error::malformed(what, HEADERS, header.e_shoff))?;
                structures = encoding.of_host();
                swapped.clear();
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

        let machine = Machine::of(header.e_machine);
        let mut elf = Self {
            header,
            machine,
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
                structured_info: encoding.is_64 && machine.structured_info,
            },
            relocations: (0, 0, 0),
            source,
            structures,
            swapped,
            image: OnceCell::new(),
            symbols_at: 0,
            symbols_are_cut: false,
            tables,
        };
        elf.find_runs();
        elf.read_section_names()?;
        elf.find_tables(file, all_touched)?;
        Ok(Some(elf))
    }

    /// The size of the ELF header of this class, for the original's messages.
    const fn header_size(&self) -> usize {
        self.encoding.header_size()
    }

    /// Locates the tables that will be read.
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

    fn read_section_names(&mut self) -> Result<()> {
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
    fn find_tables(&mut self, file: &Source, all_touched: bool) -> Result<()> {
        let names = self.names_before_symbols(file);
        let mut symtab = None;
        let mut shndx = None;
        for number in 1..self.claimed {
            let index = SectionIndex(number);
            let what = "section headers reach beyond the end of the file";
            let section = self
                .sections
                .get(number as usize)
                .ok_or_else(|| Error::malformed(what, HEADERS, self.header.e_shoff))?;
            let nobits = section.sh_type == section_header::SHT_NOBITS;
            if !nobits && section.sh_offset > self.source.size() {
                return Err(Error::Truncated { offset: section.sh_offset, header_size: self.header_size() });
            }
            let name = match &names {
                Some(names) => {
                    string_at(names, section.sh_name as u64).ok_or_else(|| self.without_end(section.sh_name as u64))
                }
                None => self.section_name(index),
            };
            let name = match name {
                // What lies there is looked at, and is no name; the table itself
                // is found to be truncated when its turn comes.
                Err(_) if self.is_name_before_table(section) => b"",
                name => name?,
            };
            match name {
                b".modinfo" if nobits => return Err(Error::NobitsModinfo),
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
        let (symtab, strtab) = symtab.ok_or(Error::NoSymtab)?;
        (self.symtab, self.strtab) = (symtab, strtab);
        let strings = self.stray_section(strtab, "no such string table")?;
        if let Some((_, link)) = shndx.filter(|&(_, link)| link != symtab.0) {
            return Err(Error::BadShndxLink { link, symtab: symtab.0 });
        }

        let mut last = u64::from(self.read_symbols(symtab, shndx.map(|(index, _)| index), all_touched)?);
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

    /// The section names as they are when tables are looked for, if they are
    /// others then: symbols are byte-swapped after that.
    fn names_before_symbols(&self, file: &Source) -> Option<Vec<u8>> {
        if self.swapped.is_empty() && matches!(self.source, View::Whole(_)) {
            return None;
        }
        let table = self.stray_section(self.section_strings, "no such section header string table").ok()?;
        let rest = file.size().checked_sub(table.sh_offset)?;
        // None of the names that are looked for is longer than 16 bytes.
        let last = self.sections.iter().map(|section| section.sh_name as u64).max().unwrap_or(0);
        let looked_at = table.sh_size.max(last + 16).min(rest);
        if std::ptr::eq(self.seen(table.sh_offset, looked_at), file) {
            return None;
        }
        let (_, image) = native::headers(file, &self.header, self.claimed, self.encoding)?;
        let mut names = Vec::new();
        image.read_exact(table.sh_offset, rest, &mut names).then_some(names)
    }

    /// Whether the table of section names is said to lie so far beyond the end
    /// of the file that a name in it, as pointers are counted, lies in the file.
    fn is_name_before_table(&self, section: &SectionHeader) -> bool {
        let table = self.sections.get(self.section_strings.0 as usize).filter(|_| self.section_strings.0 > 0);
        table.is_some_and(|table| {
            let place = table.sh_offset.wrapping_add(section.sh_name as u64);
            table.sh_type != section_header::SHT_NOBITS
                && table.sh_offset > self.source.size()
                && place < self.source.size()
        })
    }

    /// Reads the symbol table; returns the greatest of its `st_name`.
    fn read_symbols(&mut self, symtab: SectionIndex, shndx: Option<SectionIndex>, all_touched: bool) -> Result<u32> {
        let mut extended = symbol::Extended::default();
        if let Some(index) = shndx {
            let (offset, size) = self.table(index, 4)?;
            if !self.source.read_exact(offset, size, &mut extended.table) {
                return Err(unreadable(index, offset));
            }
            extended.rest = offset + size..self.source.size();
        }
        let entry = symbol::size(self.encoding);
        let (offset, size, is_cut) = self.part_of_table(symtab, entry)?;
        if is_cut && all_touched {
            return Err(unreadable(symtab, offset));
        }
        self.symbols_are_cut = is_cut;
        self.symbols_at = offset;
        self.tables.symbols.clear();
        let room = self.tables.symbols.try_reserve((size / entry) as usize);
        room.map_err(|_| Error::malformed("no memory for the symbol table", symtab, offset))?;
        if shndx.is_some() && !self.swapped.is_empty() && (extended.table.len() as u64) / 4 < size / entry {
            // Numbers are taken from what follows their table, too, which may
            // have been byte-swapped.
            self.image();
        }
        let mut last = 0;
        for part in (0..size).step_by((AHEAD / entry * entry) as usize) {
            let len = (size - part).min(AHEAD / entry * entry);
            if !self.load(offset + part, len) {
                return Err(unreadable(symtab, offset));
            }
            let Tables { symbols, window, .. } = &mut *self.tables;
            let bytes = window.get(offset + part, len).unwrap_or_default();
            let rest = self.image.get().and_then(Option::as_ref).unwrap_or(&self.source);
            last = last.max(symbol::parse(symbols.len(), bytes, &extended, self.structures, rest, symbols));
        }
        self.extended = extended;
        Ok(last)
    }
}
