//! LALR(1) tables of a grammar, the same as bison makes of it: conflicts are
//! resolved as yacc does, the most common reduction of a state is its default, and
//! states have the same numbers. What a parser does on bad input depends on all of
//! this: how much it reduces before it notices an error, and where it recovers.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`grammar`] | a grammar, and how it is written down |
//! | `states` | the states of the automaton, LR(0) |
//! | `lookaheads` | the tokens that may follow a reduction, LALR(1) |
//! | [`tables`] | what a parser does in each state |

#![forbid(unsafe_code)]

pub mod grammar;
mod lookaheads;
mod states;
pub mod tables;
