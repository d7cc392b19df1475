//! The states of a grammar's automaton, LR(0), in the order in which bison finds
//! them: those that a state leads to by its symbols, in the symbols' order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::grammar::{Grammar, Symbol};

/// A rule, and how much of it was seen.
pub(crate) type Item = (usize, usize);

#[derive(Debug)]
pub(crate) struct State {
    /// The state that each symbol leads to.
    pub(crate) next: BTreeMap<Symbol, usize>,
    /// The rules of which all was seen, in order.
    pub(crate) reductions: Vec<usize>,
}

impl State {
    /// Whether no token has to be seen to know what to do: there is one reduction,
    /// and nothing else.
    pub(crate) fn is_consistent(&self, grammar: &Grammar) -> bool {
        let shifts = self.next.keys().any(|&symbol| symbol < grammar.tokens);
        !(self.reductions.len() > 1 || (self.reductions.len() == 1 && shifts))
    }
}

fn closure(grammar: &Grammar, kernel: &BTreeSet<Item>) -> BTreeSet<Item> {
    let mut items = kernel.clone();
    let mut todo: Vec<Item> = items.iter().copied().collect();
    while let Some((rule, at)) = todo.pop() {
        let Some(&symbol) = grammar.rules[rule].right.get(at) else { continue };
        for (number, _) in grammar.rules.iter().enumerate().filter(|(_, rule)| rule.left == symbol) {
            if items.insert((number, 0)) {
                todo.push((number, 0));
            }
        }
    }
    items
}

pub(crate) fn states(grammar: &Grammar) -> Vec<State> {
    let mut kernels = vec![BTreeSet::from([(0, 0)])];
    let mut numbers: HashMap<BTreeSet<Item>, usize> = HashMap::from([(kernels[0].clone(), 0)]);
    let mut states = Vec::new();
    while states.len() < kernels.len() {
        let items = closure(grammar, &kernels[states.len()]);
        let mut kernels_by_symbol: BTreeMap<Symbol, BTreeSet<Item>> = BTreeMap::new();
        let mut reductions = Vec::new();
        for (rule, at) in items {
            match grammar.rules[rule].right.get(at) {
                Some(&symbol) => drop(kernels_by_symbol.entry(symbol).or_default().insert((rule, at + 1))),
                None => reductions.push(rule),
            }
        }
        let mut next = BTreeMap::new();
        for (symbol, kernel) in kernels_by_symbol {
            let number = *numbers.entry(kernel.clone()).or_insert_with(|| {
                kernels.push(kernel);
                kernels.len() - 1
            });
            next.insert(symbol, number);
        }
        states.push(State { next, reductions });
    }
    states
}
