//! Section checks as kernels to 6.4 do them: symbols are looked for in all
//! sections of a name, and addends are offsets of 32 bits.

use std::collections::HashMap;

use base::message::Severity;
use elf::{Elf, Relocation, SectionIndex, Symbol, arch};
use goblin::elf::header::{EM_386, EM_ARM, EM_MIPS, ET_EXEC};
use goblin::elf::reloc::{R_386_PC32, R_ARM_ABS32, R_ARM_CALL, R_ARM_JUMP24, R_ARM_PC24, R_MIPS_HI16};
use goblin::elf::sym::STT_SECTION;

use super::names::is_usable;
use super::report::{self, Reference};
use super::rules::{self, Mismatch};
use super::{Broken, CLOSE, Check, Findings, Stop, is_difference};
use crate::dialect::Dialect;
use crate::step::Step;

/// An addend as the search for a near symbol takes it: truncated to 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addend {
    /// An offset in the target's section.
    Offset(i32),
    /// The original takes a host's address for an offset: nothing is near.
    HostAddress,
}

/// The addend of a relocation that breaks a rule; `None` if its type says
/// that it is to be passed over.
pub(super) fn addend(
    elf: &Elf,
    dialect: &Dialect,
    relocated: SectionIndex,
    from: &[u8],
    relocation: &Relocation,
) -> elf::Result<Option<Addend>> {
    if let Some(addend) = relocation.addend {
        let is_reference = !is_difference(elf, dialect, from, relocation);
        return Ok(is_reference.then_some(Addend::Offset(addend as i32)));
    }
    let kind = relocation.kind;
    let decoder = elf.machine.decoder(kind);
    let bytes = || elf.data(relocated, relocation.offset, 4);
    let decoded = |bytes: &[u8]| decoder.map_or(0, |decoder| decoder(arch::Field { bytes, encoding: elf.encoding }));
    let offset = match (elf.header.e_machine, kind) {
        (EM_386, R_386_PC32) => {
            // Only kernels that take linked objects come here with one.
            let place = if elf.header.e_type == ET_EXEC { relocation.offset as i32 } else { 0 };
            decoded(&bytes()?).wrapping_add(place)
        }
        (EM_ARM, R_ARM_ABS32 | R_ARM_PC24 | R_ARM_CALL | R_ARM_JUMP24) if dialect.arm_addends => {
            let symbol = elf.symbol(relocation.symbol)?.value as i32;
            decoded(&bytes()?).wrapping_add(symbol)
        }
        (EM_ARM, R_ARM_ABS32 | R_ARM_PC24 | R_ARM_CALL | R_ARM_JUMP24)
        | (EM_ARM, arch::R_ARM_THM_CALL | arch::R_ARM_THM_JUMP24 | arch::R_ARM_THM_JUMP19) => {
            return Ok(Some(Addend::HostAddress));
        }
        (EM_ARM, _) | (EM_MIPS, R_MIPS_HI16) => return Ok(None),
        (EM_MIPS, _) => decoded(&bytes()?),
        (EM_386, _) if decoder.is_some() => decoded(&bytes()?),
        _ => 0,
    };
    Ok(Some(Addend::Offset(offset)))
}

/// Symbols by section, made when the first report of an object is due.
#[derive(Debug)]
pub(super) struct Symbols<'a> {
    dialect: &'a Dialect,
    /// The symbols with a usable name of each section, in the table's order.
    by_section: Option<HashMap<SectionIndex, Vec<u32>>>,
    by_value: Option<ByValue>,
}

/// The symbols in sections of one name.
#[derive(Debug)]
struct ByValue {
    section: Vec<u8>,
    /// Values and numbers, by value, then in the table's order.
    symbols: Vec<(u64, u32)>,
}

impl<'a> Symbols<'a> {
    pub(super) const fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, by_section: None, by_value: None }
    }

    fn by_section(&mut self, elf: &Elf) -> elf::Result<&HashMap<SectionIndex, Vec<u32>>> {
        let map = match self.by_section.take() {
            Some(map) => map,
            None => {
                let mut map: HashMap<_, Vec<u32>> = HashMap::new();
                for (number, symbol) in elf.symbols().iter().enumerate() {
                    if is_usable(elf.symbol_name(symbol)?, self.dialect) {
                        map.entry(symbol.section).or_default().push(number as u32);
                    }
                }
                map
            }
        };
        Ok(self.by_section.insert(map))
    }

    /// The symbol with the highest value not above `offset` in the sections
    /// called `section`; of several, the last in the table.
    pub(super) fn at_or_before(&mut self, elf: &Elf, offset: u64, section: &[u8]) -> elf::Result<Option<Symbol>> {
        if self.by_value.as_ref().is_none_or(|known| known.section != section) {
            if !self.dialect.section_index_checked {
                // The original looks at the section of each symbol before it
                // looks at its name.
                let mut normal = elf.symbols().iter().filter(|symbol| !symbol.is_special());
                normal.try_for_each(|symbol| elf.check_section_of(symbol))?;
            }
            let mut symbols = Vec::new();
            for (&index, numbers) in self.by_section(elf)? {
                if elf.section_name(index)? == section {
                    let entry = |&number: &u32| (elf.symbols()[number as usize], number);
                    let normal = numbers.iter().map(entry).filter(|(symbol, _)| !symbol.is_special());
                    symbols.extend(normal.map(|(symbol, number)| (symbol.value, number)));
                }
            }
            symbols.sort_unstable();
            self.by_value = Some(ByValue { section: section.to_vec(), symbols });
        }
        let symbols = self.by_value.as_ref().map_or(&[][..], |known| &known.symbols);
        let after = symbols.partition_point(|&(value, _)| value <= offset);
        Ok(after.checked_sub(1).map(|at| elf.symbols()[symbols[at].1 as usize]))
    }

    /// The symbol that a relocation refers to: its own if that has a name,
    /// else one at the addend or close to it, in the same section.
    pub(super) fn close_to(&mut self, elf: &Elf, addend: Addend, symbol: &Symbol) -> elf::Result<Option<Symbol>> {
        if symbol.name != 0 {
            return Ok(Some(*symbol));
        }
        let Addend::Offset(addend) = addend else {
            return Ok(None);
        };
        let mut closest = None;
        let mut least = CLOSE;
        for &number in self.by_section(elf)?.get(&symbol.section).into_iter().flatten() {
            let candidate = elf.symbols()[number as usize];
            if candidate.kind() == STT_SECTION {
                continue;
            }
            if candidate.value == addend as i64 as u64 {
                return Ok(Some(candidate));
            }
            let distance = (candidate.value as i32).wrapping_sub(addend).wrapping_abs();
            if distance < least {
                least = distance;
                closest = Some(candidate);
            }
        }
        Ok(closest)
    }
}

impl Check<'_> {
    /// Reports a reference that breaks a rule.
    pub(super) fn mismatch_to_6_4(
        &self,
        broken: &Broken,
        symbols: &mut Symbols,
        findings: &mut Findings,
    ) -> Result<(), Stop> {
        let Broken { elf, from, relocation, symbol, rule } = broken;
        let from_name = from.name(elf)?;
        let Some(addend) = addend(elf, self.dialect, from.relocated, from_name, relocation)? else {
            return Ok(());
        };
        let from_symbol = symbols.at_or_before(elf, relocation.offset, from_name)?;
        let to_symbol = symbols.close_to(elf, addend, symbol)?;
        let reference = self.reference(broken, from_symbol, to_symbol)?;
        if rule.kind == Mismatch::ExtableToNonText {
            return self.extable(&reference, broken.is_to_code(), findings);
        }
        if self.allowed(&reference) {
            return Ok(());
        }
        if !self.count(rule, findings) {
            return Ok(());
        }
        let report = if self.dialect.short_mismatch_reports { report::short } else { report::long };
        findings.say(reference.says(Severity::Warning, report(&reference, self.dialect)));
        if self.dialect.short_mismatch_reports && rule.kind == Mismatch::DataToText {
            findings.say(reference.says(Severity::Plain, report::writable_pointer(&reference)));
        }
        Ok(())
    }

    fn extable(&self, reference: &Reference, executable: bool, findings: &mut Findings) -> Result<(), Stop> {
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
            findings.steps.push(Step::NotExecutable { offset, from, to });
        }
        Ok(())
    }
}
