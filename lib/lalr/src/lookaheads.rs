//! The tokens that may follow a reduction, LALR(1), by the relations of DeRemer and
//! Pennello ("Efficient computation of LALR(1) look-ahead sets", 1982).

use std::collections::{BTreeSet, HashMap};

use crate::grammar::{Grammar, Symbol};
use crate::states::State;

/// A set of tokens.
type Tokens = BTreeSet<Symbol>;

/// Adds to each set those that it is related to, until nothing changes.
fn complete(sets: &mut [Tokens], related: &[Vec<usize>]) {
    loop {
        let mut changed = false;
        for (from, to) in related.iter().enumerate() {
            for &other in to {
                let missing: Vec<Symbol> = sets[other].difference(&sets[from]).copied().collect();
                changed |= !missing.is_empty();
                sets[from].extend(missing);
            }
        }
        if !changed {
            return;
        }
    }
}

/// For each state, and each of its reductions, the tokens that may follow.
pub(crate) fn lookaheads(grammar: &Grammar, states: &[State]) -> Vec<Vec<Tokens>> {
    let nullable = grammar.nullable();
    let is_nonterminal = |symbol: Symbol| symbol >= grammar.tokens;
    // The steps by a nonterminal.
    let mut steps: Vec<(usize, Symbol)> = Vec::new();
    for (state, next) in states.iter().enumerate() {
        steps.extend(next.next.keys().filter(|&&symbol| is_nonterminal(symbol)).map(|&symbol| (state, symbol)));
    }
    let numbers: HashMap<(usize, Symbol), usize> = steps.iter().enumerate().map(|(n, &step)| (step, n)).collect();
    // What follows a step at once, or after something that may be nothing.
    let after = |&(state, symbol): &(usize, Symbol)| states[state].next[&symbol];
    let mut follow: Vec<Tokens> = Vec::new();
    let mut reads: Vec<Vec<usize>> = Vec::new();
    for step in &steps {
        let state = after(step);
        let next = states[state].next.keys().copied();
        follow.push(next.clone().filter(|&symbol| !is_nonterminal(symbol)).collect());
        let nothing = next.filter(|&symbol| is_nonterminal(symbol) && nullable[symbol]);
        reads.push(nothing.map(|symbol| numbers[&(state, symbol)]).collect());
    }
    complete(&mut follow, &reads);
    // A step that ends another includes what follows that.
    let mut includes: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    // The steps that a reduction in a state may make.
    let mut lookback: HashMap<(usize, usize), Vec<usize>> = HashMap::new();
    for (outer, &(from, left)) in steps.iter().enumerate() {
        for (rule, parts) in grammar.rules.iter().enumerate().filter(|(_, rule)| rule.left == left) {
            let mut state = from;
            for (at, &symbol) in parts.right.iter().enumerate() {
                if is_nonterminal(symbol) && parts.right[at + 1..].iter().all(|&s| nullable[s]) {
                    includes[numbers[&(state, symbol)]].push(outer);
                }
                state = states[state].next[&symbol];
            }
            lookback.entry((state, rule)).or_default().push(outer);
        }
    }
    complete(&mut follow, &includes);
    let of_reduction = |state: usize, rule: usize| {
        let steps = lookback.get(&(state, rule)).into_iter().flatten();
        steps.flat_map(|&step| follow[step].iter().copied()).collect()
    };
    let of_state =
        |(number, state): (usize, &State)| state.reductions.iter().map(|&rule| of_reduction(number, rule)).collect();
    states.iter().enumerate().map(of_state).collect()
}
