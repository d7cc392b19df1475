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

/// How many states and nonterminals the tables have room for.
const STATES: usize = 256;
const NONTERMINALS: usize = 64;

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

/// The positions of which the first that has a value gives a rule's. Without an action,
/// that is the first symbol's; an empty rule has none.
fn value(rule: &Rule) -> Vec<usize> {
    let is_silent = rule.actions.iter().any(|action| action.name == "none");
    match &rule.value[..] {
        [] if !is_silent && !rule.right.is_empty() => vec![1],
        positions => positions.to_vec(),
    }
}

/// Whether a rule only gives a symbol another name.
fn is_renaming(rule: &Rule) -> bool {
    rule.right.len() == 1 && rule.actions.is_empty() && value(rule) == [1]
}

fn rule(rule: &Rule, tokens: usize) -> String {
    let is_renaming = is_renaming(rule);
    let mut value = value(rule);
    value.resize(4, 0);
    let actions: Vec<_> = rule.actions.iter().filter(|action| action.name != "none").map(action).collect();
    let (left, length, actions) = (rule.left - tokens, rule.right.len(), actions.join(", "));
    format!(
        "Rule {{ left: {left}, length: {length}, value: {value:?}, is_renaming: {is_renaming}, actions: &[{actions}] }}"
    )
}

/// The state that a parser is in, above another, after it has given the last symbol all
/// names that it can without looking at a token: these steps need not be made one by one.
fn after_renaming(grammar: &Grammar, rows: &[Row], below: &Row, state: usize) -> usize {
    match rows[state].default.map(|number| &grammar.rules[number]) {
        Some(rule) if rows[state].steps.is_empty() && is_renaming(rule) => {
            after_renaming(grammar, rows, below, below.gotos[&rule.left])
        }
        _ => state,
    }
}

/// A line for each state, of as many as a byte can count.
fn of_states<T: std::fmt::Debug>(rows: &[Row], of: impl Fn(&Row) -> T) -> String {
    let nothing = Row { steps: Default::default(), default: None, gotos: Default::default() };
    let rows = rows.iter().chain(std::iter::repeat(&nothing)).take(STATES);
    format!("&{:?}", rows.map(of).collect::<Vec<_>>())
}

fn steps(grammar: &Grammar, rows: &[Row], row: &Row) -> Vec<i16> {
    let step = |token| match row.steps.get(&token) {
        Some(&Step::Shift(state)) => after_renaming(grammar, rows, row, state) as i16,
        Some(&Step::Reduce(rule)) => -(rule as i16),
        None => 0,
    };
    (0..grammar.tokens).map(step).collect()
}

fn tables(name: &str, grammar: &Grammar, tables: &Tables) -> String {
    let tokens = grammar.tokens;
    let rows = &tables.rows;
    let goto = |row: &Row, symbol: usize| {
        let state = row.gotos.get(&(tokens + symbol));
        state.map_or(0, |&state| after_renaming(grammar, rows, row, state))
    };
    let rules: Vec<_> = grammar.rules.iter().map(|one| rule(one, tokens)).collect();
    format!(
        "/// Made of a grammar.\npub(crate) static {name}: Tables = Tables {{\n    accept: {},\n    steps: {},\n    \
         defaults: {},\n    reads: {},\n    gotos: {},\n    rules: &[{}],\n}};\n",
        tables.accept,
        of_states(rows, |row| steps(grammar, rows, row)),
        of_states(rows, |row| row.default.unwrap_or(0)),
        of_states(rows, |row| !row.steps.is_empty()),
        of_states(rows, |row| (0..NONTERMINALS).map(|symbol| goto(row, symbol)).collect::<Vec<_>>()),
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
        let nonterminals = grammar.symbols.len() - grammar.tokens;
        if made.rows.len() > STATES || grammar.rules.len() > 256 || nonterminals > NONTERMINALS {
            return Err(
                format!("grammar/{file}: more states, rules or nonterminals than the tables have room for").into()
            );
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
