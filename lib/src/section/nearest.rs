//! The symbols that a report names: one that the reference stands in, and one
//! that it goes to.

use std::collections::HashMap;

use goblin::elf::sym::STT_SECTION;

use super::addend::Addend;
use crate::elf::{Elf, Malformed, SectionIndex, Symbol};

/// A target's symbol must lie nearer than this, in bytes.
const CLOSE: i32 = 20;

/// Symbols by place, made when the first report of an object is due.
#[derive(Debug, Default)]
pub(super) struct Nearest {
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

/// Empty names don't tell anything, and ARM's mapping symbols (`$a`, `$t.1`)
/// mark what kind of code follows.
fn is_usable(name: &[u8]) -> bool {
    let mapping = matches!(name, [b'$', b'a' | b'd' | b't' | b'x'] | [b'$', b'a' | b'd' | b't' | b'x', b'.', ..]);
    !name.is_empty() && !mapping
}

impl Nearest {
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
