//! Sources without what doesn't change their meaning: comments and white
//! space go, strings stay as they are.

use memchr::memmem;

use super::Md4;
use crate::bytes::is_space;

/// Feeds a source's meaningful bytes to the digest.
pub(super) fn digest(source: &[u8], md4: &mut Md4) {
    let mut rest = source;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'\\' if after.first() == Some(&b'\n') => &after[1..],
            byte if is_space(byte) => after,
            b'"' => {
                let len = string_len(rest);
                rest[..len].iter().for_each(|&byte| md4.push(byte));
                &rest[len..]
            }
            b'/' if after.first() == Some(&b'*') => &rest[comment_len(rest)..],
            byte => {
                md4.push(byte);
                after
            }
        };
    }
}

/// The length of the string that `text` begins with, quotes included: to the
/// first quote that no backslash precedes, not even an escaped one.
fn string_len(text: &[u8]) -> usize {
    let end = text.windows(2).position(|pair| pair[1] == b'"' && pair[0] != b'\\');
    end.map_or(text.len(), |at| at + 2)
}

/// The length of the comment that `text` begins with. `/*/` is one.
fn comment_len(text: &[u8]) -> usize {
    memmem::find(&text[1..], b"*/").map_or(text.len(), |at| at + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(source: &str) -> String {
        let mut md4 = Md4::default();
        digest(source.as_bytes(), &mut md4);
        md4.finish()
    }

    fn plain(bytes: &str) -> String {
        let mut md4 = Md4::default();
        bytes.bytes().for_each(|byte| md4.push(byte));
        md4.finish()
    }

    #[test]
    fn what_is_left_of_sources() {
        for (source, left) in [
            ("int a;\n", "inta;"),
            ("a \\\n b", "ab"),
            ("a\\b", "a\\b"),
            ("a/* x */b", "ab"),
            ("a/*/b", "ab"),
            ("a/* never ends", "a"),
            ("a / *b", "a/*b"),
            ("p(\"a b /* c */\");", "p(\"a b /* c */\");"),
            ("\"a\\\"b c\" d", "\"a\\\"b c\"d"),
            ("\"never ends ", "\"never ends "),
            ("\"\" x", "\"\"x"),
            ("a // b", "a//b"),
        ] {
            assert_eq!(sum(source), plain(left), "{source:?}");
        }
    }
}
