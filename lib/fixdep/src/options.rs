//! The configuration options that a text mentions.

use hashbrown::HashSet;
use memchr::memmem;

/// What an option's name begins with in a source.
const PREFIX: &[u8] = b"CONFIG_";
/// What C adds to the name of an option that is set to `m`.
const MODULE: &[u8] = b"_MODULE";

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Finds options in texts, each once.
#[derive(Debug)]
pub(crate) struct Options {
    finder: memmem::Finder<'static>,
    seen: HashSet<Box<[u8]>, foldhash::fast::FixedState>,
    /// Whether a file's name is the option's, or its words in lower case.
    names_kept: bool,
}

impl Options {
    pub(crate) fn new(names_kept: bool) -> Self {
        Self { finder: memmem::Finder::new(PREFIX), seen: HashSet::default(), names_kept }
    }

    /// Writes a dependency on each option that the text mentions and none did
    /// before: what follows `CONFIG_` where that doesn't follow a letter, digit or
    /// `_`.
    pub(crate) fn list(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        while let Some(found) = self.finder.find(&text[at..]) {
            let begin = at + found;
            at = begin + PREFIX.len();
            if begin > 0 && is_word(text[begin - 1]) {
                continue;
            }
            let length = text[at..].iter().take_while(|&&byte| is_word(byte)).count();
            let name = &text[at..at + length];
            at += length;
            let name = name.strip_suffix(MODULE).unwrap_or(name);
            if !name.is_empty() && !self.seen.contains(name) {
                self.seen.insert(name.into());
                self.write(name, out);
            }
        }
    }

    fn write(&self, name: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"    $(wildcard include/config/");
        if self.names_kept {
            out.extend_from_slice(name);
        } else {
            let lower = name.iter().map(|&byte| if byte == b'_' { b'/' } else { byte.to_ascii_lowercase() });
            let mut path: Vec<u8> = lower.collect();
            path.dedup_by(|next, byte| (*byte, *next) == (b'/', b'/'));
            out.extend_from_slice(path.strip_prefix(b"/").unwrap_or(&path));
            out.extend_from_slice(b".h");
        }
        out.extend_from_slice(b") \\\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names_kept: bool, text: &str) -> Vec<String> {
        let mut out = Vec::new();
        Options::new(names_kept).list(text.as_bytes(), &mut out);
        let names = out.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(|line| {
            let line = String::from_utf8_lossy(line);
            line.trim_start_matches("    $(wildcard include/config/").trim_end_matches(") \\").to_owned()
        });
        names.collect()
    }

    #[test]
    fn names_end_where_words_end() {
        let text = "CONFIG_A XCONFIG_B _CONFIG_C (CONFIG_D_MODULE) CONFIG_A+CONFIG_CONFIG_E CONFIG_ CONFIG__MODULE";
        assert_eq!(listed(true, text), ["A", "D", "CONFIG_E"]);
    }

    #[test]
    fn words_in_lower_case() {
        assert_eq!(listed(false, "CONFIG_X86_64 CONFIG__A__B_ CONFIG_\n CONFIG___"), ["x86/64.h", "a/b/.h", ".h"]);
    }
}
