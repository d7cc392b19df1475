//! Section checks as kernels since 6.5 do them: symbols are looked for by
//! section and address.

use base::message::Severity;
use elf::{Elf, Relocation, SectionIndex, Symbol, arch};
use goblin::elf::header::{EM_ARM, EM_MIPS};
use goblin::elf::section_header::SHN_XINDEX;
use goblin::elf::sym::STT_FUNC;

use super::names::is_usable;
use super::report;
use super::rules::{self, Mismatch};
use super::to_6_4::{self, Addend};
use super::{Broken, CLOSE, Check, Findings, Stop, is_difference};
use crate::dialect::Dialect;

/// Where a relocation goes: an address in its symbol's section. `None` if it is
/// no reference.
fn target(
    elf: &Elf,
    dialect: &Dialect,
    relocated: SectionIndex,
    from: &[u8],
    relocation: &Relocation,
) -> elf::Result<Option<u64>> {
    let symbol = elf.symbol(relocation.symbol)?.value;
    let address = if let Some(addend) = relocation.addend {
        let marks = dialect.loongarch_markers_passed && elf.machine.markers.contains(&relocation.kind);
        if marks || is_difference(elf, dialect, from, relocation) {
            return Ok(None);
        }
        if dialect.addends_from_symbol { symbol.wrapping_add(addend as u64) } else { addend as u64 }
    } else if dialect.rel_needs_machine {
        // An address of the class's size, of which all bits are set for none.
        let address = stored(elf, relocated, relocation)?.map_or(u32::MAX, |address| address as u32);
        if address == u32::MAX && elf.encoding.is_64 { u64::MAX } else { u64::from(address) }
    } else if elf.header.e_machine == EM_ARM {
        let Some(address) = stored(elf, relocated, relocation)? else { return Ok(None) };
        i64::from(address) as u64
    } else {
        match to_6_4::addend(elf, dialect, relocated, from, relocation)? {
            Some(Addend::Offset(offset)) => i64::from(offset) as u64,
            Some(Addend::HostAddress) => u64::MAX,
            None => return Ok(None),
        }
    };
    Ok(Some(if elf.encoding.is_64 { address } else { u64::from(address as u32) }))
}

/// The address that is stored where a relocation applies: but for ARM, whose
/// symbol's value the original adds here, that is the addend. `None` if the
/// type isn't known.
fn stored(elf: &Elf, relocated: SectionIndex, relocation: &Relocation) -> elf::Result<Option<i32>> {
    let Some(decoder) = elf.machine.decoder(relocation.kind) else { return Ok(None) };
    let bytes = elf.data(relocated, relocation.offset, 4)?;
    let addend = decoder(arch::Field { bytes: &bytes, encoding: elf.encoding });
    let is_arm = elf.header.e_machine == EM_ARM;
    let symbol = if is_arm { elf.symbol(relocation.symbol)?.value as i32 } else { 0 };
    Ok(Some(addend.wrapping_add(symbol)))
}

/// Looks whether what the original reads of a relocation without addend is in
/// the file.
pub(super) fn check_field(elf: &Elf, relocated: SectionIndex, relocation: &Relocation) -> elf::Result<()> {
    // MIPS's addends are read before their type is looked at.
    let is_read = elf.header.e_machine == EM_MIPS || elf.machine.decoder(relocation.kind).is_some();
    if is_read { elf.data(relocated, relocation.offset, 4).map(|_| ()) } else { Ok(()) }
}

/// A symbol by its section, its address there and its number.
type Place = (SectionIndex, u64, u32);

/// The number of the symbol nearest to a place, not above it if there is no
/// `reach`. `table` is sorted.
fn nearest(table: &[Place], at: (SectionIndex, u64), reach: Option<u64>, first: bool) -> Option<u32> {
    let (section, address) = at;
    // The distance and the number of the symbol that represents all those at
    // the address of the one at `index`.
    let candidate = |index: usize| {
        let &(_, value, _) = table.get(index).filter(|place| place.0 == section)?;
        let index = if first || value == address {
            table.partition_point(|place| (place.0, place.1) < (section, value))
        } else {
            table.partition_point(|place| (place.0, place.1) <= (section, value)) - 1
        };
        Some((value.abs_diff(address), table[index].2))
    };
    let after = table.partition_point(|place| (place.0, place.1) <= at);
    let close = |found: Option<(u64, u32)>| found.filter(|&(distance, _)| reach.is_none_or(|reach| distance <= reach));
    let below = close(after.checked_sub(1).and_then(candidate));
    let above = close(reach.and_then(|_| candidate(after)));
    let found = match (below, above) {
        (Some(below), Some(above)) if below.0 == above.0 && !first => Some(below.max(above)),
        (Some(below), Some(above)) if above.0 < below.0 => Some(above),
        (below, above) => below.or(above),
    };
    found.map(|(_, number)| number)
}

/// Looks at every symbol in the file first, because the original makes a table of them
/// before anything else.
///
/// # Errors
/// A name lies past the end of the file, or a symbol that would be in that table has no
/// section number.
pub(crate) fn check_symbols(elf: &Elf, dialect: &Dialect) -> elf::Result<()> {
    elf.check_symbol_names()?;
    for (number, symbol) in elf.symbols().iter().enumerate() {
        if u32::from(symbol.shndx) == SHN_XINDEX && is_usable(elf.symbol_name(symbol)?, dialect) {
            elf.has_section(number)?;
        }
    }
    Ok(())
}

/// Symbols by address, made when the first report of an object is due.
#[derive(Debug)]
pub(super) struct Symbols<'a> {
    dialect: &'a Dialect,
    /// Section, address and number of all symbols with a usable name, sorted.
    sorted: Option<Vec<Place>>,
}

impl<'a> Symbols<'a> {
    pub(super) const fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, sorted: None }
    }

    fn sorted(&mut self, elf: &Elf) -> elf::Result<&[Place]> {
        let table = match self.sorted.take() {
            Some(table) => table,
            None => {
                let mut table = Vec::new();
                for (number, symbol) in elf.symbols().iter().enumerate() {
                    if is_usable(elf.symbol_name(symbol)?, self.dialect) {
                        let marked = elf.machine.marked_functions && symbol.kind() == STT_FUNC;
                        let address = if marked { symbol.value & !1 } else { symbol.value };
                        table.push((symbol.section, address, number as u32));
                    }
                }
                table.sort_unstable();
                table
            }
        };
        Ok(self.sorted.insert(table))
    }

    fn find(
        &mut self,
        elf: &Elf,
        section: SectionIndex,
        address: u64,
        reach: Option<u64>,
    ) -> elf::Result<Option<Symbol>> {
        let first = self.dialect.nearest_is_first;
        let found = nearest(self.sorted(elf)?, (section, address), reach, first);
        Ok(found.map(|number| elf.symbols()[number as usize]))
    }

    /// The symbol with the highest address not above `address` in a section.
    pub(super) fn before(&mut self, elf: &Elf, section: SectionIndex, address: u64) -> elf::Result<Option<Symbol>> {
        self.find(elf, section, address, None)
    }

    /// The symbol itself if it has a usable name, else one at the address or
    /// close to it, else, where [`Dialect::target_keeps_its_name`], the
    /// symbol.
    pub(super) fn named(&mut self, elf: &Elf, symbol: &Symbol, address: u64) -> elf::Result<Option<Symbol>> {
        if is_usable(elf.symbol_name(symbol)?, self.dialect) {
            return Ok(Some(*symbol));
        }
        let close = self.find(elf, symbol.section, address, Some(CLOSE as u64))?;
        Ok(close.or(self.dialect.target_keeps_its_name.then_some(*symbol)))
    }
}

impl Check<'_> {
    /// Reports a reference that breaks a rule.
    pub(super) fn mismatch_since_6_5(
        &self,
        broken: &Broken,
        symbols: &mut Symbols,
        findings: &mut Findings,
    ) -> Result<(), Stop> {
        let Broken { elf, from, relocation, symbol, rule } = broken;
        let Some(address) = target(elf, self.dialect, from.relocated, from.name(elf)?, relocation)? else {
            return Ok(());
        };
        let from_symbol = symbols.before(elf, from.relocated, relocation.offset)?;
        let to_symbol = symbols.named(elf, symbol, address)?;
        let reference = self.reference(broken, from_symbol, to_symbol)?;
        if self.allowed(&reference) {
            return Ok(());
        }
        if !self.count(rule, findings) {
            return Ok(());
        }
        let text = if self.dialect.mismatch_offsets {
            report::with_offset(&reference, from_symbol.map_or(0, |symbol| symbol.value), address, self.dialect)
        } else if rule.kind == Mismatch::ExtableToNonText {
            report::extable_target(&reference)
        } else {
            report::short(&reference, self.dialect)
        };
        findings.say(reference.says(Severity::Warning, text));
        if rule.kind == Mismatch::DataToText {
            findings.say(reference.says(Severity::Plain, report::writable_pointer(&reference)));
        }
        if rule.kind != Mismatch::ExtableToNonText {
            return Ok(());
        }
        if reference.to.section == rules::BLACK_LISTED.as_bytes() {
            return Err(Stop::Fatal(report::black_listed(&reference, self.module)));
        }
        if broken.is_to_code() {
            findings.say(reference.says(Severity::Warning, report::not_authorized(&reference, "to\n")));
        } else {
            findings.say(reference.says(Severity::Error, report::not_executable(&reference)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, nearest};
    use elf::SectionIndex;

    #[test]
    fn of_several_the_first_or_the_last() {
        const HERE: SectionIndex = SectionIndex(2);
        let mut table: Vec<Place> = [(1, 0, 1), (2, 0, 5), (2, 8, 7), (2, 8, 3), (2, 16, 2), (2, 16, 4), (3, 0, 6)]
            .map(|(section, address, number)| (SectionIndex(section), address, number))
            .to_vec();
        table.sort_unstable();
        for (address, reach, since_6_7, before) in [
            (0, None, Some(5), Some(5)),
            (4, None, Some(5), Some(5)),
            (8, None, Some(3), Some(3)),
            (10, None, Some(3), Some(7)),
            (99, None, Some(2), Some(4)),
            (12, Some(20), Some(3), Some(7)),
            (14, Some(20), Some(2), Some(4)),
            (4, Some(20), Some(5), Some(7)),
            (36, Some(20), Some(2), Some(4)),
            (37, Some(20), None, None),
        ] {
            assert_eq!(nearest(&table, (HERE, address), reach, true), since_6_7, "{address} {reach:?}");
            assert_eq!(nearest(&table, (HERE, address), reach, false), before, "{address} {reach:?}, before");
        }
        assert_eq!(nearest(&table, (SectionIndex(4), 0), None, true), None);
    }
}
