//! Which section may not refer to which: the tables of
//! `scripts/mod/modpost.c`.

use base::bytes::glob;
use base::message::Kind;
use indexmap::IndexMap;

use crate::dialect::Dialect;
use crate::kind;

/// What a rule is about, for the wording of its report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    TextOrDataToInitOrExit,
    TextToAnyInit,
    DataToAnyInit,
    TextToAnyExit,
    DataToAnyExit,
    XxxInitToSomeInit,
    XxxExitToSomeExit,
    AnyInitToAnyExit,
    AnyExitToAnyInit,
    ExportToInitExit,
    ExtableToNonText,
    DataToText,
}

impl Mismatch {
    /// What a report of it says.
    pub(super) const fn reported_as(self) -> Kind {
        match self {
            Self::ExportToInitExit => kind::EXPORTED_INIT,
            Self::ExtableToNonText => kind::EXTABLE,
            Self::DataToText => kind::WRITABLE_POINTERS,
            _ => kind::SECTION_MISMATCH,
        }
    }
}

/// One rule: a section that matches `from` may not refer to one that matches
/// `bad`, nor, if `good` is not empty, to one that doesn't match `good`.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) kind: Mismatch,
    from: Vec<&'static str>,
    bad: Vec<&'static str>,
    good: Vec<&'static str>,
    /// Symbols that may nevertheless, in kernels in which each rule has its own list.
    pub(super) symbols: &'static [&'static str],
}

/// Sections that aren't looked at.
const IGNORED: &[&str] = &[
    ".comment*",
    ".debug*",
    ".zdebug*",
    ".GCC.command.line",
    ".mdebug*",
    ".pdr",
    ".stab*",
    ".note*",
    ".got*",
    ".toc*",
    ".xt.prop",
    ".xt.lit",
    ".arcextmap*",
    ".gnu.linkonce.arcext*",
    ".cmem*",
    ".fmt_slot*",
    ".gnu.lto*",
    ".discard.*",
];
/// Sections that some kernels don't look at, and which kernels these are.
type IgnoredBySome = (fn(&Dialect) -> bool, &'static [&'static str]);

const IGNORED_BY_SOME: &[IgnoredBySome] = &[
    (|dialect| dialect.cranges_ignored, &[".cranges"]),
    (|dialect| dialect.call_graph_profile, &[".llvm.call-graph-profile"]),
    (|dialect| dialect.coverage_ignored, &["__llvm_covfun", "__llvm_covmap"]),
    (|dialect| dialect.klp_symbols_ignored, &[".klp.symid"]),
];

const INIT: &str = ".init.*";
const MEM_INIT: &str = ".meminit.*";
const EXIT: &str = ".exit.*";
const MEM_EXIT: &str = ".memexit.*";

pub(super) const INIT_DATA: &[&str] =
    &[".init.setup", ".init.rodata", ".meminit.rodata", ".init.data", ".meminit.data"];
pub(super) const DATA: &[&str] = &[".data", ".data.rel"];
pub(super) const INIT_ONLY: &[&str] = &[INIT];
pub(super) const MEM_INIT_ONLY: &[&str] = &[MEM_INIT];
pub(super) const EXIT_ONLY: &[&str] = &[EXIT];
pub(super) const MEM_EXIT_ONLY: &[&str] = &[MEM_EXIT];

const PCI_INIT: &[&str] = &[
    ".pci_fixup_early",
    ".pci_fixup_header",
    ".pci_fixup_final",
    ".pci_fixup_enable",
    ".pci_fixup_resume",
    ".pci_fixup_resume_early",
    ".pci_fixup_suspend",
];

/// Symbols in data that may refer to init and exit sections.
const DATA_SYMBOLS: &[&str] = &["*_template", "*_timer", "*_sht", "*_ops", "*_probe", "*_probe_one", "*_console"];

pub(super) fn data_symbols(dialect: &Dialect) -> &'static [&'static str] {
    match (dialect.few_data_symbols, dialect.probe_symbols, dialect.llvm_data_symbols) {
        (.., true) => &["*_ops", "*_ops.llvm.*", "*_console"],
        (_, false, _) => &["*_ops", "*_console"],
        (true, ..) => &["*_ops", "*_probe", "*_console"],
        _ => DATA_SYMBOLS,
    }
}
/// The same and drivers, which have functions of both kinds.
const DATA_AND_DRIVER_SYMBOLS: &[&str] =
    &["*driver", "*_template", "*_timer", "*_sht", "*_ops", "*_probe", "*_probe_one", "*_console"];

/// Whether a name matches one of the patterns.
pub(super) fn matches(name: &[u8], patterns: &[&str]) -> bool {
    patterns.iter().any(|pattern| glob(pattern.as_bytes(), name))
}

fn text(dialect: &Dialect) -> Vec<&'static str> {
    let mut list = vec![".text"];
    list.push(if dialect.text_globs { ".text.*" } else { ".text.unlikely" });
    list.extend([".sched.text", ".kprobes.text", ".cpuidle.text", ".noinstr.text"]);
    if dialect.ltext {
        list.extend([".ltext", ".ltext.*"]);
    }
    list
}

/// Every section that holds code.
pub(super) fn all_text(dialect: &Dialect) -> Vec<&'static str> {
    let mut list = vec![".init.text", ".exit.text"];
    if dialect.meminit_sections {
        list.push(".meminit.text");
    }
    if dialect.memexit_sections {
        list.push(".memexit.text");
    }
    list.extend(text(dialect));
    list.extend([".ref.text", ".head.text", ".spinlock.text", ".fixup", ".entry.text", ".exception.text"]);
    if !dialect.text_globs {
        list.push(".text.*");
    }
    list.push(".coldtext");
    if dialect.softirqentry_text {
        list.push(".softirqentry.text");
    }
    if dialect.irqentry_text {
        list.push(".irqentry.text");
    }
    if dialect.pkvm_text {
        list.extend([".pkvm.text", ".pkvm.init.text", ".pkvm.noinstr.text"]);
    }
    list
}

/// Every section that is freed after initialisation.
pub(super) fn all_init(dialect: &Dialect) -> Vec<&'static str> {
    if dialect.meminit_sections { vec![INIT, MEM_INIT] } else { vec![INIT] }
}

/// Every section that is discarded with the module's exit code.
pub(super) fn all_exit(dialect: &Dialect) -> Vec<&'static str> {
    if dialect.memexit_sections { vec![EXIT, MEM_EXIT] } else { vec![EXIT] }
}

fn rules(dialect: &Dialect) -> Vec<Rule> {
    use Mismatch::*;
    let data = || DATA.to_vec();
    let init = || all_init(dialect);
    let rule =
        |kind, from: Vec<_>, bad: Vec<_>| Rule { kind, from, bad, good: Vec::new(), symbols: DATA_AND_DRIVER_SYMBOLS };
    let mut rules = if dialect.data_symbol_rules {
        let from = [text(dialect), data()].concat();
        vec![rule(TextOrDataToInitOrExit, from, [init(), all_exit(dialect)].concat())]
    } else {
        vec![
            rule(TextToAnyInit, text(dialect), init()),
            rule(DataToAnyInit, data(), vec![MEM_INIT]),
            Rule { symbols: DATA_SYMBOLS, ..rule(DataToAnyInit, data(), vec![INIT]) },
            rule(TextToAnyExit, text(dialect), all_exit(dialect)),
            rule(DataToAnyExit, data(), all_exit(dialect)),
        ]
    };
    if dialect.meminit_sections {
        rules.push(rule(XxxInitToSomeInit, vec![MEM_INIT], vec![INIT]));
    }
    if dialect.memexit_sections {
        rules.push(rule(XxxExitToSomeExit, vec![MEM_EXIT], vec![EXIT]));
    }
    rules.extend([
        rule(AnyInitToAnyExit, init(), all_exit(dialect)),
        rule(AnyExitToAnyInit, all_exit(dialect), init()),
        Rule { symbols: &[], ..rule(AnyInitToAnyExit, PCI_INIT.to_vec(), vec![INIT]) },
    ]);
    if !dialect.export_symbol_section {
        let exports = if dialect.exports_checked { "___ksymtab*" } else { "__ksymtab*" };
        rules.push(rule(ExportToInitExit, vec![exports], vec![INIT, EXIT]));
    }
    rules.extend([Rule {
        good: all_text(dialect),
        symbols: &[],
        ..rule(ExtableToNonText, vec!["__ex_table"], vec![BLACK_LISTED])
    }]);
    if dialect.writable_pointers_option {
        rules.push(rule(DataToText, data(), all_text(dialect)));
    }
    rules
}

/// Exception table entries must never refer here.
pub(super) const BLACK_LISTED: &str = ".altinstr_replacement";

/// A set of rules, a bit each, in the order of the table.
pub(super) type RuleSet = u16;

/// The bit for a symbol in a section that doesn't exist.
pub(super) const NO_SUCH_SECTION: RuleSet = 1 << 15;

/// What a section's name says about it. Two sections' verdict is then a
/// matter of two words: the first rule in `from & offends`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Class {
    /// The rules that watch references from here.
    pub(super) from: RuleSet,
    /// The rules that a reference to here breaks.
    pub(super) offends: RuleSet,
    /// The section isn't looked at.
    pub(super) ignored: bool,
}

/// A pattern, and which rules have it in which list. Patterns for sections are
/// names, or what a name begins with and a star.
#[derive(Debug, Default)]
struct Use {
    head: &'static [u8],
    starred: bool,
    from: RuleSet,
    bad: RuleSet,
    good: RuleSet,
    ignored: bool,
}

impl Use {
    fn new(pattern: &'static str) -> Self {
        let (head, starred) = pattern.strip_suffix('*').map_or((pattern, false), |head| (head, true));
        assert!(head.len() > DECISIVE && !head.contains('*'), "{pattern}: a name, or what one begins with and a star");
        Self { head: head.as_bytes(), starred, ..Self::default() }
    }

    fn matches(&self, name: &[u8]) -> bool {
        if self.starred { name.starts_with(self.head) } else { name == self.head }
    }
}

/// The byte of a name by which patterns are told apart, the one before it
/// being nearly always a dot.
const DECISIVE: usize = 1;

/// The rules of a dialect, made ready for classifying names: each distinct
/// pattern is tried at most once.
#[derive(Debug)]
pub struct Rules {
    pub(super) rules: Vec<Rule>,
    /// Sorted by the decisive byte.
    uses: Vec<Use>,
    /// For each value of that byte, where its patterns begin.
    starts: [usize; 257],
    /// The rules that have a list of good targets.
    selective: RuleSet,
}

impl Rules {
    /// The rules of a dialect.
    #[must_use]
    pub fn new(dialect: &Dialect) -> Self {
        let rules = rules(dialect);
        assert!(1 << rules.len() <= NO_SUCH_SECTION, "a bit for each rule, and one to spare");
        let mut uses: IndexMap<&'static str, Use> = IndexMap::new();
        let mut mark = |pattern: &'static str, mark: &dyn Fn(&mut Use)| {
            mark(uses.entry(pattern).or_insert_with(|| Use::new(pattern)));
        };
        let mut selective = 0;
        for (n, rule) in rules.iter().enumerate() {
            let bit = 1 << n;
            rule.from.iter().for_each(|pattern| mark(pattern, &|known| known.from |= bit));
            rule.bad.iter().for_each(|pattern| mark(pattern, &|known| known.bad |= bit));
            rule.good.iter().for_each(|pattern| mark(pattern, &|known| known.good |= bit));
            if !rule.good.is_empty() {
                selective |= bit;
            }
        }
        let by_this = IGNORED_BY_SOME.iter().filter(|(is_ignored, _)| is_ignored(dialect));
        for pattern in IGNORED.iter().chain(by_this.flat_map(|(_, patterns)| *patterns)) {
            mark(pattern, &|known| known.ignored = true);
        }
        let mut uses: Vec<Use> = uses.into_values().collect();
        uses.sort_by_key(|known| known.head[DECISIVE]);
        let starts = std::array::from_fn(|byte| uses.partition_point(|known| usize::from(known.head[DECISIVE]) < byte));
        Self { rules, uses, starts, selective }
    }

    pub(super) fn classify(&self, name: &[u8]) -> Class {
        let mut class = Class::default();
        let (mut bad, mut good) = (0, 0);
        if let Some(&byte) = name.get(DECISIVE) {
            let byte = usize::from(byte);
            for known in &self.uses[self.starts[byte]..self.starts[byte + 1]] {
                if known.matches(name) {
                    class.from |= known.from;
                    bad |= known.bad;
                    good |= known.good;
                    class.ignored |= known.ignored;
                }
            }
        }
        // A symbol in the null section is an undefined one.
        if !name.is_empty() {
            class.offends = bad | (self.selective & !good);
        }
        class
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Version;

    fn verdict(version: Version, from: &str, to: &str) -> Option<Mismatch> {
        let rules = Rules::new(&Dialect::new(version));
        let broken = rules.classify(from.as_bytes()).from & rules.classify(to.as_bytes()).offends;
        (broken != 0).then(|| rules.rules[broken.trailing_zeros() as usize].kind)
    }

    #[test]
    fn verdicts() {
        let (old, new) = (Version::new(5, 15, 100), Version::new(6, 1, 176));
        for (from, to, in_old, in_new) in [
            (".text", ".init.text", Some(Mismatch::TextToAnyInit), Some(Mismatch::TextOrDataToInitOrExit)),
            (".text.hot", ".init.text", None, Some(Mismatch::TextOrDataToInitOrExit)),
            (".text.unlikely", ".exit.text", Some(Mismatch::TextToAnyExit), Some(Mismatch::TextOrDataToInitOrExit)),
            (".data", ".meminit.data", Some(Mismatch::DataToAnyInit), Some(Mismatch::TextOrDataToInitOrExit)),
            (".data.rel.ro", ".init.text", None, None),
            (".memexit.text", ".exit.data", Some(Mismatch::XxxExitToSomeExit), None),
            (".init.text", ".exit.text", Some(Mismatch::AnyInitToAnyExit), Some(Mismatch::AnyInitToAnyExit)),
            (".exit.text", ".init.data", Some(Mismatch::AnyExitToAnyInit), Some(Mismatch::AnyExitToAnyInit)),
            (".pci_fixup_final", ".init.text", Some(Mismatch::AnyInitToAnyExit), Some(Mismatch::AnyInitToAnyExit)),
            ("___ksymtab+f", ".init.text", Some(Mismatch::ExportToInitExit), Some(Mismatch::ExportToInitExit)),
            ("__ex_table", ".text", None, None),
            ("__ex_table", ".irqentry.text", Some(Mismatch::ExtableToNonText), None),
            ("__ex_table", ".altinstr_replacement", Some(Mismatch::ExtableToNonText), Some(Mismatch::ExtableToNonText)),
            ("__ex_table", "", None, None),
            (".rodata", ".init.text", None, None),
        ] {
            assert_eq!(verdict(old, from, to), in_old, "5.15: {from} -> {to}");
            assert_eq!(verdict(new, from, to), in_new, "6.1: {from} -> {to}");
        }
    }
}
