//! Names and strings of others, written so that a terminal shows them and does nothing else.
//!
//! A file's name, a module's description or a line of a list can hold escape sequences
//! that move the cursor, set the title or answer for the user, line breaks that look like
//! messages of the program, and characters that change the direction of writing. What
//! people read has a sequence as in C instead of each. A backslash stays as it is: the
//! sequences are for reading, and `--json` is for getting the bytes back.

use std::borrow::Cow;

/// Whether a character acts on a terminal instead of being shown: control characters, line
/// and paragraph separators, and those that change the direction of writing (Unicode's
/// `Bidi_Control`).
fn acts(character: char) -> bool {
    let is_direction = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    character.is_control() || is_direction || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Text with a sequence for each byte that isn't UTF-8 and each character that acts on a
/// terminal, such as `\n`, `\x1b` and `\u{202e}`. Other text is readable as it is.
#[must_use]
pub fn escape(text: &[u8]) -> Cow<'_, [u8]> {
    escape_but(text, |_| false)
}

/// Text that is more than one line: as [`escape`], but newlines and tabs are kept.
#[must_use]
pub fn escape_lines(text: &[u8]) -> Cow<'_, [u8]> {
    escape_but(text, |character| matches!(character, '\n' | '\t'))
}

fn escape_but(text: &[u8], is_kept: impl Fn(char) -> bool) -> Cow<'_, [u8]> {
    let acts = |character| acts(character) && !is_kept(character);
    let is_readable = |chunk: std::str::Utf8Chunk<'_>| chunk.invalid().is_empty() && !chunk.valid().contains(acts);
    if text.utf8_chunks().all(is_readable) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                character if !acts(character) => escaped.push(character),
                '\n' | '\r' | '\t' => escaped.extend(character.escape_default()),
                character if character.is_ascii() => escaped += &format!("\\x{:02x}", u32::from(character)),
                character => escaped.extend(character.escape_unicode()),
            }
        }
        escaped.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    Cow::Owned(escaped.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        for (text, escaped) in [
            (&b"vfio_pci:v*d* [a-z] \\"[..], "vfio_pci:v*d* [a-z] \\"),
            ("Gerät 装置 \u{1f427}".as_bytes(), "Gerät 装置 \u{1f427}"),
            (b"a\x1b[2Jb\r\nc\td\0\x7f", r"a\x1b[2Jb\r\nc\td\x00\x7f"),
            (b"\x9b31m\xff", r"\x9b31m\xff"),
            ("\u{9b}31m".as_bytes(), r"\u{9b}31m"),
            ("a\u{202e}b\u{2066}c\u{2069}\u{200f}".as_bytes(), r"a\u{202e}b\u{2066}c\u{2069}\u{200f}"),
            ("a\u{2028}b".as_bytes(), r"a\u{2028}b"),
            (b"", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&escape(text)), escaped);
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(*escape_lines(b"a\tb\nc\r\x1b\n"), *b"a\tb\nc\\r\\x1b\n");
    }
}
