//! References between sections that will not live equally long: code that
//! stays must not call code that is freed after initialisation, and the like
//! (`check_sec_ref()` in `scripts/mod/modpost.c`).

mod exceptions;
mod exports;
mod names;
mod report;
mod rules;
mod since_6_5;
mod to_6_4;

use base::message::{Fatal, Message, Severity, text};
use elf::{Elf, Relocation, SectionIndex, Symbol, section_header};
use goblin::elf::header::EM_RISCV;
use report::{End, Reference};
pub use rules::Rules;
use rules::{Class, Mismatch, NO_SUCH_SECTION, Rule, RuleSet};
pub(crate) use since_6_5::check_symbols;

use crate::cli::Options;
use crate::dialect::Dialect;
use crate::kind;
use crate::malformed::Ending;
use crate::step::Step;

/// What one object's check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// In the order of finding.
    pub(crate) steps: Vec<Step>,
    /// How many mismatches there are.
    pub(crate) mismatches: usize,
    /// The number of references from writable data to code.
    pub(crate) writable_pointers: usize,
}

impl Findings {
    fn say(&mut self, message: Message) {
        self.steps.push(Step::Say(message));
    }
}

/// What a worker keeps from object to object.
#[derive(Debug, Default)]
pub struct Scratch {
    /// For each section, what its name says.
    classes: Vec<Class>,
    /// For each symbol, the rules that a reference to it breaks.
    offends: Vec<RuleSet>,
}

/// Checks all relocations of an object.
#[derive(Debug)]
pub struct Check<'a> {
    /// The object's path.
    pub path: &'a [u8],
    /// The object, as messages on sections call it.
    pub name: &'a [u8],
    /// The module, or in older kernels the object's path.
    pub module: &'a [u8],
    /// Exports are looked for in `.export_symbol`.
    pub exports: bool,
    /// The rules, made from `dialect`.
    pub rules: &'a Rules,
    /// The kernel.
    pub dialect: &'a Dialect,
    /// What modpost was asked for.
    pub options: &'a Options,
}

/// A symbol that a report names must lie nearer to the place than this, in
/// bytes.
const CLOSE: i32 = 20;

/// Whether a relocation of an exception table is half of a difference, and so no
/// reference.
fn is_difference(elf: &Elf, dialect: &Dialect, from: &[u8], relocation: &Relocation) -> bool {
    let is_riscv = elf.header.e_machine == EM_RISCV;
    let understood = if is_riscv { dialect.riscv_extable } else { dialect.loongarch_extable };
    understood && from == b"__ex_table" && elf.machine.differences.contains(&relocation.kind)
}

/// A reference that breaks a rule.
struct Broken<'b> {
    elf: &'b Elf<'b>,
    from: &'b Relocated,
    relocation: Relocation,
    /// What it refers to.
    symbol: Symbol,
    rule: &'b Rule,
}

impl Broken<'_> {
    /// Whether it goes to a section of code.
    fn is_to_code(&self) -> bool {
        let section = self.elf.sections.get(self.symbol.section.0 as usize);
        section.is_some_and(|section| section.sh_flags & u64::from(section_header::SHF_EXECINSTR) != 0)
    }
}

/// The symbols of an object, as either engine looks them up.
struct Symbols<'a> {
    to_6_4: to_6_4::Symbols<'a>,
    since_6_5: since_6_5::Symbols<'a>,
}

/// Why a check ends early.
enum Stop {
    Object(elf::Error),
    Fatal(Fatal),
}

impl From<elf::Error> for Stop {
    fn from(error: elf::Error) -> Self {
        Self::Object(error)
    }
}

/// The relocated section.
struct Relocated {
    class: Class,
    relocated: SectionIndex,
    relocations: SectionIndex,
    /// The section whose name, without its first bytes, counts as the
    /// relocated one's.
    named: (SectionIndex, u64),
}

impl Relocated {
    fn name<'e>(&self, elf: &'e Elf) -> elf::Result<&'e [u8]> {
        elf.section_name_after(self.named.0, self.named.1)
    }
}

impl Check<'_> {
    /// Goes through the sections in order.
    ///
    /// # Errors
    /// If the object is malformed, or a mismatch ends the run. What was found
    /// until then is in `findings`.
    pub fn run(&self, elf: &mut Elf, scratch: &mut Scratch, findings: &mut Findings) -> Result<(), Fatal> {
        self.sections(elf, scratch, findings).map_err(|stop| match stop {
            Stop::Object(error) => error.fatal(self.path),
            Stop::Fatal(fatal) => fatal,
        })
    }

    fn sections(&self, elf: &mut Elf, scratch: &mut Scratch, findings: &mut Findings) -> Result<(), Stop> {
        let count = elf.sections.len();
        scratch.classes.clear();
        for number in 0..count {
            let name = elf.section_name(SectionIndex(number as u32));
            // The null section's is looked at only where something refers to it.
            let name = if number == 0 { name.or(Ok::<_, elf::Error>(&b""[..])) } else { name };
            scratch.classes.push(self.rules.classify(name?));
        }
        self.classify_symbols(elf, scratch);

        let (to_6_4, since_6_5) = (to_6_4::Symbols::new(self.dialect), since_6_5::Symbols::new(self.dialect));
        let mut symbols = Symbols { to_6_4, since_6_5 };
        for number in 0..count {
            let index = SectionIndex(number as u32);
            let sh_type = elf.sections[number].sh_type;
            if sh_type == section_header::SHT_PROGBITS {
                self.allocatable(elf, index, scratch.classes[number], findings)?;
            }
            if matches!(sh_type, section_header::SHT_RELA | section_header::SHT_REL) {
                let from = self.relocated(elf, index, &scratch.classes)?;
                if !from.class.ignored {
                    let mut first = 0;
                    while elf.read_relocations(index, first)? {
                        self.relocations(elf, &from, scratch, &mut symbols, findings)?;
                        first = elf.relocations().end();
                    }
                }
            }
        }
        Ok(())
    }

    fn classify_symbols(&self, elf: &Elf, scratch: &mut Scratch) {
        let Scratch { classes, offends, .. } = scratch;
        offends.clear();
        offends.extend(elf.symbols().iter().map(|symbol| self.offends(symbol, classes)));
    }

    /// The rules that a reference to a symbol breaks.
    fn offends(&self, symbol: &Symbol, classes: &[Class]) -> RuleSet {
        let beyond = if self.dialect.section_index_checked { 0 } else { NO_SUCH_SECTION };
        if symbol.is_special() {
            0
        } else {
            classes.get(symbol.section.0 as usize).map_or(beyond, |class| class.offends)
        }
    }

    /// Finds sections that lack `SHF_ALLOC`, which is most often forgotten in
    /// assembler.
    fn allocatable(&self, elf: &Elf, index: SectionIndex, class: Class, findings: &mut Findings) -> elf::Result<()> {
        let section = &elf.sections[index.0 as usize];
        let unchecked = class.ignored || self.dialect.empty_sections_unchecked && section.sh_size == 0;
        if section.sh_flags & u64::from(section_header::SHF_ALLOC) == 0 && !unchecked {
            let name = elf.section_name(index)?;
            let text = if self.dialect.messages_begin_with_module {
                text!(
                    "{}: unexpected non-allocatable section '{}'.\nDid you forget to use \"ax\"/\"aw\" in a .S file?\nNote that for example <linux/init.h> contains\nsection definitions for use in .S files.\n\n",
                    self.name,
                    name
                )
            } else {
                text!(
                    "{} ({}): unexpected non-allocatable section.\nDid you forget to use \"ax\"/\"aw\" in a .S file?\nNote that for example <linux/init.h> contains\nsection definitions for use in .S files.\n\n",
                    self.name,
                    name
                )
            };
            findings.say(Message::new(Severity::Warning, kind::NON_ALLOCATABLE, text).section(name));
        }
        Ok(())
    }

    fn relocated(&self, elf: &Elf, index: SectionIndex, classes: &[Class]) -> elf::Result<Relocated> {
        let section = &elf.sections[index.0 as usize];
        let relocated = SectionIndex(section.sh_info);
        let prefix = if section.sh_type == section_header::SHT_RELA { ".rela" } else { ".rel" };
        let named = if self.dialect.relocated_by_sh_info { (relocated, 0) } else { (index, prefix.len() as u64) };
        let mut from = Relocated { class: Class::default(), relocated, relocations: index, named };
        let known = classes.get(relocated.0 as usize).filter(|_| self.dialect.relocated_by_sh_info);
        from.class = known.copied().map_or_else(|| from.name(elf).map(|name| self.rules.classify(name)), Ok)?;
        Ok(from)
    }

    fn relocations(
        &self,
        elf: &Elf,
        from: &Relocated,
        scratch: &Scratch,
        symbols: &mut Symbols,
        findings: &mut Findings,
    ) -> Result<(), Stop> {
        let Scratch { classes, offends } = scratch;
        let relocations = elf.relocations();
        let exports = self.exports && exports::section(elf) == from.relocated;
        let known = relocations.has_addends() || elf.machine.has_implicit_addends();
        if self.dialect.rel_needs_machine && !known {
            let text = text!("Please add code to calculate addend for this architecture\n");
            return Err(Stop::Fatal(Fatal::new(kind::UNKNOWN_MACHINE, text)));
        }
        let watch = from.class.from | NO_SUCH_SECTION;
        // Where the size of an exception table entry is learnt from.
        let from_name = from.name(elf)?;
        let learning =
            if !self.dialect.extable_mismatch_is_error && from_name == b"__ex_table" { 1 } else { usize::MAX };
        // Nearly no relocation is worth a second look.
        let all = exports || learning < usize::MAX;
        let wanted = |symbol: u32| all || offends.get(symbol as usize).is_none_or(|offended| offended & watch != 0);
        let mut next = relocations.first();
        let mut beyond = self.first_beyond(elf, from, next)?;
        while let Some((number, symbol)) = relocations.find(next, wanted) {
            if let Some(malformed) = beyond.take_if(|beyond| beyond.0 <= number) {
                return Err(malformed.1.into());
            }
            next = number + 1;
            let offended = match offends.get(symbol as usize) {
                Some(offended) => *offended,
                None => {
                    let offset = relocations.offset_of(number);
                    let of_relocation = |error: elf::Error| error.at(from.relocations, offset);
                    self.offends(&elf.symbol(symbol).map_err(of_relocation)?, classes)
                }
            };
            if number == learning && !elf.symbol(symbol)?.is_special() {
                let relocation = relocations.get(number);
                if to_6_4::addend(elf, self.dialect, from.relocated, from_name, &relocation)?.is_some() {
                    let half = relocation.offset as u32;
                    findings.steps.push(Step::ExtableEntrySize(half.wrapping_mul(2)));
                }
            }
            let broken = offended & watch;
            if exports {
                self.export(elf, number, &mut symbols.since_6_5, findings)?;
            } else if broken != 0 {
                self.mismatch(elf, from, number, broken, symbols, findings)?;
            }
        }
        beyond.map_or(Ok(()), |(_, malformed)| Err(malformed.into()))
    }

    /// The first relocation that has no addend of its own, nor one in the
    /// file: the original looks for it whether it matters or not.
    fn first_beyond(&self, elf: &Elf, from: &Relocated, first: usize) -> elf::Result<Option<(usize, elf::Error)>> {
        if elf.relocations().has_addends() {
            return Ok(None);
        }
        let (name, mut next) = (from.name(elf)?, first);
        while let Some(number) = elf.first_beyond(from.relocated, next) {
            let relocation = elf.relocations().get(number);
            let read = if self.dialect.rel_needs_machine {
                since_6_5::check_field(elf, from.relocated, &relocation)
            } else {
                to_6_4::addend(elf, self.dialect, from.relocated, name, &relocation).map(|_| ())
            };
            if let Err(malformed) = read {
                return Ok(Some((number, malformed)));
            }
            next = number + 1;
        }
        Ok(None)
    }

    /// The rare way out of the loop: a reference that breaks a rule.
    #[cold]
    fn mismatch(
        &self,
        elf: &Elf,
        from: &Relocated,
        number: usize,
        broken: RuleSet,
        symbols: &mut Symbols,
        findings: &mut Findings,
    ) -> Result<(), Stop> {
        let relocation = elf.relocations().get(number);
        let symbol = elf.symbol(relocation.symbol)?;
        if broken & NO_SUCH_SECTION != 0 {
            let what = "relocation refers to a symbol in a section that doesn't exist";
            return Err(elf::Error::malformed(what, from.relocations, relocation.offset).into());
        }
        let rule = &self.rules.rules[broken.trailing_zeros() as usize];
        let broken = Broken { elf, from, relocation, symbol, rule };
        if self.dialect.symbols_by_section {
            self.mismatch_since_6_5(&broken, &mut symbols.since_6_5, findings)
        } else {
            self.mismatch_to_6_4(&broken, &mut symbols.to_6_4, findings)
        }
    }

    /// Counts a reference that breaks a rule; returns whether it is reported.
    fn count(&self, rule: &Rule, findings: &mut Findings) -> bool {
        if rule.kind == Mismatch::DataToText {
            findings.writable_pointers += 1;
            return self.options.writable_pointers;
        }
        findings.mismatches += 1;
        true
    }

    /// The reference for a report, between the symbols that an engine found.
    fn reference<'b>(
        &'b self,
        broken: &Broken<'b>,
        from: Option<Symbol>,
        to: Option<Symbol>,
    ) -> elf::Result<Reference<'b>> {
        let Broken { elf, rule, .. } = *broken;
        let from = End::new(elf, broken.from.name(elf)?, from, self.dialect)?;
        let to = End::new(elf, elf.section_name(broken.symbol.section)?, to, self.dialect)?;
        Ok(Reference { path: self.name, offset: broken.relocation.offset, from, to, rule })
    }
}
