//! A source, after a byte for the kernel, a byte for the options, and a reference that a
//! NUL ends.

#![no_main]

mod dialects;

use std::io;
use std::sync::LazyLock;

use kernel::{Flags, Invocation};
use libfuzzer_sys::fuzz_target;
use symversions::dialect::Dialect;
use symversions::run;
use tempfile::TempDir;

/// The directory of all runs, which is the process's own.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let dir = TempDir::new().expect("a directory for temporary files");
    std::env::set_current_dir(dir.path()).expect("a directory that is there");
    dir
});

fuzz_target!(|data: &[u8]| {
    let [kernel, options, rest @ ..] = data else { return };
    LazyLock::force(&FOLDER);
    let dialect = Dialect::of_version(dialects::dialect(*kernel).kernel.version);
    let at = rest.iter().position(|&byte| byte == 0).unwrap_or(0);
    let (reference, source) = rest.split_at(at);
    std::fs::write("ref", reference).expect("room for a file");
    let words = ["-w", "-d", "-D", "-p", "-Ttypes", "-rref"];
    let words = words.iter().enumerate().filter(|(bit, _)| options >> bit & 1 == 1).map(|(_, word)| word.into());
    let invocation = Invocation { name: "genksyms".into(), arguments: words.collect() };
    let (mut out, mut err) = (io::sink(), io::sink());
    run::genksyms_of(&dialect, options >> 6 & 1 == 1, &invocation, Some(&mut &*source), (&mut out, &mut err));
});
