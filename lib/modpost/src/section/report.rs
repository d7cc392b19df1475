//! The wording of reports. Every literal here is the original's.

use base::message::{Fatal, Message, Severity, text};
use elf::{Elf, Symbol};
use goblin::elf::sym::STT_FUNC;

use super::rules::{Mismatch, Rule, all_exit, all_init, matches};
use crate::dialect::Dialect;

/// One end of a reference.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    pub(super) section: &'a [u8],
    /// The symbol's name, or a stand-in.
    pub(super) name: &'a [u8],
    /// What the symbol is.
    kind: &'static str,
    /// The parentheses after a function's name.
    parentheses: &'static str,
}

impl<'a> End<'a> {
    pub(super) fn new(elf: &'a Elf, section: &'a [u8], symbol: Option<Symbol>, dialect: &Dialect) -> elf::Result<Self> {
        let unknown: &[u8] = if dialect.nameless_by_address { b"" } else { b"(unknown)" };
        let (name, kind, parentheses) = match symbol {
            None => (unknown, "(unknown reference)", ""),
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
    /// Where in the section it is, in bytes.
    pub(super) offset: u64,
    pub(super) from: End<'a>,
    pub(super) to: End<'a>,
    /// The rule that it breaks.
    pub(super) rule: &'a Rule,
}

impl Reference<'_> {
    /// A message about it.
    pub(super) fn says(&self, severity: Severity, text: Vec<u8>) -> Message {
        let Self { offset, from, to, .. } = self;
        let message = Message::new(severity, self.rule.kind.reported_as(), text).symbol(from.name).symbol(to.name);
        message.section(from.section).section(to.section).offset(*offset)
    }

    /// Its place, as messages on exception tables give it.
    fn place(&self) -> Vec<u8> {
        text!("{}+0x{}", self.from.section, format!("{:x}", self.offset))
    }
}

/// One line, since 6.0.
pub(super) fn short(reference: &Reference, _: &Dialect) -> Vec<u8> {
    let Reference { path, from, to, rule, .. } = reference;
    match rule.kind {
        Mismatch::ExportToInitExit => {
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

/// The two lines after the report of a reference from writable data to code.
pub(super) fn writable_pointer(reference: &Reference) -> Vec<u8> {
    let Reference { from, to, .. } = reference;
    text!("The {}:{} references\nthe {}:{}\n", from.section, from.name, to.section, to.name)
}

/// One line on an exception table's entry, in the middle of 6.5's development.
pub(super) fn extable_target(reference: &Reference) -> Vec<u8> {
    let Reference { path, offset, from, to, .. } = reference;
    text!(
        "{}({}+0x{}): Section mismatch in reference to the {}:{}\n",
        path,
        from.section,
        format!("{offset:x}"),
        to.section,
        to.name
    )
}

/// One line with the source's offset, since 6.5.
pub(super) fn with_offset(reference: &Reference, from_value: u64, address: u64, dialect: &Dialect) -> Vec<u8> {
    let Reference { path, offset, from, to, .. } = reference;
    let by_address = |name: &[u8]| name.is_empty() && dialect.nameless_by_address;
    let (plus, base) = if by_address(from.name) { ("", 0) } else { ("+", from_value) };
    let nameless = format!("0x{:x}", address as u32).into_bytes();
    text!(
        "{}: section mismatch in reference: {}{}0x{} (section: {}) -> {} (section: {})\n",
        path,
        from.name,
        plus,
        format!("{:x}", offset.wrapping_sub(base) as u32),
        from.section,
        if by_address(to.name) { &nameless } else { to.name },
        to.section
    )
}

/// `.init.rodata` is where `__initconst ` puts things, and so on.
fn annotation(section: &[u8], dialect: &Dialect) -> Vec<u8> {
    if !matches(section, &all_init(dialect)) && !matches(section, &all_exit(dialect)) {
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
    let Reference { path, offset, from, to, .. } = reference;
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

/// A paragraph, before 6.0.
pub(super) fn long(reference: &Reference, dialect: &Dialect) -> Vec<u8> {
    let Reference { from, to, rule, .. } = reference;
    let (from_mark, to_mark) = (annotation(from.section, dialect), annotation(to.section, dialect));
    let symbols = || rule.symbols.join(", ");
    let described = |end: &End, mark: &[u8]| text!("{} {}{}{}", end.kind, mark, end.name, end.parentheses);
    let (user, used) = (described(from, &from_mark), described(to, &to_mark));
    let explanation = match rule.kind {
        Mismatch::TextToAnyInit => text!(
            "The function {}{}() references\nthe {}.\nThis is often because {} lacks a {}\nannotation or the annotation of {} is wrong.\n",
            from_mark,
            from.name,
            used,
            from.name,
            to_mark,
            to.name
        ),
        Mismatch::DataToAnyInit => text!(
            "The variable {} references\nthe {}\nIf the reference is valid then annotate the\nvariable with __init* or __refdata (see linux/init.h) or name the variable:\n{}\n",
            from.name,
            used,
            symbols()
        ),
        Mismatch::TextToAnyExit => text!(
            "The function {}() references a {} in an exit section.\nOften the {} {}{} has valid usage outside the exit section\nand the fix is to remove the {}annotation of {}.\n",
            from.name,
            to.kind,
            to.kind,
            to.name,
            to.parentheses,
            to_mark,
            to.name
        ),
        Mismatch::DataToAnyExit => text!(
            "The variable {} references\nthe {}\nIf the reference is valid then annotate the\nvariable with __exit* (see linux/init.h) or name the variable:\n{}\n",
            from.name,
            used,
            symbols()
        ),
        Mismatch::XxxInitToSomeInit | Mismatch::XxxExitToSomeExit => text!(
            "The {} references\na {}.\nIf {} is only used by {} then\nannotate {} with a matching annotation.\n",
            user,
            used,
            to.name,
            from.name,
            to.name
        ),
        Mismatch::AnyInitToAnyExit => text!(
            "The {} references\na {}.\nThis is often seen when error handling in the init function\nuses functionality in the exit path.\nThe fix is often to remove the {}annotation of\n{}{} so it may be used outside an exit section.\n",
            user,
            used,
            to_mark,
            to.name,
            to.parentheses
        ),
        Mismatch::AnyExitToAnyInit => text!(
            "The {} references\na {}.\nThis is often seen when error handling in the exit function\nuses functionality in the init path.\nThe fix is often to remove the {}annotation of\n{}{} so it may be used outside an init section.\n",
            user,
            used,
            to_mark,
            to.name,
            to.parentheses
        ),
        Mismatch::ExportToInitExit => text!(
            "The symbol {} is exported and annotated {}\nFix this by removing the {}annotation of {} or drop the export.\n",
            to.name,
            to_mark,
            to_mark,
            to.name
        ),
        // Reported by `extable`, and of later kernels.
        Mismatch::ExtableToNonText | Mismatch::TextOrDataToInitOrExit => Vec::new(),
        Mismatch::DataToText => {
            text!(
                "The {} {}:{} references\nthe {} {}:{}{}\n",
                from.kind,
                from.section,
                from.name,
                to.kind,
                to.section,
                to.name,
                to.parentheses
            )
        }
    };
    [headline(reference), explanation, b"\n".to_vec()].concat()
}

/// The advice on an exception table's reference to code in a section that
/// isn't known to hold any. Kernels differ in the end of one of its lines.
pub(super) fn not_authorized(reference: &Reference, line_end: &str) -> Vec<u8> {
    let to = reference.to.section;
    text!(
        "The relocation at {} references\nsection \"{}\" which is not in the list of\nauthorized sections.  If you're adding a new section\nand/or if this reference is valid, add \"{}\" to the\nlist of authorized sections to jump to on fault.\nThis can be achieved by adding \"{}\" {}OTHER_TEXT_SECTIONS in scripts/mod/modpost.c.\n",
        reference.place(),
        to,
        to,
        to,
        line_end
    )
}

/// The end of a run in which an exception table refers to a forbidden section.
pub(super) fn black_listed(reference: &Reference, object: &[u8]) -> Fatal {
    let text = text!(
        "The relocation at {} references\nsection \"{}\" which is black-listed.\nSomething is seriously wrong and should be fixed.\nYou might get more information about where this is\ncoming from by using scripts/check_extable.sh {}\n",
        reference.place(),
        reference.to.section,
        object
    );
    reference.says(Severity::Fatal, text).into()
}

/// The message on an exception table's reference to what can't be executed.
pub(super) fn not_executable(reference: &Reference) -> Vec<u8> {
    text!("{} references non-executable section '{}'\n", reference.place(), reference.to.section)
}

/// An entry of the exception table that refers to no text; if it is to code,
/// the section may only be missing from the list.
pub(super) fn extable(reference: &Reference, code: bool) -> Vec<u8> {
    let mut report = headline(reference);
    if code {
        report.extend(not_authorized(reference, "to \n"));
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Version;

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
