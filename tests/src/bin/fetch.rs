//! fetch: brings originals and modules into the cache.
//!
//! Without arguments everything that the suite compares with; with names of
//! corpora, those.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use kbuild_rs_tests::corpus::{CORPORA, Corpus};
use kbuild_rs_tests::original::{V5_10, V6_1};

fn fetch(names: &[String]) -> io::Result<()> {
    let corpora: Vec<&Corpus> = if names.is_empty() {
        println!("{}", V5_10.modpost()?.display());
        println!("{}", V6_1.modpost()?.display());
        CORPORA.iter().collect()
    } else {
        let find = |name: &String| Corpus::named(name).ok_or_else(|| io::Error::other(format!("no corpus {name}")));
        names.iter().map(find).collect::<io::Result<_>>()?
    };
    for corpus in corpora {
        println!("{}", corpus.kernel.modpost()?.display());
        println!("{}", corpus.folder()?.display());
    }
    Ok(())
}

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    match fetch(&names) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fetch: {error}");
            ExitCode::FAILURE
        }
    }
}
