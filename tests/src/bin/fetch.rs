//! fetch: brings into the cache what the comparisons take.
//!
//! Arguments are names of corpora; the originals come in any case.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use kbuild_rs_tests::corpus::Corpus;
use kbuild_rs_tests::fetch;

fn fetch(names: &[String]) -> io::Result<Vec<io::Error>> {
    let corpora: Option<Vec<_>> = names.iter().map(|name| Corpus::named(name)).collect();
    fetch::all(&corpora.ok_or_else(|| io::Error::other(format!("a corpus of {names:?} is unknown")))?)
}

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let failures = fetch(&names).unwrap_or_else(|error| vec![error]);
    failures.iter().for_each(|error| eprintln!("fetch: {error}"));
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
