//! Tokens, as flex finds them: of all that fit, the longest.

use memchr::memchr;

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// The text ends here, or within what would be the next token.
    End,
    /// A line marker: `# 12 "file.h" 1`.
    FileName,
    /// An identifier or keyword.
    Identifier,
    /// `"…"`
    String,
    /// `'…'`
    Character,
    Integer,
    Real,
    /// `...`
    Dots,
    /// An operator of several bytes.
    Other,
    /// Any other byte.
    Byte(u8),
}

/// A token, and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) token: Token,
    pub(crate) begin: usize,
    pub(crate) end: usize,
}

/// A place in the text, a part of the source that consists of whole lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scanner {
    pub(crate) at: usize,
    /// Lines that ended and were not counted yet.
    pub(crate) lines: i32,
}

/// What ends passing over braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// The closing brace.
    Brace,
    /// A line marker, from here on.
    Marker(usize),
    /// The end of the text, or of what can be told from it.
    End,
    /// A NUL, which ends the source.
    Nul,
}

const IDENTIFIER: u8 = 1;
const DIGIT: u8 = 2;
const BLANK: u8 = 4;
/// It means something between braces.
const BETWEEN_BRACES: u8 = 8;

/// What a byte may be part of.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => IDENTIFIER,
            b'0'..=b'9' => DIGIT,
            b' ' | b'\t' | b'\r' | b'\x0b' | b'\x0c' => BLANK,
            b'{' | b'}' | b'"' | b'\'' | b'\n' | b'#' | 0 => BETWEEN_BRACES,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

const fn is(byte: u8, classes: u8) -> bool {
    CLASSES[byte as usize] & classes != 0
}

/// How many bytes at the beginning of a text are of some kind.
fn run(text: &[u8], is_one: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|&byte| !is_one(byte)).unwrap_or(text.len())
}

fn digits(text: &[u8]) -> usize {
    run(text, |byte| byte.is_ascii_digit())
}

/// The length of an integer, with its suffix; 0 if there is none.
pub(crate) fn integer(text: &[u8]) -> usize {
    let length = match text {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => 2 + run(&text[2..], |b| b.is_ascii_hexdigit()),
        [b'0', ..] => run(text, |byte| matches!(byte, b'0'..=b'7')),
        _ => digits(text),
    };
    if length == 0 {
        return 0;
    }
    length
        + match &text[length..] {
            [b'u' | b'U', b'l' | b'L', ..] | [b'l' | b'L', b'u' | b'U', ..] => 2,
            [b'u' | b'U' | b'l' | b'L', ..] => 1,
            _ => 0,
        }
}

/// The length of a number with a point or an exponent; 0 if there is none.
fn real(text: &[u8]) -> usize {
    let whole = digits(text);
    let fraction = match text.get(whole) {
        Some(b'.') => digits(&text[whole + 1..]),
        _ => 0,
    };
    let has_point = text.get(whole) == Some(&b'.') && whole + fraction > 0;
    let mut length = if has_point { whole + 1 + fraction } else { whole };
    let exponent = match &text[length..] {
        [b'e' | b'E', b'+' | b'-', rest @ ..] => Some((2, digits(rest))),
        [b'e' | b'E', rest @ ..] => Some((1, digits(rest))),
        _ => None,
    };
    let exponent = exponent.filter(|&(_, digits)| digits > 0);
    if !has_point && (whole == 0 || exponent.is_none()) {
        return 0;
    }
    length += exponent.map_or(0, |(mark, digits)| mark + digits);
    length + usize::from(matches!(text.get(length), Some(b'f' | b'F' | b'l' | b'L')))
}

/// The length of what a quote begins; 0 if it doesn't end, `None` if the text ends before
/// it. A backslash takes the next byte along, unless that ends the line.
fn quoted(text: &[u8]) -> Option<usize> {
    let quote = text[0];
    let mut at = 1;
    while let Some(found) = memchr::memchr2(quote, b'\\', &text[at..]) {
        at += found;
        if text[at] == quote {
            return Some(at + 1);
        }
        if *text.get(at + 1)? == b'\n' {
            return Some(0);
        }
        at += 2;
    }
    None
}

/// The parts of a line marker: where its line number and its file's name are.
pub(crate) fn marker(line: &[u8]) -> Option<(usize, std::ops::Range<usize>)> {
    let blanks = |text: &[u8]| run(text, |byte| matches!(byte, b' ' | b'\t'));
    let number = 1 + Some(blanks(&line[1..])).filter(|&blanks| blanks > 0)?;
    let after = number + Some(integer(&line[number..])).filter(|&length| length > 0)?;
    let quote = after + Some(blanks(&line[after..])).filter(|&blanks| blanks > 0)?;
    (line.get(quote) == Some(&b'"')).then_some(())?;
    let length = memchr(b'"', &line[quote + 1..]).filter(|&length| length > 0)?;
    Some((number, quote + 1..quote + 1 + length))
}

impl Scanner {
    /// Passes over all tokens up to the brace that closes as many as are open.
    pub(crate) fn pass_braces(&mut self, text: &[u8], is_last: bool, open: &mut usize) -> Passed {
        loop {
            self.at += run(&text[self.at..], |byte| !is(byte, BETWEEN_BRACES));
            let Some(&byte) = text.get(self.at) else { return Passed::End };
            let begin = self.at;
            self.at += 1;
            match byte {
                b'{' => *open += 1,
                b'}' => {
                    *open -= 1;
                    if *open == 0 {
                        return Passed::Brace;
                    }
                }
                b'\n' => self.lines = self.lines.wrapping_add(1),
                b'#' if text[begin - 1] == b'\n' => {
                    let Some(end) = memchr(b'\n', &text[begin..]) else { continue };
                    self.at = begin + end + 1;
                    if marker(&text[begin..begin + end]).is_some() {
                        return Passed::Marker(begin);
                    }
                    self.lines = self.lines.wrapping_add(1);
                }
                b'#' => {}
                0 => return Passed::Nul,
                _ => match quoted(&text[begin..]) {
                    None if !is_last => {
                        self.at = begin;
                        return Passed::End;
                    }
                    length => self.at = begin + length.unwrap_or(0).max(1),
                },
            }
        }
    }

    /// The next token. If more text follows, what goes on there is left where it begins.
    pub(crate) fn next(&mut self, text: &[u8], is_last: bool) -> Scanned {
        loop {
            let begin = self.at;
            let ends_here = Scanned { token: Token::End, begin, end: begin };
            let Some(&first) = text.get(begin) else { return ends_here };
            let rest = &text[begin..];
            let (token, length) = match first {
                b'"' | b'\'' | b'L' if first != b'L' || matches!(rest.get(1), Some(b'"' | b'\'')) => {
                    let wide = usize::from(first == b'L');
                    match quoted(&rest[wide..]) {
                        None if !is_last => return ends_here,
                        None | Some(0) if first == b'L' => (Token::Identifier, 1),
                        None | Some(0) => (Token::Byte(first), 1),
                        Some(length) if rest[wide] == b'"' => (Token::String, wide + length),
                        Some(length) => (Token::Character, wide + length),
                    }
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => {
                    (Token::Identifier, run(rest, |byte| is(byte, IDENTIFIER | DIGIT)))
                }
                b' ' | b'\t' | b'\r' | b'\x0b' | b'\x0c' => {
                    self.at += run(rest, |byte| is(byte, BLANK));
                    continue;
                }
                b'\n' => {
                    self.at += 1;
                    self.lines = self.lines.wrapping_add(1);
                    continue;
                }
                b'#' if begin == 0 || text[begin - 1] == b'\n' => match memchr(b'\n', rest) {
                    None => (Token::Byte(first), 1),
                    Some(end) if marker(&rest[..end]).is_some() => (Token::FileName, end + 1),
                    Some(end) => {
                        self.at += end + 1;
                        self.lines = self.lines.wrapping_add(1);
                        continue;
                    }
                },
                b'0'..=b'9' => {
                    let (integer, real) = (integer(rest), real(rest));
                    if real > integer { (Token::Real, real) } else { (Token::Integer, integer) }
                }
                b'.' => match real(rest) {
                    0 if rest.starts_with(b"...") => (Token::Dots, 3),
                    0 => (Token::Byte(first), 1),
                    length => (Token::Real, length),
                },
                _ => match [first, rest.get(1).copied().unwrap_or(0)] {
                    [b'~' | b'%' | b'^' | b'&' | b'*' | b'+' | b'=' | b'|' | b'<' | b'>' | b'/' | b'-', b'=']
                    | [b'&', b'&']
                    | [b'|', b'|']
                    | [b'-', b'>']
                    | [b'<', b'<']
                    | [b'>', b'>'] => (Token::Other, 2),
                    _ => (Token::Byte(first), 1),
                },
            };
            self.at += length;
            return Scanned { token, begin, end: self.at };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut scanner = Scanner { at: 0, lines: 0 };
        let mut tokens = Vec::new();
        loop {
            let Scanned { token, begin, end } = scanner.next(text.as_bytes(), true);
            if token == Token::End {
                return tokens;
            }
            tokens.push(text[begin..end].escape_debug().to_string());
        }
    }

    #[test]
    fn the_longest_token() {
        assert_eq!(tokens("a->b...c"), ["a", "->", "b", "...", "c"]);
        assert_eq!(
            tokens("1ULL 0x1fUL 08 1.5e3f .5 1. 1e5 1e 1...2"),
            ["1UL", "L", "0x1fUL", "0", "8", "1.5e3f", ".5", "1.", "1e5", "1", "e", "1.", ".", ".2"].map(str::to_owned)
        );
        assert_eq!(tokens("L\"a\\\"b\" L'x' Lx \"cut"), ["L\\\"a\\\\\\\"b\\\"", "L\\'x\\'", "Lx", "\\\"", "cut"]);
        assert_eq!(tokens("\"a\\\nb\""), ["\\\"", "a", "\\\\", "b", "\\\""]);
        assert_eq!(tokens("!= == <<= ++"), ["!", "=", "==", "<<", "=", "+", "+"]);
    }

    #[test]
    fn lines_and_markers() {
        assert_eq!(tokens("# 1 \"a.h\" 1\n#pragma {\n # x\n#"), ["# 1 \\\"a.h\\\" 1\\n", "#", "x", "#"]);
        assert_eq!(marker(b"# 12 \"a.h\" 3"), Some((2, 6..9)));
        assert_eq!(marker(b"# 08 \"a.h\""), None);
        assert_eq!(marker(b"# 1 \"\""), None);
    }
}
