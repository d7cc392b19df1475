//! References that break a rule and are allowed, by the names of symbols.

use super::Check;
use super::report::Reference;
use super::rules::{
    DATA, INIT_DATA, MEM_EXIT_ONLY, MEM_INIT_ONLY, all_exit, all_init, all_text, data_symbols, matches,
};
use crate::dialect::Dialect;

impl Check<'_> {
    /// Whether a reference is allowed although it breaks a rule.
    pub(super) fn allowed(&self, reference: &Reference) -> bool {
        let (from, to) = (reference.from.section, reference.to.section);
        let from_symbol = reference.from.name;
        let from_data = matches(from, DATA);
        let to_init = matches(to, &all_init(self.dialect));

        if !self.dialect.initcall_references_checked && from_symbol.starts_with(b"reference___initcall") {
            return true;
        }
        // A parameter without permissions may be freed, and its setter; the
        // permissions can't be seen from here.
        if from_data && from_symbol.starts_with(b"__param") && matches(to, INIT_DATA) {
            return true;
        }
        if from_data && from_symbol.starts_with(b"__param_ops_") && to == b".init.text" {
            return true;
        }
        let to_init_or_exit = || to_init || matches(to, &all_exit(self.dialect));
        let by_data_symbol = if self.dialect.data_symbol_rules {
            let Dialect { meminit_is_init, memexit_sections, drivers_checked, drivers_checked_with_w, .. } =
                *self.dialect;
            let driver = || matches(from_symbol, &["*driver"]);
            let exits_checked = drivers_checked || drivers_checked_with_w && self.options.extra_warn;
            to_init_or_exit() && matches(from_symbol, data_symbols(self.dialect))
                || !meminit_is_init && matches(to, MEM_INIT_ONLY) && driver()
                || !exits_checked && matches(to, &all_exit(self.dialect)) && driver()
                || memexit_sections && matches(to, MEM_EXIT_ONLY) && driver()
        } else {
            to_init_or_exit() && matches(from_symbol, reference.rule.symbols)
        };
        if from_data && by_data_symbol {
            return true;
        }
        // The first code of all may use what is freed later.
        if matches(from, &[".head.text*"]) && to_init {
            return true;
        }
        // Linker symbols are addresses, not memory.
        if matches(reference.to.name, &["__init_begin", "_sinittext", "_einittext"]) {
            return true;
        }
        // A function that the compiler specialised for a constant argument.
        if to_init && matches(from_symbol, &["*.constprop.*"]) && matches(from, &all_text(self.dialect)) {
            return true;
        }
        // The compiler's own labels escape the exceptions by name.
        !self.dialect.tools_symbols_ignored && from_symbol.starts_with(b".L")
    }
}
