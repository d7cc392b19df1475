//! What is written in the source: each text once, and known by a number.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// A text, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name(pub(crate) u32);

impl Name {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a text lies.
#[derive(Clone, Copy, Debug)]
struct Span {
    begin: u32,
    length: u32,
}

/// All texts.
#[derive(Debug)]
pub(crate) struct Names {
    text: Vec<u8>,
    spans: Vec<Span>,
    numbers: HashTable<u32>,
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

impl Names {
    /// Room for what most sources have.
    pub(crate) fn new() -> Self {
        Self {
            text: Vec::with_capacity(1 << 18),
            spans: Vec::with_capacity(1 << 14),
            numbers: HashTable::with_capacity(1 << 14),
        }
    }

    /// The name of a text.
    pub(crate) fn of(&mut self, bytes: &[u8]) -> Name {
        let Self { text, spans, numbers } = self;
        let text_of = |number: u32| {
            let Span { begin, length } = spans[number as usize];
            &text[begin as usize..][..length as usize]
        };
        let hash_of_bytes = hash(bytes);
        if let Some(&number) = numbers.find(hash_of_bytes, |&number| text_of(number) == bytes) {
            return Name(number);
        }
        let number = spans.len() as u32;
        numbers.insert_unique(hash_of_bytes, number, |&number| hash(text_of(number)));
        spans.push(Span { begin: text.len() as u32, length: bytes.len() as u32 });
        text.extend_from_slice(bytes);
        Name(number)
    }

    /// The bytes of a text.
    pub(crate) fn bytes(&self, name: Name) -> &[u8] {
        let Span { begin, length } = self.spans[name.index()];
        &self.text[begin as usize..][..length as usize]
    }
}
