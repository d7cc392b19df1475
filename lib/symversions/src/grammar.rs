//! The parser's tables. `build.rs` makes them of the files in `grammar`, and they are
//! those that bison makes of the kernels' `parse.y`.

use crate::dialect::Dialect;

/// A rule of a grammar.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The nonterminal that it makes.
    pub(crate) left: u8,
    /// Of how many symbols.
    pub(crate) length: u8,
    /// The positions of symbols, from 1, of which the first that has a value gives the
    /// rule's; 0 is none.
    pub(crate) value: [u8; 4],
    /// It only gives a symbol another name.
    pub(crate) is_renaming: bool,
    /// What is done, with the positions of what it is done to.
    pub(crate) actions: &'static [(Action, [u8; 3])],
}

/// The tables of a grammar.
#[derive(Debug)]
pub(crate) struct Tables {
    /// The state in which all was parsed.
    pub(crate) accept: u8,
    /// For each state and token: the state to go to, a rule to reduce by (negative), or
    /// 0 for the default.
    pub(crate) steps: &'static [[i16; TOKENS]; 256],
    /// For each state the rule to reduce by, or 0 for an error.
    pub(crate) defaults: &'static [u8; 256],
    /// Whether a token is looked at in each state.
    pub(crate) reads: &'static [bool; 256],
    /// For each state and nonterminal, the state to go to.
    pub(crate) gotos: &'static [[u8; 64]; 256],
    /// The rules.
    pub(crate) rules: &'static [Rule],
}

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

impl Tables {
    /// Those of a kernel's grammar.
    pub(crate) fn of(dialect: &Dialect) -> &'static Self {
        match dialect {
            Dialect { declarator_attributes: true, .. } => &SINCE_7_0,
            Dialect { segments: true, .. } => &TO_6_19,
            Dialect { attributes_placed: true, .. } => &IN_6_14,
            Dialect { static_asserts: true, .. } => &TO_6_13,
            _ => &TO_5_10,
        }
    }
}
