//! `.export_symbol`, in which objects list their exports since 6.5.

use base::message::{Message, Severity, text};
use elf::{Elf, SectionIndex};
use goblin::elf::sym::STT_FUNC;

use super::since_6_5::Symbols;
use super::{Check, Findings, rules};
use crate::export::{Export, License};
use crate::kind;
use crate::step::Step;

/// The section that lists exports. Without one it is the null section, to which
/// a relocation section applies that doesn't say to which.
pub(super) fn section(elf: &Elf) -> SectionIndex {
    elf.export_symbol.unwrap_or(SectionIndex(0))
}

impl Check<'_> {
    /// An entry of `.export_symbol`: a label before it names the symbol and
    /// points to license and namespace, the relocation to the symbol.
    pub(super) fn export(
        &self,
        elf: &Elf,
        number: usize,
        symbols: &mut Symbols,
        findings: &mut Findings,
    ) -> elf::Result<()> {
        let section = section(elf);
        let malformed = |text| Message::new(Severity::Error, kind::MALFORMED_EXPORT, text);
        let relocation = elf.relocations().get(number);
        let symbol = &elf.symbol(relocation.symbol)?;
        let label = symbols.before(elf, section, relocation.offset)?;
        let label_name = label.map_or(Ok(&b""[..]), |label| elf.symbol_name(&label))?;
        let (Some(label), Some(labelled)) = (label, label_name.strip_prefix(b"__export_symbol_")) else {
            let unknown: &[u8] = if self.dialect.nameless_by_address { b"" } else { b"(unknown)" };
            let label_name = if label.is_some() { label_name } else { unknown };
            let text = text!("{}: .export_symbol section contains strange symbol '{}'\n", self.name, label_name);
            findings.say(malformed(text).symbol(label_name));
            return Ok(());
        };
        if !symbol.is_global() {
            let text = text!("{}: local symbol '{}' was exported\n", self.name, labelled);
            findings.say(Message::new(Severity::Error, kind::EXPORTED_STATIC, text).symbol(labelled));
            return Ok(());
        }
        let name = elf.symbol_name(symbol)?;
        if labelled != name {
            let text = text!(
                "{}: .export_symbol section references '{}', but it does not seem to be an export symbol\n",
                self.name,
                name
            );
            findings.say(malformed(text).symbol(name));
            return Ok(());
        }
        let word = elf.c_string(label.section, label.value)?;
        let license = match &word[..] {
            b"GPL" => License::Gpl,
            b"" => License::Any,
            _ => {
                let text = text!("{}: unknown license '{}' was specified for '{}'\n", self.name, word, name);
                findings.say(Message::new(Severity::Error, kind::UNKNOWN_LICENSE, text).symbol(name));
                return Ok(());
            }
        };
        // A label may have any value, as to the original, whose pointers wrap around.
        let after = label.value.wrapping_add(word.len() as u64 + 1);
        let namespace = elf.c_string(label.section, after)?;
        let own_type = elf.machine.function_type_64.filter(|_| self.dialect.parisc64_functions && elf.encoding.is_64);
        let is_function = symbol.kind() == STT_FUNC || own_type == Some(symbol.kind());
        let export = Export { namespace: namespace.into(), is_function, ..Export::new(name.to_vec(), license) };
        findings.steps.push(Step::Export(export));
        let section = elf.section_name(symbol.section)?;
        let init = if self.dialect.meminit_is_init { rules::all_init(self.dialect) } else { rules::INIT_ONLY.to_vec() };
        let kind = if rules::matches(section, &init) {
            "init"
        } else if rules::matches(section, rules::EXIT_ONLY) {
            "exit"
        } else {
            return Ok(());
        };
        let text = if self.dialect.messages_begin_with_module {
            text!(
                "{}: EXPORT_SYMBOL used for {} symbol '{}'. Remove __{} or EXPORT_SYMBOL.\n",
                self.name,
                kind,
                name,
                kind
            )
        } else {
            text!(
                "{}: {}: EXPORT_SYMBOL used for {} symbol. Remove __{} or EXPORT_SYMBOL.\n",
                self.name,
                name,
                kind,
                kind
            )
        };
        findings.say(Message::new(Severity::Warning, kind::EXPORTED_INIT, text).symbol(name).section(section));
        Ok(())
    }
}
