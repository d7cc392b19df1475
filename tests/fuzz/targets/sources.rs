//! A module's `.mod` and `.cmd` files and a source, each ended by a NUL, after
//! a byte for the kernel: its srcversion, and the CRCs of what it exports.

#![no_main]

mod dialects;

use std::fs;
use std::sync::LazyLock;

use base::workers::Workers;
use libfuzzer_sys::fuzz_target;
use modpost::object::symbol_crcs;
use modpost::srcversion;
use tempfile::TempDir;

/// The directory of all runs, which is the process's own.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let dir = TempDir::new().expect("a directory for temporary files");
    std::env::set_current_dir(dir.path()).expect("a directory that is there");
    dir
});

fuzz_target!(|data: &[u8]| {
    let [kernel, texts @ ..] = data else { return };
    LazyLock::force(&FOLDER);
    let dialect = dialects::dialect(*kernel);
    let mut texts = texts.split(|&byte| byte == 0);
    for name in ["m.mod", ".a.o.cmd", "a.c", "a.h"] {
        fs::write(name, texts.next().unwrap_or_default()).expect("room for a file");
    }
    let _ = srcversion::explain(b"m", dialect, base::textfile::open, &mut Vec::new());
    let _ = symbol_crcs(b"m", false, dialect, &Workers::ALONE, &mut Vec::new());
});
