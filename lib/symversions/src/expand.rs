//! What a symbol consists of: its words, with those of all types in the place of
//! their names, each once. The version is the checksum of that.

use base::message::text;

use crate::crc;
use crate::names::{Name, Names};
use crate::say::Say;
use crate::symbols::{Id, Kind, Status, Symbols, Word, description};
use crate::undefined::Undefined;

/// A part of a definition: text, and a reference after it, if there is one.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Where its text begins.
    begin: u32,
    /// Where it ends, and what stands for the reference if it isn't the first to its
    /// symbol begins.
    reference_begin: u32,
    /// Where that ends.
    end: u32,
    reference: Option<Word>,
    /// The symbol that it refers to, once it is known.
    symbol: Option<Id>,
}

/// What is known of a symbol.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// The number of the last export that it is part of.
    export: u32,
    /// Where its parts lie, if they were made.
    parts: Option<(u32, u32)>,
    /// Whether any export consisted of it.
    was_visited: bool,
}

/// The parts of definitions, and which symbols were visited.
#[derive(Debug, Default)]
pub(crate) struct Expander {
    text: Vec<u8>,
    parts: Vec<Part>,
    /// By symbol.
    known: Vec<Known>,
    exports: u32,
    /// What an export consists of, in order.
    trail: Vec<Id>,
    /// The symbols of which exports consist, in the order in which they were expanded.
    pub(crate) visited: Vec<Id>,
}

/// A symbol that is being expanded.
struct Open {
    id: Id,
    next: u32,
    end: u32,
}

impl Expander {
    /// Divides a definition into parts.
    fn parts(&mut self, names: &Names, symbols: &Symbols, id: Id) -> (u32, u32) {
        let first = self.parts.len() as u32;
        let mut begin = self.text.len() as u32;
        for &word in symbols.definition(id) {
            let reference_begin = self.text.len() as u32;
            if word.kind().is_tag() {
                self.text.extend_from_slice(word.kind().word().as_bytes());
                self.text.push(b' ');
            }
            self.text.extend_from_slice(names.bytes(word.name()));
            self.text.push(b' ');
            if word.kind() != Kind::Normal {
                let end = self.text.len() as u32;
                self.parts.push(Part { begin, reference_begin, end, reference: Some(word), symbol: None });
                begin = end;
            }
        }
        let end = self.text.len() as u32;
        if begin < end {
            self.parts.push(Part { begin, reference_begin: end, end, reference: None, symbol: None });
        }
        (first, self.parts.len() as u32)
    }

    /// Notes a symbol as part of the export.
    fn open(&mut self, names: &Names, symbols: &Symbols, id: Id) -> Open {
        if self.known.len() < symbols.len() {
            self.known.resize(symbols.len(), Known::default());
        }
        self.trail.push(id);
        let known = &mut self.known[id.index()];
        known.export = self.exports;
        let (next, end) = match known.parts {
            Some(parts) => parts,
            None => {
                let parts = self.parts(names, symbols, id);
                self.known[id.index()].parts = Some(parts);
                parts
            }
        };
        Open { id, next, end }
    }

    /// Makes a symbol of a structure that nobody defines.
    fn undefined(names: &mut Names, symbols: &mut Symbols, say: &mut Say<'_>, word: Word) -> Result<Id, Undefined> {
        let (kind, name) = (word.kind(), word.name());
        if !kind.is_tag() {
            return Err(Undefined("a type or enumerator of the reference isn't declared"));
        }
        let text = text!("expand undefined {} {}", kind.word(), names.bytes(name));
        say.error(&text);
        let [keyword, open, unknown, close] =
            [kind.word(), "{", "UNKNOWN", "}"].map(|text| Word::new(Kind::Normal, names.of(text.as_bytes())));
        let definition = [keyword, Word::new(Kind::Normal, name), open, unknown, close];
        Ok(symbols.declare(names, say, (name, kind), &definition, false))
    }

    fn checksum(
        &mut self,
        names: &mut Names,
        symbols: &mut Symbols,
        say: &mut Say<'_>,
        id: Id,
    ) -> Result<u32, Undefined> {
        let mut crc = !0;
        let mut open = vec![self.open(names, symbols, id)];
        while let Some(last) = open.last_mut() {
            if last.next == last.end {
                let id = last.id;
                // A symbol without words isn't visited.
                if !symbols.definition(id).is_empty()
                    && !std::mem::replace(&mut self.known[id.index()].was_visited, true)
                {
                    self.visited.push(id);
                }
                open.pop();
                continue;
            }
            let part = &mut self.parts[last.next as usize];
            last.next += 1;
            if let (None, Some(word)) = (part.symbol, part.reference) {
                // What is declared stays what it is.
                part.symbol = symbols.find(word.name(), word.kind());
            }
            let Part { begin, reference_begin, end, reference, symbol: known } = *part;
            let is_repeated =
                known.is_some_and(|id| self.known.get(id.index()).is_some_and(|known| known.export == self.exports));
            let text = &self.text[begin as usize..if is_repeated { end } else { reference_begin } as usize];
            crc = crc::update(crc, text);
            if say.wanted.dump {
                say.err(text);
            }
            let (Some(word), false) = (reference, is_repeated) else { continue };
            let id = match known {
                Some(id) => id,
                None => Self::undefined(names, symbols, say, word)?,
            };
            let opened = self.open(names, symbols, id);
            open.push(opened);
        }
        Ok(!crc)
    }

    /// Says which parts of an export are not what they were in the reference.
    fn tell_changes(&self, names: &Names, symbols: &Symbols, say: &mut Say<'_>, export: Name) {
        let changed = |id: &&Id| symbols.symbol(**id).status != Status::Unchanged;
        let mut is_first = true;
        for &id in self.trail.iter().rev().filter(changed) {
            let symbol = symbols.symbol(id);
            if std::mem::take(&mut is_first) {
                let what = if say.wanted.preserve { "error" } else { "warning" };
                say.location();
                say.err(&text!("{}: {}: modversion changed because of changes in ", what, names.bytes(export)));
            } else {
                say.err(b", ");
            }
            say.err(&description(names, symbol.kind, symbol.name));
            if symbol.status == Status::Defined {
                say.err(b" (became defined)");
            }
            say.failed |= say.wanted.preserve;
        }
        if !is_first {
            say.err(b"\n");
        }
    }

    /// Tells the version of an exported symbol; `None` if it isn't declared.
    pub(crate) fn export(
        &mut self,
        names: &mut Names,
        symbols: &mut Symbols,
        say: &mut Say<'_>,
        export: Name,
    ) -> Result<Option<u32>, Undefined> {
        let Some(id) = symbols.find(export, Kind::Normal) else {
            let text = text!("export undefined symbol {}", names.bytes(export));
            say.error(&text);
            return Ok(None);
        };
        if say.wanted.dump {
            say.err(&text!("Export {} == <", names.bytes(export)));
        }
        self.exports += 1;
        self.trail.clear();
        let crc = self.checksum(names, symbols, say, id)?;
        self.tell_changes(names, symbols, say, export);
        if say.wanted.dump {
            say.err(b">\n");
        }
        Ok(Some(crc))
    }
}
