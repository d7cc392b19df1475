//! The tokens of a declaration: a list, the last token first, that the parser
//! rearranges until it is a definition.
//!
//! A symbol's value in the parser is a place: where, in the token that follows its
//! last one, the list goes on with that last one. So a value stays right when tokens
//! before it are taken away.

use std::num::NonZeroU32;

use crate::names::Name;
use crate::symbols::{Kind, Word};
use crate::undefined::Undefined;

/// A token of the list; 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node(u32);

/// The place after a token, by that token.
pub(crate) type Place = Node;

impl Node {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// This one, or else another.
    pub(crate) const fn or(self, other: Self) -> Self {
        if self.is_none() { other } else { self }
    }
}

#[derive(Clone, Copy, Debug)]
struct Token {
    name: Name,
    /// The token before it.
    before: Node,
    kind: Kind,
    /// It stands in the source itself, not in a file that that includes.
    in_source: bool,
    freed: bool,
    /// If it represents all tokens up to a closing brace: where in the source they begin.
    phrase: Option<NonZeroU32>,
}

/// The lists' memory.
#[derive(Debug)]
pub(crate) struct Lists {
    tokens: Vec<Token>,
    /// What the next token will be: its place is that of the last one.
    next: Node,
    /// Those that represent several.
    phrases: Vec<Node>,
}

const FREED: Undefined = Undefined("a token is used after it was freed");
const NULL: Undefined = Undefined("a list ends too early");
const CIRCLE: Undefined = Undefined("a list goes in a circle");

const EMPTY: Token =
    Token { name: Name(0), before: Node::NONE, kind: Kind::Normal, in_source: false, freed: false, phrase: None };

impl Lists {
    pub(crate) fn new() -> Self {
        Self { tokens: vec![EMPTY; 2], next: Node(1), phrases: Vec::new() }
    }

    fn new_token(&mut self, token: Token) -> Node {
        self.tokens.push(token);
        Node(self.tokens.len() as u32 - 1)
    }

    /// Appends a token.
    pub(crate) fn append(&mut self, name: Name, kind: Kind, in_source: bool) {
        let token = self.next;
        let Token { before, freed, .. } = self.tokens[token.0 as usize];
        self.tokens[token.0 as usize] = Token { name, before, kind, in_source, freed, phrase: None };
        self.next = self.new_token(Token { before: token, ..EMPTY });
    }

    /// Appends a closing brace, and before it all tokens from a position in the source on,
    /// which are looked at when somebody asks for them.
    pub(crate) fn append_phrase(&mut self, brace: Name, begin: u32, in_source: bool) {
        let token = self.next;
        self.append(brace, Kind::Normal, in_source);
        self.tokens[token.0 as usize].phrase = NonZeroU32::new(begin);
        self.phrases.push(token);
    }

    /// Where in the source the first tokens begin that one represents.
    pub(crate) fn first_phrase(&self) -> Option<u32> {
        let first = self.phrases.first()?;
        self.tokens[first.0 as usize].phrase.map(NonZeroU32::get)
    }

    /// Puts all tokens of phrases into the list. `read` gives the names and kinds of those
    /// that begin at a position in the source, without the closing brace.
    pub(crate) fn open_phrases(&mut self, mut read: impl FnMut(u32) -> Vec<Word>) {
        for node in std::mem::take(&mut self.phrases) {
            let Token { phrase, freed, mut before, in_source, .. } = self.tokens[node.0 as usize];
            let (Some(begin), false) = (phrase, freed) else { continue };
            for word in read(begin.get()) {
                before = self.new_token(Token { name: word.name(), kind: word.kind(), before, in_source, ..EMPTY });
            }
            self.tokens[node.0 as usize] = Token { before, phrase: None, ..self.tokens[node.0 as usize] };
        }
    }

    /// The place of the last token.
    pub(crate) const fn last(&self) -> Place {
        self.next
    }

    fn token(&self, node: Node) -> Result<&Token, Undefined> {
        if node.is_none() {
            return Err(NULL);
        }
        let token = &self.tokens[node.0 as usize];
        if token.freed { Err(FREED) } else { Ok(token) }
    }

    fn token_mut(&mut self, node: Node) -> Result<&mut Token, Undefined> {
        self.token(node)?;
        Ok(&mut self.tokens[node.0 as usize])
    }

    /// The token at a place.
    pub(crate) fn at(&self, place: Place) -> Result<Node, Undefined> {
        Ok(self.token(place)?.before)
    }

    /// Makes the list go on with another token at a place.
    pub(crate) fn set(&mut self, place: Place, node: Node) -> Result<(), Undefined> {
        self.token_mut(place)?.before = node;
        Ok(())
    }

    pub(crate) fn name(&self, node: Node) -> Result<Name, Undefined> {
        Ok(self.token(node)?.name)
    }

    pub(crate) fn is_in_source(&self, node: Node) -> Result<bool, Undefined> {
        Ok(self.token(node)?.in_source)
    }

    pub(crate) fn set_kind(&mut self, node: Node, kind: Kind) -> Result<(), Undefined> {
        self.token_mut(node)?.kind = kind;
        Ok(())
    }

    /// Frees the tokens from one to another, which stays.
    pub(crate) fn free(&mut self, from: Node, to: Node) -> Result<(), Undefined> {
        let mut node = from;
        while node != to {
            let token = self.token_mut(node)?;
            token.freed = true;
            node = token.before;
        }
        Ok(())
    }

    /// Takes the token at a place out.
    pub(crate) fn remove(&mut self, place: Place) -> Result<(), Undefined> {
        let node = self.at(place)?;
        let before = self.token(node)?.before;
        self.set(place, before)?;
        self.tokens[node.0 as usize].freed = true;
        Ok(())
    }

    /// Takes the tokens from a place to another's out.
    pub(crate) fn remove_to(&mut self, place: Place, to: Place) -> Result<(), Undefined> {
        let (from, to) = (self.at(place)?, self.at(to)?);
        self.set(place, to)?;
        self.free(from, to)
    }

    /// Copies a token, as another kind, with another before it.
    pub(crate) fn copy_as(&mut self, node: Node, kind: Kind, before: Node) -> Result<Node, Undefined> {
        let token = Token { kind, before, ..*self.token(node)? };
        Ok(self.new_token(token))
    }

    /// Copies the tokens from one to another, which isn't copied.
    pub(crate) fn copy(&mut self, from: Node, to: Node) -> Result<Node, Undefined> {
        if from == to {
            return Ok(Node::NONE);
        }
        let most = self.tokens.len();
        let first = self.copy_as(from, self.token(from)?.kind, Node::NONE)?;
        let (mut last, mut node) = (first, self.at(from)?);
        while node != to {
            if self.tokens.len() > 2 * most {
                return Err(CIRCLE);
            }
            let copy = self.copy_as(node, self.token(node)?.kind, Node::NONE)?;
            self.set(last, copy)?;
            (last, node) = (copy, self.at(node)?);
        }
        Ok(first)
    }

    /// The names and kinds of the tokens from one to another, which isn't one of them,
    /// in the order in which they stand in the source; or that a token among them stands
    /// for several.
    pub(crate) fn words(&self, from: Node, to: Node, words: &mut Vec<Word>) -> Result<bool, Undefined> {
        words.clear();
        let (mut node, mut has_phrases) = (from, false);
        while node != to {
            if words.len() > self.tokens.len() {
                return Err(CIRCLE);
            }
            let token = self.token(node)?;
            has_phrases |= token.phrase.is_some();
            words.push(Word::new(token.kind, token.name));
            node = token.before;
        }
        words.reverse();
        Ok(has_phrases)
    }

    /// The names of the tokens from one on.
    pub(crate) fn names(&self, from: Node) -> impl Iterator<Item = Name> {
        let before = |&node: &Node| Some(self.tokens[node.0 as usize].before);
        let tokens = std::iter::successors(Some(from), before).take_while(|node| !node.is_none());
        tokens.take(self.tokens.len()).map(|node| self.tokens[node.0 as usize].name)
    }

    /// Forgets all tokens of a declaration that ended. If something follows that was read
    /// by then, that isn't possible.
    pub(crate) fn forget(&mut self, end: Place) {
        if self.next == end {
            self.phrases.clear();
            self.tokens.truncate(2);
            self.tokens[1] = EMPTY;
            self.next = Node(1);
        }
    }
}
