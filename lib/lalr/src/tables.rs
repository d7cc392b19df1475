//! What a parser does in each state, as bison has it in its tables.

use std::collections::BTreeMap;

use crate::grammar::{ERROR, Grammar, Symbol};
use crate::lookaheads::lookaheads;
use crate::states::{State, states};

/// What a parser does on a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It goes to a state.
    Shift(usize),
    /// It reduces by a rule.
    Reduce(usize),
}

/// What a parser does in a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// On some tokens. If there are none, it doesn't read one.
    pub steps: BTreeMap<Symbol, Step>,
    /// The rule that it reduces by on all others; if there is none, they are errors.
    pub default: Option<usize>,
    /// The state that each nonterminal leads to.
    pub gotos: BTreeMap<Symbol, usize>,
}

/// The tables of a grammar.
#[derive(Clone, Debug)]
pub struct Tables {
    /// A row for each state.
    pub rows: Vec<Row>,
    /// The state in which all was parsed.
    pub accept: usize,
    /// How many shifts won over a reduction, and how many reductions over another.
    pub conflicts: (usize, usize),
}

/// What is known of one state.
fn row(
    grammar: &Grammar,
    state: &State,
    follow: &[std::collections::BTreeSet<Symbol>],
    conflicts: &mut (usize, usize),
) -> Row {
    let (shifts, gotos): (BTreeMap<_, _>, BTreeMap<_, _>) =
        state.next.iter().map(|(&symbol, &to)| (symbol, to)).partition(|&(symbol, _)| symbol < grammar.tokens);
    if state.is_consistent(grammar) {
        let steps = shifts.into_iter().map(|(token, to)| (token, Step::Shift(to))).collect();
        return Row { steps, default: state.reductions.first().copied(), gotos };
    }
    let mut steps: BTreeMap<Symbol, Step> = BTreeMap::new();
    for (&rule, tokens) in state.reductions.iter().zip(follow) {
        for &token in tokens {
            // The first rule wins.
            match steps.get(&token) {
                None => drop(steps.insert(token, Step::Reduce(rule))),
                Some(_) => conflicts.1 += usize::from(!shifts.contains_key(&token)),
            }
        }
    }
    for (&token, &to) in &shifts {
        conflicts.0 += usize::from(steps.insert(token, Step::Shift(to)).is_some());
    }
    // Where an error may be shifted, it must be noticed.
    if shifts.contains_key(&ERROR) {
        return Row { steps, default: None, gotos };
    }
    let count = |&rule: &usize| steps.values().filter(|&&step| step == Step::Reduce(rule)).count();
    // The most common one, the first of several.
    let common = state.reductions.iter().rev().max_by_key(|rule| count(rule)).filter(|rule| count(rule) > 0).copied();
    steps.retain(|_, step| common.is_none_or(|rule| *step != Step::Reduce(rule)));
    Row { steps, default: common, gotos }
}

impl Tables {
    /// Those of a grammar.
    #[must_use]
    pub fn of(grammar: &Grammar) -> Self {
        let states = states(grammar);
        let follow = lookaheads(grammar, &states);
        let mut conflicts = (0, 0);
        let rows =
            states.iter().zip(&follow).map(|(state, follow)| row(grammar, state, follow, &mut conflicts)).collect();
        let accept = states.iter().position(|state| state.reductions.contains(&0)).unwrap_or(0);
        Self { rows, accept, conflicts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(text: &str) -> Tables {
        Tables::of(&Grammar::parse(text, &[]).expect("a grammar"))
    }

    #[test]
    fn shifts_and_first_rules_win() {
        let dangling = "tokens IF ELSE X\ns\n    IF s\n    IF s ELSE s\n    X\n";
        assert_eq!(tables(dangling).conflicts, (1, 0));
        let twice = "tokens X\ns\n    a\n    b\na\n    X\nb\n    X\n";
        assert_eq!(tables(twice).conflicts, (0, 1));
    }

    #[test]
    fn a_state_with_one_reduction_reads_no_token() {
        let tables = tables("tokens A B\ns\n    A B\n");
        let row = tables.rows.iter().find(|row| row.default == Some(1)).expect("the reduction");
        assert!(row.steps.is_empty());
    }

    #[test]
    fn a_state_that_shifts_errors_has_no_default() {
        let tables = tables("tokens A B\ns\n    %empty\n    error B\n    A\n");
        assert_eq!(tables.rows[0].default, None);
        assert_eq!(tables.rows[0].steps[&0], Step::Reduce(1));
    }

    #[test]
    fn lookaheads_are_lalr() {
        // LR(1), and not LALR(1): the states after E that both contexts share reduce by two rules on one token.
        let text = "tokens A B C D E\ns\n    A x C\n    A y D\n    B x D\n    B y C\nx\n    E\ny\n    E\n";
        assert_eq!(tables(text).conflicts, (0, 2));
    }
}
