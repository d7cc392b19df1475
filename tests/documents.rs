//! What is written in `docs` is what the programs are.

use std::fs;
use std::io;
use std::path::Path;

use kbuild_rs_tests::{documents, run};

#[test]
fn manual_pages_and_completions_are_current() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    documents::write(dir.path())?;
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for path in run::stamps(dir.path())?.into_keys() {
        let (made, kept) = (fs::read_to_string(dir.path().join(&path))?, fs::read_to_string(docs.join(&path))?);
        assert!(made == kept, "{}: run `make docs`", path.display());
    }
    Ok(())
}
