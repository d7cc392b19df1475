//! The table of exported symbols.

use std::collections::HashMap;

use crate::object::{License, Names};

/// The number of a symbol in the [`SymbolTable`], in the order of addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SymbolId(u32);

/// The number of a module, in the order of addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub u32);

/// An exported symbol.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// Its name.
    pub name: Vec<u8>,
    /// Who exports it.
    pub module: ModuleId,
    /// To whom.
    pub license: License,
    /// Who wants it must import this namespace.
    pub namespace: Option<Vec<u8>>,
    /// Its CRC, if one is known.
    pub crc: Option<u32>,
    /// It is a function, not data, as far as is known.
    pub is_function: bool,
    /// No object has it as a global symbol, so far.
    pub is_static: bool,
}

/// All exported symbols. Of several with one name the latest is found.
#[derive(Clone, Debug, Default)]
pub struct SymbolTable {
    symbols: Vec<Symbol>,
    by_name: HashMap<Vec<u8>, SymbolId>,
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

impl SymbolTable {
    /// Adds a symbol.
    ///
    /// # Panics
    /// If there are 2^32 of them.
    pub fn add(&mut self, symbol: Symbol) -> SymbolId {
        let id = SymbolId(u32::try_from(self.symbols.len()).expect("fewer than 2^32 symbols"));
        self.statics += usize::from(symbol.is_static);
        self.by_name.insert(symbol.name.clone(), id);
        self.symbols.push(symbol);
        id
    }

    /// The symbol that a name stands for; a dot before it is passed over.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<SymbolId> {
        self.by_name.get(name.strip_prefix(b".").unwrap_or(name)).copied()
    }

    /// The symbol of that number.
    #[must_use]
    pub fn get(&self, id: SymbolId) -> &Symbol {
        &self.symbols[id.0 as usize]
    }

    /// The symbol of that number, to be changed.
    pub fn get_mut(&mut self, id: SymbolId) -> &mut Symbol {
        &mut self.symbols[id.0 as usize]
    }

    /// Takes note that these names are global symbols of an object.
    pub fn clear_static(&mut self, names: &Names) {
        if self.statics == 0 {
            return;
        }
        for name in names.iter() {
            if let Some(id) = self.by_name.get(name) {
                let symbol = &mut self.symbols[id.0 as usize];
                self.statics -= usize::from(symbol.is_static);
                symbol.is_static = false;
            }
        }
    }

    /// All symbols in the order of the original's hash table: by bucket, the
    /// latest first.
    #[must_use]
    pub fn in_hash_order(&self) -> Vec<&Symbol> {
        let mut symbols: Vec<&Symbol> = self.symbols.iter().rev().collect();
        symbols.sort_by_cached_key(|symbol| tdb_hash(&symbol.name) % BUCKETS);
        symbols
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(name: &str, is_static: bool) -> Symbol {
        Symbol {
            name: name.into(),
            module: ModuleId(0),
            license: License::Any,
            namespace: None,
            crc: None,
            is_function: false,
            is_static,
        }
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
        assert!(table.get(id).is_static);
        names.push(b"f");
        table.clear_static(&names);
        assert!(!table.get(id).is_static);
    }
}
