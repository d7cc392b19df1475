//! fetch: brings originals and modules into the cache.
//!
//! Arguments are names of corpora; the originals come in any case.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;

use kbuild_rs_tests::corpus::Corpus;
use kbuild_rs_tests::original::{KERNELS, Target};

fn fetch(names: &[String]) -> io::Result<()> {
    for kernel in KERNELS {
        println!("{}", kernel.modpost(Target::Lsb64)?.program.display());
    }
    for name in names {
        let corpus = Corpus::named(name).ok_or_else(|| io::Error::other(format!("no corpus {name}")))?;
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
