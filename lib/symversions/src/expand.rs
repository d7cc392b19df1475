//! What a symbol consists of: its words, with those of all types in the place of
//! their names, each once. The version is the checksum of that.

use base::message::text;
use crc32fast::Hasher;

use crate::names::{Name, Names};
use crate::say::Say;
use crate::symbols::{Id, Kind, Status, Symbols, Word, description};
use crate::undefined::Undefined;

/// A part of a definition: text, and a reference after it.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// Where the text of the reference begins. It counts unless the reference is the
    /// first to its symbol.
    begin: u32,
    /// Where that ends.
    end: u32,
    reference: Word,
}

/// Where a definition's text and its parts lie.
#[derive(Clone, Copy, Debug)]
struct Parts {
    text: (u32, u32),
    parts: (u32, u32),
}

/// A symbol that isn't known yet.
const UNKNOWN: u32 = 0;

/// The parts of definitions, and which symbols were visited. Of symbols, the number is
/// one greater here.
#[derive(Debug, Default)]
pub(crate) struct Expander {
    /// The texts of definitions, with those of references.
    text: Vec<u8>,
    parts: Vec<Part>,
    /// By part, the symbol that is referred to, once that is known.
    referred: Vec<u32>,
    /// By symbol, the number of the last export that it is part of.
    export_of: Vec<u32>,
    /// By symbol, once they were made.
    parts_of: Vec<Option<Parts>>,
    /// By symbol, whether an export consisted of it.
    was_visited: Vec<bool>,
    exports: u32,
    /// What an export consists of, in order.
    pub(crate) trail: Vec<Id>,
    /// The symbols of which exports consist, in the order in which they were expanded.
    pub(crate) visited: Vec<Id>,
}

/// A symbol that is being expanded.
struct Open {
    id: Id,
    /// The text that comes next.
    at: u32,
    parts: Parts,
}

impl Expander {
    /// Divides a definition into parts.
    fn divide(&mut self, names: &Names, symbols: &Symbols, id: Id) -> Parts {
        let (first, begin_of_text) = (self.parts.len() as u32, self.text.len() as u32);
        for &word in symbols.definition(id) {
            let begin = self.text.len() as u32;
            if word.kind().is_tag() {
                self.text.extend_from_slice(word.kind().word().as_bytes());
                self.text.push(b' ');
            }
            self.text.extend_from_slice(names.bytes(word.name()));
            self.text.push(b' ');
            if word.kind() != Kind::Normal {
                self.parts.push(Part { begin, end: self.text.len() as u32, reference: word });
                self.referred.push(UNKNOWN);
            }
        }
        Parts { text: (begin_of_text, self.text.len() as u32), parts: (first, self.parts.len() as u32) }
    }

    /// Notes a symbol as part of the export.
    fn open(&mut self, names: &Names, symbols: &Symbols, id: Id) -> Open {
        if self.export_of.len() <= symbols.len() {
            self.export_of.resize(symbols.len() + 1, 0);
            self.parts_of.resize(symbols.len(), None);
            self.was_visited.resize(symbols.len(), false);
        }
        self.trail.push(id);
        self.export_of[id.index() + 1] = self.exports;
        let parts = match self.parts_of[id.index()] {
            Some(parts) => parts,
            None => {
                let parts = self.divide(names, symbols, id);
                self.parts_of[id.index()] = Some(parts);
                parts
            }
        };
        Open { id, at: parts.text.0, parts }
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
        let mut crc = Hasher::new();
        let mut open = vec![self.open(names, symbols, id)];
        while let Some(last) = open.last_mut() {
            // Up to the next reference that is the first to its symbol.
            let (next, end) = last.parts.parts;
            let is_repeated = |&&symbol: &&u32| self.export_of[symbol as usize] == self.exports;
            let repeated = self.referred[next as usize..end as usize].iter().take_while(is_repeated).count() as u32;
            let part = self.parts.get((next + repeated) as usize).filter(|_| next + repeated < end);
            let to = part.map_or(last.parts.text.1, |part| part.begin);
            let text = &self.text[last.at as usize..to as usize];
            crc.update(text);
            if say.wanted.dump {
                say.err(text);
            }
            let Some(&Part { end, reference, .. }) = part else {
                // A symbol without words isn't visited.
                let (id, (begin, end)) = (last.id, last.parts.text);
                if begin < end && !std::mem::replace(&mut self.was_visited[id.index()], true) {
                    self.visited.push(id);
                }
                open.pop();
                continue;
            };
            last.at = to;
            last.parts.parts.0 = next + repeated;
            let id = match symbols.find(reference.name(), reference.kind()) {
                Some(id) => id,
                None => Self::undefined(names, symbols, say, reference)?,
            };
            // What is declared stays what it is.
            let referred = &mut self.referred[(next + repeated) as usize];
            if *referred == UNKNOWN {
                *referred = id.index() as u32 + 1;
                if self.export_of.get(id.index() + 1) == Some(&self.exports) {
                    continue;
                }
            }
            last.at = end;
            last.parts.parts.0 += 1;
            let opened = self.open(names, symbols, id);
            open.push(opened);
        }
        Ok(crc.finalize())
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
