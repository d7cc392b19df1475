//! The versions of exported symbols: checksums of what their types consist of, as
//! `scripts/genksyms` computes them from preprocessed C.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`dialect`] | what changed between kernels |
//! | `grammar` | the parser's tables, made of the grammars |
//! | `names` | what is written in the source, each once |
//! | `undefined` | where the original's behaviour is undefined, and what else stops a run |
//! | `say` | messages, dumps, and where in the source they are |
//! | `symbols` | symbols, types and enumerators |
//! | `input` | the source, read as it is needed |
//! | `list` | the tokens of a declaration, as a list that the parser rearranges |
//! | `scan` | tokens, as flex finds them |
//! | `lex` | tokens, as the parser wants them |
//! | `explain` | which exports have a version that says nothing |
//! | `expand` | what a symbol consists of, and its checksum |
//! | `parse` | the parser |
//! | `reference` | dumps of types: reading and writing them |
//! | [`options`] | the command line |
//! | [`run`] | a run, from its arguments to what it prints |

#![forbid(unsafe_code)]

pub mod dialect;
mod expand;
mod explain;
mod grammar;
mod input;
mod lex;
mod list;
mod names;
pub mod options;
mod parse;
mod reference;
pub mod run;
mod say;
mod scan;
mod symbols;
mod undefined;
