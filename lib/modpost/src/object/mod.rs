//! What one object file says, read on its own (`read_symbols()` in
//! `scripts/mod/modpost.c`). Nothing here prints, and nothing knows of other
//! objects: what depends on them is left as a `Step` for `link` to take.

mod crc;
mod facts;
pub mod modinfo;
mod suffix;
mod tables;
mod undefined;

use std::collections::HashSet;

use base::message::{Fatal, Message, Severity, strerror, text};
use base::textfile;
use base::workers::Workers;
pub use crc::{missing as missing_crc, symbol_crcs};
use elf::{Demands, Elf, Source, Symbol, Tables};
pub use facts::{Facts, Reading};
use foldhash::fast::RandomState;
use goblin::elf::section_header::{SHN_ABS, SHN_COMMON, SHN_UNDEF, SHN_XINDEX};
use modinfo::Modinfo;

use crate::alias::{Aliases, TableDetail, layout};
use crate::cli::Options;
use crate::dialect::Dialect;
use crate::export::{Export, License};
use crate::kind;
use crate::malformed::Ending;
use crate::names::Names;
use crate::section::{self, Findings, Rules};
use crate::srcversion;
use crate::step::Step;

/// What reading depends on besides the object.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The kernel.
    pub(crate) dialect: &'a Dialect,
    /// Its rules for sections.
    pub(crate) rules: &'a Rules,
    /// The kernel build's own layouts of device ids.
    pub(crate) offsets: Option<&'a layout::Offsets>,
    /// What modpost was asked for.
    pub(crate) options: &'a Options,
    /// The workers that share a large object.
    pub(crate) workers: &'a Workers,
}

impl<'a> Context<'a> {
    /// A context with one worker, and with the layouts that kernels have by default.
    #[must_use]
    pub const fn new(dialect: &'a Dialect, rules: &'a Rules, options: &'a Options) -> Self {
        Self { dialect, rules, offsets: None, options, workers: &Workers::ALONE }
    }
}

/// An object's device tables.
#[derive(Clone, Debug, Default)]
pub struct DeviceTables {
    /// The aliases.
    pub aliases: Aliases,
    /// The tables, if they were wanted in detail.
    pub detail: Vec<TableDetail>,
    /// Messages on them.
    pub messages: Vec<Message>,
    /// Why the rest couldn't be read.
    pub fatal: Option<Fatal>,
}

/// Which device tables are read, and how.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Their types; empty for all.
    pub types: Vec<String>,
    /// Whether each entry's fields are wanted, too.
    pub in_detail: bool,
}

/// Reads the device tables of an object and nothing else.
#[must_use]
pub fn device_tables(
    path: &[u8],
    source: &Source,
    wanted: &Wanted,
    context: &Context,
    scratch: &mut Scratch,
) -> DeviceTables {
    let elf = match Elf::parse(source, &mut scratch.tables, demands(context.dialect)) {
        Ok(None) => return DeviceTables::default(),
        Ok(Some(elf)) => elf,
        Err(error) => return DeviceTables { fatal: Some(error.fatal(path)), ..DeviceTables::default() },
    };
    // Messages call a module by its path without the suffix.
    let name = path.strip_suffix(b".o").or(path.strip_suffix(b".ko")).unwrap_or(path).to_vec();
    let mut reading = Reading::default();
    let facts = Facts { name, ..Facts::default() };
    let mut reader = Reader { path, context, elf, facts, reading: &mut reading };
    let mut detail = Vec::new();
    let result = reader.tables_alone(wanted, &mut detail);
    let fatal = source.check().map_err(|error| error.fatal(path)).and(result).err();
    let aliases = std::mem::take(&mut reader.facts.aliases);
    let messages = reading.steps.into_iter().filter_map(|step| match step {
        Step::Say(message) => Some(message),
        _ => None,
    });
    DeviceTables { aliases, detail, messages: messages.collect(), fatal }
}

/// What a kernel wants of objects.
const fn demands(dialect: &Dialect) -> Demands {
    Demands { relocatable: dialect.only_relocatable_objects, known_byte_order: dialect.byte_order_of_objects }
}

/// What a worker keeps from object to object.
#[derive(Debug, Default)]
pub struct Scratch {
    tables: Tables,
    section: section::Scratch,
    later: Later,
}

/// Reads the object at a path.
#[must_use]
pub fn read(path: &[u8], context: &Context, scratch: &mut Scratch) -> Reading {
    if context.dialect.suffix_before_contents {
        if let Err(message) = module_name(path, context.dialect) {
            return Reading::saying(message);
        }
    }
    match Source::open(textfile::path(path)) {
        Ok(source) => read_source(path, &source, context, scratch),
        Err(error) if context.options.ignore_missing => {
            let text = text!("{}: {} (ignored)\n", path, strerror(&error));
            Reading::saying(Message::new(Severity::Plain, kind::IGNORED, text))
        }
        Err(error) => Reading::ending(Fatal::perror(path, error)),
    }
}

/// Reads an object from wherever its bytes are.
#[must_use]
pub fn read_source(path: &[u8], source: &Source, context: &Context, scratch: &mut Scratch) -> Reading {
    let reading = read_unchecked(path, source, context, scratch);
    match source.check() {
        Ok(()) => reading,
        Err(error) => Reading::ending(error.fatal(path)),
    }
}

/// The same, but what can't be read is treated as missing.
fn read_unchecked(path: &[u8], source: &Source, context: &Context, scratch: &mut Scratch) -> Reading {
    let elf = match Elf::parse(source, &mut scratch.tables, demands(context.dialect)) {
        Ok(None) => return Reading::default(),
        Ok(Some(elf)) => elf,
        Err(error) => return Reading::ending(error.fatal(path)),
    };
    let name = match module_name(path, context.dialect) {
        Ok(name) => name,
        Err(message) => return Reading::saying(message),
    };
    let mut reading = Reading::default();
    let facts = Facts {
        is_vmlinux: name == b"vmlinux",
        name,
        word: elf.encoding.word(),
        is_big_endian: elf.encoding.is_big,
        is_gpl_compatible: true,
        ..Facts::default()
    };
    let mut reader = Reader { path, context, elf, facts, reading: &mut reading };
    let result = reader.read(&mut scratch.section, &mut scratch.later);
    let facts = reader.facts;
    reading.facts = Some(facts);
    reading.fatal = result.err();
    reading
}

/// The name of the module that an object is of, or what is wrong with its path.
fn module_name(path: &[u8], dialect: &Dialect) -> Result<Vec<u8>, Message> {
    if dialect.object_suffix_checked {
        let Some(name) = path.strip_suffix(b".o") else {
            let text = text!("{}: filename must be suffixed with .o\n", path);
            return Err(Message::new(Severity::Error, kind::OBJECT_SUFFIX, text));
        };
        return Ok(name.to_vec());
    }
    // The last two bytes go, whatever they are.
    let Some(end) = path.len().checked_sub(2) else {
        let text = text!("{}: file name too short for an object\n", path);
        return Err(Message::new(Severity::Refusal, kind::OBJECT_SUFFIX, text));
    };
    Ok(suffix::without_stage(&path[..end], dialect).to_vec())
}

struct Reader<'a, 't> {
    path: &'a [u8],
    context: &'a Context<'a>,
    elf: Elf<'t>,
    facts: Facts,
    reading: &'a mut Reading,
}

/// Symbols that are looked at again once every export is known.
#[derive(Debug, Default)]
struct Later {
    /// Numbers of `__kstrtabns_` and `__crc_` symbols.
    symbols: Vec<usize>,
    /// Positions of exports among the steps.
    exports: Vec<usize>,
    /// Where in the string table names were cut, and so perhaps others that
    /// share their bytes.
    cuts: Vec<usize>,
    /// The length of each symbol's name.
    lens: Vec<u32>,
    /// The undefined symbols, and which of them are weak: kept in a piece of
    /// memory of their size.
    undefined: Names,
    weak: Vec<bool>,
    /// The global symbols, likewise.
    globals: Names,
}

impl Later {
    fn clear(&mut self) {
        self.symbols.clear();
        self.exports.clear();
        self.cuts.clear();
        self.lens.clear();
        self.undefined.clear();
        self.weak.clear();
        self.globals.clear();
    }
}

impl Reader<'_, '_> {
    fn say(&mut self, message: Message) {
        self.reading.steps.push(Step::Say(message));
    }

    fn malformed(&self, error: elf::Error) -> Fatal {
        error.fatal(self.path)
    }

    fn read(&mut self, scratch: &mut section::Scratch, later: &mut Later) -> Result<(), Fatal> {
        let Context { dialect, rules, options, .. } = *self.context;
        if dialect.nearest_is_first {
            section::check_symbols(&self.elf, dialect).map_err(|error| self.malformed(error))?;
        }
        if let Some(section) = self.elf.no_trim_symbol.filter(|_| dialect.no_trim_symbol) {
            let (bytes, _) = self.elf.strings_of(section).map_err(|error| self.malformed(error))?;
            self.facts.kept =
                bytes.split(|&byte| byte == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect();
        }
        let has_version = self.modinfo()?;
        self.symbols(later)?;
        self.facts.undefined = later.undefined.clone();
        self.facts.weak = later.weak.clone();
        self.second_look(later)?;
        if dialect.static_export_check {
            self.find_static(later)?;
        }

        let called = if dialect.messages_begin_with_module {
            self.facts.called()
        } else if dialect.reports_name_module {
            self.facts.name.clone()
        } else {
            self.path.to_vec()
        };
        let check = section::Check {
            path: self.path,
            name: &called,
            module: if dialect.reports_name_module { &self.facts.name } else { self.path },
            exports: dialect.export_symbol_section && (options.module_enabled || !dialect.module_option),
            rules,
            dialect,
            options,
        };
        let mut findings = Findings::default();
        let checked = check.run(&mut self.elf, scratch, &mut findings);
        self.reading.mismatches = findings.mismatches;
        self.reading.writable_pointers = findings.writable_pointers;
        self.reading.steps.append(&mut findings.steps);
        checked?;

        if !self.facts.is_vmlinux && (has_version || options.all_versions) {
            let mut messages = Vec::new();
            let srcversion = srcversion::of_module(&self.facts.name, dialect, textfile::open, &mut messages);
            self.reading.steps.extend(messages.into_iter().map(Step::Say));
            self.facts.srcversion = srcversion?;
        }
        if options.modversions && dialect.crcs_from_cmd {
            let Context { workers, .. } = self.context;
            symbol_crcs(&self.facts.name, self.facts.is_vmlinux, dialect, workers, &mut self.reading.steps)?;
        }
        Ok(())
    }

    /// Reads `.modinfo`: whether it has a version.
    fn modinfo(&mut self) -> Result<bool, Fatal> {
        if self.facts.is_vmlinux {
            return Ok(false);
        }
        let (bytes, size) = match self.elf.modinfo {
            None => (Vec::new(), 0),
            Some(index) => self.elf.strings_of(index).map_err(|error| self.malformed(error))?,
        };
        let modinfo = Modinfo::parse(&bytes, size);
        if let (Some(section), Some(offset)) = (self.elf.modinfo, modinfo.overrun) {
            let what = "value that begins past the end of .modinfo";
            return Err(self.malformed(elf::Error::malformed(what, section, offset as u64)));
        }
        if modinfo.licenses == 0 {
            let is_error = self.context.dialect.errors_fail_at_the_end;
            let severity = if is_error { Severity::Error } else { Severity::Warning };
            let text = if self.context.dialect.messages_begin_with_module {
                text!("{}: missing MODULE_LICENSE()\n", self.facts.called())
            } else {
                text!("missing MODULE_LICENSE() in {}\n", self.path)
            };
            self.say(Message::new(severity, kind::MISSING_LICENSE, text));
        }
        self.facts.is_gpl_compatible = modinfo.is_gpl_compatible;
        self.facts.imports = modinfo.imports;
        self.facts.is_livepatch = modinfo.is_livepatch;
        let dialect = self.context.dialect;
        for namespace in self.facts.imports.clone() {
            if dialect.module_namespaces && namespace.starts_with(b"module:") {
                let text = if dialect.messages_begin_with_module {
                    text!("{}: explicitly importing namespace '{}' is not allowed.\n", self.facts.called(), namespace)
                } else {
                    text!("{}: explicitly importing namespace \"{}\" is not allowed.\n", self.facts.name, namespace)
                };
                self.say(Message::new(Severity::Error, kind::FORBIDDEN_NAMESPACE, text));
            }
        }
        let wanted = dialect.description_always_wanted || dialect.description_wanted && self.context.options.extra_warn;
        if wanted && !modinfo.has_description {
            let text = if dialect.messages_begin_with_module {
                text!("{}: missing MODULE_DESCRIPTION()\n", self.facts.called())
            } else {
                text!("missing MODULE_DESCRIPTION() in {}\n", self.path)
            };
            self.say(Message::new(Severity::Warning, kind::MISSING_DESCRIPTION, text));
        }
        Ok(modinfo.has_version)
    }

    /// The length of the symbol's name without the suffix by which the compiler
    /// tells local symbols apart, which is removed.
    fn name_len(&mut self, symbol: &Symbol, later: &mut Later) -> elf::Result<usize> {
        let (len, dot) = self.elf.symbol_name_len(symbol)?;
        if dot.is_none() {
            return Ok(len);
        }
        let name = self.elf.symbol_name_of(symbol, len);
        let kept = suffix::without_suffix(name, dot, self.context.dialect).len();
        if kept < len {
            self.elf.cut_name(symbol, kept);
            later.cuts.push(symbol.name as usize + kept);
        }
        Ok(kept)
    }

    fn symbols(&mut self, later: &mut Later) -> Result<(), Fatal> {
        later.clear();
        for number in 0..self.elf.symbols().len() {
            let len = self.symbol(number, later)?;
            later.lens.push(len as u32);
        }
        self.elf.check_symbol_table().map_err(|error| self.malformed(error))
    }

    /// Looks at a symbol; returns the length of its name.
    fn symbol(&mut self, number: usize, later: &mut Later) -> Result<usize, Fatal> {
        let symbol = self.elf.symbols()[number];
        // Most local symbols are section symbols and have no name.
        let is_section = symbol.name == 0 && !matches!(u32::from(symbol.shndx), SHN_UNDEF | SHN_XINDEX);
        let is_section = is_section && !symbol.is_special();
        if is_section && !symbol.is_global() && self.elf.symbol_name_of(&symbol, 1) == b"\0" {
            return Ok(0);
        }
        let len = self.name_len(&symbol, later).map_err(|error| self.malformed(error))?;
        let name = self.elf.symbol_name_of(&symbol, len);
        match u32::from(symbol.shndx) {
            SHN_COMMON => {
                if !name.starts_with(b"__gnu_lto_") {
                    let text = if self.context.dialect.messages_begin_with_module {
                        text!("{}: '{}' is COMMON symbol\n", self.facts.called(), name)
                    } else {
                        text!("\"{}\" [{}] is COMMON symbol\n", name, self.facts.name)
                    };
                    let message = Message::new(Severity::Warning, kind::COMMON_SYMBOL, text).symbol(name);
                    self.say(message);
                }
            }
            SHN_UNDEF => {
                if let Some(name) = undefined::wanted(name, &symbol, self.elf.machine, self.context.dialect) {
                    later.undefined.push(&name);
                    later.weak.push(undefined::is_weak(&symbol));
                }
            }
            _ => match name {
                b"init_module" => self.facts.has_init = true,
                b"cleanup_module" => self.facts.has_cleanup = true,
                _ => {
                    let exported = name.strip_prefix(b"__ksymtab_");
                    if let Some(exported) = exported.filter(|_| !self.context.dialect.export_symbol_section) {
                        self.elf.has_section(number).map_err(|error| self.malformed(error))?;
                        let exported = exported.to_vec();
                        self.export(exported, &symbol, later).map_err(|error| self.malformed(error))?;
                    }
                }
            },
        }
        self.elf.has_section(number).map_err(|error| self.malformed(error))?;
        let name = self.elf.symbol_name_of(&symbol, len);
        let detail = name.starts_with(b"__kstrtabns_") || name.starts_with(b"__crc_");
        if detail && !self.context.dialect.export_symbol_section {
            later.symbols.push(number);
        } else if name.starts_with(b"__mod_") {
            self.device_table(&symbol, None)?;
        }
        Ok(len)
    }

    fn export(&mut self, name: Vec<u8>, symbol: &Symbol, later: &mut Later) -> elf::Result<()> {
        let dialect = self.context.dialect;
        if !dialect.section_index_checked && symbol.section.0 as usize >= self.elf.sections.len() {
            let what = "exported symbol in a section that doesn't exist";
            return Err(elf::Error::malformed(what, symbol.section, symbol.value));
        }
        let license = License::from_section(self.elf.section_name(symbol.section)?, dialect);
        if license == License::Unknown && dialect.exports_by_section {
            return Ok(());
        }
        later.exports.push(self.reading.steps.len());
        self.reading.steps.push(Step::Export(Export::new(name, license)));
        Ok(())
    }

    /// Reads the exports' namespaces and CRCs, now that all exports are known.
    fn second_look(&mut self, later: &mut Later) -> Result<(), Fatal> {
        self.cut_again(later)?;
        for &number in &later.symbols {
            let symbol = self.elf.symbols()[number];
            let step = self.detail(&symbol).map_err(|error| self.malformed(error))?;
            self.reading.steps.extend(step);
        }
        Ok(())
    }

    /// A further pass over the names that share bytes with one that was cut in
    /// the pass before.
    fn cut_again(&mut self, later: &mut Later) -> Result<(), Fatal> {
        let mut cuts = std::mem::take(&mut later.cuts);
        if cuts.is_empty() {
            return Ok(());
        }
        cuts.sort_unstable();
        for number in 0..self.elf.symbols().len() {
            let symbol = self.elf.symbols()[number];
            let (start, len) = (symbol.name as usize, later.lens[number] as usize);
            let next = cuts.partition_point(|&cut| cut < start);
            if cuts.get(next).is_some_and(|&cut| cut < start + len) {
                let len = self.name_len(&symbol, later).map_err(|error| self.malformed(error))?;
                later.lens[number] = len as u32;
            }
        }
        Ok(())
    }

    fn detail(&self, symbol: &Symbol) -> elf::Result<Option<Step>> {
        let name = self.elf.symbol_name(symbol)?;
        if let Some(exported) = name.strip_prefix(b"__kstrtabns_") {
            let namespace = self.elf.c_string(symbol.section, symbol.value)?;
            return Ok(Some(Step::Namespace { symbol: exported.to_vec(), namespace }));
        }
        let Some(exported) = name.strip_prefix(b"__crc_").filter(|_| !self.context.dialect.crcs_from_cmd) else {
            return Ok(None);
        };
        let crc = match u32::from(symbol.shndx) {
            SHN_UNDEF => {
                let suffix = if self.facts.is_vmlinux { "" } else { ".ko" };
                let module = text!("{}{}", self.facts.name, suffix);
                return Ok(Some(Step::Say(crc::missing(exported, &module, self.context.dialect))));
            }
            SHN_ABS => symbol.value as u32,
            _ => self.elf.encoding.unsigned(&self.elf.data(symbol.section, symbol.value, 4)?) as u32,
        };
        Ok(Some(Step::Crc { symbol: exported.to_vec(), crc, own: false }))
    }

    /// Marks exports that no global symbol defines. What isn't exported here may
    /// be exported elsewhere, so all global names are passed on.
    fn find_static(&mut self, later: &mut Later) -> Result<(), Fatal> {
        self.cut_again(later)?;
        let Later { lens, globals, .. } = later;
        for (symbol, &len) in self.elf.symbols().iter().zip(&*lens).filter(|(symbol, _)| symbol.is_global()) {
            globals.push(suffix::lookup_key(self.elf.symbol_name_of(symbol, len as usize)));
        }
        if !later.exports.is_empty() {
            let defined: HashSet<&[u8], RandomState> = globals.iter().collect();
            for &position in &later.exports {
                if let Step::Export(export) = &mut self.reading.steps[position] {
                    export.is_static = !defined.contains(&*export.name);
                }
            }
        }
        self.reading.steps.push(Step::Globals(globals.clone()));
        Ok(())
    }
}
