//! Sources without what doesn't change their meaning: comments and white
//! space go, strings stay as they are.

use base::bytes::is_space;
use memchr::memchr_iter;
use memchr::memmem::Finder;

/// What a byte begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    /// Itself, which stays.
    Plain,
    /// White space, which goes.
    Space,
    /// Perhaps more than itself: a string, a comment, or a continued line.
    More,
}

const BEGINS: [Begins; 256] = {
    let mut table = [Begins::Plain; 256];
    let mut byte = 0;
    while byte < table.len() {
        if is_space(byte as u8) {
            table[byte] = Begins::Space;
        }
        byte += 1;
    }
    table[b'\\' as usize] = Begins::More;
    table[b'"' as usize] = Begins::More;
    table[b'/' as usize] = Begins::More;
    table
};

/// Replaces `kept` by a source's meaningful bytes.
pub fn strip(source: &[u8], kept: &mut Vec<u8>) {
    let end_of_comment = Finder::new(b"*/");
    kept.resize(source.len(), 0);
    let (mut at, mut len) = (0, 0);
    while let Some(&byte) = source.get(at) {
        let begins = BEGINS[usize::from(byte)];
        if begins != Begins::More {
            // Nearly all bytes: whether they stay decides no branch.
            kept[len] = byte;
            len += usize::from(begins == Begins::Plain);
            at += 1;
            continue;
        }
        let rest = &source[at..];
        let (read, stays) = match (byte, rest.get(1)) {
            (b'\\', Some(b'\n')) => (2, 0),
            (b'"', _) => (string_len(rest), string_len(rest)),
            // `/*/` is a comment.
            (b'/', Some(b'*')) => (end_of_comment.find(&rest[1..]).map_or(rest.len(), |end| end + 3), 0),
            _ => (1, 1),
        };
        kept[len..len + stays].copy_from_slice(&rest[..stays]);
        len += stays;
        at += read;
    }
    kept.truncate(len);
}

/// The length of the string that `text` begins with, quotes included: to the
/// first quote that no backslash precedes, not even an escaped one.
fn string_len(text: &[u8]) -> usize {
    let mut quotes = memchr_iter(b'"', text).filter(|&at| at > 0 && text[at - 1] != b'\\');
    quotes.next().map_or(text.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let mut kept = b"of another source".to_vec();
            strip(source.as_bytes(), &mut kept);
            assert_eq!(kept, left.as_bytes(), "{source:?}");
        }
    }
}
