//! References between sections that will not live equally long: code that
//! stays must not call code that is freed after initialisation, and the like
//! (`check_sec_ref()` in `scripts/mod/modpost.c`).

mod addend;
mod nearest;
mod report;
mod rules;

use base::message::{Fatal, Message, Severity, text};
use elf::{Elf, Malformed, Relocation, SectionIndex, Symbol, header, section_header};
use goblin::elf::sym::{STT_FUNC, STT_LOPROC};
use nearest::Nearest;
pub use nearest::check_symbols;
use report::End;
pub use rules::Rules;
use rules::{Class, Mismatch, NO_SUCH_SECTION, RuleSet};

use crate::dialect::Dialect;
use crate::kind;
use crate::malformed::Ending;

/// Something found, in the order of finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Something to be said.
    Message(Message),
    /// An entry of `.export_symbol`: a symbol is exported.
    Export(Export),
    /// Half the size of an exception table entry could be told from this
    /// object, and so its size. The original keeps the first it finds in a
    /// run.
    ExtableEntrySize(u32),
    /// An exception table entry refers to a section that is not executable,
    /// which ends a run of 5.15. How it is put depends on
    /// [`Finding::ExtableEntrySize`].
    NotExecutable {
        /// Where in the exception table, in bytes.
        offset: u64,
        /// The exception table's name.
        from: Vec<u8>,
        /// The section's name.
        to: Vec<u8>,
    },
}

/// What an entry of `.export_symbol` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The symbol.
    pub name: Vec<u8>,
    /// To GPL modules alone.
    pub is_gpl_only: bool,
    /// Its namespace, "" for none.
    pub namespace: Vec<u8>,
    /// It is a function, not data.
    pub is_function: bool,
}

/// What one object's check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// In the order of finding.
    pub findings: Vec<Finding>,
    /// How many mismatches there are.
    pub mismatches: usize,
}

impl Findings {
    fn say(&mut self, message: Message) {
        self.findings.push(Finding::Message(message));
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
    /// `-W`.
    pub extra_warn: bool,
}

/// The section that lists exports. Without one it is the null section, to which
/// a relocation section applies that doesn't say to which.
fn export_section(elf: &Elf) -> SectionIndex {
    elf.export_symbol.unwrap_or(SectionIndex(0))
}

/// Either end of a check that goes no further.
enum Stop {
    Malformed(Malformed),
    Fatal(Fatal),
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
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
    fn name<'e>(&self, elf: &'e Elf) -> Result<&'e [u8], Malformed> {
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
            Stop::Malformed(malformed) => malformed.fatal(self.path),
            Stop::Fatal(fatal) => fatal,
        })
    }

    fn sections(&self, elf: &mut Elf, scratch: &mut Scratch, findings: &mut Findings) -> Result<(), Stop> {
        let count = elf.sections.len();
        scratch.classes.clear();
        for number in 0..count {
            let name = elf.section_name(SectionIndex(number as u32));
            // The null section's is looked at only where something refers to it.
            let name = if number == 0 { name.or(Ok::<_, Malformed>(&b""[..])) } else { name };
            scratch.classes.push(self.rules.classify(name?));
        }
        self.classify_symbols(elf, scratch);

        let mut nearest = Nearest::new(self.dialect);
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
                        self.relocations(elf, &from, scratch, &mut nearest, findings)?;
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
    fn allocatable(
        &self,
        elf: &Elf,
        index: SectionIndex,
        class: Class,
        findings: &mut Findings,
    ) -> Result<(), Malformed> {
        let section = &elf.sections[index.0 as usize];
        if section.sh_flags & u64::from(section_header::SHF_ALLOC) == 0 && !class.ignored {
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

    fn relocated(&self, elf: &Elf, index: SectionIndex, classes: &[Class]) -> Result<Relocated, Malformed> {
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
        nearest: &mut Nearest,
        findings: &mut Findings,
    ) -> Result<(), Stop> {
        let Scratch { classes, offends } = scratch;
        let relocations = elf.relocations();
        let exports = self.exports && export_section(elf) == from.relocated;
        let known = matches!(elf.header.e_machine, header::EM_386 | header::EM_ARM | header::EM_MIPS);
        if self.dialect.rel_needs_machine && !relocations.has_addends() && !known {
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
                    let of_relocation = |malformed| Malformed { section: from.relocations, offset, ..malformed };
                    self.offends(&elf.symbol(symbol).map_err(of_relocation)?, classes)
                }
            };
            if number == learning && !elf.symbol(symbol)?.is_special() {
                let relocation = relocations.get(number);
                if addend::of(elf, self.dialect, from.relocated, from_name, &relocation)?.is_some() {
                    let half = relocation.offset as u32;
                    findings.findings.push(Finding::ExtableEntrySize(half.wrapping_mul(2)));
                }
            }
            let broken = offended & watch;
            if exports {
                self.export(elf, number, nearest, findings)?;
            } else if broken != 0 {
                self.mismatch(elf, from, number, broken, nearest, findings)?;
            }
        }
        beyond.map_or(Ok(()), |(_, malformed)| Err(malformed.into()))
    }

    /// The first relocation that has no addend of its own, nor one in the
    /// file: the original looks for it whether it matters or not.
    fn first_beyond(&self, elf: &Elf, from: &Relocated, first: usize) -> Result<Option<(usize, Malformed)>, Malformed> {
        if elf.relocations().has_addends() {
            return Ok(None);
        }
        let (name, mut next) = (from.name(elf)?, first);
        while let Some(number) = elf.first_beyond(from.relocated, next) {
            let relocation = elf.relocations().get(number);
            if let Err(malformed) = addend::of(elf, self.dialect, from.relocated, name, &relocation) {
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
        nearest: &mut Nearest,
        findings: &mut Findings,
    ) -> Result<(), Stop> {
        let relocation = elf.relocations().get(number);
        let symbol = &elf.symbol(relocation.symbol)?;
        if broken & NO_SUCH_SECTION != 0 {
            let what = "relocation refers to a symbol in a section that doesn't exist";
            return Err(Malformed { what, section: from.relocations, offset: relocation.offset }.into());
        }
        if self.dialect.symbols_by_section {
            return self.mismatch_by_section(elf, from, &relocation, broken, nearest, findings);
        }
        let from_name = from.name(elf)?;
        let Some(addend) = addend::of(elf, self.dialect, from.relocated, from_name, &relocation)? else {
            return Ok(());
        };
        let rule = &self.rules.rules[broken.trailing_zeros() as usize];
        let to = elf.section_name(symbol.section)?;

        let from_symbol = nearest.at_or_before(elf, relocation.offset, from_name)?;
        let from_end = End::new(elf, from_name, from_symbol, self.dialect)?;
        let to_symbol = nearest.close_to(elf, addend, symbol)?;
        let to_end = End::new(elf, to, to_symbol, self.dialect)?;
        let reference =
            report::Reference { path: self.name, offset: relocation.offset, from: from_end, to: to_end, rule };

        if rule.kind == Mismatch::ExtableToNonText {
            let section = elf.sections.get(symbol.section.0 as usize);
            let flags = section.map_or(0, |section| section.sh_flags);
            let executable = flags & u64::from(section_header::SHF_EXECINSTR) != 0;
            return self.extable(&reference, executable, findings);
        }
        if self.allowed(&reference) {
            return Ok(());
        }
        findings.mismatches += 1;
        let report = if self.dialect.short_mismatch_reports { report::short } else { report::long };
        findings.say(reference.says(Severity::Warning, report(&reference, self.dialect)));
        Ok(())
    }

    fn mismatch_by_section(
        &self,
        elf: &Elf,
        from: &Relocated,
        relocation: &Relocation,
        broken: RuleSet,
        nearest: &mut Nearest,
        findings: &mut Findings,
    ) -> Result<(), Stop> {
        let from_name = from.name(elf)?;
        let address = match addend::target(elf, self.dialect, from.relocated, from_name, relocation)? {
            addend::Target::Address(address) => address,
            addend::Target::Passed | addend::Target::UnknownMachine => return Ok(()),
        };
        let symbol = &elf.symbol(relocation.symbol)?;
        let rule = &self.rules.rules[broken.trailing_zeros() as usize];
        let to = elf.section_name(symbol.section)?;
        let from_symbol = nearest.before(elf, from.relocated, relocation.offset)?;
        let from_end = End::new(elf, from_name, from_symbol, self.dialect)?;
        let to_symbol = nearest.named(elf, symbol, address)?;
        let to_end = End::new(elf, to, to_symbol, self.dialect)?;
        let reference =
            report::Reference { path: self.name, offset: relocation.offset, from: from_end, to: to_end, rule };
        if self.allowed(&reference) {
            return Ok(());
        }
        findings.mismatches += 1;
        let text = if self.dialect.mismatch_offsets {
            report::with_offset(&reference, from_symbol.map_or(0, |symbol| symbol.value), address, self.dialect)
        } else if rule.kind == Mismatch::ExtableToNonText {
            report::extable_target(&reference)
        } else {
            report::short(&reference, self.dialect)
        };
        findings.say(reference.says(Severity::Warning, text));
        if rule.kind != Mismatch::ExtableToNonText {
            return Ok(());
        }
        let section = elf.sections.get(symbol.section.0 as usize);
        let flags = section.map_or(0, |section| section.sh_flags);
        if to == rules::BLACK_LISTED.as_bytes() {
            return Err(Stop::Fatal(report::black_listed(&reference, self.module)));
        }
        if flags & u64::from(section_header::SHF_EXECINSTR) == 0 {
            findings.say(reference.says(Severity::Error, report::not_executable(&reference)));
        } else {
            findings.say(reference.says(Severity::Warning, report::not_authorized(&reference, "to\n")));
        }
        Ok(())
    }

    /// An entry of `.export_symbol`: a label before it names the symbol and
    /// points to license and namespace, the relocation to the symbol.
    fn export(&self, elf: &Elf, number: usize, nearest: &mut Nearest, findings: &mut Findings) -> Result<(), Stop> {
        let section = export_section(elf);
        let malformed = |text| Message::new(Severity::Error, kind::MALFORMED_EXPORT, text);
        let relocation = elf.relocations().get(number);
        let symbol = &elf.symbol(relocation.symbol)?;
        let label = nearest.before(elf, section, relocation.offset)?;
        let label_name = label.map_or(Ok(&b""[..]), |label| elf.symbol_name(&label))?;
        let (Some(label), Some(labelled)) = (label, label_name.strip_prefix(b"__export_symbol_")) else {
            let unknown: &[u8] = if self.dialect.nameless_by_address { b"" } else { b"(unknown)" };
            let label_name = if label.is_some() { label_name } else { unknown };
            let text = text!("{}: .export_symbol section contains strange symbol '{}'\n", self.name, label_name);
            findings.say(malformed(text).symbol(label_name));
            return Ok(());
        };
        if !symbol.is_global() {
            let text = text!("{}: local symbol '{}' was exported\n", self.name, labelled);
            findings.say(Message::new(Severity::Error, kind::EXPORTED_STATIC, text).symbol(labelled));
            return Ok(());
        }
        let name = elf.symbol_name(symbol)?;
        if labelled != name {
            let text = text!(
                "{}: .export_symbol section references '{}', but it does not seem to be an export symbol\n",
                self.name,
                name
            );
            findings.say(malformed(text).symbol(name));
            return Ok(());
        }
        let license = elf.c_string(label.section, label.value)?;
        let is_gpl_only = match &license[..] {
            b"GPL" => true,
            b"" => false,
            _ => {
                let text = text!("{}: unknown license '{}' was specified for '{}'\n", self.name, license, name);
                findings.say(Message::new(Severity::Error, kind::UNKNOWN_LICENSE, text).symbol(name));
                return Ok(());
            }
        };
        let namespace = elf.c_string(label.section, label.value + license.len() as u64 + 1)?;
        // PA-RISC's millicode has a type of its own.
        let is_parisc64 =
            self.dialect.parisc64_functions && elf.encoding.is_64 && elf.header.e_machine == header::EM_PARISC;
        let is_function = symbol.kind() == STT_FUNC || is_parisc64 && symbol.kind() == STT_LOPROC;
        let export = Export { name: name.to_vec(), is_gpl_only, namespace, is_function };
        findings.findings.push(Finding::Export(export));
        let section = elf.section_name(symbol.section)?;
        let init = if self.dialect.meminit_is_init { rules::all_init(self.dialect) } else { rules::INIT_ONLY.to_vec() };
        let kind = if rules::matches(section, &init) {
            "init"
        } else if rules::matches(section, rules::EXIT_ONLY) {
            "exit"
        } else {
            return Ok(());
        };
        let text = if self.dialect.messages_begin_with_module {
            text!(
                "{}: EXPORT_SYMBOL used for {} symbol '{}'. Remove __{} or EXPORT_SYMBOL.\n",
                self.name,
                kind,
                name,
                kind
            )
        } else {
            text!(
                "{}: {}: EXPORT_SYMBOL used for {} symbol. Remove __{} or EXPORT_SYMBOL.\n",
                self.name,
                name,
                kind,
                kind
            )
        };
        findings.say(Message::new(Severity::Warning, kind::EXPORTED_INIT, text).symbol(name).section(section));
        Ok(())
    }

    fn extable(&self, reference: &report::Reference, executable: bool, findings: &mut Findings) -> Result<(), Stop> {
        let to = reference.to.section;
        let black_listed = to == rules::BLACK_LISTED.as_bytes();
        findings.mismatches += 1;
        let text = report::extable(reference, executable && !black_listed);
        findings.say(reference.says(Severity::Warning, text));
        if black_listed {
            return Err(Stop::Fatal(report::black_listed(reference, self.path)));
        }
        if executable {
            return Ok(());
        }
        if self.dialect.extable_mismatch_is_error {
            findings.say(reference.says(Severity::Error, report::not_executable(reference)));
        } else {
            let (from, to, offset) = (reference.from.section.to_vec(), to.to_vec(), reference.offset);
            findings.findings.push(Finding::NotExecutable { offset, from, to });
        }
        Ok(())
    }

    /// The exceptions from the rules, by the names of symbols.
    fn allowed(&self, reference: &report::Reference) -> bool {
        use rules::{
            DATA, INIT_DATA, MEM_EXIT_ONLY, MEM_INIT_ONLY, all_exit, all_init, all_text, data_symbols, matches,
        };
        let (from, to) = (reference.from.section, reference.to.section);
        let from_symbol = reference.from.name;
        let from_data = matches(from, DATA);
        let to_init = matches(to, &all_init(self.dialect));

        if !self.dialect.initcall_references_checked && from_symbol.starts_with(b"reference___initcall") {
            return true;
        }
        // A parameter without permissions may be freed, and its setter; the
        // permissions can't be seen from here.
        if from_data && from_symbol.starts_with(b"__param") && matches(to, INIT_DATA) {
            return true;
        }
        if from_data && from_symbol.starts_with(b"__param_ops_") && to == b".init.text" {
            return true;
        }
        let to_init_or_exit = || to_init || matches(to, &all_exit(self.dialect));
        let by_data_symbol = if self.dialect.data_symbol_rules {
            let Dialect { meminit_is_init, no_memexit, drivers_checked, drivers_checked_with_w, .. } = *self.dialect;
            let driver = || matches(from_symbol, &["*driver"]);
            let exits_checked = drivers_checked || drivers_checked_with_w && self.extra_warn;
            to_init_or_exit() && matches(from_symbol, data_symbols(self.dialect))
                || !meminit_is_init && matches(to, MEM_INIT_ONLY) && driver()
                || !exits_checked && matches(to, &all_exit(self.dialect)) && driver()
                || !no_memexit && matches(to, MEM_EXIT_ONLY) && driver()
        } else {
            to_init_or_exit() && matches(from_symbol, reference.rule.symbols)
        };
        if from_data && by_data_symbol {
            return true;
        }
        // The first code of all may use what is freed later.
        if matches(from, &[".head.text*"]) && to_init {
            return true;
        }
        // Linker symbols are addresses, not memory.
        if matches(reference.to.name, &["__init_begin", "_sinittext", "_einittext"]) {
            return true;
        }
        // A function that the compiler specialised for a constant argument.
        if to_init && matches(from_symbol, &["*.constprop.*"]) && matches(from, &all_text(self.dialect)) {
            return true;
        }
        // The compiler's own labels escape the exceptions by name.
        !self.dialect.tools_symbols_ignored && from_symbol.starts_with(b".L")
    }
}
