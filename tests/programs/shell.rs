//! Calls of programs in the shell's scripts.

use std::collections::BTreeSet;

/// Commands of the shell itself. They run no other command.
const BUILTINS: &str = ". : break cd continue declare eval exit export false getopts hash kill local printf pwd read \
                        readarray readonly return set shift source test trap true type ulimit umask unset wait [ [[ echo";
/// Words that come before a command.
const BEFORE: &str = "! { ( do elif else if then until while exec command";
/// Programs that run another one.
const WRAPPERS: &[&str] = &["sudo", "xargs", "env", "nice", "timeout"];

/// A token: a word without its quotes, or an operator.
#[derive(Debug, PartialEq)]
enum Token {
    /// Whether the shell takes it literally; its text.
    Word(bool, String),
    Operator(char),
}

use Token::{Operator, Word};

/// Reads a script; the scripts of substitutions, `$(...)`, are put into `inner`.
struct Reader<'a> {
    rest: &'a str,
    inner: Vec<String>,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let char = self.rest.chars().next()?;
        self.rest = &self.rest[char.len_utf8()..];
        Some(char)
    }

    /// Reads what follows a dollar sign.
    fn expansion(&mut self) {
        let (open, close, is_script) = match self.rest.chars().next() {
            Some('(') if self.rest.starts_with("((") => ('(', ')', false),
            Some('(') => ('(', ')', true),
            Some('{') => ('{', '}', false),
            _ => return,
        };
        let (mut depth, start) = (0, self.rest);
        while let Some(char) = self.next() {
            match char {
                '\\' => drop(self.next()),
                '\'' if is_script => while self.next().is_some_and(|char| char != '\'') {},
                _ if char == open => depth += 1,
                _ if char == close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        let inside = &start[1..(start.len() - self.rest.len()).max(2) - 1];
        if is_script {
            self.inner.push(inside.to_owned());
            return;
        }
        let (rest, mut inside) = (self.rest, inside);
        while let Some((_, expansion)) = inside.split_once('$') {
            self.rest = expansion;
            self.expansion();
            inside = self.rest;
        }
        self.rest = rest;
    }

    fn word(&mut self) -> Token {
        let (mut is_literal, mut text) = (true, String::new());
        while let Some(char) = self.rest.chars().next() {
            if char.is_whitespace() || ";&|()<>".contains(char) {
                break;
            }
            self.next();
            match char {
                '\'' => text.extend(std::iter::from_fn(|| self.next().filter(|char| *char != '\''))),
                '"' => {
                    while let Some(char) = self.next().filter(|char| *char != '"') {
                        match char {
                            '\\' => text.extend(self.next()),
                            '$' => {
                                is_literal = false;
                                self.expansion();
                            }
                            _ => text.push(char),
                        }
                    }
                }
                '\\' => text.extend(self.next()),
                '$' => {
                    is_literal = false;
                    self.expansion();
                }
                _ => text.push(char),
            }
        }
        Word(is_literal, text)
    }

    fn tokens(&mut self) -> Vec<Token> {
        let mut tokens = Vec::new();
        let mut documents: Vec<(String, bool)> = Vec::new();
        while let Some(char) = self.rest.chars().next() {
            match char {
                '\\' if self.rest.starts_with("\\\n") => self.rest = &self.rest[2..],
                '\n' => {
                    self.next();
                    tokens.push(Operator('\n'));
                    for (end, is_indented) in documents.drain(..) {
                        self.document(&end, is_indented);
                    }
                }
                ' ' | '\t' => drop(self.next()),
                '#' => self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..],
                '<' if self.rest.starts_with("<<") => {
                    self.rest = self.rest.trim_start_matches('<');
                    let is_indented = self.rest.starts_with('-');
                    self.rest = self.rest.trim_start_matches(['-', ' ']);
                    if let Word(_, end) = self.word() {
                        documents.push((end, is_indented));
                    }
                }
                // A file, or the other stream.
                '<' | '>' => {
                    self.rest = self.rest.trim_start_matches(['<', '>', '&', ' ']);
                    if self.rest.starts_with('(') {
                        self.expansion();
                    } else {
                        self.word();
                    }
                }
                ';' | '&' | '|' | '(' | ')' => {
                    self.next();
                    tokens.push(Operator(char));
                }
                _ => {
                    let word = self.word();
                    let is_number = matches!(&word, Word(true, text) if text.chars().all(|char| char.is_ascii_digit()));
                    // The number of a stream is a part of what redirects it.
                    if !(is_number && self.rest.starts_with(['<', '>'])) {
                        tokens.push(word);
                    }
                }
            }
        }
        tokens
    }

    /// Skips a document: the lines up to one with these words.
    fn document(&mut self, end: &str, is_indented: bool) {
        while !self.rest.is_empty() {
            let line = self.rest.split('\n').next().unwrap_or_default();
            self.rest = self.rest[line.len()..].trim_start_matches('\n');
            if (if is_indented { line.trim_start_matches('\t') } else { line }) == end {
                break;
            }
        }
    }
}

fn has(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|other| other == word)
}

fn is_assignment(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default().trim_end_matches('+');
    name.len() < word.len() && !name.is_empty() && name.chars().all(|char| char.is_alphanumeric() || char == '_')
}

/// The programs that a script calls.
pub(crate) fn calls(script: &str) -> Vec<String> {
    let mut reader = Reader { rest: script, inner: Vec::new() };
    let tokens = reader.tokens();
    let functions: BTreeSet<&str> = tokens
        .windows(3)
        .filter_map(|window| match window {
            [Word(true, name), Operator('('), Operator(')')] => Some(&name[..]),
            _ => None,
        })
        .collect();
    let mut calls = Vec::new();
    // Whether a command may start, a pattern of `case` does, and options of a word of BEFORE do.
    let (mut starts, mut is_pattern, mut is_option, mut is_case) = (true, false, false, false);
    let mut tokens = tokens.iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            Operator(';') if tokens.next_if_eq(&&Operator(';')).is_some() => is_pattern = true,
            Operator(')') if is_pattern => (is_pattern, starts, is_option) = (false, true, false),
            Operator(_) if is_pattern => {}
            Operator(_) => (starts, is_option) = (true, false),
            Word(_, word) if is_pattern => {
                if word == "esac" {
                    (is_pattern, starts) = (false, false);
                }
            }
            Word(_, word) if !starts => {
                is_pattern = is_case && word == "in";
                is_case &= !is_pattern;
            }
            Word(true, word) if ["for", "case"].contains(&&word[..]) => {
                (starts, is_case) = (false, word == "case");
            }
            Word(_, word) if is_assignment(word) => {
                // A list of words is none of commands.
                if word.ends_with('=') && tokens.next_if_eq(&&Operator('(')).is_some() {
                    tokens.by_ref().find(|token| **token == Operator(')'));
                }
            }
            Word(_, word) if is_option && word.starts_with('-') => {
                // An option of env or command with a word of its own.
                if ["-u", "-v"].contains(&&word[..]) {
                    tokens.next();
                }
            }
            Word(true, word) if is_option && word.chars().all(|char| char.is_ascii_digit()) => {}
            Word(true, word) if has(BEFORE, word) => is_option = true,
            Word(true, word) if WRAPPERS.contains(&&word[..]) => {
                is_option = true;
                calls.push(word.clone());
            }
            Word(is_literal, word) => {
                starts = false;
                let is_ours = word.contains(['/', '@']) || functions.contains(&word[..]);
                let is_end = ["fi", "done", "esac", "}", "]]"].contains(&&word[..]);
                if *is_literal && !is_ours && !is_end && !word.is_empty() && !has(BUILTINS, word) {
                    calls.push(word.clone());
                }
            }
        }
    }
    for inner in reader.inner {
        calls.extend(self::calls(&inner).into_iter().filter(|call| !functions.contains(&call[..])));
    }
    calls
}

#[test]
fn calls_of_the_shell_are_found() {
    let found = |script: &str| calls(script).join(" ");
    assert_eq!(found("cd x && find . | cpio -o >../out; A=1 exec B=2 strace -f ls"), "find cpio strace");
    assert_eq!(found("if ! grep -q x f; then\n\tzstd f\nelse\n\txz f\nfi"), "grep zstd xz");
    assert_eq!(found("case $a in\nx | y) gzip ;;\n*) ps ;;\nesac\nbc"), "gzip ps bc");
    assert_eq!(found("for a in $(ls | sort); do rm \"$(basename $a)\"; done"), "rm ls sort basename");
    assert_eq!(found("f() {\n\tsed 's/a b/c;d/' \"$1\" # awk\n}\nf; $program x; \"$dir/x\"; ./y"), "sed");
    assert_eq!(found("cat <<END\nperl is text\nEND\nwc <<-'E'\n\tnot this\n\tE\njq"), "cat wc jq");
    assert_eq!(
        found(
            "a=(1 2); exec 9>lock; f() { ps; }; env -u A B=1 timeout 60 awk; if true; then case x in (y) bc; esac; fi"
        ),
        "ps env timeout awk bc"
    );
    assert_eq!(found("command -v ps >/dev/null ||\n\n\ndo case x in y) jq ;; esac"), "jq");
    assert_eq!(found("x=$(($(date +%s) - a)) y=${z:-$(id)}\nread -r a b < <(ps)"), "date id ps");
}
