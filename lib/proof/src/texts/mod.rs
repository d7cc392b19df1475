//! What can be read in an original that can't be run: its options, its texts,
//! and the marks of vendors.

pub mod source;
mod table;
mod tools;

pub(crate) use tools::{of_fixdep, of_genksyms};

use std::collections::BTreeSet;

use memchr::memmem;
use modpost::cli;
use modpost::dialect::Dialect;

/// The texts of an original: a program's bytes, or the literals of its source.
#[derive(Clone, Debug)]
pub struct Texts {
    bytes: Vec<u8>,
    /// They are the literals of its source.
    of_source: bool,
}

/// Why an original is not a kernel's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It hands other options to getopt(3), or none were found.
    Options {
        /// What it hands over.
        theirs: Option<String>,
        /// The letters of the kernel's that are missing, and the others that
        /// it has.
        missing: String,
        /// See `missing`.
        more: String,
    },
    /// It lacks a text.
    Missing(&'static str),
    /// It has a text that the kernel's doesn't have.
    More(&'static str),
    /// It has a mark that only a vendor's has.
    Vendor(&'static str, &'static str),
}

/// A vendor, a mark that its modpost bears, and whether a dialect has it.
type Mark = (&'static str, &'static str, fn(&Dialect) -> bool);

/// What only vendors' modposts have.
const MARKS: &[Mark] = &[
    ("RHEL or Fedora", "rhelversion", |d| d.kernel.rhel_version.is_some()),
    ("SUSE", "suserelease", |d| d.kernel.suse_release.is_some()),
    ("SUSE", "MODULE_INFO(supported, ", |d| d.supported_option),
    ("Android", "MODULE_INFO(scmversion, ", |d| d.scmversion_option),
    ("Amazon", "fips140", |d| d.fips140_option),
    ("Ubuntu", "static const char ____versions[]", |d| d.packed_versions),
    ("Oracle", "sdtinfo", |_| false),
    ("Oracle", "_sdt_probes", |_| false),
    ("SUSE", ".klp.sym.rela.", |d| d.livepatch_option),
    ("linux-hardened", "writable function pointer", |d| d.writable_pointers_option),
];

impl Texts {
    /// Those of a program.
    #[must_use]
    pub(crate) const fn of_program(bytes: Vec<u8>) -> Self {
        Self { bytes, of_source: false }
    }

    /// Those of a program's C source, its files one after the other.
    #[must_use]
    pub(crate) fn of_source(source: &[u8]) -> Self {
        Self { bytes: source::literals(source), of_source: true }
    }

    fn has(&self, text: &str) -> bool {
        memmem::find(&self.bytes, text.as_bytes()).is_some()
    }

    /// What it hands to getopt(3).
    #[must_use]
    pub fn options(&self) -> Option<String> {
        let mut words = self.bytes.split(|&byte| byte == 0);
        // The first two options are the same everywhere.
        let is_options = |word: &&[u8]| {
            word.starts_with(b"ei:") && word.len() > 8 && word.iter().all(|b| b.is_ascii_alphabetic() || *b == b':')
        };
        words.find(is_options).map(|word| String::from_utf8_lossy(word).into_owned())
    }

    /// Everything that speaks against its being a kernel's.
    #[must_use]
    pub fn findings(&self, dialect: &Dialect) -> Vec<Finding> {
        let mut findings = Vec::new();
        let theirs = self.options();
        let (wanted, had) = (options_of(dialect), theirs.as_deref().map(parse_options).unwrap_or_default());
        if wanted != had {
            let list = |letters: &BTreeSet<Letter>, others: &BTreeSet<Letter>| {
                letters.difference(others).map(|(letter, _)| *letter).collect::<String>()
            };
            findings.push(Finding::Options { theirs, missing: list(&wanted, &had), more: list(&had, &wanted) });
        }
        let groups = table::GROUPS.iter().filter(|(holds, _)| holds(dialect));
        let readable = |text: &&&'static str| !(self.of_source && table::OF_HEADERS.contains(*text));
        let missing = groups.flat_map(|(_, texts)| *texts).filter(readable).filter(|text| !self.has(text));
        findings.extend(missing.map(|text| Finding::Missing(text)));
        let strange = MARKS.iter().filter(|(_, mark, holds)| !holds(dialect) && self.has(mark));
        findings.extend(strange.map(|(vendor, mark, _)| Finding::Vendor(vendor, mark)));
        findings
    }
}

/// An option, and whether it takes an argument.
type Letter = (char, bool);

fn parse_options(options: &str) -> BTreeSet<Letter> {
    let letters: Vec<char> = options.chars().collect();
    let takes = |at: usize| letters.get(at + 1) == Some(&':');
    (0..letters.len()).filter(|&at| letters[at] != ':').map(|at| (letters[at], takes(at))).collect()
}

fn options_of(dialect: &Dialect) -> BTreeSet<Letter> {
    let command = cli::command(dialect);
    let arguments = command.get_arguments();
    arguments.filter_map(|argument| Some((argument.get_short()?, argument.get_action().takes_values()))).collect()
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Options { theirs: None, .. } => f.write_str("it has no options of modpost's"),
            Self::Options { theirs: Some(theirs), missing, more } => {
                write!(f, "its options are \"{theirs}\"")?;
                match (&missing[..], &more[..]) {
                    ("", more) => write!(f, ", {more} among them"),
                    (missing, "") => write!(f, ", without {missing}"),
                    (missing, more) => write!(f, ", without {missing}, but with {more}"),
                }
            }
            Self::Missing(text) => write!(f, "it lacks the text \"{}\"", text.escape_default()),
            Self::More(text) => write!(f, "it has the text \"{}\"", text.escape_default()),
            Self::Vendor(vendor, mark) => write!(f, "it has \"{mark}\", as the modpost of {vendor} has"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(name: &str) -> Dialect {
        Dialect::named(name.as_bytes()).unwrap_or_else(|| unreachable!("{name}"))
    }

    /// All texts of a dialect, as its program would have them.
    fn program(name: &str, options: &str) -> Vec<u8> {
        let dialect = dialect(name);
        let groups = table::GROUPS.iter().filter(|(holds, _)| holds(&dialect));
        let texts = groups.flat_map(|(_, texts)| *texts).map(|text| format!("{text}\0"));
        format!("\0{options}\0{}", texts.collect::<String>()).into_bytes()
    }

    #[test]
    fn options_in_any_order() {
        for (name, options) in [
            ("5.10", "ei:mnT:o:awENd:"),
            ("6.1", "ei:mnT:o:aWwENd:"),
            ("6.4", "ei:mnT:o:awENd:"),
            ("6.6", "ei:MmnT:to:au:WwENd:"),
            ("7.1", "ei:MmnT:to:au:WwENd:xb"),
            ("suse/6.12", "ei:MmnT:to:au:WwENd:S:"),
            ("android/6.6", "ei:MmnT:to:au:WwENd:v:"),
            ("amazon/6.18", "ei:MmnT:to:au:WwENd:xbc"),
            ("rhel/9.6", "ei:mnT:o:awENd:"),
        ] {
            let name = if name == "6.1" { "6.1.79" } else { name };
            assert_eq!(parse_options(options), options_of(&dialect(name)), "{name}");
        }
    }

    #[test]
    fn findings() {
        let found = |program: Vec<u8>, name: &str| {
            let findings = Texts::of_program(program).findings(&dialect(name));
            findings.iter().map(Finding::to_string).collect::<Vec<_>>()
        };
        let whole = || program("6.12", "ei:MmnT:to:au:WwENd:");
        assert!(found(whole(), "6.12").is_empty());
        let text = String::from_utf8_lossy(&whole()).into_owned();
        let corrupted = text.replacen("%s has no symtab?", "%s has no symtab!", 1).into_bytes();
        assert_eq!(found(corrupted, "6.12"), ["it lacks the text \"%s has no symtab?\\n\""]);
        let other = program("6.12", "ei:MmnT:to:au:WwENd:x");
        assert_eq!(found(other, "6.12"), ["its options are \"ei:MmnT:to:au:WwENd:x\", x among them"]);
        let other = program("6.12", "ei:MmnT:to:au:WENd:b");
        let expected = "its options are \"ei:MmnT:to:au:WENd:b\", without w, but with b";
        assert_eq!(found(other, "6.12"), [expected]);
        let more = [whole(), b"MODULE_INFO(rhelversion, \"%d.%d\");\n\0".to_vec()].concat();
        assert_eq!(found(more, "6.12"), ["it has \"rhelversion\", as the modpost of RHEL or Fedora has"]);
        assert_eq!(found(Vec::new(), "6.12")[0], "it has no options of modpost's");
    }
}
