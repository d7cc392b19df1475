//! The texts of fixdep and genksyms, which tell fewer of their kernels than modpost's:
//! what they do is for their cases to prove.

use fixdep::dialect::Dialect as Fixdep;
use symversions::dialect::Dialect as Genksyms;

use super::{Finding, Texts};

/// A text, and which kernels have it; the others don't.
type Row<D> = (&'static str, fn(&D) -> bool);

const FIXDEP: &[Row<Fixdep>] = &[
    ("Usage: fixdep <depfile> <target> <cmdline>\n", |_| true),
    ("    $(wildcard include/config/%.*s) \\\n", |d| d.option_names_kept),
    ("    $(wildcard %s/", |d| !d.option_names_kept),
    ("fixdep: parse error; no targets found\n", |_| true),
    ("include/generated/autoconf.h", |_| true),
    ("fixdep: not all data was written to the output\n", |d| d.output_checked_at_end),
    ("savedcmd_%s := %s\n\n", |d| d.command_is_saved),
    (".rmeta", |d| d.binaries_passed_over),
    ("include/generated/autoksyms.h", |d| d.autoksyms_left_out),
];

const GENKSYMS: &[Row<Genksyms>] = &[
    ("__GENKSYMS_EXPORT_SYMBOL", |_| true),
    ("__builtin_va_list", |_| true),
    ("Defn for type%d %s == <", |_| true),
    ("genksyms version 2.5.60\n", |_| true),
    ("_Static_assert", |d| d.static_asserts),
    ("#SYMVER %s 0x%08lx\n", |d| d.symver_lines),
    ("s:dwqVDr:T:phR", |d| !d.symver_lines),
    ("s:dwqVDr:T:ph", |d| !d.prefix_option_removed),
    ("__seg_gs", |d| d.segments),
];

fn findings<D>(rows: &[Row<D>], texts: &Texts, dialect: &D) -> Vec<Finding> {
    let finding = |(text, has): &Row<D>| match (has(dialect), texts.has(text)) {
        (true, false) => Some(Finding::Missing(text)),
        (false, true) => Some(Finding::More(text)),
        _ => None,
    };
    rows.iter().filter_map(finding).collect()
}

/// Everything that speaks against a fixdep's being a kernel's.
pub(crate) fn of_fixdep(texts: &Texts, dialect: &Fixdep) -> Vec<Finding> {
    findings(FIXDEP, texts, dialect)
}

/// Everything that speaks against a genksyms' being a kernel's.
pub(crate) fn of_genksyms(texts: &Texts, dialect: &Genksyms) -> Vec<Finding> {
    findings(GENKSYMS, texts, dialect)
}
