//! Symbols: objects and functions, types, and enumerators, with what they are
//! defined as.

use base::message::text;

use crate::dialect::Dialect;
use crate::names::{Name, Names};
use crate::say::Say;

/// What a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Kind {
    /// An object or a function; of a word, anything that is no reference.
    Normal,
    /// The name of a type.
    Typedef,
    /// `enum NAME`
    Enum,
    /// `struct NAME`
    Struct,
    /// `union NAME`
    Union,
    /// An enumerator.
    EnumConst,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Normal, Self::Typedef, Self::Enum, Self::Struct, Self::Union, Self::EnumConst];

    /// The letter that dumps have before a name.
    pub(crate) const fn letter(self) -> Option<u8> {
        match self {
            Self::Normal => None,
            Self::Typedef => Some(b't'),
            Self::Enum => Some(b'e'),
            Self::Struct => Some(b's'),
            Self::Union => Some(b'u'),
            Self::EnumConst => Some(b'E'),
        }
    }

    /// What messages call it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Normal => "",
            Self::Typedef => "typedef",
            Self::Enum => "enum",
            Self::Struct => "struct",
            Self::Union => "union",
            Self::EnumConst => "enum constant",
        }
    }

    /// Whether its name is a tag, in C's name space of these.
    pub(crate) const fn is_tag(self) -> bool {
        matches!(self, Self::Enum | Self::Struct | Self::Union)
    }
}

/// A word of a definition: a text, or a reference to a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u32);

impl Word {
    const BITS: u32 = 29;

    pub(crate) const fn new(kind: Kind, name: Name) -> Self {
        Self((kind as u32) << Self::BITS | name.0)
    }

    pub(crate) const fn kind(self) -> Kind {
        Kind::ALL[(self.0 >> Self::BITS) as usize]
    }

    pub(crate) const fn name(self) -> Name {
        Name(self.0 & ((1 << Self::BITS) - 1))
    }
}

/// How many names there can be.
pub(crate) const MOST_NAMES: usize = 1 << Word::BITS;

/// How a symbol differs from the reference's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Unchanged,
    /// The reference didn't know what it is.
    Defined,
    Modified,
}

/// A symbol, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id(u32);

impl Id {
    const NONE: Self = Self(u32::MAX);

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    fn known(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

/// A symbol.
#[derive(Clone, Debug)]
pub(crate) struct Symbol {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    /// Where its words lie.
    definition: (u32, u32),
    pub(crate) is_extern: bool,
    /// The source declares it; else only the reference does.
    is_declared: bool,
    pub(crate) status: Status,
    /// The reference says that it is to stay as it is there.
    pub(crate) is_override: bool,
}

/// All symbols.
#[derive(Debug)]
pub(crate) struct Symbols {
    symbols: Vec<Symbol>,
    words: Vec<Word>,
    /// By name: objects, functions, types' names and enumerators.
    ordinary: Vec<Id>,
    /// By name: structures, unions and enumerations.
    tags: Vec<Id>,
    /// By name: what the declared one of the ordinary symbols is. Each identifier is
    /// looked up here, and most are none.
    kinds: Vec<Option<Kind>>,
    /// How many there are that weren't replaced.
    count: usize,
    /// The last value of an enumerator that was given.
    last_value: Vec<Word>,
    /// By how much the next enumerator is greater.
    next_value: i32,
    reference_enumerators_apart: bool,
}

impl Symbols {
    pub(crate) fn new(dialect: &Dialect) -> Self {
        Self {
            symbols: Vec::new(),
            words: Vec::new(),
            ordinary: Vec::new(),
            tags: Vec::new(),
            kinds: Vec::new(),
            count: 0,
            last_value: Vec::new(),
            next_value: 0,
            reference_enumerators_apart: dialect.reference_enumerators_apart,
        }
    }

    pub(crate) fn symbol(&self, id: Id) -> &Symbol {
        &self.symbols[id.index()]
    }

    pub(crate) fn symbol_mut(&mut self, id: Id) -> &mut Symbol {
        &mut self.symbols[id.index()]
    }

    /// What a symbol is defined as.
    pub(crate) fn definition(&self, id: Id) -> &[Word] {
        let (begin, end) = self.symbol(id).definition;
        &self.words[begin as usize..end as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.symbols.len()
    }

    /// How many symbols there are that weren't replaced.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The symbol of a name in the name space of a kind, declared or not.
    fn any(&self, name: Name, kind: Kind) -> Option<Id> {
        let ids = if kind.is_tag() { &self.tags } else { &self.ordinary };
        ids.get(name.index())?.known()
    }

    /// The symbol of a name in the name space of a kind, if the source declares it.
    pub(crate) fn find(&self, name: Name, kind: Kind) -> Option<Id> {
        self.any(name, kind).filter(|&id| self.symbol(id).is_declared)
    }

    /// Whether a name is that of an object, a type or an enumerator, whichever is asked
    /// for.
    pub(crate) fn is(&self, name: Name, kind: Kind) -> bool {
        self.kinds.get(name.index()) == Some(&Some(kind))
    }

    /// Notes that the source declares a symbol.
    fn set_declared(&mut self, id: Id) {
        let symbol = &mut self.symbols[id.index()];
        symbol.is_declared = true;
        let (index, kind) = (symbol.name.index(), symbol.kind);
        if !kind.is_tag() {
            if self.kinds.len() <= index {
                self.kinds.resize(index.next_power_of_two().max(1024) + 1, None);
            }
            self.kinds[index] = Some(kind);
        }
    }

    /// A structure of which it isn't known what it is.
    pub(crate) fn is_unknown(&self, id: Id, names: &Names) -> bool {
        let last = |word: &Word, text: &[u8]| word.kind() == Kind::Normal && names.bytes(word.name()) == text;
        let is_unknown = |words: &[Word]| match words {
            [.., open, unknown, close] => last(close, b"}") && last(unknown, b"UNKNOWN") && last(open, b"{"),
            _ => false,
        };
        self.symbol(id).kind.is_tag() && is_unknown(self.definition(id))
    }

    /// What an enumerator is defined as: its value, or what follows the last one's.
    fn enumerator(&mut self, names: &mut Names, definition: &[Word]) -> Vec<Word> {
        if !definition.is_empty() {
            self.last_value = definition.to_vec();
            self.next_value = 1;
            return definition.to_vec();
        }
        let number = self.next_value.to_string();
        self.next_value = self.next_value.wrapping_add(1);
        let mut word = |text: &str| Word::new(Kind::Normal, names.of(text.as_bytes()));
        if self.last_value.is_empty() {
            return vec![word(&number)];
        }
        let sum = [word(")"), word("+"), word(&number)];
        [&[word("(")], &self.last_value[..], &sum].concat()
    }

    /// An enumeration ended: the next one's enumerators count from 0.
    pub(crate) fn end_enumeration(&mut self) {
        self.last_value.clear();
        self.next_value = 0;
    }

    /// Adds a symbol that the source declares.
    pub(crate) fn declare(
        &mut self,
        names: &mut Names,
        say: &mut Say<'_>,
        (name, kind): (Name, Kind),
        definition: &[Word],
        is_extern: bool,
    ) -> Id {
        let enumerator;
        let definition = match kind {
            Kind::EnumConst => {
                enumerator = self.enumerator(names, definition);
                &enumerator
            }
            _ => definition,
        };
        if kind == Kind::Enum {
            self.end_enumeration();
        }
        let Some(id) = self.any(name, kind) else {
            return self.add(names, say, (name, kind), definition, (is_extern, true, Status::Unchanged));
        };
        let Symbol { is_declared, is_override, kind: old, .. } = *self.symbol(id);
        let tell = |say: &mut Say<'_>, before: &str, after: &str| {
            say.location();
            say.err(before.as_bytes());
            say.err(&description(names, kind, name));
            say.err(after.as_bytes());
        };
        if old == kind && self.definition(id) == definition {
            if !is_declared && is_override {
                tell(say, "", " modversion is unchanged\n");
            }
        } else if is_declared {
            let text = text!("redefinition of {}", names.bytes(name));
            say.error(&text);
            return id;
        } else if is_override && say.wanted.preserve {
            tell(say, "ignoring ", " modversion change\n");
        } else {
            let status = if self.is_unknown(id, names) { Status::Defined } else { Status::Modified };
            self.count -= 1;
            return self.add(names, say, (name, kind), definition, (is_extern, true, status));
        }
        self.set_declared(id);
        id
    }

    /// Adds a symbol of the reference.
    pub(crate) fn refer(
        &mut self,
        names: &mut Names,
        say: &mut Say<'_>,
        (name, kind): (Name, Kind),
        definition: &[Word],
        (is_extern, is_override): (bool, bool),
    ) {
        let mut enumerator = Vec::new();
        if !self.reference_enumerators_apart {
            match kind {
                Kind::EnumConst => enumerator = self.enumerator(names, definition),
                Kind::Enum => self.end_enumeration(),
                _ => {}
            }
        }
        if self.any(name, kind).is_some() {
            self.count -= 1;
        }
        let definition = if enumerator.is_empty() { definition } else { &enumerator };
        let id = self.add(names, say, (name, kind), definition, (is_extern, false, Status::Unchanged));
        self.symbol_mut(id).is_override = is_override;
    }

    fn add(
        &mut self,
        names: &Names,
        say: &mut Say<'_>,
        (name, kind): (Name, Kind),
        definition: &[Word],
        (is_extern, is_declared, status): (bool, bool, Status),
    ) -> Id {
        let begin = self.words.len() as u32;
        self.words.extend_from_slice(definition);
        let definition = (begin, self.words.len() as u32);
        let id = Id(self.symbols.len() as u32);
        self.symbols.push(Symbol { name, kind, definition, is_extern, is_declared: false, status, is_override: false });
        let ids = if kind.is_tag() { &mut self.tags } else { &mut self.ordinary };
        if ids.len() <= name.index() {
            ids.resize(name.index().next_power_of_two().max(1024) + 1, Id::NONE);
        }
        ids[name.index()] = id;
        if is_declared {
            self.set_declared(id);
        }
        self.count += 1;
        if say.wanted.debug > 0 {
            let kind = if kind == Kind::Normal { "type0" } else { kind.word() };
            let mut text = text!("Defn for {} {} == <", kind, names.bytes(name));
            text.extend_from_slice(if is_extern { b"extern " } else { b"" });
            text.extend(self.listed(names, id));
            text.extend_from_slice(b">\n");
            say.err(&text);
        }
        id
    }

    /// A definition as dumps have it.
    pub(crate) fn listed(&self, names: &Names, id: Id) -> Vec<u8> {
        let words = self.definition(id);
        if words.is_empty() {
            return b"(nil)".to_vec();
        }
        let mut text = Vec::new();
        for word in words {
            text.extend(word.kind().letter().map(|letter| [letter, b'#']).iter().flatten());
            text.extend_from_slice(names.bytes(word.name()));
            text.push(b' ');
        }
        text
    }
}

/// What messages call a symbol.
pub(crate) fn description(names: &Names, kind: Kind, name: Name) -> Vec<u8> {
    match kind {
        Kind::Normal => names.bytes(name).to_vec(),
        _ => text!("{} {}", kind.word(), names.bytes(name)),
    }
}
