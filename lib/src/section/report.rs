//! The wording of reports. Every literal here is the original's.

use goblin::elf::sym::STT_FUNC;

use super::rules::{ALL_INIT, Kind, Rule, all_exit, matches};
use crate::diag::text;
use crate::dialect::Dialect;
use crate::elf::{Elf, Malformed, Symbol};

/// One end of a reference.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    pub(super) section: &'a [u8],
    /// The symbol's name, or a stand-in.
    pub(super) name: &'a [u8],
    /// What the symbol is.
    kind: &'static str,
    /// What makes a function's name look like one.
    parentheses: &'static str,
}

impl<'a> End<'a> {
    pub(super) fn new(elf: &'a Elf, section: &'a [u8], symbol: Option<Symbol>) -> Result<Self, Malformed> {
        let (name, kind, parentheses) = match symbol {
            None => (&b"(unknown)"[..], "(unknown reference)", ""),
            Some(symbol) if symbol.kind() == STT_FUNC => (elf.symbol_name(&symbol)?, "function", "()"),
            Some(symbol) => (elf.symbol_name(&symbol)?, "variable", ""),
        };
        Ok(Self { section, name, kind, parentheses })
    }
}

/// A reference from one section to another.
#[derive(Debug)]
pub(super) struct Reference<'a> {
    /// The object.
    pub(super) path: &'a [u8],
    /// Where in the section it stands, in bytes.
    pub(super) offset: u64,
    pub(super) from: End<'a>,
    pub(super) to: End<'a>,
}

/// One line, since 5.19.
pub(super) fn short(rule: &Rule, reference: &Reference, _: &Dialect) -> Vec<u8> {
    let Reference { path, from, to, .. } = reference;
    match rule.kind {
        Kind::ExportToInitExit => {
            text!("{}: EXPORT_SYMBOL used for init/exit symbol: {} (section: {})\n", path, to.name, to.section)
        }
        _ => text!(
            "{}: section mismatch in reference: {} (section: {}) -> {} (section: {})\n",
            path,
            from.name,
            from.section,
            to.name,
            to.section
        ),
    }
}

/// `.init.rodata` is where `__initconst ` puts things, and so on.
fn annotation(section: &[u8], dialect: &Dialect) -> Vec<u8> {
    if !matches(section, ALL_INIT) && !matches(section, &all_exit(dialect)) {
        return Vec::new();
    }
    // All of them begin with a dot and have a second one.
    let mut parts = section[1..].splitn(2, |&byte| byte == b'.');
    let (stem, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let has = |word: &str| memchr::memmem::find(rest, word.as_bytes()).is_some();
    let kind = if has("rodata") {
        "const "
    } else if has("data") {
        "data "
    } else {
        " "
    };
    text!("__{}{}", stem, kind)
}

fn headline(reference: &Reference) -> Vec<u8> {
    let Reference { path, offset, from, to } = reference;
    text!(
        "{}({}+0x{}): Section mismatch in reference from the {} {}{} to the {} {}:{}{}\n",
        path,
        from.section,
        format!("{offset:x}"),
        from.kind,
        from.name,
        from.parentheses,
        to.kind,
        to.section,
        to.name,
        to.parentheses
    )
}

/// A paragraph, before 5.19.
pub(super) fn long(rule: &Rule, reference: &Reference, dialect: &Dialect) -> Vec<u8> {
    let Reference { from, to, .. } = reference;
    let (from_mark, to_mark) = (annotation(from.section, dialect), annotation(to.section, dialect));
    let symbols = || rule.symbols.join(", ");
    let explanation = match rule.kind {
        Kind::TextToAnyInit => text!(
            "The function {}{}() references\nthe {} {}{}{}.\nThis is often because {} lacks a {}\nannotation or the annotation of {} is wrong.\n",
            from_mark,
            from.name,
            to.kind,
            to_mark,
            to.name,
            to.parentheses,
            from.name,
            to_mark,
            to.name
        ),
        Kind::DataToAnyInit => text!(
            "The variable {} references\nthe {} {}{}{}\nIf the reference is valid then annotate the\nvariable with __init* or __refdata (see linux/init.h) or name the variable:\n{}\n",
            from.name,
            to.kind,
            to_mark,
            to.name,
            to.parentheses,
            symbols()
        ),
        Kind::TextToAnyExit => text!(
            "The function {}() references a {} in an exit section.\nOften the {} {}{} has valid usage outside the exit section\nand the fix is to remove the {}annotation of {}.\n",
            from.name,
            to.kind,
            to.kind,
            to.name,
            to.parentheses,
            to_mark,
            to.name
        ),
        Kind::DataToAnyExit => text!(
            "The variable {} references\nthe {} {}{}{}\nIf the reference is valid then annotate the\nvariable with __exit* (see linux/init.h) or name the variable:\n{}\n",
            from.name,
            to.kind,
            to_mark,
            to.name,
            to.parentheses,
            symbols()
        ),
        Kind::XxxInitToSomeInit | Kind::XxxExitToSomeExit => text!(
            "The {} {}{}{} references\na {} {}{}{}.\nIf {} is only used by {} then\nannotate {} with a matching annotation.\n",
            from.kind,
            from_mark,
            from.name,
            from.parentheses,
            to.kind,
            to_mark,
            to.name,
            to.parentheses,
            to.name,
            from.name,
            to.name
        ),
        Kind::AnyInitToAnyExit => text!(
            "The {} {}{}{} references\na {} {}{}{}.\nThis is often seen when error handling in the init function\nuses functionality in the exit path.\nThe fix is often to remove the {}annotation of\n{}{} so it may be used outside an exit section.\n",
            from.kind,
            from_mark,
            from.name,
            from.parentheses,
            to.kind,
            to_mark,
            to.name,
            to.parentheses,
            to_mark,
            to.name,
            to.parentheses
        ),
        Kind::AnyExitToAnyInit => text!(
            "The {} {}{}{} references\na {} {}{}{}.\nThis is often seen when error handling in the exit function\nuses functionality in the init path.\nThe fix is often to remove the {}annotation of\n{}{} so it may be used outside an init section.\n",
            from.kind,
            from_mark,
            from.name,
            from.parentheses,
            to.kind,
            to_mark,
            to.name,
            to.parentheses,
            to_mark,
            to.name,
            to.parentheses
        ),
        Kind::ExportToInitExit => text!(
            "The symbol {} is exported and annotated {}\nFix this by removing the {}annotation of {} or drop the export.\n",
            to.name,
            to_mark,
            to_mark,
            to.name
        ),
        // Reported by `extable`.
        Kind::ExtableToNonText => Vec::new(),
    };
    [headline(reference), explanation, b"\n".to_vec()].concat()
}

/// An entry of the exception table that refers to no text; if it is to code,
/// the section may only be missing from the list.
pub(super) fn extable(reference: &Reference, code: bool) -> Vec<u8> {
    let mut report = headline(reference);
    if code {
        let to = reference.to.section;
        report.extend(text!(
            "The relocation at {}+0x{} references\nsection \"{}\" which is not in the list of\nauthorized sections.  If you're adding a new section\nand/or if this reference is valid, add \"{}\" to the\nlist of authorized sections to jump to on fault.\nThis can be achieved by adding \"{}\" to \nOTHER_TEXT_SECTIONS in scripts/mod/modpost.c.\n",
            reference.from.section,
            format!("{:x}", reference.offset),
            to,
            to,
            to
        ));
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Version;

    #[test]
    fn annotations_of_sections() {
        let dialect = Dialect::new(Version::new(5, 15, 100));
        for (section, expected) in [
            (".init.text", "__init "),
            (".init.rodata", "__initconst "),
            (".meminit.data", "__meminitdata "),
            (".memexit.rodata", "__memexitconst "),
            (".exit.text", "__exit "),
            (".text", ""),
        ] {
            assert_eq!(annotation(section.as_bytes(), &dialect), expected.as_bytes(), "{section}");
        }
    }
}
