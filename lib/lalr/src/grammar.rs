//! Grammars, and how they are written down.
//!
//! ```text
//! # A comment.
//! tokens NAME NUMBER ';' ','
//!
//! list
//!     item                            -> first(1) $1
//!     list ',' {next} item            -> $4 | $2
//!     +semicolons list ';' item
//!     error ';'
//!
//! item
//!     %empty                          -> none
//!     NAME
//! ```
//!
//! A line that begins at the margin names a nonterminal; below it, each line is one
//! of its rules, in the order that decides conflicts. What stands in braces is an
//! action in the middle of a rule, which is a nonterminal of its own, as in yacc.
//! After the arrow come actions, with the positions of what they work on, and then
//! the rule's value: the first of the positions that has one. Without any, it is
//! that of the first symbol. `+NAME` and `-NAME` before a rule keep it for
//! grammars that have a feature, or haven't.

use std::fmt;

/// A terminal or nonterminal: tokens come first.
pub type Symbol = usize;

/// The token that ends the input.
pub const END: Symbol = 0;
/// The token that a rule has where an error may be.
pub const ERROR: Symbol = 1;
/// The token of what the grammar doesn't know.
pub const UNDEFINED: Symbol = 2;

/// An action of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// The positions that it works on, from 1.
    pub positions: Vec<usize>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it makes.
    pub left: Symbol,
    /// Of what.
    pub right: Vec<Symbol>,
    /// What is done then.
    pub actions: Vec<Action>,
    /// The positions of which the first that has a value gives the rule's, from 1.
    pub value: Vec<usize>,
}

/// A grammar. Its first rule makes `$accept` of the start symbol and the end.
#[derive(Clone, Debug)]
pub struct Grammar {
    /// The names of all symbols, tokens first.
    pub symbols: Vec<String>,
    /// How many of them are tokens.
    pub tokens: usize,
    /// All rules.
    pub rules: Vec<Rule>,
}

/// A line of a grammar that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Malformed {}

/// A rule as it is written, with names.
struct Written<'a> {
    line: usize,
    left: String,
    right: Vec<&'a str>,
    end: &'a str,
}

/// A rule's line without its condition, if that holds.
fn kept<'a>(words: &'a str, features: &[&str]) -> Option<&'a str> {
    let words = words.trim();
    let (wanted, condition) = match (words.strip_prefix('+'), words.strip_prefix('-')) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) if !rest.starts_with('>') => (false, rest),
        _ => return Some(words),
    };
    let (feature, rest) = condition.split_once(' ').unwrap_or((condition, ""));
    (features.contains(&feature) == wanted).then_some(rest.trim())
}

/// The actions and the value after a rule's arrow.
fn ending(text: &str) -> Result<(Vec<Action>, Vec<usize>), String> {
    let position = |text: &str| text.trim().parse().map_err(|_| format!("not a position: {text}"));
    let (actions, value) = match text.find('$') {
        Some(begin) => text.split_at(begin),
        None => (text, ""),
    };
    let action = |word: &str| {
        let (name, positions) = word.split_once('(').unwrap_or((word, ")"));
        let positions = positions.strip_suffix(')').ok_or_else(|| format!("no closing parenthesis: {word}"))?;
        let positions = positions.split(',').filter(|text| !text.is_empty()).map(position);
        Ok(Action { name: name.to_owned(), positions: positions.collect::<Result<_, String>>()? })
    };
    let actions = actions.split_whitespace().map(action).collect::<Result<_, String>>()?;
    let value = value.split('|').filter(|text| !text.trim().is_empty());
    let value = value.map(|text| position(text.trim().trim_start_matches('$')));
    Ok((actions, value.collect::<Result<_, _>>()?))
}

impl Grammar {
    /// Reads a grammar, with some of its features.
    ///
    /// # Errors
    /// If a line makes no sense, or names a symbol that there isn't.
    pub fn parse(text: &str, features: &[&str]) -> Result<Self, Malformed> {
        let mut symbols: Vec<String> = ["$end", "error", "$undefined"].map(str::to_owned).into();
        let mut written: Vec<Written<'_>> = Vec::new();
        let mut left = None;
        for (number, line) in text.lines().enumerate() {
            let line = if line.trim_start().starts_with('#') { "" } else { line };
            let is_rule = line.starts_with(' ');
            if let Some(tokens) = line.strip_prefix("tokens ") {
                symbols.extend(tokens.split_whitespace().map(str::to_owned));
            } else if line.trim().is_empty() {
            } else if !is_rule {
                left = Some(line.trim().to_owned());
            } else if let Some(rule) = kept(line, features) {
                let (right, end) = rule.split_once("->").unwrap_or((rule, ""));
                let right = right.split_whitespace().filter(|&word| word != "%empty").collect();
                let missing = || Malformed { line: number + 1, what: "a rule of nothing".to_owned() };
                written.push(Written { line: number + 1, left: left.clone().ok_or_else(missing)?, right, end });
            }
        }
        Self::number(symbols, written)
    }

    /// Gives symbols and rules their numbers: nonterminals in the order of their first
    /// rules, and actions in the middle of a rule before it.
    fn number(mut symbols: Vec<String>, written: Vec<Written<'_>>) -> Result<Self, Malformed> {
        let tokens = symbols.len();
        symbols.push("$accept".to_owned());
        let mut actions = 0;
        let mut all: Vec<(Written<'_>, Vec<String>)> = Vec::new();
        for rule in written {
            if !symbols.contains(&rule.left) {
                symbols.push(rule.left.clone());
            }
            let mut right = Vec::new();
            for word in &rule.right {
                match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
                    Some(action) => {
                        actions += 1;
                        let name = format!("$@{actions}");
                        symbols.push(name.clone());
                        right.push(name.clone());
                        all.push((Written { line: rule.line, left: name, right: Vec::new(), end: action }, Vec::new()));
                    }
                    None => right.push((*word).to_owned()),
                }
            }
            all.push((rule, right));
        }
        let start = tokens + 1;
        let accept = Rule { left: tokens, right: vec![start, END], actions: Vec::new(), value: vec![1] };
        let mut rules = vec![accept];
        for (Written { line, left, end, .. }, right) in all {
            let malformed = |what| Malformed { line, what };
            let find = |name: &String| {
                let number = symbols.iter().position(|symbol| symbol == name);
                number.ok_or_else(|| malformed(format!("there is no symbol {name}")))
            };
            let (left, right) = (find(&left)?, right.iter().map(find).collect::<Result<Vec<_>, _>>()?);
            let (actions, value) = ending(end).map_err(malformed)?;
            if let Some(position) =
                actions.iter().flat_map(|action| &action.positions).chain(&value).find(|&&n| n > right.len())
            {
                return Err(malformed(format!("the rule has no position {position}")));
            }
            rules.push(Rule { left, right, actions, value });
        }
        Ok(Self { symbols, tokens, rules })
    }

    /// Whether each symbol may be nothing.
    pub(crate) fn nullable(&self) -> Vec<bool> {
        let mut nullable = vec![false; self.symbols.len()];
        loop {
            let next = self.rules.iter().find(|rule| !nullable[rule.left] && rule.right.iter().all(|&s| nullable[s]));
            match next {
                Some(rule) => nullable[rule.left] = true,
                None => return nullable,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_actions_and_features() {
        let text = "tokens A B\nx\n    A {go} B -> make(1,3) stop $3 | $1\n    +more B\n    -more A A\n    %empty\n";
        let grammar = Grammar::parse(text, &["more"]).expect("a grammar");
        assert_eq!(grammar.symbols, ["$end", "error", "$undefined", "A", "B", "$accept", "x", "$@1"]);
        let rights: Vec<_> = grammar.rules.iter().map(|rule| rule.right.clone()).collect();
        assert_eq!(rights, [vec![6, 0], vec![], vec![3, 7, 4], vec![4], vec![]]);
        assert_eq!(grammar.rules[2].actions[0], Action { name: "make".to_owned(), positions: vec![1, 3] });
        assert_eq!(grammar.rules[2].value, [3, 1]);
        assert_eq!(grammar.rules[1].actions[0].name, "go");
    }

    #[test]
    fn what_is_malformed() {
        let what = |text| Grammar::parse(text, &[]).map(|_| ()).expect_err("malformed").what;
        assert_eq!(what("x\n    A\n"), "there is no symbol A");
        assert_eq!(what("tokens A\nx\n    A -> $2\n"), "the rule has no position 2");
        assert_eq!(what("    A\n"), "a rule of nothing");
    }
}
