//! A module's sections as a kernel finds them, and what keeps it from doing so.

use base::message::text;
use goblin::elf::header::{EM_386, ET_REL, Header};
use goblin::elf::section_header::{SHF_ALLOC, SHN_UNDEF, SHT_NOBITS, SHT_NULL, SHT_STRTAB, SHT_SYMTAB, SectionHeader};
use goblin::elf::sym::Sym;
use kernel::Version;
use kmod::modinfo;

use crate::dialect::Dialect;
use crate::finding::{Effect, Errno, Finding, Step};
use crate::view::{Native, contents, name_at};

/// The kernel's own structure in a module.
const THIS_MODULE: &[u8] = b".gnu.linkonce.this_module";
/// What stands in messages where a module says no name.
const NAMELESS: &[u8] = b"(missing .modinfo section or name field)";
/// 486, which 32-bit x86 kernels take, too.
const EM_486: u16 = 6;

/// A module in memory.
pub(crate) struct Image<'a> {
    native: Native,
    bytes: &'a [u8],
    pub(crate) sections: Vec<SectionHeader>,
    section_names: &'a [u8],
    modinfo: &'a [u8],
    /// What it calls itself.
    pub(crate) name: Vec<u8>,
    /// The size of the kernel's own structure.
    pub(crate) module_size: u64,
    /// What the kernel says if its structure has another size.
    pub(crate) other_size: Option<Vec<u8>>,
    symbols: &'a [u8],
    symbol_names: &'a [u8],
    versions: Option<usize>,
    extended: Option<(usize, usize)>,
}

/// What keeps a module from being read.
struct Malformed {
    line: Vec<u8>,
    old: Old,
}

/// What kernels to 5.16 log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Old {
    /// That the module is malformed.
    General,
    /// The same line, and then that.
    Both,
    /// The same line.
    Same,
}

/// The check failed with that line.
fn malformed(line: Vec<u8>) -> Malformed {
    Malformed { line, old: Old::General }
}

fn number(value: impl std::fmt::Display) -> String {
    value.to_string()
}

/// Whether a kernel takes objects for a machine (`elf_check_arch()`).
fn is_for(native: Native, header: &Header) -> bool {
    header.e_machine == native.machine || native.machine == EM_386 && header.e_machine == EM_486
}

impl<'a> Image<'a> {
    /// Finds the sections of a module, without its signature.
    ///
    /// # Errors
    /// If the kernel refuses it: what it says.
    pub(crate) fn read(
        bytes: &'a [u8],
        native: Native,
        dialect: &Dialect,
        module_size: Option<u64>,
    ) -> Result<Self, Vec<Finding>> {
        let reader = Reader { bytes, native, dialect, module_size };
        reader.read().map_err(|Malformed { line, old }| {
            let finding = |line: Vec<u8>, meaning: &str, advice: &str| Finding {
                step: Step::Form,
                effect: Effect::Refused(Errno::ENOEXEC),
                symbol: None,
                line: Some(line),
                meaning: meaning.into(),
                advice: Some(advice.into()),
            };
            let (meaning, advice) = match Native::of(bytes) {
                Some(other) if other != native => {
                    ("it is for another machine than the kernel", "get or build it for this machine")
                }
                _ => ("the file is damaged, or is no module", "get or build it anew"),
            };
            let mut findings = Vec::new();
            let old = if dialect.form_is_logged { Old::Same } else { old };
            if old != Old::General {
                findings.push(finding(line, meaning, advice));
            }
            if old != Old::Same {
                findings.push(finding(b"Module has invalid ELF structures".into(), meaning, advice));
            }
            findings
        })
    }

    /// The same where it doesn't matter which kernel reads it.
    pub(crate) fn of_any(bytes: &'a [u8], native: Native) -> Option<Self> {
        Self::read(bytes, native, &Dialect::new(Version::OLDEST), None).ok()
    }

    /// The bytes of a section.
    pub(crate) fn contents(&self, section: usize) -> &'a [u8] {
        contents(self.bytes, &self.sections[section])
    }

    /// A section's name.
    pub(crate) fn section_name(&self, section: &SectionHeader) -> &'a [u8] {
        name_at(self.section_names, section.sh_name)
    }

    /// The section of a name that is loaded.
    pub(crate) fn section(&self, name: &[u8]) -> Option<usize> {
        find(&self.sections, self.section_names, name, is_loaded).next()
    }

    /// The contents of the section of a name, loaded or not.
    pub(crate) fn any_section(&self, name: &[u8]) -> Option<&'a [u8]> {
        find(&self.sections, self.section_names, name, |_| true).next().map(|section| self.contents(section))
    }

    /// The first value of a tag in `.modinfo`.
    pub(crate) fn modinfo(&self, tag: &[u8]) -> Option<&'a [u8]> {
        self.modinfos(tag).next()
    }

    /// All values of a tag in `.modinfo`.
    pub(crate) fn modinfos<'s>(&'s self, tag: &'s [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a, 's> {
        modinfo::pairs(self.modinfo).filter(move |(known, _)| *known == tag).map(|(_, value)| value)
    }

    /// The symbols, without the first, which is null.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = (Sym, &'a [u8])> {
        let names = self.symbol_names;
        self.native.symbols(self.symbols).skip(1).map(move |symbol| (symbol, name_at(names, symbol.st_name)))
    }

    /// The section `__versions`.
    pub(crate) fn versions(&self) -> Option<&'a [u8]> {
        self.versions.map(|section| self.contents(section))
    }

    /// The sections of extended versions: CRCs and names.
    pub(crate) fn extended_versions(&self) -> Option<(&'a [u8], &'a [u8])> {
        self.extended.map(|(crcs, names)| (self.contents(crcs), self.contents(names)))
    }

    /// How its numbers are read.
    pub(crate) fn native(&self) -> Native {
        self.native
    }
}

fn is_loaded(section: &SectionHeader) -> bool {
    section.sh_flags & u64::from(SHF_ALLOC) != 0
}

/// The sections of a name.
fn find<'s>(
    sections: &'s [SectionHeader],
    names: &'s [u8],
    name: &'s [u8],
    is_wanted: impl Fn(&SectionHeader) -> bool + 's,
) -> impl Iterator<Item = usize> + 's {
    let is_it = move |section: &SectionHeader| is_wanted(section) && name_at(names, section.sh_name) == name;
    sections.iter().enumerate().skip(1).filter(move |(_, section)| is_it(section)).map(|(number, _)| number)
}

/// What reads a module.
struct Reader<'a, 'd> {
    bytes: &'a [u8],
    native: Native,
    dialect: &'d Dialect,
    module_size: Option<u64>,
}

impl<'a> Reader<'a, '_> {
    fn read(&self) -> Result<Image<'a>, Malformed> {
        let header = self.header()?;
        let sections = self.section_headers(&header)?;
        let section_names = if self.dialect.sections_checked_apart {
            self.null_section(&sections)?;
            self.ranges(&sections, &header, None)?;
            self.section_names(&sections, &header)?
        } else {
            let names = self.section_names(&sections, &header)?;
            self.null_section(&sections)?;
            self.ranges(&sections, &header, Some(names))?;
            names
        };
        self.tables(&header, sections, section_names)
    }

    fn header(&self) -> Result<Header, Malformed> {
        let Self { bytes, native, .. } = self;
        let header = native.header(bytes).filter(|_| bytes.len() >= native.header_size());
        let Some(header) = header else {
            return Err(malformed(text!("Invalid ELF header len {}", number(bytes.len()))));
        };
        if !bytes.starts_with(b"\x7fELF") {
            return Err(malformed(b"Invalid ELF header magic: != \x7fELF".into()));
        }
        if header.e_type != ET_REL {
            return Err(malformed(text!("Invalid ELF header type: {} != {}", number(header.e_type), number(ET_REL))));
        }
        if !is_for(*native, &header) {
            return Err(malformed(text!("Invalid architecture in ELF header: {}", number(header.e_machine))));
        }
        Ok(header)
    }

    fn section_headers(&self, header: &Header) -> Result<Vec<SectionHeader>, Malformed> {
        let size = self.native.section_size();
        if usize::from(header.e_shentsize) != size {
            return Err(malformed(b"Invalid ELF section header size".into()));
        }
        let count = usize::from(header.e_shnum);
        let is_inside = header.e_shoff < self.bytes.len() as u64;
        let sections = is_inside.then(|| self.native.sections(self.bytes, header.e_shoff, count)).flatten();
        sections.ok_or_else(|| malformed(b"Invalid ELF section header overflow".into()))
    }

    /// The first section header, on which kernels rely for sections that aren't there.
    fn null_section(&self, sections: &[SectionHeader]) -> Result<(), Malformed> {
        let Some(first) = sections.first() else { return Ok(()) };
        if first.sh_type != SHT_NULL || first.sh_size != 0 || first.sh_addr != 0 {
            let line = "ELF Spec violation: section 0 type({})!=SH_NULL or non-zero len or addr";
            return Err(malformed(line.replace("{}", &number(first.sh_type as i32)).into()));
        }
        Ok(())
    }

    fn is_inside(&self, section: &SectionHeader) -> bool {
        let end = section.sh_offset.checked_add(section.sh_size);
        end.is_some_and(|end| end <= self.bytes.len() as u64)
    }

    /// Sections lie in the file; where they are checked together with their names, those
    /// and symbols' strings, too.
    fn ranges(&self, sections: &[SectionHeader], header: &Header, names: Option<&[u8]>) -> Result<(), Malformed> {
        let of_section = |what: &str, number: usize, section: &SectionHeader| {
            let line = format!("Invalid ELF section{what} in module (section {number} type {})", section.sh_type);
            Malformed { old: Old::Both, ..malformed(line.into()) }
        };
        for (number, section) in sections.iter().enumerate().skip(1) {
            if matches!(section.sh_type, SHT_NULL | SHT_NOBITS) {
                continue;
            }
            if names.is_some() && section.sh_type == SHT_SYMTAB {
                self.strings_of(section, header)?;
            }
            if !self.is_inside(section) {
                return Err(of_section("", number, section));
            }
            if names.is_some_and(|names| is_loaded(section) && section.sh_name >= names.len()) {
                return Err(of_section(" name", number, section));
            }
        }
        Ok(())
    }

    /// The number of a symbol table's strings.
    fn strings_of(&self, section: &SectionHeader, header: &Header) -> Result<usize, Malformed> {
        let link = section.sh_link;
        if link == SHN_UNDEF || link >= u32::from(header.e_shnum) {
            let (link, count) = (number(link as i32), number(header.e_shnum));
            return Err(malformed(text!(
                "Invalid ELF sh_link!=SHN_UNDEF({}) or (sh_link({}) >= hdr->e_shnum({})",
                link,
                link,
                count
            )));
        }
        Ok(link as usize)
    }

    fn section_names(&self, sections: &[SectionHeader], header: &Header) -> Result<&'a [u8], Malformed> {
        let index = header.e_shstrndx;
        let Some(table) = sections.get(usize::from(index)).filter(|_| index != 0) else {
            let (index, count) = (number(index), number(header.e_shnum));
            return Err(malformed(text!(
                "Invalid ELF section name index: {} || e_shstrndx ({}) >= e_shnum ({})",
                index,
                index,
                count
            )));
        };
        let is_apart = self.dialect.sections_checked_apart;
        if self.dialect.string_tables_checked && table.sh_type != SHT_STRTAB {
            return Err(malformed(text!("Invalid ELF section name table type: {}", number(table.sh_type))));
        }
        if !is_apart && !self.is_inside(table) {
            return Err(malformed(text!("Invalid ELF section hdr(type {})", number(table.sh_type))));
        }
        let names = contents(self.bytes, table);
        match names.last() {
            None => return Err(malformed(b"empty section name table".into())),
            Some(0) => {}
            Some(_) => {
                let line = b"ELF Spec violation: section name table isn't null terminated";
                return Err(malformed(line.into()));
            }
        }
        if is_apart {
            let is_outside = |section: &SectionHeader| section.sh_type != SHT_NULL && section.sh_name >= names.len();
            if let Some((number, section)) = sections.iter().enumerate().find(|(_, section)| is_outside(section)) {
                let line = format!("Invalid ELF section name in module (section {number} type {})", section.sh_type);
                return Err(malformed(line.into()));
            }
        }
        Ok(names)
    }

    /// The sections that every module has.
    fn tables(
        &self,
        header: &Header,
        sections: Vec<SectionHeader>,
        section_names: &'a [u8],
    ) -> Result<Image<'a>, Malformed> {
        let is_apart = self.dialect.sections_checked_apart;
        let any = |name| find(&sections, section_names, name, |_| true);
        let loaded = |name| find(&sections, section_names, name, is_loaded).next();
        let same = |line: Vec<u8>| Malformed { old: Old::Same, ..malformed(line) };

        let is_unique = self.dialect.sections_unique;
        let modinfo = if is_unique { any(b".modinfo").next() } else { loaded(b".modinfo") };
        if is_unique && any(b".modinfo").count() > 1 {
            return Err(malformed(b"Only one .modinfo section must exist.".into()));
        }
        let modinfo = modinfo.map_or(&[][..], |section| contents(self.bytes, &sections[section]));
        let name = modinfo::pairs(modinfo).find(|(tag, _)| *tag == b"name").map(|(_, name)| name);
        let called = name.unwrap_or(NAMELESS);

        let find_module = || -> Result<usize, Malformed> {
            if !is_unique {
                let found = loaded(THIS_MODULE);
                return found.ok_or_else(|| same(text!("{}: No module found in object", called)));
            }
            let mut found = any(THIS_MODULE);
            match (found.next(), found.next()) {
                (Some(found), None) => Ok(found),
                _ if !is_apart => {
                    Err(malformed(text!("module {}: Only one {} section must exist.", called, THIS_MODULE)))
                }
                _ => Err(malformed(text!("module {}: Exactly one {} section must exist.", called, THIS_MODULE))),
            }
        };
        let find_symbols = || -> Result<usize, Malformed> {
            let mut tables = (1..sections.len()).filter(|&number| sections[number].sh_type == SHT_SYMTAB);
            match (tables.next(), tables.next()) {
                (Some(table), None) => Ok(table),
                (Some(table), Some(_)) if !is_unique => Ok(table),
                _ => Err(same(text!("{}: module has no symbols (stripped?)", called))),
            }
        };
        let (module, table) = if is_apart {
            let module = find_module()?;
            self.module(&sections[module], called)?;
            (module, find_symbols()?)
        } else {
            let table = find_symbols()?;
            let module = find_module()?;
            self.module(&sections[module], called)?;
            (module, table)
        };
        let strings = self.strings_of(&sections[table], header)?;
        if self.dialect.string_tables_checked && sections[strings].sh_type != SHT_STRTAB {
            let line = text!("Invalid ELF symbol string table type: {}", number(sections[strings].sh_type));
            return Err(malformed(line));
        }
        let extended = self.extended(loaded(b"__version_ext_crcs"), loaded(b"__version_ext_names"), &sections)?;
        let versions = loaded(b"__versions");
        let symbol_names = contents(self.bytes, &sections[strings]);
        let symbols = contents(self.bytes, &sections[table]);
        if self.dialect.symbol_names_checked {
            self.symbol_names(symbols, symbol_names)?;
        }
        // The field `name` stands after `state` and `list`.
        let module_bytes = contents(self.bytes, &sections[module]);
        let place = if self.native.is_64 { 24 } else { 12 };
        let name = name.map_or_else(|| name_at(module_bytes, place).to_vec(), <[u8]>::to_vec);
        let module_size = sections[module].sh_size;
        let is_other = self.dialect.sections_unique && self.module_size.is_some_and(|size| size != module_size);
        let other_size = is_other.then(|| {
            let what = "section size must match the kernel's built struct module size at run time";
            text!("module {}: {} {}", called, THIS_MODULE, what)
        });
        let Self { bytes, native, .. } = *self;
        Ok(Image {
            native,
            bytes,
            sections,
            section_names,
            modinfo,
            name,
            module_size,
            other_size,
            symbols,
            symbol_names,
            versions,
            extended,
        })
    }

    /// The section of the kernel's own structure.
    fn module(&self, section: &SectionHeader, called: &[u8]) -> Result<(), Malformed> {
        if !self.dialect.sections_unique {
            return Ok(());
        }
        let line = |what: &str| text!("module {}: {}{}", called, THIS_MODULE, what);
        if section.sh_type == SHT_NOBITS {
            return Err(malformed(line(" section must have a size set")));
        }
        if !is_loaded(section) {
            return Err(malformed(line(" must occupy memory during process execution")));
        }
        Ok(())
    }

    /// The sections of extended versions: both are there, and there is a name for each
    /// CRC.
    fn extended(
        &self,
        crcs: Option<usize>,
        names: Option<usize>,
        sections: &[SectionHeader],
    ) -> Result<Option<(usize, usize)>, Malformed> {
        if !self.dialect.extended_versions {
            return Ok(None);
        }
        let (crcs, names) = match (crcs, names) {
            (Some(crcs), Some(names)) => (crcs, names),
            (None, None) => return Ok(None),
            _ => return Err(malformed(b"extended version crc+name presence does not match".into())),
        };
        let count = contents(self.bytes, &sections[crcs]).len() / 4;
        if memchr::memchr_iter(0, contents(self.bytes, &sections[names])).count() < count {
            return Err(malformed(b"more extended version crcs than names".into()));
        }
        Ok(Some((crcs, names)))
    }

    fn symbol_names(&self, symbols: &[u8], names: &[u8]) -> Result<(), Malformed> {
        let line = match (names.first(), names.last()) {
            (None, _) => "empty symbol string table",
            (Some(1..), _) => "symbol string table missing leading NUL",
            (_, Some(1..)) => "symbol string table isn't NUL terminated",
            _ if self.native.symbols(symbols).any(|symbol| symbol.st_name >= names.len()) => {
                "symbol name out of bounds in string table"
            }
            _ => return Ok(()),
        };
        Err(malformed(line.into()))
    }
}
