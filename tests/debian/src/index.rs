//! The packages that an index lists: one paragraph of `Name: value` lines
//! each, as deb822(5) has it.

use std::cmp::Ordering;
use std::io::{self, BufRead, Write};
use std::process::Command;

/// A package in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How large the download is, in bytes.
    pub size: u64,
}

/// What is read of a paragraph so far.
#[derive(Default)]
struct Paragraph {
    name: String,
    version: String,
    size: u64,
    /// The lines that follow are a list of files.
    in_files: bool,
}

impl Paragraph {
    fn line(&mut self, line: &str) {
        if let Some(file) = line.strip_prefix(' ') {
            // Of a source package, upstream's part: `digest size name`.
            let mut words = file.split(' ').skip(1);
            if let (true, Some(size), Some(name)) = (self.in_files, words.next(), words.next()) {
                if name.contains(".orig.tar.") && !name.ends_with(".asc") {
                    self.size = size.parse().unwrap_or(0);
                }
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.trim();
        self.in_files = field == "Files";
        match field {
            "Package" => value.clone_into(&mut self.name),
            "Version" => value.clone_into(&mut self.version),
            "Size" => self.size = value.parse().unwrap_or(0),
            _ => {}
        }
    }
}

/// Reads an index as apt keeps it and writes a line `NAME VERSION SIZE` for
/// each package.
///
/// # Errors
/// Those of the reader and the writer.
pub fn condense(index: impl BufRead, mut lines: impl Write) -> io::Result<()> {
    let mut paragraph = Paragraph::default();
    for line in index.split(b'\n') {
        let line = line?;
        if line.is_empty() {
            end(&mut paragraph, &mut lines)?;
        } else {
            paragraph.line(&String::from_utf8_lossy(&line));
        }
    }
    end(&mut paragraph, &mut lines)?;
    lines.flush()
}

fn end(paragraph: &mut Paragraph, lines: &mut impl Write) -> io::Result<()> {
    let Paragraph { name, version, size, .. } = std::mem::take(paragraph);
    if name.is_empty() { Ok(()) } else { writeln!(lines, "{name} {version} {size}") }
}

/// The entries of a condensed index.
pub fn entries(text: &str) -> impl Iterator<Item = Entry> {
    text.lines().filter_map(|line| {
        let mut words = line.split(' ').map(str::to_owned);
        Some(Entry { name: words.next()?, version: words.next()?, size: words.next()?.parse().ok()? })
    })
}

/// Compares two versions as dpkg does.
///
/// # Errors
/// If dpkg can't be run.
pub fn compare(a: &str, b: &str) -> io::Result<Ordering> {
    if a == b {
        return Ok(Ordering::Equal);
    }
    let later = Command::new("dpkg").args(["--compare-versions", a, "gt", b]).status()?;
    Ok(if later.success() { Ordering::Greater } else { Ordering::Less })
}
