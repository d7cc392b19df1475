//! What the text of a kernel's own `scripts/mod` says about its behaviour. Sources and
//! packages of headers have it, and it is the same whatever the version says: stable
//! releases and vendors take changes from later kernels.

use std::path::PathBuf;

use kernel::Trees;
use memchr::memmem;

use super::Dialect;

/// A text that tells how a kernel behaves.
#[derive(Clone, Copy, Debug)]
struct Token {
    text: &'static str,
    flag: fn(&mut Dialect) -> &mut bool,
    /// What the flag is in a source that has the text, if that is known.
    present: Option<bool>,
    /// What it is in one that doesn't.
    absent: Option<bool>,
}

/// The flag is set where the text is.
const fn with(text: &'static str, flag: fn(&mut Dialect) -> &mut bool) -> Token {
    Token { text, flag, present: Some(true), absent: Some(false) }
}

/// The flag is set where the text is not.
const fn without(text: &'static str, flag: fn(&mut Dialect) -> &mut bool) -> Token {
    Token { text, flag, present: Some(false), absent: Some(true) }
}

/// The text is there only where the flag is `value`; without it, nothing is known.
const fn implies(text: &'static str, flag: fn(&mut Dialect) -> &mut bool, value: bool) -> Token {
    Token { text, flag, present: Some(value), absent: None }
}

/// In `scripts/mod/modpost.c`.
const MODPOST: &[Token] = &[
    implies("error(\"missing MODULE_LICENSE()", |d| &mut d.errors_fail_at_the_end, true),
    implies("warn(\"missing MODULE_LICENSE()", |d| &mut d.errors_fail_at_the_end, false),
    with("fatal(\"%s: '%s' exported twice", |d| &mut d.exported_twice_is_fatal),
    with("sechdr->sh_size > 0", |d| &mut d.empty_sections_unchecked),
    with("explicitly importing namespace", |d| &mut d.module_namespaces),
    with("symsearch_init(", |d| &mut d.nearest_is_first),
    with("new_sym ? new_sym : sym", |d| &mut d.target_keeps_its_name),
    without("extable_entry_size", |d| &mut d.extable_mismatch_is_error),
    without("\".text.unlikely\"", |d| &mut d.text_globs),
    with("\".irqentry.text\"", |d| &mut d.irqentry_text),
    with("\".softirqentry.text\"", |d| &mut d.softirqentry_text),
    with("\".pkvm.text\"", |d| &mut d.pkvm_text),
    with("\".ltext\"", |d| &mut d.ltext),
    with("\".meminit.*\"", |d| &mut d.meminit_sections),
    with("\".memexit.*\"", |d| &mut d.memexit_sections),
    with("\".lto\"", |d| &mut d.lto_suffix),
    with("\".prelink\"", |d| &mut d.prelink_suffix),
    with("\".llvm.call-graph-profile\"", |d| &mut d.call_graph_profile),
    with("\"__llvm_covmap\"", |d| &mut d.coverage_ignored),
    with("\".klp.symid\"", |d| &mut d.klp_symbols_ignored),
    with("\"*_ops.llvm.*\"", |d| &mut d.llvm_data_symbols),
    with("\"*_probe\"", |d| &mut d.probe_symbols),
    without("\"*_template\"", |d| &mut d.few_data_symbols),
    without("\"*driver\"", |d| &mut d.drivers_checked),
    with("R_RISCV_SUB32", |d| &mut d.riscv_extable),
    with("R_LARCH_SUB32", |d| &mut d.loongarch_extable),
    with("\"__s390_indirect_jump_r", |d| &mut d.s390_expolines),
    with("buf_printf output truncated", |d| &mut d.long_line_is_fatal),
];

/// In `scripts/mod/sumversion.c`.
const SUMVERSION: &[Token] = &[without("bad ending versions file", |d| &mut d.mod_file_by_line)];

/// What a vendor's source has that isn't served, and what that is.
const UNSERVED: &[(&str, &str)] =
    &[("PROTECT_SYMBOL(%s);", "Android's PROTECT_SYMBOL"), ("sdtinfo", "Oracle's DTrace")];

/// Every modpost's source has this table, without which nothing is known of what is absent.
const WHOLE: &[u8] = b"struct sectioncheck sectioncheck[]";

/// CachyOS took this from 7.2.
const STEM: &str = ".thinlto-native";

/// What a source hands to getopt(3).
pub(super) fn options(source: &[u8]) -> Option<&[u8]> {
    let call = b"getopt(argc, argv, \"";
    let start = memmem::find(source, call)? + call.len();
    source[start..].split(|&byte| byte == b'"').next()
}

/// Sets the flags that a source decides.
fn decide(dialect: &mut Dialect, source: &[u8], tokens: &[Token]) {
    for token in tokens {
        let is_there = memmem::find(source, token.text.as_bytes()).is_some();
        if let Some(value) = if is_there { token.present } else { token.absent } {
            *(token.flag)(dialect) = value;
        }
    }
}

fn by_modpost(dialect: &Dialect, source: &[u8]) -> Option<Dialect> {
    // Something else may be called that, or be a part of it.
    options(source).and(memmem::find(source, WHOLE))?;
    let mut judged = dialect.clone();
    if !judged.cmd_file_by_stem && memmem::find(source, STEM.as_bytes()).is_some() {
        judged.cmd_file_by_stem = true;
        judged.kernel.name = format!("cachyos/{}", judged.kernel.version);
    }
    decide(&mut judged, source, MODPOST);
    let is_there = |text: &&(&str, &str)| memmem::find(source, text.0.as_bytes()).is_some();
    judged.kernel.unserved = UNSERVED.iter().find(is_there).map(|(_, what)| *what);
    (judged != *dialect).then_some(judged)
}

fn by_sumversion(dialect: &Dialect, source: &[u8]) -> Option<Dialect> {
    memmem::find(source, b"get_src_version")?;
    let mut judged = dialect.clone();
    decide(&mut judged, source, SUMVERSION);
    (judged != *dialect).then_some(judged)
}

/// Gives a dialect the behaviour that a tree's sources have; returns those that differ
/// from what its version or its vendor has.
pub(super) fn judge(dialect: &mut Dialect, trees: &Trees) -> Vec<PathBuf> {
    let modpost = trees.judge("scripts/mod/modpost.c", dialect, by_modpost);
    let sumversion = trees.judge("scripts/mod/sumversion.c", dialect, by_sumversion);
    modpost.into_iter().chain(sumversion).collect()
}

#[cfg(test)]
mod tests {
    use kernel::Version;

    use super::*;

    /// The parts of a source that tell nothing but what is added.
    fn source(dialect: &Dialect, more: &str) -> Vec<u8> {
        let mut dialect = dialect.clone();
        let mut source = "struct sectioncheck sectioncheck[] =\ngetopt(argc, argv, \"ei:mn\")\n".to_owned();
        for token in MODPOST.iter().filter(|token| token.absent.is_some()) {
            if *(token.flag)(&mut dialect) == token.present.unwrap_or_default() {
                source += token.text;
                source.push('\n');
            }
        }
        (source + more).into_bytes()
    }

    fn at(major: u16, minor: u16, sublevel: u16) -> Dialect {
        Dialect::new(Version::new(major, minor, sublevel))
    }

    #[test]
    fn a_versions_own_source_changes_nothing() {
        for dialect in [at(5, 10, 262), at(5, 15, 215), at(6, 1, 176), at(6, 6, 150), at(6, 12, 117), at(7, 3, 4)] {
            assert_eq!(by_modpost(&dialect, &source(&dialect, "")), None, "{}", dialect.kernel.name);
        }
        assert_eq!(by_modpost(&at(6, 1, 0), b"no source"), None);
    }

    #[test]
    fn the_source_comes_before_the_version() {
        let judged = by_modpost(&at(6, 6, 25), &source(&at(6, 6, 26), ""));
        assert!(judged.is_some_and(|d| d.nearest_is_first && d.target_keeps_its_name));
        let judged = by_modpost(&at(5, 15, 215), &source(&at(5, 15, 100), ""));
        assert!(judged.is_some_and(|d| !d.extable_mismatch_is_error && !d.text_globs && !d.irqentry_text));
        let fatal =
            source(&at(5, 10, 198), "fatal(\"%s: '%s' exported twice. ...\nerror(\"missing MODULE_LICENSE() in\n");
        assert!(
            by_modpost(&at(5, 10, 198), &fatal).is_some_and(|d| d.exported_twice_is_fatal && d.errors_fail_at_the_end)
        );
        let by_line = by_sumversion(&at(5, 15, 149), b"void get_src_version(");
        assert!(by_line.is_some_and(|d| d.mod_file_by_line));
        assert_eq!(by_sumversion(&at(5, 15, 149), b"get_src_version( \"bad ending versions file for %s"), None);
    }

    #[test]
    fn vendors_by_their_source() {
        let name = |judged: Option<Dialect>| judged.map(|dialect| dialect.kernel.name);
        let stem = "strends(object, \".thinlto-native.o\")";
        let found = by_modpost(&at(6, 17, 0), &source(&at(6, 17, 0), stem));
        assert_eq!(name(found).as_deref(), Some("cachyos/6.17.0"));
        assert_eq!(by_modpost(&at(7, 2, 0), &source(&at(7, 2, 0), stem)), None);
        let protect = source(&at(7, 1, 0), "buf_printf(buf, \"PROTECT_SYMBOL(%s);\\n\"");
        let found = by_modpost(&at(7, 1, 0), &protect);
        assert_eq!(found.and_then(|dialect| dialect.kernel.unserved), Some("Android's PROTECT_SYMBOL"));
    }
}
