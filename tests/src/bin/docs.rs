//! docs: writes manual pages and completions into `docs`.

#![forbid(unsafe_code)]

use std::io;
use std::path::Path;

use kbuild_rs_tests::documents;

fn main() -> io::Result<()> {
    documents::write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs"))
}
