//! What every program needs.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`bytes`], [`fnmatch`] | C's string functions, on bytes |
//! | [`escape`] | names of others for people: nothing acts on a terminal |
//! | [`message`] | messages as values, and the program that speaks |
//! | [`read_buffer`] | memory that files are read into |
//! | [`regular`] | files of somebody else: regular files alone, and of limited size |
//! | [`textfile`] | text files, read as C programs read them |
//! | [`output`] | files written whole or not at all |
//! | [`streams`] | standard streams that the caller closed |
//! | [`blocks`] | a stream, written when stdio writes it |
//! | [`workers`] | work in parallel, results in order |
//! | [`getopt`] | getopt(3) in front of clap |
//! | [`json`] | bytes as JSON |
//!
//! Nothing here prints or exits.

#![forbid(unsafe_code)]

pub mod blocks;
pub mod bytes;
pub mod escape;
pub mod fnmatch;
pub mod getopt;
pub mod json;
pub mod message;
pub mod output;
pub mod read_buffer;
pub mod regular;
pub mod streams;
pub mod textfile;
pub mod workers;
