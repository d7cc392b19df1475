//! What is written in `docs` is what the programs are.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use kbuild_rs_tests::original::ours;
use kbuild_rs_tests::{documents, needs, run, tally};
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

/// Manual pages have no style that mandoc(1) would change.
#[test]
fn manual_pages_are_clean() -> io::Result<()> {
    if tally::available("documents", needs::program("mandoc", "mandoc"))?.is_none() {
        return Ok(());
    }
    let man = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/man");
    for entry in fs::read_dir(man)? {
        let path = entry?.path();
        if path.is_file() {
            let output = Command::new("mandoc").args(["-T", "lint", "-W", "style"]).arg(path).output()?;
            assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        }
    }
    Ok(())
}

/// What bash completes, as its own completion asks for it.
fn completed(program: &str, words: &[&str]) -> io::Result<Vec<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/completions/{program}.bash"));
    let function = format!("_clap_complete_{}", program.replace('-', "_"));
    let line = std::iter::once(&program).chain(words).map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let last = words.last().copied().unwrap_or_default();
    let asked = format!(
        "source {}\nCOMP_WORDS=({line}) COMP_CWORD={} COMP_TYPE=9\n{function} {program} '{last}' ''\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words.len()
    );
    let programs = ours("modpost")?.program;
    let programs = programs.parent().unwrap_or(&programs).display().to_string();
    let mut bash = Command::new("bash");
    let output = bash.args(["-c", &asked]).env("PATH", format!("{programs}:/usr/bin:/bin")).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_owned).collect())
}

#[test]
fn bash_completes() -> io::Result<()> {
    assert_eq!(completed("file2alias", &["mat"])?, ["match"]);
    assert_eq!(completed("file2alias", &["vfio", "--un"])?, ["--unbind"]);
    assert_eq!(completed("file2alias", &["--type", "pcm"])?, ["pcmcia"]);
    assert_eq!(completed("sumversion", &["--che"])?, ["--check"]);
    assert_eq!(completed("modcheck", &["--he"])?, ["--headers", "--help"]);
    assert_eq!(completed("kbuild-rs-swap", &["--only", "gen"])?, ["genksyms"]);
    Ok(())
}
