//! fetch: brings originals and modules into the cache.
//!
//! Without arguments everything that the suite compares with; with names of
//! corpora, those.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use kbuild_rs_tests::corpus::{CORPORA, Corpus};
use kbuild_rs_tests::original::{KERNELS, Target};

fn fetch(names: &[String]) -> io::Result<()> {
    let corpora: Vec<&Corpus> = if names.is_empty() {
        for kernel in KERNELS {
            println!("{}", kernel.modpost(Target::Lsb64)?.program.display());
        }
        CORPORA.iter().collect()
    } else {
        let find = |name: &String| Corpus::named(name).ok_or_else(|| io::Error::other(format!("no corpus {name}")));
        names.iter().map(find).collect::<io::Result<_>>()?
    };
    for corpus in corpora {
        println!("{}", corpus.kernel.modpost(corpus.target)?.program.display());
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
