//! A module's aliases, as values.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::buffer::Buffer;
use crate::dialect::Dialect;
use crate::names::Names;

/// A module's aliases, in the order of its tables.
#[derive(Clone, Debug, Default)]
pub struct Aliases {
    patterns: Names,
    /// The modules that tables name, each with the number of its first alias.
    modules: Vec<(usize, Vec<u8>)>,
    /// Since 6.13 an alias is there once, and its line is made where it is
    /// written; before, with the alias.
    is_list: bool,
    /// The numbers of the aliases in a list.
    known: HashTable<usize>,
    hasher: RandomState,
}

impl Aliases {
    /// The aliases to come are of the module that their table names.
    pub(super) fn begin_table(&mut self, module: &[u8], dialect: &Dialect) {
        self.modules.push((self.len(), module.to_vec()));
        self.is_list = dialect.alias_list;
    }

    /// Appends an alias made of pieces.
    pub(super) fn push(&mut self, pieces: &[&[u8]]) {
        if !self.is_list {
            return self.patterns.push_pieces(pieces);
        }
        let Self { patterns, known, hasher, .. } = self;
        let pattern = pieces.concat();
        let number = patterns.len();
        let is_it = |other: &usize| patterns.get(*other) == pattern;
        let hash = |other: &usize| hasher.hash_one(patterns.get(*other));
        if let Entry::Vacant(vacant) = known.entry(hasher.hash_one(&pattern[..]), is_it, hash) {
            vacant.insert(number);
            patterns.push(&pattern);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes their lines have together.
    #[must_use]
    pub(crate) fn size(&self) -> usize {
        self.patterns.size() + self.len() * line(b"").concat().len()
    }

    /// Writes the lines that give a module these aliases.
    pub fn write_to(&self, out: &mut Buffer) {
        if self.is_list {
            self.iter().for_each(|alias| out.format(&line(alias)));
        } else {
            let mut lines = Buffer::with_capacity(self.size());
            self.iter().for_each(|alias| lines.format(&line(alias)));
            out.write(lines.bytes());
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.patterns.iter()
    }

    /// All of them, with the modules that their tables name.
    pub(crate) fn with_modules(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let module_of = |number| {
            let next = self.modules.partition_point(|(first, _)| *first <= number);
            next.checked_sub(1).map_or(&b""[..], |place| &self.modules[place].1)
        };
        self.iter().enumerate().map(move |(number, alias)| (alias, module_of(number)))
    }
}

/// The line of a module's source that gives it an alias.
pub(super) fn line(alias: &[u8]) -> [&[u8]; 3] {
    [b"MODULE_ALIAS(\"", alias, b"\");\n"]
}

#[cfg(test)]
mod tests {
    use kernel::Version;

    use super::*;

    #[test]
    fn all_pieces_of_an_alias_are_kept() {
        let mut aliases = Aliases::default();
        aliases.push(&[b"a", b"b", b"c", b"d"]);
        assert_eq!(aliases.iter().collect::<Vec<_>>(), [b"abcd"]);
    }

    #[test]
    fn an_alias_is_there_once_for_the_module_that_came_first() {
        let dialect = Dialect::new(Version::new(6, 18, 2));
        let mut aliases = Aliases::default();
        aliases.begin_table(b"none", &dialect);
        for (module, alias) in [(b"a", b"x"), (b"a", b"x"), (b"b", b"y"), (b"b", b"x")] {
            aliases.begin_table(module, &dialect);
            aliases.push(&[alias]);
        }
        let (x, y): ((&[u8], &[u8]), _) = ((b"x", b"a"), (&b"y"[..], &b"b"[..]));
        assert_eq!(aliases.with_modules().collect::<Vec<_>>(), [x, y]);
    }
}
