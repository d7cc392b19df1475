//! Makes the parser's tables of the grammars in `grammar`.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use lalr::grammar::{Action, Grammar, Rule};
use lalr::tables::{Row, Step, Tables};

/// The tables' names, the files with their grammars, and the features of these.
const GRAMMARS: &[(&str, &str, &[&str])] = &[
    ("TO_5_10", "to_6_13", &[]),
    ("TO_6_13", "to_6_13", &["static_assert"]),
    ("IN_6_14", "since_6_14", &[]),
    ("TO_6_19", "since_6_14", &["segments"]),
    ("SINCE_7_0", "since_6_14", &["segments", "declarator_attributes"]),
];

fn camel(name: &str) -> String {
    let words = name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect()
}

fn action(action: &Action) -> String {
    let mut positions = [0; 3];
    for (place, position) in positions.iter_mut().zip(&action.positions) {
        *place = *position;
    }
    format!("(Action::{}, {positions:?})", camel(&action.name))
}

fn rule(rule: &Rule, tokens: usize) -> String {
    // Without an action, a rule's value is that of its first symbol; an empty one has
    // none.
    let is_silent = rule.actions.iter().any(|action| action.name == "none");
    let mut value = rule.value.clone();
    if value.is_empty() && !is_silent && !rule.right.is_empty() {
        value.push(1);
    }
    value.resize(4, 0);
    let actions: Vec<_> = rule.actions.iter().filter(|action| action.name != "none").map(action).collect();
    let (left, length, actions) = (rule.left - tokens, rule.right.len(), actions.join(", "));
    let is_renaming = length == 1 && value == [1, 0, 0, 0] && actions.is_empty();
    format!(
        "Rule {{ left: {left}, length: {length}, value: {value:?}, is_renaming: {is_renaming}, actions: &[{actions}] }}"
    )
}

fn steps(row: &Row, tokens: usize) -> Vec<i16> {
    let step = |token| match row.steps.get(&token) {
        Some(&Step::Shift(state)) => state as i16,
        Some(&Step::Reduce(rule)) => -(rule as i16),
        None => 0,
    };
    (0..tokens).map(step).collect()
}

fn tables(name: &str, grammar: &Grammar, tables: &Tables) -> String {
    let tokens = grammar.tokens;
    let nonterminals = grammar.symbols.len() - tokens;
    let all_steps: Vec<_> = tables.rows.iter().flat_map(|row| steps(row, tokens)).collect();
    let goto = |row: &Row, symbol: usize| row.gotos.get(&(tokens + symbol)).copied().unwrap_or(0) as u8;
    let gotos: Vec<_> =
        tables.rows.iter().flat_map(|row| (0..nonterminals).map(move |symbol| goto(row, symbol))).collect();
    let defaults: Vec<_> = tables.rows.iter().map(|row| row.default.unwrap_or(0) as u8).collect();
    let reads: Vec<_> = tables.rows.iter().map(|row| !row.steps.is_empty()).collect();
    let rules: Vec<_> = grammar.rules.iter().map(|one| rule(one, tokens)).collect();
    format!(
        "/// Made of a grammar.\npub(crate) static {name}: Tables = Tables {{\n    accept: {},\n    nonterminals: {nonterminals},\n    \
         steps: &{all_steps:?},\n    defaults: &{defaults:?},\n    reads: &{reads:?},\n    gotos: &{gotos:?},\n    \
         rules: &[{}],\n}};\n",
        tables.accept,
        rules.join(", ")
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let read = |name: &str| {
        println!("cargo::rerun-if-changed=grammar/{name}");
        fs::read_to_string(Path::new("grammar").join(name))
    };
    let tokens = read("tokens")?;
    let mut out = String::new();
    let mut actions = std::collections::BTreeSet::new();
    for (number, (name, file, features)) in GRAMMARS.iter().enumerate() {
        let grammar = Grammar::parse(&[tokens.clone(), read(file)?].concat(), features)
            .map_err(|error| format!("grammar/{file} after grammar/tokens: {error}"))?;
        let made = Tables::of(&grammar);
        if made.rows.len() > 256 || grammar.rules.len() > 256 {
            return Err("there are more states or rules than a byte can count".into());
        }
        actions.extend(grammar.rules.iter().flat_map(|rule| &rule.actions).map(|action| action.name.clone()));
        if number == 0 {
            writeln!(out, "/// How many tokens there are.\npub(crate) const TOKENS: usize = {};", grammar.tokens)?;
            writeln!(out, "/// Tokens by their names.\npub(crate) mod token {{")?;
            for (token, name) in grammar.symbols[..grammar.tokens].iter().enumerate() {
                match name.as_bytes() {
                    // No line marker comes to the parser.
                    [b'\'', ..] | b"FILENAME" => {}
                    _ => {
                        let name = name.trim_start_matches('$').to_uppercase();
                        writeln!(out, "    /// {name}\n    pub(crate) const {name}: u8 = {token};")?;
                    }
                }
            }
            writeln!(out, "}}\n/// Tokens that are bytes.\npub(crate) const LITERALS: &[(u8, u8)] = &[")?;
            for (token, name) in grammar.symbols[..grammar.tokens].iter().enumerate() {
                if let [b'\'', byte, b'\''] = name.as_bytes() {
                    writeln!(out, "    ({byte}, {token}),")?;
                }
            }
            writeln!(out, "];")?;
        }
        out += &tables(name, &grammar, &made);
    }
    writeln!(out, "/// What is done when a rule is reduced.\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]")?;
    writeln!(out, "pub(crate) enum Action {{")?;
    for action in actions.iter().filter(|action| *action != "none") {
        writeln!(out, "    /// `{action}`\n    {},", camel(action))?;
    }
    writeln!(out, "}}")?;
    let target = std::env::var_os("OUT_DIR").ok_or("no directory for the output")?;
    fs::write(Path::new(&target).join("tables.rs"), out)?;
    Ok(())
}
