//! `Module.supported`, by which SUSE's modpost marks modules as supported
//! (`add-suse-supported-flag.patch` of SUSE's kernel source).
//!
//! Each line is a pattern and, after the first space or tab, how what it
//! matches is supported: `yes` if nothing follows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use base::bytes::{base_name, is_space, until_nul};
use base::fnmatch::fnmatch;
use base::message::{Fatal, Kind, Message, Severity, strerror, text};
use base::textfile;
use memchr::{memchr, memchr2, memrchr};

use crate::kind;

/// The longest line that the original reads, in bytes.
const LINE_MAX: usize = 4095;

/// The list of supported modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Supported {
    file: Vec<u8>,
    text: Vec<u8>,
}

/// What the list says of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// How it is supported, as in `yes` or `external`.
    pub how: Option<Vec<u8>>,
    /// Messages on patterns.
    pub messages: Vec<Message>,
}

impl Supported {
    /// Reads a list. One that can't be read is empty.
    ///
    /// # Errors
    /// If it is a directory, at which the original crashes.
    pub(crate) fn read(file: &[u8]) -> Result<Self, Fatal> {
        match File::open(textfile::path(file)).and_then(|file| read_lines(&mut BufReader::new(file))) {
            Err(error) if error.kind() == ErrorKind::IsADirectory => {
                let text = text!("{}: {}\n", file, strerror(&error));
                Err(Fatal::refusal(Kind::FILE, text).caused_by(error))
            }
            text => Ok(Self { file: file.to_vec(), text: text.unwrap_or_default() }),
        }
    }

    /// What the first line that matches says of a module.
    ///
    /// # Errors
    /// If a bracket of a pattern has no end: the original then reads on past
    /// the pattern.
    pub(crate) fn verdict(&self, module: &[u8]) -> Result<Verdict, Fatal> {
        let mut verdict = Verdict::default();
        for (offset, line) in lines(&self.text) {
            let end = memchr2(b' ', b'\t', line);
            let how = end.map_or(&b"yes"[..], |end| &line[end + 1..]);
            let pattern = &line[..end.unwrap_or(line.len())];
            let pattern = pattern.strip_suffix(b".ko").filter(|stem| !stem.is_empty()).unwrap_or(pattern);
            let mut with_underscores = |path: &[u8]| {
                let base = base_name(path);
                let converted = underscores(base, &mut verdict.messages).ok_or_else(|| self.unended(offset))?;
                Ok::<_, Fatal>([&path[..path.len() - base.len()], &converted].concat())
            };
            let (pattern, name) = (with_underscores(pattern)?, with_underscores(module)?);
            let has_wildcards = pattern.iter().any(|byte| b"[]*?".contains(byte));
            let matches =
                if has_wildcards { fnmatch(&pattern, &name) } else { fnmatch(base_name(&pattern), base_name(&name)) };
            if matches {
                verdict.how = Some(how.to_vec());
                break;
            }
        }
        Ok(verdict)
    }

    fn unended(&self, offset: usize) -> Fatal {
        let text = text!("{}: line at offset {}: bracket without end\n", self.file, offset.to_string());
        Fatal::refusal(kind::SUPPORTED_PATTERN, text)
    }
}

/// Reads up to the first line that is too long, which ends the list: `/dev/zero` is one
/// line.
fn read_lines(file: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        let read = file.take(LINE_MAX as u64).read_until(b'\n', &mut text)?;
        let last = &text[memrchr(b'\n', &text).map_or(0, |newline| newline + 1)..];
        let blanks = last.iter().take_while(|&&byte| is_space(byte)).count();
        if read == 0 || last.len() - blanks > LINE_MAX {
            return Ok(text);
        }
    }
}

/// The lines, each with its place: without space before them and what follows
/// a NUL. There are no more after one that is too long, and what follows the
/// last newline is not a line.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].iter().take_while(|&&byte| is_space(byte)).count();
        let line = &text[at..][..memchr(b'\n', &text[at..])?];
        let place = at;
        at += line.len();
        (line.len() <= LINE_MAX).then(|| (place, until_nul(line)))
    })
}

/// A name with underscores for its dashes but for those in brackets; `None` if
/// a bracket has no end.
fn underscores(name: &[u8], messages: &mut Vec<Message>) -> Option<Vec<u8>> {
    let mut converted = name.to_vec();
    let mut at = 0;
    while at < converted.len() {
        match converted[at] {
            b'-' => converted[at] = b'_',
            b']' => {
                let text = text!("Unmatched bracket in {}\n", &converted);
                messages.push(Message::new(Severity::Warning, kind::SUPPORTED_PATTERN, text));
            }
            b'[' => at += memchr(b']', &converted[at..])?,
            _ => {}
        }
        at += 1;
    }
    Some(converted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str, module: &str) -> Result<Verdict, Fatal> {
        Supported { file: b"list".to_vec(), text: text.as_bytes().to_vec() }.verdict(module.as_bytes())
    }

    #[test]
    fn how_modules_are_supported() {
        for (text, module, how) in [
            ("drivers/net/a.ko\n", "drivers/net/a", Some("yes")),
            ("drivers/net/a\n", "elsewhere/a", Some("yes")),
            ("a external\n", "a", Some("external")),
            ("a\texternal \n", "a", Some("external ")),
            ("a \n", "a", Some("")),
            ("  \n\n\ta-b.ko\n", "x/a_b", Some("yes")),
            ("a_b\n", "x/a-b", Some("yes")),
            ("drivers/net/*\n", "drivers/net/e/b", Some("yes")),
            ("drivers/n-t/*\n", "drivers/n_t/b", None),
            ("*/b[0-9]-\n", "drivers/b1_", Some("yes")),
            ("a\nb\n", "c", None),
            ("b one\nb two\n", "b", Some("one")),
            (".ko\n", ".ko", Some("yes")),
            ("b", "b", None),
            ("", "b", None),
        ] {
            let found = verdict(text, module).ok().map(|verdict| verdict.how);
            assert_eq!(found, Some(how.map(|how| how.as_bytes().to_vec())), "{text:?} {module}");
        }
        let long = |len| format!("{}\nb\n", "a".repeat(len));
        assert!(verdict(&long(4095), "b").is_ok_and(|verdict| verdict.how.is_some()));
        assert!(verdict(&long(4096), "b").is_ok_and(|verdict| verdict.how.is_none()));
    }

    #[test]
    fn what_has_no_end_is_read_no_further_than_it_counts() -> io::Result<()> {
        let len = |file: &mut dyn BufRead| read_lines(file).map(|text| text.len());
        assert!(len(&mut BufReader::new(io::repeat(0)))? <= 2 * LINE_MAX);
        for text in [&b"a\n\nb"[..], b"", &[&[b' '; 5000][..], &[b'x'; 4095], b"\nb\n"].concat()] {
            assert_eq!(len(&mut &*text)?, text.len());
        }
        Ok(())
    }

    #[test]
    fn brackets_that_match_none() {
        let texts = |list: &str| {
            let messages = verdict(list, "m").map(|verdict| verdict.messages).unwrap_or_default();
            messages.into_iter().map(|message| String::from_utf8_lossy(&message.text).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(texts("x-a]b-c\nm\n"), ["Unmatched bracket in x_a]b-c\n"]);
        assert_eq!(texts("[x-y]]-\n"), ["Unmatched bracket in [x-y]]-\n"]);
        let fatal = verdict("m2\na[b\n", "m").err().map(|fatal| fatal.to_string());
        assert_eq!(fatal.as_deref(), Some("list: line at offset 3: bracket without end"));
    }
}
