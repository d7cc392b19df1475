//! Dumps of types (`.symtypes`, `.symref`): reading and writing them. Each line is a
//! symbol's name and its definition, the words of which have a letter before them if
//! they are references.

use std::io::{ErrorKind, Read};

use base::message::{Fatal, text};

use crate::names::Names;
use crate::say::Say;
use crate::symbols::{Id, Kind, MOST_NAMES, Symbols, Word};

/// The size of the original's array for a word, in bytes, including the NUL.
const LONGEST: usize = 256;

/// The reference is read in blocks of this size, in bytes.
const BLOCK: usize = 1 << 16;

/// Why a reference ends the run, with the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The original refuses it, too.
    Malformed(Vec<u8>),
    /// The original would read without end, or more than it has memory for.
    Undefined(Vec<u8>),
}

/// The words of a dump, which is read block by block: what has no end, such as
/// `/dev/zero`, is refused at its first word that is too long, as in the original.
struct Reader<'a> {
    path: &'a [u8],
    file: &'a mut dyn Read,
    block: Vec<u8>,
    /// The number of bytes in the block that were read, and the position of the next one.
    filled: usize,
    at: usize,
    /// The number of bytes that were read before the block.
    before: usize,
    /// A read has met the end, as feof(3) has it.
    is_at_end: bool,
}

impl Reader<'_> {
    /// The next byte, which stays the next one; `None` at the end.
    fn peek(&mut self) -> Result<Option<u8>, Refused> {
        if self.at == self.filled {
            self.before += self.filled;
            self.at = 0;
            self.filled = loop {
                match self.file.read(&mut self.block) {
                    Ok(length) => break length,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => {
                        // The original tries again, for ever.
                        let why = Fatal::perror(self.path, error).message.text;
                        return Err(Refused::Undefined(text!("FATAL: genksyms: {}", why)));
                    }
                }
            };
            self.is_at_end = self.filled == 0;
            if self.before + self.filled >= MOST_NAMES {
                return Err(Refused::Undefined(b"FATAL: genksyms: the reference is too large\n".to_vec()));
            }
        }
        Ok(self.block[..self.filled].get(self.at).copied())
    }

    /// The next word of the line; `None` at its end, which is passed over.
    fn word(&mut self, names: &mut Names) -> Result<Option<Word>, Refused> {
        let mut word = Vec::new();
        let mut in_string = false;
        while let Some(byte) = self.peek()? {
            self.at += 1;
            match byte {
                b' ' if !in_string && word.is_empty() => continue,
                b' ' if !in_string => break,
                b'"' => in_string = !in_string,
                b'\n' if word.is_empty() => return Ok(None),
                b'\n' => {
                    self.at -= 1;
                    break;
                }
                _ => {}
            }
            if word.len() == LONGEST - 1 {
                return Err(Refused::Malformed(b"Token too long\n".to_vec()));
            }
            word.push(byte);
        }
        if word.is_empty() {
            return Ok(None);
        }
        let is_reference = word.get(1) == Some(&b'#');
        let text = if is_reference { &word[2..] } else { &word };
        let kind = match word[0] {
            _ if !is_reference => Kind::Normal,
            // The letter of what has none.
            0 => Kind::Normal,
            letter => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.letter() == Some(letter));
                kind.ok_or_else(|| Refused::Malformed(text!("Unknown type {}\n", [letter])))?
            }
        };
        Ok(Some(Word::new(kind, names.of(base::bytes::until_nul(text)))))
    }
}

/// Reads a reference from a file; messages name it by its path.
pub(crate) fn read(
    path: &[u8],
    file: &mut dyn Read,
    names: &mut Names,
    symbols: &mut Symbols,
    say: &mut Say<'_>,
) -> Result<(), Refused> {
    let block = vec![0; BLOCK];
    let mut reader = Reader { path, file, block, filled: 0, at: 0, before: 0, is_at_end: false };
    let is = |word: Option<Word>, names: &Names, text: &[u8]| {
        word.is_some_and(|word| word.kind() == Kind::Normal && names.bytes(word.name()) == text)
    };
    while !reader.is_at_end {
        let mut symbol = reader.word(names)?;
        let is_override = is(symbol, names, b"override");
        if is_override {
            symbol = reader.word(names)?;
        }
        let Some(symbol) = symbol else { continue };
        let mut word = reader.word(names)?;
        let is_extern = is(word, names, b"extern");
        if is_extern {
            word = reader.word(names)?;
        }
        let mut definition = Vec::new();
        while let Some(next) = word {
            definition.push(next);
            word = reader.word(names)?;
        }
        symbols.refer(names, say, (symbol.name(), symbol.kind()), &definition, (is_extern, is_override));
    }
    Ok(())
}

/// The dump of symbols.
pub(crate) fn dump(names: &Names, symbols: &Symbols, visited: &[Id]) -> Vec<u8> {
    let mut dump = Vec::new();
    for &id in visited {
        let symbol = symbols.symbol(id);
        if symbol.is_override {
            dump.extend_from_slice(b"override ");
        }
        dump.extend(symbol.kind.letter().map(|letter| [letter, b'#']).iter().flatten());
        dump.extend_from_slice(names.bytes(symbol.name));
        dump.push(b' ');
        if symbol.is_extern {
            dump.extend_from_slice(b"extern ");
        }
        dump.extend(symbols.listed(names, id));
        dump.push(b'\n');
    }
    dump
}
