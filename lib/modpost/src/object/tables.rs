//! The device tables of an object.

use base::message::Fatal;
use elf::arch::Abi;
use elf::{Symbol, section_header};
use goblin::elf::section_header::SHN_UNDEF;
use goblin::elf::sym::STT_OBJECT;

use super::{Later, Reader, Wanted};
use crate::alias::{self, Contents, TableDetail, Target};
use crate::step::Step;

/// The largest device table that a section without contents is believed to
/// hold, in bytes: an object's memory is to be in proportion to its size.
const MAX_ZEROS: u64 = 1 << 24;

impl Reader<'_, '_> {
    pub(super) fn tables_alone(&mut self, wanted: &Wanted, detail: &mut Vec<TableDetail>) -> Result<(), Fatal> {
        for number in 0..self.elf.symbols().len() {
            let symbol = self.elf.symbols()[number];
            let len = self.name_len(&symbol, &mut Later::default()).map_err(|error| self.malformed(error))?;
            let table = alias::table_symbol(self.elf.symbol_name_of(&symbol, len), self.context.dialect);
            let is_wanted = |name| wanted.types.is_empty() || wanted.types.iter().any(|known| known == name);
            if !table.is_some_and(|table| is_wanted(table.table_type.name)) {
                continue;
            }
            self.device_table(&symbol, wanted.in_detail.then_some(&mut *detail))?;
        }
        Ok(())
    }

    fn target(&self) -> Target<'_> {
        let encoding = self.elf.encoding;
        let abi = Abi::of(encoding, self.elf.machine);
        Target { encoding, abi, dialect: self.context.dialect, offsets: self.context.offsets }
    }

    /// Writes a table's aliases, and takes it apart if that is wanted; one
    /// without contents has no entries.
    pub(super) fn device_table(&mut self, symbol: &Symbol, detail: Option<&mut Vec<TableDetail>>) -> Result<(), Fatal> {
        let name = self.elf.symbol_name(symbol).map_err(|error| self.malformed(error))?;
        let Some(section) = self.elf.sections.get(symbol.section.0 as usize) else {
            return Ok(());
        };
        if u32::from(symbol.shndx) == SHN_UNDEF || symbol.kind() != STT_OBJECT {
            return Ok(());
        }
        let dialect = self.context.dialect;
        let name = name.to_vec();
        let Some(table) = alias::table_symbol(&name, dialect) else {
            return Ok(());
        };
        let target = self.target();
        let mut output = alias::Output::default();
        let layout = alias::check_size(&table, &self.facts.name, symbol.size, target, &mut output);
        self.reading.steps.extend(output.messages.into_iter().map(Step::Say));
        let Some(layout) = layout? else { return Ok(()) };
        // The original tests a bit of the type, not the type.
        let bytes;
        let contents = if section.sh_type & section_header::SHT_NOBITS == 0 {
            bytes = self.elf.data(symbol.section, symbol.value, symbol.size).map_err(|error| self.malformed(error))?;
            Contents::Bytes(&bytes)
        } else if symbol.size <= MAX_ZEROS {
            Contents::Zeros(symbol.size)
        } else {
            let what = "device table of an absurd size";
            return Err(self.malformed(elf::Error::malformed(what, symbol.section, symbol.value)));
        };
        let mut output = alias::Output::after(std::mem::take(&mut self.facts.aliases));
        let written = alias::write_table(&table, &self.facts.name, contents, &layout, self.target(), &mut output);
        self.facts.aliases = output.aliases;
        self.reading.steps.extend(output.messages.into_iter().map(Step::Say));
        written?;
        if let Contents::Bytes(bytes) = contents {
            let fields = alias::swapped_fields(&table, bytes, &layout, self.target());
            self.elf.swap(symbol.section, symbol.value, &fields);
        }
        if let (Some(detail), Contents::Bytes(bytes)) = (detail, contents) {
            detail.push(alias::detail(&table, &self.facts.name, bytes, &layout, self.target()));
        }
        Ok(())
    }
}
