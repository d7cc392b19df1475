//! The symbols that a report names: one that the reference stands in, and one
//! that it goes to.

use std::collections::HashMap;

use elf::{Elf, Malformed, SectionIndex, Symbol, header};
use goblin::elf::section_header::SHN_XINDEX;
use goblin::elf::sym::{STT_FUNC, STT_SECTION};

use super::addend::Addend;
use crate::dialect::Dialect;

/// A target's symbol must lie nearer than this, in bytes.
const CLOSE: i32 = 20;

/// Symbols by place, made when the first report of an object is due.
#[derive(Debug)]
pub(super) struct Nearest<'a> {
    dialect: &'a Dialect,
    /// The symbols with a usable name of each section, in the table's order.
    by_section: Option<HashMap<SectionIndex, Vec<u32>>>,
    by_value: Option<ByValue>,
    /// Section, address and number of all symbols with a usable name, sorted.
    sorted: Option<Vec<Place>>,
}

/// The symbols in sections of one name.
#[derive(Debug)]
struct ByValue {
    section: Vec<u8>,
    /// Values and numbers, by value, then in the table's order.
    symbols: Vec<(u64, u32)>,
}

/// Empty names don't tell anything, labels are a tool's own, and ARM's mapping
/// symbols (`$a`, `$t.1`) mark what kind of code follows.
fn is_usable(name: &[u8], dialect: &Dialect) -> bool {
    let is_label = || dialect.tools_symbols_ignored && (name.starts_with(b".L") || name.starts_with(b"L0"));
    let is_mapping = || match name {
        [b'$', ..] if dialect.dollar_symbols_ignored => true,
        [b'$', b'a' | b'd' | b't' | b'x'] | [b'$', b'a' | b'd' | b't' | b'x', b'.', ..] => true,
        _ => false,
    };
    !name.is_empty() && !is_label() && !is_mapping()
}

/// A symbol by its section, its address there and its number.
type Place = (SectionIndex, u64, u32);

/// The number of the symbol nearest to a place, not above it if there is no
/// `reach`. `table` is sorted.
fn nearest(table: &[Place], at: (SectionIndex, u64), reach: Option<u64>, first: bool) -> Option<u32> {
    let (section, address) = at;
    // The distance and the number of what stands for all symbols at the
    // address of the one at `index`.
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

/// Looks at every symbol, as the original does that makes a table of them first
/// of all.
///
/// # Errors
/// If the file ends before the symbol table does, a name lies beyond its end, or
/// a symbol that would be in that table is without its section number.
pub fn check_symbols(elf: &Elf, dialect: &Dialect) -> Result<(), Malformed> {
    elf.check_symbol_table()?;
    elf.check_symbol_names()?;
    for (number, symbol) in elf.symbols().iter().enumerate() {
        if u32::from(symbol.shndx) == SHN_XINDEX && is_usable(elf.symbol_name(symbol)?, dialect) {
            elf.has_section(number)?;
        }
    }
    Ok(())
}

impl<'a> Nearest<'a> {
    pub(super) fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, by_section: None, by_value: None, sorted: None }
    }

    fn sorted(&mut self, elf: &Elf) -> Result<&[Place], Malformed> {
        let table = match self.sorted.take() {
            Some(table) => table,
            None => {
                let is_arm = elf.header.e_machine == header::EM_ARM;
                let mut table = Vec::new();
                for (number, symbol) in elf.symbols().iter().enumerate() {
                    if is_usable(elf.symbol_name(symbol)?, self.dialect) {
                        // The lowest bit marks a function of Thumb code.
                        let thumb = is_arm && symbol.kind() == STT_FUNC;
                        let address = if thumb { symbol.value & !1 } else { symbol.value };
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
    ) -> Result<Option<Symbol>, Malformed> {
        let first = self.dialect.nearest_is_first;
        let found = nearest(self.sorted(elf)?, (section, address), reach, first);
        Ok(found.map(|number| elf.symbols()[number as usize]))
    }

    /// The symbol with the highest address not above `address` in a section.
    pub(super) fn before(
        &mut self,
        elf: &Elf,
        section: SectionIndex,
        address: u64,
    ) -> Result<Option<Symbol>, Malformed> {
        self.find(elf, section, address, None)
    }

    /// The symbol itself if it has a usable name, else one at the address or
    /// close to it, else, where [`Dialect::target_keeps_its_name`], the
    /// symbol.
    pub(super) fn named(&mut self, elf: &Elf, symbol: &Symbol, address: u64) -> Result<Option<Symbol>, Malformed> {
        if is_usable(elf.symbol_name(symbol)?, self.dialect) {
            return Ok(Some(*symbol));
        }
        let close = self.find(elf, symbol.section, address, Some(CLOSE as u64))?;
        Ok(close.or(self.dialect.target_keeps_its_name.then_some(*symbol)))
    }

    fn by_section(&mut self, elf: &Elf) -> Result<&HashMap<SectionIndex, Vec<u32>>, Malformed> {
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
    pub(super) fn at_or_before(&mut self, elf: &Elf, offset: u64, section: &[u8]) -> Result<Option<Symbol>, Malformed> {
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
    pub(super) fn close_to(&mut self, elf: &Elf, addend: Addend, symbol: &Symbol) -> Result<Option<Symbol>, Malformed> {
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

#[cfg(test)]
mod tests {
    use super::{Place, is_usable, nearest};
    use crate::dialect::Dialect;
    use elf::SectionIndex;
    use kernel::Version;

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

    #[test]
    fn usable_names() {
        let [v5_15, v6_5, v6_6] = [(5, 15), (6, 5), (6, 6)].map(|(a, b)| Dialect::new(Version::new(a, b, 0)));
        for (name, in_5_15, in_6_5, in_6_6) in [
            ("", false, false, false),
            ("f", true, true, true),
            ("$a", false, false, false),
            ("$x.7", false, false, false),
            ("$ab", true, true, false),
            ("$c", true, true, false),
            (".L1", true, false, false),
            ("L0", true, false, false),
        ] {
            let usable = [&v5_15, &v6_5, &v6_6].map(|dialect| is_usable(name.as_bytes(), dialect));
            assert_eq!(usable, [in_5_15, in_6_5, in_6_6], "{name}");
        }
    }
}
