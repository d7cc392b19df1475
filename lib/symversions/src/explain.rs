//! Which exports have a version that says nothing, and the declaration that the parser
//! didn't understand: for people, after all that the original says, if
//! `KBUILD_RS_EXPLAIN=1`.

use std::collections::HashMap;

use base::message::text;

use crate::names::{Name, Names};
use crate::symbols::{Id, Kind, Symbols, description};

/// Where in the source something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Vec<u8>,
    pub(crate) line: i32,
}

/// What is collected for the explanation.
#[derive(Debug, Default)]
pub(crate) struct Explanation {
    /// Where the declaration that is being read was first not understood.
    pub(crate) error: Option<Place>,
    /// What it declares.
    pub(crate) declared: Vec<Id>,
    /// The names in declarations that weren't understood, and where.
    lost: HashMap<Name, Place>,
    /// What they declare all the same.
    in_part: HashMap<Id, Place>,
    lines: Vec<u8>,
}

impl Explanation {
    /// A declaration ended that has these names.
    pub(crate) fn end_declaration(&mut self, names: impl Iterator<Item = Name>) {
        let declared = std::mem::take(&mut self.declared);
        let Some(place) = self.error.take() else { return };
        for name in names {
            self.lost.entry(name).or_insert_with(|| place.clone());
        }
        for id in declared {
            self.in_part.entry(id).or_insert_with(|| place.clone());
        }
    }

    fn line(&mut self, names: &Names, export: Name, what: &[u8], place: &Place) {
        let line = place.line.to_string();
        let text = text!("kbuild-rs: {}: {} not understood at {}:{}\n", names.bytes(export), what, place.file, line);
        self.lines.extend(text);
    }

    /// An export isn't declared.
    pub(crate) fn undeclared(&mut self, names: &Names, export: Name) {
        if let Some(place) = self.lost.get(&export).cloned() {
            self.line(names, export, b"has no version: its declaration was", &place);
        }
    }

    /// An export consists of these symbols.
    pub(crate) fn exported(&mut self, names: &Names, symbols: &Symbols, export: Name, trail: &[Id]) {
        for &id in trail {
            let (kind, name) = (symbols.symbol(id).kind, symbols.symbol(id).name);
            let described = description(names, kind, name);
            let (what, place) = match (self.in_part.get(&id), self.lost.get(&name)) {
                (Some(place), _) if kind == Kind::Normal => {
                    (b"its version lacks a part of its declaration:".to_vec(), place)
                }
                (Some(place), _) => (text!("its version lacks a part of {}:", described), place),
                (None, Some(place)) if symbols.is_unknown(id, names) => {
                    (text!("its version says nothing of {}:", described), place)
                }
                _ => continue,
            };
            let place = place.clone();
            self.line(names, export, &what, &place);
        }
    }

    /// All that is to be said.
    pub(crate) fn text(&self) -> &[u8] {
        &self.lines
    }
}
