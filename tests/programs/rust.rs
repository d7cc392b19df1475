//! Calls of programs in Rust's sources.

use crate::shell;

/// A token; comments and spaces are none.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A name or a number.
    Word(String),
    /// The contents of a string.
    Text(String),
    /// Any other character.
    Mark(char),
}

use Token::{Mark, Text, Word};

/// The length of a comment, a character or a lifetime that starts here, if one does.
fn skipped(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let mut rest = text.strip_prefix('\'')?.char_indices();
    let (_, first) = rest.next()?;
    if first == '\\' {
        // The character after the backslash may be the quote.
        rest.next()?;
        return rest.find(|(_, char)| *char == '\'').map(|(at, _)| at + 2);
    }
    match rest.next() {
        Some((at, '\'')) => Some(at + 2),
        _ => Some(1),
    }
}

/// A string that starts here: what it contains, and how long it is in the source.
fn string(text: &str) -> Option<(String, usize)> {
    let start = text.strip_prefix('b').unwrap_or(text);
    let prefix = text.len() - start.len();
    if let Some(raw) = start.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let contents = raw[hashes..].strip_prefix('"')?;
        let end = contents.find(&format!("\"{}", "#".repeat(hashes)))?;
        return Some((contents[..end].to_owned(), prefix + 1 + hashes + 1 + end + 1 + hashes));
    }
    let contents = start.strip_prefix('"')?;
    let (mut value, mut chars) = (String::new(), contents.char_indices().peekable());
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, prefix + 1 + at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                '\n' => while chars.next_if(|(_, char)| char.is_whitespace()).is_some() {},
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

fn tokens(mut text: &str) -> Vec<Token> {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let mut tokens = Vec::new();
    while let Some(char) = text.chars().next() {
        let length = if let Some(length) = skipped(text) {
            length
        } else if let Some((value, length)) = string(text) {
            tokens.push(Text(value));
            length
        } else if is_word(char) {
            let length = text.find(|char| !is_word(char)).unwrap_or(text.len());
            tokens.push(Word(text[..length].to_owned()));
            length
        } else {
            if !char.is_whitespace() {
                tokens.push(Mark(char));
            }
            char.len_utf8()
        };
        text = &text[length..];
    }
    tokens
}

/// The tokens up to a mark that ends the expression which starts here.
fn expression<'a>(tokens: &'a [Token], ends: &[char]) -> &'a [Token] {
    let mut depth = 0;
    let end = tokens.iter().position(|token| {
        let Mark(mark) = token else { return false };
        if depth == 0 && ends.contains(mark) {
            return true;
        }
        depth += i32::from("([{".contains(*mark)) - i32::from(")]}".contains(*mark));
        false
    });
    &tokens[..end.unwrap_or(tokens.len())]
}

/// An expression as it is written, but for its spaces.
fn written(tokens: &[Token]) -> String {
    let write = |token: &Token| match token {
        Word(word) => word.clone(),
        Text(text) => format!("{text:?}"),
        Mark(mark) => mark.to_string(),
    };
    tokens.iter().map(write).collect()
}

/// Finds the value that a name has at `at`: that of the last `let` before it in the same
/// function, so that no parameter is mistaken for it, or of a constant.
fn value<'a>(tokens: &'a [Token], name: &str, at: usize) -> Option<&'a [Token]> {
    let sets = |window: &[Token], keywords: &[&str]| matches!(window, [Word(keyword), Word(found)] if found == name && keywords.contains(&&keyword[..]));
    let function = tokens[..at].iter().rposition(|token| *token == Word("fn".to_owned())).unwrap_or(0);
    let local =
        tokens[function..at].windows(2).rposition(|window| sets(window, &["let"])).map(|found| function + found);
    let start = local.or_else(|| tokens.windows(2).position(|window| sets(window, &["const", "static"])))?;
    let rest = &tokens[start..];
    let equals = rest.iter().position(|token| *token == Mark('='))?;
    Some(expression(&rest[equals + 1..], &[';']))
}

/// Returns the contents of a string that is a literal, a name's value or made by `format!`.
/// An unknown value in it becomes a variable of the shell.
fn contents(tokens: &[Token], all: &[Token], at: usize) -> Option<String> {
    match tokens {
        [Mark('&'), rest @ ..] => contents(rest, all, at),
        [Text(text)] => Some(text.clone()),
        [Word(name)] => contents(value(all, name, at)?, all, at),
        [Word(format), Mark('!'), Mark('('), Text(text), ..] if format == "format" => {
            let (mut filled, mut rest) = (String::new(), &text[..]);
            while let Some((before, after)) = rest.split_once(['{', '}']) {
                filled += before;
                let is_open = rest[before.len()..].starts_with('{');
                if after.starts_with(if is_open { '{' } else { '}' }) {
                    filled.push(if is_open { '{' } else { '}' });
                    rest = &after[1..];
                    continue;
                }
                let (name, after) = after.split_once('}').unwrap_or((after, ""));
                let inserted = value(all, name, at).and_then(|inner| contents(inner, all, at));
                filled += inserted.as_deref().unwrap_or("$inserted");
                rest = after;
            }
            Some(filled + rest)
        }
        _ => None,
    }
}

/// Whether an expression, or the value of the name that it is, says that it is a program of
/// ours, an original, or a file in a directory that the test names.
fn is_known(tokens: &[Token], all: &[Token], at: usize) -> bool {
    let inner = match tokens {
        [Word(name)] | [Mark('&'), Word(name)] => value(all, name, at).unwrap_or_default(),
        _ => tokens,
    };
    let text = written(inner);
    ["ours(", "env!(", "current_exe(", ".program", ".join("].iter().any(|mark| text.contains(mark))
}

/// Programs that run another one, which is among their arguments.
const WRAPPERS: &[&str] = &[
    "chroot", "env", "nice", "nsenter", "prlimit", "setpriv", "setsid", "sudo", "taskset", "timeout", "unshare",
    "xargs",
];

/// The programs that a source calls; an expression that does not say which, and a program
/// that runs another one, are in parentheses.
pub(crate) fn calls(source: &str) -> Vec<String> {
    const SHELLS: &[&str] = &["sh", "bash", "dash", "/bin/sh", "/bin/bash"];
    let tokens = tokens(source);
    // clap has a type of the same name, which runs nothing.
    let is_clap = source.contains("use clap::{");
    let start = ["Command", ":", ":", "new", "("];
    let mut calls = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let window = &tokens[at..(at + start.len()).min(tokens.len())];
        if !is_clap && window.iter().map(|token| written(std::slice::from_ref(token))).eq(start) {
            let program = expression(&tokens[at + start.len()..], &[')']);
            match contents(program, &tokens, at) {
                // A path without a root is a kernel tree's own program.
                Some(name) if name.contains('/') && !name.starts_with('/') => {}
                Some(name) => {
                    let name = name.rsplit('/').next().unwrap_or_default();
                    calls.push(name.to_owned());
                    calls.extend(WRAPPERS.contains(&name).then(|| format!("({name})")));
                }
                None if is_known(program, &tokens, at) => {}
                None => calls.push(format!("({})", written(program))),
            }
        }
        let Text(text) = token else { continue };
        if text.starts_with("#!/bin/sh\n") || text.starts_with("#!/bin/bash\n") {
            let formatted = contents(&tokens[at.saturating_sub(3)..=at], &tokens, at);
            calls.extend(shell::calls(formatted.as_deref().unwrap_or(text)));
        }
        let near = &tokens[at.saturating_sub(40)..(at + 40).min(tokens.len())];
        let is_shell = near.iter().any(|token| matches!(token, Text(text) if SHELLS.contains(&&text[..])));
        if is_shell && text.starts_with('-') && text.ends_with('c') && text.len() <= 4 {
            let script = expression(&tokens[(at + 2).min(tokens.len())..], &[',', ']', ')']);
            match contents(script, &tokens, at) {
                Some(text) => calls.extend(shell::calls(&text)),
                None => calls.push(format!("({})", written(script))),
            }
        }
    }
    calls
}

#[test]
fn calls_of_rust_are_found() {
    let found = |source: &str| calls(source).join(" ");
    assert_eq!(found("Command::new(\"ld\").args([\"-e\", \"0\"])"), "ld");
    assert_eq!(
        found("// Command::new(\"ld\")\nlet c = ['\"', '\\'']; Command::new(\"/usr/lib/apt/apt-helper\")"),
        "apt-helper"
    );
    assert_eq!(found("const TOOL: &str = \"depmod\";\nCommand::new(TOOL)"), "depmod");
    let other = "fn f() { let program = ours(\"x\"); } fn g(program: &str) { Command::new(program) }";
    assert_eq!(found(other), "(program)");
    assert_eq!(found("fn run(program: &str) { Command::new(program).output() }"), "(program)");
    assert_eq!(found("Command::new(ours(\"modpost\")?.program)"), "");
    assert_eq!(found("let program = dir.join(\"x\"); Command::new(&program)"), "");
    let nested = "const START: &str = \"f() { case $1 in a | b) ps ;; esac; }\"; \
        shell(\"bash\", \"-c\", &format!(\"{START}\\n{command}\\n{{ awk; }}\"))";
    assert_eq!(found(nested), "ps awk");
    let line = "let line = format!(\"mount {disk} && {ours} -i | zstd\"); \
        Command::new(\"unshare\").args([\"--mount\", \"sh\", \"-c\", &line])";
    assert_eq!(found(line), "unshare (unshare) mount zstd");
    assert_eq!(found("write(\"#!/bin/sh\\nps aux\\n\")"), "ps");
    assert_eq!(found("format!(\"#!/bin/sh\\n{commands}\\nps {{\\n\")"), "ps");
    assert_eq!(found("fn run(line: &str) { Command::new(\"sh\").args([\"-c\", line]) }"), "sh (line)");
}
