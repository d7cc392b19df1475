//! The string literals of C sources.

/// Every string literal, without what the compiler takes from it: escapes, and
/// the borders between literals that follow one another. Each ends in a NUL.
#[must_use]
pub(crate) fn literals(source: &[u8]) -> Vec<u8> {
    let mut texts = Vec::new();
    let mut open = false;
    let mut rest = source;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'"' => {
                open = true;
                string(after, &mut texts)
            }
            b' ' | b'\t' | b'\n' => after,
            b'\\' if after.first() == Some(&b'\n') => &after[1..],
            b'/' if after.starts_with(b"*") => skip_past(after, b"*/"),
            b'/' if after.starts_with(b"/") => skip_past(after, b"\n"),
            _ => {
                if open {
                    texts.push(0);
                    open = false;
                }
                if byte == b'\'' { skip_character(after) } else { after }
            }
        };
    }
    if open {
        texts.push(0);
    }
    texts
}

fn skip_past<'s>(source: &'s [u8], end: &[u8]) -> &'s [u8] {
    memchr::memmem::find(source, end).map_or(&[], |at| &source[at + end.len()..])
}

/// What follows a character constant.
fn skip_character(source: &[u8]) -> &[u8] {
    let mut at = 0;
    while let Some(&byte) = source.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\'' => return &source[at + 1..],
            // An apostrophe of something else.
            b'\n' => return source,
            _ => at += 1,
        }
    }
    source
}

/// Takes the rest of a literal; returns what follows it.
fn string<'s>(source: &'s [u8], texts: &mut Vec<u8>) -> &'s [u8] {
    let mut at = 0;
    while let Some(&byte) = source.get(at) {
        at += 1;
        match byte {
            b'"' => return &source[at..],
            b'\\' => {
                let Some(&escaped) = source.get(at) else { break };
                at += 1;
                match escaped {
                    b'n' => texts.push(b'\n'),
                    b't' => texts.push(b'\t'),
                    b'0' => texts.push(0),
                    b'\n' => {}
                    other => texts.push(other),
                }
            }
            _ => texts.push(byte),
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::literals;

    #[test]
    fn literals_as_a_compiler_has_them() {
        for (source, expected) in [
            ("f(\"a\\n\"\n\t  \"b\\t\\\"\", \"c\");", "a\nb\t\"\0c\0"),
            ("x = '\"'; y = \"it's\"; // \"no\"\nz = '\\''; \"end\"", "it's\0end\0"),
            ("/* \"no\" */ \"a\" /* and */ \"b\"", "ab\0"),
            ("#define A \"a\" \\\n\t\"b\"\n#define B", "ab\0"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&literals(source.as_bytes())), expected, "{source}");
        }
    }
}
