//! The parsers of dependency files: rules `TARGET: SOURCE DEPENDENCY…`, as
//! compilers write them.

use std::borrow::Cow;

/// A word of a dependency file that isn't a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// The file's name.
    pub(crate) name: Cow<'a, [u8]>,
    /// Whether it is the first after a target, which is what is compiled.
    pub(crate) is_source: bool,
}

/// The words of a file, as fixdep of a kernel up to 6.2 finds them: white space
/// and backslashes are between words, and a word that ends in a colon is a
/// target. What `is_left_out` is passed over, even as a source.
pub(crate) fn by_word(text: &[u8], is_left_out: impl Fn(&[u8]) -> bool) -> impl Iterator<Item = Word<'_>> {
    let mut is_source = false;
    let words = text.split(|byte| matches!(byte, b' ' | b'\\' | b'\n')).filter(|word| !word.is_empty());
    words.filter_map(move |name| {
        if name.ends_with(b":") {
            is_source = true;
            return None;
        }
        if is_left_out(name) {
            return None;
        }
        Some(Word { name: name.into(), is_source: std::mem::take(&mut is_source) })
    })
}

/// A comment ends the file in a backslash: the original reads past the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unterminated {
    /// Where the backslash is, in bytes.
    pub(crate) offset: usize,
}

/// The words of a file, as fixdep of a kernel since 6.3 finds them.
pub(crate) struct ByRule<'a> {
    text: &'a [u8],
    at: usize,
    /// The next word is a target.
    is_target: bool,
    /// The next word that isn't is the source.
    is_source: bool,
}

impl<'a> ByRule<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, is_target: true, is_source: false }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    /// Passes over a comment. A backslash hides the next byte, a newline too.
    fn comment(&mut self) -> Result<(), Unterminated> {
        while let Some(byte) = self.byte(self.at).filter(|&byte| byte != b'\n') {
            if byte == b'\\' && self.at + 1 == self.text.len() {
                return Err(Unterminated { offset: self.at });
            }
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
        Ok(())
    }

    /// Passes over what is between words, and notes what the next word is.
    fn between(&mut self) -> Result<(), Unterminated> {
        while let Some(byte) = self.byte(self.at) {
            match byte {
                b'#' => {
                    self.comment()?;
                    continue;
                }
                b' ' | b'\t' => {}
                b'\\' if self.byte(self.at + 1) == Some(b'\n') => self.at += 1,
                b'\n' => self.is_target = true,
                b':' => (self.is_target, self.is_source) = (false, true),
                _ => break,
            }
            self.at += 1;
        }
        Ok(())
    }

    /// The word that begins here, without the backslashes before `#` and `:`.
    fn word(&mut self) -> Cow<'a, [u8]> {
        let begin = self.at;
        let mut escapes = Vec::new();
        while let Some(byte) = self.byte(self.at) {
            match (byte, self.byte(self.at + 1)) {
                (b' ' | b'\t' | b'\n' | b'#' | b':', _) | (b'\\', Some(b'\n')) => break,
                (b'\\', next) => {
                    if matches!(next, Some(b'#' | b':')) {
                        escapes.push(self.at - begin);
                    }
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        // A backslash may be the last byte.
        self.at = self.at.min(self.text.len());
        let word = &self.text[begin..self.at];
        if escapes.is_empty() {
            return word.into();
        }
        let kept = word.iter().enumerate().filter(|(at, _)| escapes.binary_search(at).is_err());
        kept.map(|(_, &byte)| byte).collect()
    }

    /// The next word that isn't a target.
    pub(crate) fn next_word(&mut self) -> Result<Option<Word<'a>>, Unterminated> {
        loop {
            self.between()?;
            if self.at == self.text.len() {
                return Ok(None);
            }
            let name = self.word();
            if !self.is_target {
                return Ok(Some(Word { name, is_source: std::mem::take(&mut self.is_source) }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<'a>(words: impl IntoIterator<Item = Word<'a>>) -> Vec<String> {
        let show = |word: Word| format!("{}{}", if word.is_source { "*" } else { "" }, word.name.escape_ascii());
        words.into_iter().map(show).collect()
    }

    fn by_rule(text: &str) -> Vec<String> {
        let mut words = ByRule::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(word) = words.next_word().expect("no comment is cut") {
            found.push(word);
        }
        shown(found)
    }

    #[test]
    fn words_between_white_space() {
        let words = |text: &str| shown(by_word(text.as_bytes(), |name| name == b"left/out"));
        assert_eq!(words("a.o: a.c \\\n b.h\n"), ["*a.c", "b.h"]);
        assert_eq!(words("a.o: left/out a.c left/out"), ["*a.c"]);
        assert_eq!(words("a.o b.o: x\\y\tz : c"), ["a.o", "*x", "y\\tz", "*c"]);
    }

    #[test]
    fn rules_as_make_has_them() {
        assert_eq!(by_rule("a.o: a.c \\\n b.h\nb.o: b.c"), ["*a.c", "b.h", "*b.c"]);
        assert_eq!(by_rule("# c \\\n d: e\na.o b.o:a.c#x\n"), ["*a.c"]);
        assert_eq!(by_rule("a.o: a\\#b\\:c\\ d \\e\\"), ["*a#b:c\\\\ d", "\\\\e\\\\"]);
        assert_eq!(by_rule("a.o:\nb.o c.o: d"), ["*d"]);
        assert_eq!(ByRule::new(b"#a\\").next_word(), Err(Unterminated { offset: 2 }));
    }
}
