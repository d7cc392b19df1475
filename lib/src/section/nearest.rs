//! The symbols that a report names: one that the reference stands in, and one
//! that it goes to.

use std::collections::HashMap;

use goblin::elf::sym::{STT_FUNC, STT_SECTION};

use super::addend::Addend;
use crate::elf::{Elf, Malformed, SectionIndex, Symbol, header};

/// A target's symbol must lie nearer than this, in bytes.
const CLOSE: i32 = 20;

/// Symbols by place, made when the first report of an object is due.
#[derive(Debug, Default)]
pub(super) struct Nearest {
    /// The symbols with a usable name of each section, in the table's order.
    by_section: Option<HashMap<SectionIndex, Vec<u32>>>,
    by_value: Option<ByValue>,
    /// Section, address and number of all symbols with a usable name, sorted;
    /// of several at one address each has the number of the first.
    sorted: Option<Vec<(SectionIndex, u64, u32)>>,
}

/// The symbols in sections of one name.
#[derive(Debug)]
struct ByValue {
    section: Vec<u8>,
    /// Values and numbers, by value, then in the table's order.
    symbols: Vec<(u64, u32)>,
}

/// Names that tools give, and empty ones.
fn is_tools_own(name: &[u8]) -> bool {
    name.is_empty() || name.starts_with(b".L") || name.starts_with(b"L0") || name.starts_with(b"$")
}

/// Empty names don't tell anything, and ARM's mapping symbols (`$a`, `$t.1`)
/// mark what kind of code follows.
fn is_usable(name: &[u8]) -> bool {
    let mapping = matches!(name, [b'$', b'a' | b'd' | b't' | b'x'] | [b'$', b'a' | b'd' | b't' | b'x', b'.', ..]);
    !name.is_empty() && !mapping
}

impl Nearest {
    fn sorted(&mut self, elf: &Elf) -> Result<&[(SectionIndex, u64, u32)], Malformed> {
        let table = match self.sorted.take() {
            Some(table) => table,
            None => {
                let is_arm = elf.header.e_machine == header::EM_ARM;
                let mut table = Vec::new();
                for (number, symbol) in elf.symbols().iter().enumerate() {
                    if !is_tools_own(elf.symbol_name(symbol)?) {
                        // The lowest bit marks a function of Thumb code.
                        let thumb = is_arm && symbol.kind() == STT_FUNC;
                        let address = if thumb { symbol.value & !1 } else { symbol.value };
                        table.push((symbol.section, address, number as u32));
                    }
                }
                table.sort_unstable();
                for at in 1..table.len() {
                    let (section, address, number) = table[at - 1];
                    if (table[at].0, table[at].1) == (section, address) {
                        table[at].2 = number;
                    }
                }
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
        let table = self.sorted(elf)?;
        let after = table.partition_point(|&(other, value, _)| (other, value) <= (section, address));
        let in_section = |entry: &&(SectionIndex, u64, u32)| entry.0 == section;
        let above = table.get(after).filter(in_section).map(|entry| (entry.1 - address, entry.2));
        let below = after.checked_sub(1).and_then(|at| table.get(at)).filter(in_section);
        let below = below.map(|entry| (address - entry.1, entry.2));
        let number = match reach {
            None => below,
            Some(reach) => {
                let above = above.filter(|&(distance, _)| distance <= reach);
                // Of two at one distance, the one below.
                below.filter(|&(distance, _)| distance <= above.map_or(reach, |(above, _)| above)).or(above)
            }
        };
        Ok(number.map(|(_, number)| elf.symbols()[number as usize]))
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
    /// close to it, else the symbol.
    pub(super) fn named(&mut self, elf: &Elf, symbol: &Symbol, address: u64) -> Result<Symbol, Malformed> {
        if !is_tools_own(elf.symbol_name(symbol)?) {
            return Ok(*symbol);
        }
        Ok(self.find(elf, symbol.section, address, Some(CLOSE as u64))?.unwrap_or(*symbol))
    }

    fn by_section(&mut self, elf: &Elf) -> Result<&HashMap<SectionIndex, Vec<u32>>, Malformed> {
        let map = match self.by_section.take() {
            Some(map) => map,
            None => {
                let mut map: HashMap<_, Vec<u32>> = HashMap::new();
                for (number, symbol) in elf.symbols().iter().enumerate() {
                    if is_usable(elf.symbol_name(symbol)?) {
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
    use super::is_usable;

    #[test]
    fn mapping_symbols_are_not_usable() {
        for (name, expected) in [("$a", false), ("$x.7", false), ("$ab", true), ("$c", true), ("", false), ("f", true)]
        {
            assert_eq!(is_usable(name.as_bytes()), expected, "{name}");
        }
    }
}
