//! The parser: yacc's driver, and what is done when a rule is reduced.

use base::message::text;

use crate::dialect::Dialect;
use crate::expand::Expander;
use crate::explain::{self, Explanation};
use crate::grammar::{Action, Rule, Tables, token};
use crate::input::Input;
use crate::lex::{Lexer, Source};
use crate::list::{Lists, Node, Place};
use crate::names::{Name, Names};
use crate::say::Say;
use crate::symbols::{Kind, Symbols, Word};
use crate::undefined::{Stopped, Undefined};

/// How many states bison's stack holds.
const DEEPEST: usize = 10_000;

/// After an error, so many tokens must be shifted before the next one is told.
const RECOVERY: u8 = 3;

/// The parser, and all that it fills.
pub(crate) struct Parser<'a, 'b, 'c> {
    input: &'a mut Input<'c>,
    tables: &'static Tables,
    lexer: Lexer,
    lists: Lists,
    pub(crate) names: &'a mut Names,
    pub(crate) symbols: Symbols,
    pub(crate) expander: Expander,
    pub(crate) say: &'a mut Say<'b>,
    /// What an explanation needs, if one is wanted.
    pub(crate) explanation: Option<Explanation>,
    symver_lines: bool,
    is_typedef: bool,
    is_extern: bool,
    /// The name of the declarator that is being read.
    name: Option<Name>,
    /// The last token of its specifiers.
    specifiers: Node,
    stack: Vec<Entry>,
    /// For definitions.
    words: Vec<Word>,
}

/// A state, and the value of the symbol that led to it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    state: u8,
    value: Place,
}

/// How a reduction ended.
enum Reduced {
    Done,
    /// The action found an error.
    Failed,
}

impl<'a, 'b, 'c> Parser<'a, 'b, 'c> {
    pub(crate) fn new(
        dialect: &Dialect,
        input: &'a mut Input<'c>,
        lexer: Lexer,
        names: &'a mut Names,
        symbols: Symbols,
        say: &'a mut Say<'b>,
    ) -> Self {
        Self {
            input,
            tables: Tables::of(dialect),
            lexer,
            lists: Lists::new(),
            names,
            symbols,
            expander: Expander::default(),
            say,
            explanation: None,
            symver_lines: dialect.symver_lines,
            is_typedef: false,
            is_extern: false,
            name: None,
            specifiers: Node::NONE,
            stack: vec![Entry { state: 0, value: Node::NONE }],
            words: Vec::new(),
        }
    }

    fn state(&self) -> u8 {
        self.stack[self.stack.len() - 1].state
    }

    fn push(&mut self, state: u8, value: Place) {
        self.stack.push(Entry { state, value });
    }

    fn pop(&mut self, length: usize) {
        self.stack.truncate(self.stack.len() - length);
    }

    /// The state that a nonterminal leads to.
    fn goto(&self, state: u8, rule: &Rule) -> u8 {
        self.tables.gotos[usize::from(state)][usize::from(rule.left)]
    }

    fn lex(&mut self) -> Result<(u8, Place), Stopped> {
        let mut source =
            Source { input: self.input, names: self.names, lists: &mut self.lists, symbols: &self.symbols };
        self.lexer.next(&mut source, self.say)
    }

    /// Reads the source to its end, or as far as the original's parser does.
    pub(crate) fn parse(&mut self) -> Result<(), Stopped> {
        // The token that is looked at, and the place of the last one that was.
        let mut token: Option<u8> = None;
        let mut place = Node::NONE;
        let mut recovering = 0;
        let tables = self.tables;
        loop {
            if self.stack.len() == DEEPEST {
                self.say.error(b"memory exhausted");
                return Ok(());
            }
            let state = usize::from(self.state());
            let mut rule = tables.defaults[state];
            if tables.reads[state] {
                let looked_at = match token {
                    Some(token) => token,
                    None => {
                        let next;
                        (next, place) = self.lex()?;
                        token = Some(next);
                        next
                    }
                };
                let step = tables.steps[state][usize::from(looked_at)];
                if step > 0 {
                    recovering -= u8::from(recovering > 0);
                    self.push(step as u8, place);
                    token = None;
                    continue;
                }
                if step < 0 {
                    rule = -step as u8;
                }
            } else if state == usize::from(tables.accept) {
                return Ok(());
            }
            if rule > 0 {
                if let Reduced::Done = self.reduce(&tables.rules[usize::from(rule)])? {
                    continue;
                }
            } else {
                if recovering == 0 {
                    self.say.error(b"syntax error");
                }
                self.note_error();
                if recovering == RECOVERY {
                    match token {
                        Some(token::END) => return Ok(()),
                        _ => token = None,
                    }
                }
            }
            // Back to where an error is foreseen.
            recovering = RECOVERY;
            loop {
                let step = tables.steps[usize::from(self.state())][usize::from(token::ERROR)];
                if step > 0 {
                    self.push(step as u8, place);
                    break;
                }
                if self.stack.len() == 1 {
                    return Ok(());
                }
                self.pop(1);
            }
        }
    }

    /// Notes where the declaration wasn't understood.
    fn note_error(&mut self) {
        if let Some(explanation) = &mut self.explanation {
            let file = self.say.file.clone().unwrap_or_else(|| b"<stdin>".to_vec());
            explanation.error.get_or_insert(explain::Place { file, line: self.say.line });
        }
    }

    fn reduce(&mut self, rule: &'static Rule) -> Result<Reduced, Undefined> {
        let length = usize::from(rule.length);
        let base = self.stack.len() - length;
        if rule.is_renaming {
            self.stack[base].state = self.goto(self.stack[base - 1].state, rule);
            return Ok(Reduced::Done);
        }
        let at = |stack: &[Entry], position: u8| match position {
            0 => Node::NONE,
            position => stack[base + usize::from(position) - 1].value,
        };
        let [one, two, three, four] = rule.value;
        let mut value = at(&self.stack, one);
        if value.is_none() && two > 0 {
            value = at(&self.stack, two).or(at(&self.stack, three)).or(at(&self.stack, four));
        }
        for &(action, positions) in rule.actions {
            let places = positions.map(|position| at(&self.stack, position));
            if let Reduced::Failed = self.act(action, places)? {
                self.pop(length);
                return Ok(Reduced::Failed);
            }
        }
        self.pop(length);
        let state = self.goto(self.stack[base - 1].state, rule);
        self.push(state, value);
        Ok(Reduced::Done)
    }

    /// Looks into what is between braces, which a definition has only after an error.
    fn open_phrases(&mut self) {
        let (names, symbols) = (&mut *self.names, &self.symbols);
        self.lists.open_phrases(|begin| Lexer::between_braces(self.input, names, symbols, begin));
    }

    /// Declares a symbol as what stands from a token back to another, which doesn't
    /// belong to it.
    fn declare(&mut self, name: Name, kind: Kind, from: Node, to: Node) -> Result<(), Undefined> {
        let mut words = std::mem::take(&mut self.words);
        // What is read later has other kinds if this is an enumerator.
        if kind == Kind::EnumConst {
            self.open_phrases();
        }
        if self.lists.words(from, to, &mut words)? {
            self.open_phrases();
            self.lists.words(from, to, &mut words)?;
        }
        let is_extern = self.is_extern && kind != Kind::EnumConst;
        let id = self.symbols.declare(self.names, self.say, (name, kind), &words, is_extern);
        if let Some(explanation) = &mut self.explanation {
            explanation.declared.push(id);
        }
        self.words = words;
        Ok(())
    }

    /// Declares the declarator's name as what stands up to a token.
    fn declare_name(&mut self, from: Node) -> Result<(), Undefined> {
        let name = self.name.take().ok_or(Undefined("a declarator has no name"))?;
        let kind = if self.is_typedef { Kind::Typedef } else { Kind::Normal };
        self.declare(name, kind, from, Node::NONE)
    }

    /// The specifiers' own tokens for the next declarator.
    fn copy_specifiers(&mut self) -> Result<(), Undefined> {
        if !self.specifiers.is_none() {
            self.open_phrases();
            self.specifiers = self.lists.copy(self.specifiers, Node::NONE)?;
        }
        Ok(())
    }

    /// A structure, union or enumeration that is only named: its keyword goes, since the
    /// name refers to it.
    fn refer(&mut self, kind: Kind, [keyword, name, _]: [Place; 3]) -> Result<(), Undefined> {
        self.lists.remove(keyword)?;
        let name = self.lists.at(name)?;
        self.lists.set_kind(name, kind)
    }

    /// One with its body: what it is defined as gives way to a reference. In the source
    /// itself, it isn't recorded.
    fn record(&mut self, kind: Kind, places: [Place; 3]) -> Result<(), Undefined> {
        let [keyword, name_place, body] = places;
        let name = self.lists.at(name_place)?;
        if self.lists.is_in_source(name)? {
            self.refer(kind, places)?;
            return self.lists.remove_to(body, name_place);
        }
        let (last, first) = (self.lists.at(body)?, self.lists.at(keyword)?);
        let before = self.lists.at(first)?;
        let reference = self.lists.copy_as(name, kind, before)?;
        self.lists.set(body, reference)?;
        self.lists.set(first, Node::NONE)?;
        let name = self.lists.name(name)?;
        self.declare(name, kind, last, Node::NONE)
    }

    fn act(&mut self, action: Action, places: [Place; 3]) -> Result<Reduced, Undefined> {
        let [one, two, three] = places;
        match action {
            Action::Begin => {
                (self.is_typedef, self.is_extern) = (false, false);
                (self.name, self.specifiers) = (None, Node::NONE);
            }
            Action::Typedef => self.is_typedef = true,
            Action::Extern => self.is_extern = true,
            Action::Inline => self.is_extern = false,
            Action::Names => self.lexer.wants_name = true,
            Action::Types => self.lexer.wants_name = false,
            Action::Discard => {
                let last = self.lists.at(one)?;
                if let Some(explanation) = &mut self.explanation {
                    explanation.end_declaration(self.lists.names(last));
                }
                self.lists.free(last, Node::NONE)?;
                self.lists.set(one, Node::NONE)?;
                self.lists.forget(one);
            }
            Action::NoSpecifiers => self.specifiers = Node::NONE,
            Action::Specifiers => self.specifiers = self.lists.at(one)?,
            Action::DropSpecifiers => self.lists.free(self.specifiers, Node::NONE)?,
            Action::Remove => self.lists.remove(one)?,
            Action::Type => self.lists.set_kind(self.lists.at(one)?, Kind::Typedef)?,
            Action::Name => {
                if self.name.is_some() {
                    self.say.error(b"unexpected second declaration name");
                    return Ok(Reduced::Failed);
                }
                self.name = Some(self.lists.name(self.lists.at(one)?)?);
            }
            Action::Declare => {
                let declarator = self.lists.at(one)?;
                self.lists.set(one, Node::NONE)?;
                self.copy_specifiers()?;
                self.declare_name(declarator)?;
            }
            Action::DeclareNext => {
                let declarator = self.lists.at(two)?;
                self.lists.set(two, Node::NONE)?;
                self.lists.free(self.lists.at(one)?, Node::NONE)?;
                self.lists.set(one, self.specifiers)?;
                self.copy_specifiers()?;
                self.declare_name(declarator)?;
            }
            Action::Declared => {
                if self.name.is_some() {
                    let semicolon = self.lists.at(one)?;
                    let declarator = self.lists.at(semicolon)?;
                    self.lists.set(semicolon, Node::NONE)?;
                    self.declare_name(declarator)?;
                }
            }
            Action::Function => {
                let declarator = self.lists.at(one)?;
                self.lists.set(one, Node::NONE)?;
                let name = self.name.ok_or(Undefined("a function has no name"))?;
                self.declare(name, Kind::Normal, declarator, Node::NONE)?;
            }
            Action::Initializer => {
                // What comes before the equals sign.
                let sign = self.lists.at(one)?;
                self.lists.remove_to(two, sign)?;
            }
            Action::Struct => self.refer(Kind::Struct, places)?,
            Action::Union => self.refer(Kind::Union, places)?,
            Action::Enum => self.refer(Kind::Enum, places)?,
            Action::StructBody => self.record(Kind::Struct, places)?,
            Action::UnionBody => self.record(Kind::Union, places)?,
            Action::EnumBody => self.record(Kind::Enum, places)?,
            Action::AnonymousEnum => self.symbols.end_enumeration(),
            Action::Enumerator => {
                let name = self.lists.name(self.lists.at(one)?)?;
                self.declare(name, Kind::EnumConst, Node::NONE, Node::NONE)?;
            }
            Action::EnumeratorValue => {
                let name = self.lists.name(self.lists.at(one)?)?;
                let (value, sign) = (self.lists.at(three)?, self.lists.at(two)?);
                self.declare(name, Kind::EnumConst, value, sign)?;
            }
            Action::Export => {
                let name = self.lists.name(self.lists.at(one)?)?;
                let version = self.expander.export(self.names, &mut self.symbols, self.say, name)?;
                if let Some(crc) = version {
                    self.version(name, crc);
                }
                self.explain(name, version.is_some());
            }
        }
        Ok(Reduced::Done)
    }

    /// Collects what there is to explain about an export.
    fn explain(&mut self, export: Name, has_version: bool) {
        let Some(explanation) = &mut self.explanation else { return };
        if has_version {
            explanation.exported(self.names, &self.symbols, export, &self.expander.trail);
        } else {
            explanation.undeclared(self.names, export);
        }
    }

    /// Writes a version.
    fn version(&mut self, name: Name, crc: u32) {
        let (name, crc) = (self.names.bytes(name), format!("{crc:08x}"));
        let line = match (self.symver_lines, self.say.wanted.relative) {
            (true, _) => text!("#SYMVER {} 0x{}\n", name, crc),
            (false, false) => text!("__crc_{} = 0x{};\n", name, crc),
            (false, true) => text!("SECTIONS { .rodata : ALIGN(4) { __crc_{} = .; LONG(0x{}); } }\n", name, crc),
        };
        self.say.out(&line);
    }
}
