//! The Linux kernel's host tools for modules, `scripts/mod`, as a library:
//! everything that two of the programs could share.
//!
//! The way of the data in modpost, each room knowing only those before it:
//!
//! | room | what it does |
//! | --- | --- |
//! | [`cli`], [`detect`], [`dialect`], [`record`], [`vendor`] | arguments and environment; which kernel's modpost we are |
//! | [`symvers`] | `Module.symvers`, read and written |
//! | [`elf`] | a bounds-checked view of an object |
//! | [`object`] | what one object says, by [`alias`], [`section`], [`srcversion`] |
//! | [`link`] | what all objects say together: exports, and who may use them |
//! | [`modc`], [`supported`] | `.mod.c` |
//! | [`explain`], [`report`] | for who asks: why symbols are undefined, and messages as JSON |
//! | [`kmod`] | what depmod and modprobe know of modules: `modules.alias`, and who matches a device |
//! | [`run`] | the run from arguments to exit status, by several [`workers`] |
//!
//! Nothing here prints or exits; messages are values ([`diag`]).

#![forbid(unsafe_code)]

pub mod alias;
pub mod archive;
pub mod buffer;
pub mod bytes;
pub mod cli;
pub mod detect;
pub mod diag;
pub mod dialect;
pub mod elf;
pub mod elfconfig;
pub mod explain;
mod fnmatch;
pub mod json;
pub mod kmod;
pub mod link;
pub mod modc;
pub mod object;
pub mod output;
pub mod record;
pub mod report;
pub mod run;
pub mod section;
pub mod srcversion;
pub mod supported;
pub mod symvers;
pub mod textfile;
pub mod vendor;
pub mod workers;
