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

/// All texts: those of the source lie in it, others follow it.
#[derive(Debug)]
pub(crate) struct Names {
    /// The source, and texts that aren't in it.
    pub(crate) text: Vec<u8>,
    /// Where the source ends.
    pub(crate) end: usize,
    spans: Vec<Span>,
    numbers: HashTable<u32>,
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

impl Names {
    /// Those of a source, of which none was seen.
    pub(crate) fn new(source: Vec<u8>) -> Self {
        let end = source.len();
        Self { text: source, end, spans: Vec::with_capacity(1 << 14), numbers: HashTable::with_capacity(1 << 14) }
    }

    fn find(&self, hash: u64, bytes: &[u8]) -> Option<Name> {
        let found = self.numbers.find(hash, |&number| self.bytes(Name(number)) == bytes);
        found.map(|&number| Name(number))
    }

    fn add(&mut self, hash_of_text: u64, span: Span) -> Name {
        let number = self.spans.len() as u32;
        self.spans.push(span);
        let (spans, text) = (&self.spans, &self.text);
        let rehash = |&number: &u32| {
            let Span { begin, length } = spans[number as usize];
            hash(&text[begin as usize..][..length as usize])
        };
        self.numbers.insert_unique(hash_of_text, number, rehash);
        Name(number)
    }

    /// The text at a place of the source.
    pub(crate) fn at(&mut self, begin: usize, end: usize) -> Name {
        let bytes = &self.text[begin..end];
        let hash = hash(bytes);
        let found = self.find(hash, bytes);
        found.unwrap_or_else(|| self.add(hash, Span { begin: begin as u32, length: (end - begin) as u32 }))
    }

    /// Any text.
    pub(crate) fn of(&mut self, bytes: &[u8]) -> Name {
        let hash = hash(bytes);
        if let Some(found) = self.find(hash, bytes) {
            return found;
        }
        let begin = self.text.len() as u32;
        self.text.extend_from_slice(bytes);
        self.add(hash, Span { begin, length: bytes.len() as u32 })
    }

    /// The bytes of a text.
    pub(crate) fn bytes(&self, name: Name) -> &[u8] {
        let Span { begin, length } = self.spans[name.index()];
        &self.text[begin as usize..][..length as usize]
    }
}
