//! Every command in README, `docs` and the manual pages is run, and does what they say.
//!
//! In the former two a command follows a `$` in an indented block, and the lines after it
//! are what it says. In manual pages it is between `.EX` and `.EE`. Each document has a
//! machine of its own. `KBUILD_RS_BLESS=1 cargo test --test book` writes what is said now.

#![forbid(unsafe_code)]

mod scene;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kbuild_rs_tests::{documents, tally};
use scene::Scene;

/// Commands that take minutes, a kernel or a network, and the check that runs them, or what
/// they run.
const ELSEWHERE: &[(&str, &str)] = &[
    ("make demo", "make check-fresh"),
    ("make check", "make check"),
    ("make install", "make check-packages"),
    ("make deb", "make check-packages"),
    ("make vendor", "make check-packages"),
    ("make static", "make check-hosts"),
    ("make MODPOST=", "make check-kernel"),
    ("make 'MODPOST=", "make check-kernel"),
    ("install -m 755 /usr/lib/kbuild-rs/", "make check-kernel"),
];

fn is_elsewhere(command: &str) -> bool {
    ELSEWHERE.iter().any(|(start, _)| command.starts_with(start))
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// README and all of `docs`.
fn texts() -> io::Result<Vec<PathBuf>> {
    let mut texts = vec![top().join("README.md")];
    for entry in fs::read_dir(top().join("docs"))? {
        texts.extend(Some(entry?.path()).filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    texts.sort();
    Ok(texts)
}

/// A document with what its commands say now.
fn run_again(text: &str, scene: &Scene) -> io::Result<String> {
    let mut again = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        again += line;
        again += "\n";
        let Some(command) = line.strip_prefix("    $ ").filter(|command| !is_elsewhere(command)) else { continue };
        let (output, said) = scene.run(command)?;
        let mut shown = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("    ") && !line.starts_with("    $ ")) {
            shown.push(line);
        }
        // What has nothing after it is to work, and what it says doesn't matter.
        if shown.is_empty() {
            assert!(output.status.success(), "{command}: {said}");
        } else {
            again.extend(said.lines().map(|line| if line.is_empty() { "\n".into() } else { format!("    {line}\n") }));
        }
    }
    Ok(again)
}

#[test]
fn commands_of_documents() -> io::Result<()> {
    for path in texts()? {
        let text = fs::read_to_string(&path)?;
        if !text.contains("\n    $ ") {
            continue;
        }
        let Some(scene) = tally::available("book", Scene::new())? else { return Ok(()) };
        let again = run_again(&text, &scene)?;
        if kernel::is_on("KBUILD_RS_BLESS") {
            fs::write(&path, again)?;
        } else {
            let differing = again.lines().zip(text.lines()).find(|(is, was)| is != was);
            assert!(again == text, "{}: {differing:#?}", path.display());
        }
    }
    Ok(())
}

/// The commands between `.EX` and `.EE`.
fn examples_of(page: &str) -> Vec<String> {
    let plain = |line: &str| line.replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\");
    let mut examples = Vec::new();
    let mut is_example = false;
    for line in page.lines() {
        match line {
            ".EX" => is_example = true,
            ".EE" => is_example = false,
            _ if is_example => examples.push(plain(line)),
            _ => {}
        }
    }
    examples
}

#[test]
fn commands_of_manual_pages() -> io::Result<()> {
    let mut of_help = documents::examples();
    for entry in fs::read_dir(top().join("docs/man"))? {
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        let examples = examples_of(&fs::read_to_string(&path)?);
        assert!(examples.len() >= 3, "{}: {} examples", path.display(), examples.len());
        of_help.retain(|example| !examples.contains(example));
        let Some(scene) = tally::available("book", Scene::new())? else { return Ok(()) };
        for command in examples.iter().filter(|command| !is_elsewhere(command)) {
            let (output, said) = scene.run(command)?;
            assert!(output.status.success(), "{}: {command}: {said}", path.display());
        }
    }
    assert!(of_help.is_empty(), "in no manual page: {of_help:?}");
    Ok(())
}
