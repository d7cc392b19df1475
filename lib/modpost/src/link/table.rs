//! The table of exported symbols.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::export::Export;
use crate::names::Names;

/// The number of a symbol in the [`SymbolTable`], in the order of addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SymbolId(u32);

/// The number of a module, in the order of addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub u32);

/// An exported symbol.
#[derive(Clone, Debug)]
pub struct Symbol<'a> {
    /// Who exports it.
    pub(crate) module: ModuleId,
    /// What is known of it.
    pub(crate) export: Export<'a>,
}

/// All exported symbols. Of several with one name the latest is found.
#[derive(Clone, Debug, Default)]
pub struct SymbolTable<'a> {
    symbols: Vec<Symbol<'a>>,
    by_name: HashTable<SymbolId>,
    hasher: RandomState,
    statics: usize,
}

/// The number of the original's hash buckets.
const BUCKETS: u32 = 1024;

/// The hash by which kernels to 5.18 order `Module.symvers`, tdb's.
fn tdb_hash(name: &[u8]) -> u32 {
    let start = 0x238f_13afu32.wrapping_mul(name.len() as u32);
    let value =
        name.iter().enumerate().fold(start, |value, (n, &byte)| value.wrapping_add(u32::from(byte) << (n * 5 % 24)));
    value.wrapping_mul(1_103_515_243).wrapping_add(12345)
}

impl<'a> SymbolTable<'a> {
    /// Reserves memory for this many more symbols; `false` if there isn't enough.
    pub(crate) fn reserve(&mut self, more: usize) -> bool {
        let Self { symbols, by_name, hasher, .. } = self;
        symbols.try_reserve(more).is_ok()
            && by_name.try_reserve(more, |id| hasher.hash_one(&*symbols[id.0 as usize].export.name)).is_ok()
    }

    /// Adds a symbol.
    ///
    /// # Panics
    /// If there are 2^32 of them.
    pub fn add(&mut self, symbol: Symbol<'a>) -> SymbolId {
        let Self { symbols, by_name, hasher, statics } = self;
        let id = SymbolId(u32::try_from(symbols.len()).expect("fewer than 2^32 symbols"));
        *statics += usize::from(symbol.export.is_static);
        let name_of = |id: &SymbolId| &*symbols[id.0 as usize].export.name;
        let entry = by_name.entry(
            hasher.hash_one(&*symbol.export.name),
            |id| name_of(id) == &*symbol.export.name,
            |id| hasher.hash_one(name_of(id)),
        );
        match entry {
            Entry::Occupied(mut known) => *known.get_mut() = id,
            Entry::Vacant(vacant) => {
                vacant.insert(id);
            }
        }
        symbols.push(symbol);
        id
    }

    fn find_exact(&self, name: &[u8]) -> Option<SymbolId> {
        self.by_name.find(self.hasher.hash_one(name), |id| &*self.get(*id).export.name == name).copied()
    }

    /// The symbol of a name; a dot before it is passed over.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<SymbolId> {
        self.find_exact(name.strip_prefix(b".").unwrap_or(name))
    }

    /// All symbols, in the order of addition.
    pub fn iter(&self) -> impl Iterator<Item = &Symbol<'a>> {
        self.symbols.iter()
    }

    /// The symbol of that number.
    #[must_use]
    pub fn get(&self, id: SymbolId) -> &Symbol<'a> {
        &self.symbols[id.0 as usize]
    }

    /// The symbol of that number, mutable.
    pub fn get_mut(&mut self, id: SymbolId) -> &mut Symbol<'a> {
        &mut self.symbols[id.0 as usize]
    }

    /// Notes that an object defines global symbols of these names.
    pub(crate) fn clear_static(&mut self, names: &Names) {
        if self.statics == 0 {
            return;
        }
        for name in names.iter() {
            if let Some(id) = self.find_exact(name) {
                let symbol = &mut self.symbols[id.0 as usize];
                self.statics -= usize::from(symbol.export.is_static);
                symbol.export.is_static = false;
            }
        }
    }

    /// The symbols that are wanted, in the order of the original's hash table:
    /// by bucket, the latest first.
    #[must_use]
    pub(crate) fn in_hash_order(&self, wanted: impl Fn(&Symbol) -> bool) -> Vec<&Symbol<'a>> {
        let mut symbols: Vec<_> = self.symbols.iter().rev().filter(|symbol| wanted(symbol)).collect();
        symbols.sort_by_cached_key(|symbol| tdb_hash(&symbol.export.name) % BUCKETS);
        symbols
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::License;

    fn symbol(name: &str, is_static: bool) -> Symbol<'_> {
        let export = Export { is_static, ..Export::new(name.as_bytes(), License::Any) };
        Symbol { module: ModuleId(0), export }
    }

    #[test]
    fn the_latest_is_found_and_a_dot_passed_over() {
        let mut table = SymbolTable::default();
        let (first, second) = (table.add(symbol("f", false)), table.add(symbol("f", false)));
        assert_ne!(first, second);
        assert_eq!(table.find(b"f"), Some(second));
        assert_eq!(table.find(b".f"), Some(second));
        assert_eq!(table.find(b"..f"), None);
    }

    #[test]
    fn globals_are_not_static() {
        let mut table = SymbolTable::default();
        let id = table.add(symbol("f", true));
        let mut names = Names::default();
        names.push(b"g");
        table.clear_static(&names);
        assert!(table.get(id).export.is_static);
        names.push(b"f");
        table.clear_static(&names);
        assert!(!table.get(id).export.is_static);
    }
}
