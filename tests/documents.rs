//! What is written in `docs` is what the programs are.

use std::fs;
use std::io;
use std::path::Path;

use kbuild_rs_tests::{documents, run};
use modpost::cli;
use modpost::dialect::Dialect;

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

#[test]
fn the_manual_of_swaps_lists_its_options() -> io::Result<()> {
    let manual = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/man/kbuild-rs-swap.8"))?;
    for option in documents::options_of_swap() {
        let name = format!("\\-\\-{option}");
        let is_listed = [format!("\n.TP\n.B {name}\n"), format!("\n.TP\n.BI {name} \" ")];
        assert!(is_listed.iter().any(|heading| manual.contains(heading)), "--{option}");
    }
    Ok(())
}

#[test]
fn the_manual_lists_the_options_of_all_kernels() -> io::Result<()> {
    let manual = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/man/modpost.1"))?;
    let kernels = ["5.10", "6.1.176", "7.3.4", "suse/6.12", "android/6.6", "amazon/6.18"];
    for dialect in kernels.iter().filter_map(|name| Dialect::named(name.as_bytes())) {
        for option in cli::command(&dialect).get_opts() {
            let letter = option.get_short().map(|letter| format!("\\-{letter}"));
            let word = option.get_long().map(|word| format!("\\-\\-{word}"));
            let name = letter.or(word).unwrap_or_default();
            let takes_value = option.get_action().takes_values();
            let heading = if takes_value { format!(".TP\n.BI {name} \" ") } else { format!(".TP\n.B {name}\n") };
            assert!(manual.contains(&heading), "{name}");
        }
    }
    Ok(())
}
