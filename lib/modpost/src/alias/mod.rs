//! Module aliases from device tables (`scripts/mod/file2alias.c`).
//!
//! A driver's `MODULE_DEVICE_TABLE(pci, ids)` leaves a symbol
//! `__mod_pci__ids_device_table` on its table of device-id structures. Each
//! entry becomes one line `MODULE_ALIAS("…");` of the module's `.mod.c`.
//!
//! [`TABLES`] says for each type of table which structure its entries are and
//! how they are written: most by a pattern, the rest by a function in the
//! file of their bus family.

mod acpi;
mod cpu;
mod detail;
mod dmi;
mod entry;
mod guid;
mod input;
pub mod layout;
mod list;
mod mask;
mod of;
mod pattern;
mod pci;
mod pnp;
mod swapped;
mod usb;

use base::message::{Fatal, Message, Severity, text};
pub use detail::{EntryDetail, TableDetail, Value, detail};
use elf::Encoding;
use elf::arch::Abi;
use entry::{Entry, SMALL_ALIAS_SIZE, Table, add_field, add_wildcard, append, in_bounds};
use layout::{Layout, Offsets, Struct};
pub use list::Aliases;
use list::line;
use pattern::Piece;
pub(crate) use swapped::swapped_fields;

use crate::buffer::CutLine;
use crate::dialect::Dialect;
use crate::kind;

/// A type of device table.
#[derive(Debug)]
pub struct TableType {
    /// The type's name: the first argument of `MODULE_DEVICE_TABLE()`.
    pub name: &'static str,
    /// What its entries are.
    pub structure: &'static Struct,
    /// The name that the original's messages call it by.
    message_name: &'static str,
    form: Form,
    known: fn(&Dialect) -> bool,
}

/// How entries become aliases.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// By a pattern, one alias an entry.
    Pattern(&'static [Piece]),
    /// By a function that writes one alias; `false` if there is none.
    Entry(fn(&Entry, &mut Vec<u8>, &mut Output) -> Result<bool, Fatal>),
    /// By a function that sees all entries and writes lines as it likes.
    Whole(fn(&Table, &mut Output) -> Result<(), Fatal>),
}

const fn by_pattern(name: &'static str, structure: &'static Struct, pieces: &'static [Piece]) -> TableType {
    TableType { name, structure, message_name: name, form: Form::Pattern(pieces), known: |_| true }
}

const fn by_entry(
    name: &'static str,
    structure: &'static Struct,
    function: fn(&Entry, &mut Vec<u8>, &mut Output) -> Result<bool, Fatal>,
) -> TableType {
    TableType { name, structure, message_name: name, form: Form::Entry(function), known: |_| true }
}

const fn whole(
    name: &'static str,
    structure: &'static Struct,
    function: fn(&Table, &mut Output) -> Result<(), Fatal>,
) -> TableType {
    TableType { name, structure, message_name: name, form: Form::Whole(function), known: |_| true }
}

impl TableType {
    /// Whether a kernel has tables of this type.
    #[must_use]
    pub fn is_known(&self, dialect: &Dialect) -> bool {
        (self.known)(dialect)
    }

    const fn called(self, message_name: &'static str) -> Self {
        Self { message_name, ..self }
    }

    const fn when(self, known: fn(&Dialect) -> bool) -> Self {
        Self { known, ..self }
    }
}

/// Every type of device table, by name.
pub static TABLES: &[TableType] = &[
    by_entry("acpi", &layout::ACPI, acpi::entry),
    by_entry("amba", &layout::AMBA, mask::amba),
    by_pattern("ap", &layout::AP, pattern::AP),
    by_pattern("auxiliary", &layout::AUXILIARY, pattern::AUXILIARY).when(|d| d.auxiliary_tables),
    by_pattern("bcma", &layout::BCMA, pattern::BCMA),
    by_pattern("ccw", &layout::CCW, pattern::CCW),
    by_entry("cdx", &layout::CDX, pci::cdx_entry).when(|d| d.cdx_tables),
    by_pattern("coreboot", &layout::COREBOOT, pattern::COREBOOT).when(|d| d.coreboot_tables),
    by_pattern("cpu", &layout::CPU, pattern::CPU),
    by_pattern("css", &layout::CSS, pattern::CSS),
    by_pattern("dfl", &layout::DFL, pattern::DFL).when(|d| d.ssam_and_dfl_tables),
    by_entry("dmi", &layout::DMI, dmi::entry),
    by_pattern("eisa", &layout::EISA, pattern::EISA),
    by_pattern("fslmc", &layout::FSL_MC, pattern::FSL_MC),
    by_pattern("hdaudio", &layout::HDAUDIO, pattern::HDAUDIO),
    by_pattern("hid", &layout::HID, pattern::HID),
    by_pattern("i2c", &layout::I2C, pattern::I2C),
    by_pattern("i3c", &layout::I3C, pattern::I3C),
    by_pattern("ieee1394", &layout::IEEE1394, pattern::IEEE1394),
    by_entry("input", &layout::INPUT, input::entry),
    by_pattern("ipack", &layout::IPACK, pattern::IPACK),
    by_entry("isapnp", &layout::ISAPNP, pnp::isapnp_entry),
    by_entry("ishtp", &layout::ISHTP, guid::ishtp).when(|d| d.ishtp_tables),
    by_pattern("mcb", &layout::MCB, pattern::MCB).when(|d| d.mcb_tables),
    by_entry("mdio", &layout::MDIO, mask::mdio),
    by_entry("mei", &layout::MEI, guid::mei),
    by_pattern("mhi", &layout::MHI, pattern::MHI),
    by_pattern("mhi_ep", &layout::MHI, pattern::MHI_EP).when(|d| d.mhi_ep_tables),
    by_pattern("mipscdmm", &layout::MIPS_CDMM, pattern::MIPS_CDMM),
    whole("of", &layout::OF, of::of_table),
    by_pattern("parisc", &layout::PARISC, pattern::PARISC),
    by_entry("pci", &layout::PCI, pci::entry),
    by_pattern("pcmcia", &layout::PCMCIA, pattern::PCMCIA),
    by_pattern("platform", &layout::PLATFORM, pattern::PLATFORM),
    whole("pnp", &layout::PNP, pnp::device_table),
    whole("pnp_card", &layout::PNP_CARD, pnp::card_table).called("pnp"),
    by_pattern("rapidio", &layout::RAPIDIO, pattern::RAPIDIO),
    by_pattern("rpmsg", &layout::RPMSG, pattern::RPMSG),
    by_pattern("sdio", &layout::SDIO, pattern::SDIO),
    by_pattern("sdw", &layout::SDW, pattern::SDW),
    by_pattern("serio", &layout::SERIO, pattern::SERIO),
    by_pattern("slim", &layout::SLIM, pattern::SLIM).when(|d| d.slim_tables),
    by_pattern("spi", &layout::SPI, pattern::SPI),
    by_pattern("ssam", &layout::SSAM, pattern::SSAM).when(|d| d.ssam_and_dfl_tables),
    by_pattern("ssb", &layout::SSB, pattern::SSB),
    by_pattern("tbsvc", &layout::TBSVC, pattern::TBSVC),
    by_entry("tee", &layout::TEE, guid::tee),
    by_pattern("typec", &layout::TYPEC, pattern::TYPEC).when(|d| !d.typec_without_mode),
    by_pattern("typec", &layout::TYPEC, pattern::TYPEC_WITHOUT_MODE).when(|d| d.typec_without_mode),
    by_pattern("ulpi", &layout::ULPI, pattern::ULPI),
    whole("usb", &layout::USB, usb::table),
    by_pattern("vchiq", &layout::VCHIQ, pattern::VCHIQ).when(|d| d.vchiq_tables),
    by_entry("vio", &layout::VIO, of::vio_entry),
    by_pattern("virtio", &layout::VIRTIO, pattern::VIRTIO),
    by_entry("vmbus", &layout::VMBUS, guid::vmbus),
    by_entry("wmi", &layout::WMI, guid::wmi),
    by_entry("x86cpu", &layout::X86CPU, cpu::x86),
    by_pattern("zorro", &layout::ZORRO, pattern::ZORRO),
];

/// What a device table's symbol tells.
#[derive(Clone, Copy, Debug)]
pub struct TableSymbol<'a> {
    /// The type of the table.
    pub(crate) table_type: &'static TableType,
    /// The name of the table in the source, if the symbol has it.
    name: &'a [u8],
    /// The module that the table is of, if the symbol has it.
    module: &'a [u8],
}

/// What a symbol tells if it is a table that the dialect knows:
/// `__mod_TYPE__NAME_device_table`, or since 6.13
/// `__mod_device_table__TYPE__NAME`, since 6.18
/// `__mod_device_table__kmod_MODULE__TYPE__NAME`.
#[must_use]
pub fn table_symbol<'a>(symbol: &'a [u8], dialect: &Dialect) -> Option<TableSymbol<'a>> {
    fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
        let at = memchr::memmem::find(text, b"__")?;
        Some((&text[..at], &text[at + 2..]))
    }
    let (table_type, name, module) = if dialect.alias_list {
        let rest = symbol.strip_prefix(b"__mod_device_table__")?;
        let (module, rest) = if dialect.tables_name_their_module {
            // The mark may be anywhere after the prefix's first byte.
            let at = memchr::memmem::find(symbol, b"__kmod_")?;
            split(&symbol[at + b"__kmod_".len()..])?
        } else {
            (&b""[..], rest)
        };
        let (table_type, name) = split(rest)?;
        (table_type, name, module)
    } else {
        let name = symbol.strip_prefix(b"__mod_")?.strip_suffix(b"_device_table")?;
        // The suffix counts in the search for the two underscores.
        let (table_type, _) = split(&symbol[b"__mod_".len()..])?;
        (table_type, name, &b""[..])
    };
    let table_type = TABLES.iter().find(|table| table.name.as_bytes() == table_type && (table.known)(dialect))?;
    Some(TableSymbol { table_type, name, module })
}

/// What a table's bytes are to be read as.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The object's class and byte order.
    pub encoding: Encoding,
    /// How its compiler lays out structures.
    pub abi: Abi,
    /// The kernel.
    pub dialect: &'a Dialect,
    /// The kernel build's own offsets.
    pub offsets: Option<&'a Offsets>,
}

/// What becomes of a module's tables.
#[derive(Debug, Default)]
pub struct Output {
    /// The aliases.
    pub(crate) aliases: Aliases,
    /// The messages, in order.
    pub(crate) messages: Vec<Message>,
}

impl Output {
    /// Output that goes on where other tables of the module ended.
    #[must_use]
    pub fn after(aliases: Aliases) -> Self {
        Self { aliases, ..Self::default() }
    }

    fn alias(&mut self, pieces: &[&[u8]]) {
        self.aliases.push(pieces);
    }

    fn warn(&mut self, text: Vec<u8>) {
        self.messages.push(Message::new(Severity::Warning, kind::DEVICE_ID, text));
    }
}

/// The contents of a table's symbol.
#[derive(Clone, Copy, Debug)]
pub enum Contents<'a> {
    /// The bytes in the object.
    Bytes(&'a [u8]),
    /// A table of so many NULs, in a section that occupies no space.
    Zeros(u64),
}

/// The layout of a table's entries, if its size is a multiple of theirs.
///
/// # Errors
/// If it isn't, in kernels in which that ends the run; in others it is reported.
pub fn check_size(
    symbol: &TableSymbol,
    module: &[u8],
    size: u64,
    target: Target,
    output: &mut Output,
) -> Result<Option<Layout>, Fatal> {
    let table_type = symbol.table_type;
    let layout = Layout::new(table_type.structure, target.abi, target.dialect, target.offsets);
    if layout.size != 0 && size != 0 && size % layout.size as u64 == 0 {
        return Ok(Some(layout));
    }
    if !target.dialect.alias_list {
        return Err(wrong_size_fatal(table_type, module, size, layout.size));
    }
    let name = table_type.name;
    let text = text!("{}: type mismatch between {}[] and MODULE_DEVICE_TABLE({}, ...)\n", module, symbol.name, name);
    output.messages.push(Message::new(Severity::Error, kind::TABLE_SIZE, text).symbol(symbol.name));
    Ok(None)
}

/// Writes the aliases of one table, whose size [`check_size`] found right and
/// gave the layout for.
///
/// # Errors
/// If the table has no terminator, and whatever else ends the original's run.
pub fn write_table(
    symbol: &TableSymbol,
    module: &[u8],
    contents: Contents,
    layout: &Layout,
    target: Target,
    output: &mut Output,
) -> Result<(), Fatal> {
    let table_type = symbol.table_type;
    let zeros;
    let bytes = match contents {
        Contents::Bytes(bytes) => bytes,
        Contents::Zeros(size) => {
            zeros = vec![0; usize::try_from(size).unwrap_or(layout.size)];
            &zeros
        }
    };
    let terminated = bytes[bytes.len() - layout.size..].iter().all(|&byte| byte == 0);
    if !terminated && target.dialect.alias_list {
        let text = text!("{}: {}[] is not terminated with a NULL entry\n", module, symbol.name);
        output.messages.push(Message::new(Severity::Error, kind::TABLE_UNTERMINATED, text).symbol(symbol.name));
        return Ok(());
    }
    if !terminated {
        return Err(unterminated_fatal(table_type, module, bytes, layout.size, output));
    }
    output.aliases.begin_table(symbol.module, target.dialect);
    let first = output.aliases.len();
    let table = Table { module, layout, target, bytes };
    let mut alias = Vec::new();
    match table_type.form {
        Form::Whole(function) => return function(&table, output),
        Form::Pattern(pieces) => {
            for entry in table.entries() {
                alias.clear();
                pattern::write(pieces, &entry, &mut alias);
                in_bounds(&table, &alias)?;
                output.alias(&[&alias]);
            }
        }
        Form::Entry(function) => {
            for entry in table.entries() {
                alias.clear();
                if function(&entry, &mut alias, output)? {
                    in_bounds(&table, &alias)?;
                    output.alias(&[&alias]);
                }
            }
        }
    }
    // Kernels up to 6.12 format the lines while they read the table.
    let Dialect { long_line_is_fatal, alias_list, .. } = *target.dialect;
    let mut lines = output.aliases.iter().skip(first).map(line);
    let cut = lines.find_map(|line| CutLine::of(&line)).filter(|_| long_line_is_fatal && !alias_list);
    cut.map_or(Ok(()), |cut| Err(cut.fatal()))
}

/// A table is a whole number of entries, else user space and kernel don't
/// agree on what an entry is.
fn wrong_size_fatal(table_type: &TableType, module: &[u8], size: u64, id_size: usize) -> Fatal {
    let name = table_type.message_name;
    let text = text!(
        "{}: sizeof(struct {}_device_id)={} is not a modulo of the size of section __mod_{}__<identifier>_device_table={}.\nFix definition of struct {}_device_id in mod_devicetable.h\n",
        module,
        name,
        id_size.to_string(),
        name,
        size.to_string(),
        name
    );
    Message::new(Severity::Fatal, kind::TABLE_SIZE, text).two_lines().into()
}

/// The last entry is all NULs, else its end isn't found.
fn unterminated_fatal(
    table_type: &TableType,
    module: &[u8],
    bytes: &[u8],
    id_size: usize,
    output: &mut Output,
) -> Fatal {
    let last = &bytes[bytes.len() - id_size..];
    let name = table_type.message_name;
    let dump: String = last.iter().map(|byte| format!("0x{byte:02x} ")).collect();
    let text = text!(
        "{}: struct {}_device_id is {} bytes.  The last of {} is:\n{}\n",
        module,
        name,
        id_size.to_string(),
        (bytes.len() / id_size).to_string(),
        dump
    );
    output.messages.push(Message::new(Severity::Plain, kind::TABLE_UNTERMINATED, text));
    let text = text!("{}: struct {}_device_id is not terminated with a NULL entry!\n", module, name);
    Fatal::new(kind::TABLE_UNTERMINATED, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Version;

    #[test]
    fn the_table_is_sorted() {
        assert!(TABLES.is_sorted_by_key(|table| table.name), "for people");
    }

    #[test]
    fn each_dialect_knows_its_tables() {
        for (version, expected) in
            [(Version::new(5, 10, 262), 47), (Version::new(5, 15, 100), 50), (Version::new(6, 1, 176), 52)]
        {
            let dialect = Dialect::new(version);
            assert_eq!(TABLES.iter().filter(|table| (table.known)(&dialect)).count(), expected, "{version}");
        }
    }

    /// Every field that a formatter names exists: each formatter meets an
    /// entry of NULs and one of 0xff bytes, in every dialect and class.
    #[test]
    fn formatters_name_fields_that_exist() {
        for version in [Version::new(5, 15, 100), Version::new(6, 1, 176), Version::new(7, 3, 4)] {
            let dialect = Dialect::new(version);
            for is_64 in [false, true] {
                let encoding = Encoding { is_64, is_big: false };
                let abi = Abi { word: encoding.word(), max_align: encoding.word() };
                let target = Target { encoding, abi, dialect: &dialect, offsets: None };
                for table in TABLES.iter().filter(|table| (table.known)(&dialect)) {
                    let layout = Layout::new(table.structure, abi, &dialect, None);
                    let size = layout.size;
                    let mut bytes = vec![0; size];
                    bytes.extend(vec![0xff; size]);
                    bytes.extend(vec![0; size]);
                    let mut output = Output::default();
                    // Some refuse unterminated strings; that is fine.
                    let symbol = TableSymbol { table_type: table, name: b"ids", module: b"m" };
                    let _ = write_table(&symbol, b"m", Contents::Bytes(&bytes), &layout, target, &mut output);
                }
            }
        }
    }

    #[test]
    fn symbols_of_tables() {
        let dialect = Dialect::new(Version::new(6, 1, 176));
        let name = |symbol: &str| table_symbol(symbol.as_bytes(), &dialect).map(|symbol| symbol.table_type.name);
        assert_eq!(name("__mod_pci__ids_device_table"), Some("pci"));
        assert_eq!(name("__mod_mhi_ep__x_device_table"), Some("mhi_ep"));
        assert_eq!(name("__mod_pci_ids_device_table"), None);
        assert_eq!(name("__mod_nosuch__x_device_table"), None);
        assert_eq!(name("__mod_pci__device_tables"), None);
    }
}
