//! modpost and its parts: what the programs of `scripts/mod` do.
//!
//! In the order in which data passes through them; a module uses only those above:
//!
//! | module | what it does |
//! | --- | --- |
//! | [`kind`] | what messages say |
//! | [`buffer`] | the buffer that files are made in |
//! | [`dialect`] | what changed between kernels, and what vendors changed |
//! | [`cli`] | arguments |
//! | `names` | many names in one piece of memory |
//! | `export` | an export |
//! | `step` | what reading an object leaves to be done |
//! | `malformed` | how a run ends on an object that can't be read |
//! | [`alias`] | device tables (`file2alias`) |
//! | [`section`] | references between sections |
//! | [`srcversion`] | sums of sources (`sumversion`) |
//! | [`object`] | what one object says |
//! | [`link`] | what all objects say together: exports, and who may use them |
//! | `write` | `.mod.c`, `Module.symvers`, and what is read for them |
//! | `ask` | more than the original says: why symbols are undefined, and messages as JSON |
//! | [`elfconfig`] | `elfconfig.h` (`mk_elfconfig`) |
//! | [`module`] | a finished module's aliases, for file2alias |
//! | [`run`] | modpost, from arguments to exit status |
//!
//! Nothing here prints or exits; messages are values ([`base::message`]).

#![forbid(unsafe_code)]

pub mod alias;
mod ask;
pub mod buffer;
pub mod cli;
pub mod dialect;
pub mod elfconfig;
mod export;
pub mod kind;
pub mod link;
mod malformed;
pub mod module;
mod names;
pub mod object;
pub mod run;
pub mod section;
pub mod srcversion;
mod step;
pub mod write;
