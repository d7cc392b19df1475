//! Objects of any machine: class, byte order, the ways to lay out relocations,
//! addends, and what each machine has of its own.
//!
//! They are made by a library that writes ELF for any machine; it is told
//! numbers where it has no name.

use std::io;

use elf::arch::Abi;
use modpost::alias::TABLES;
use modpost::alias::layout::Layout;
use object::write::{Object, Relocation, StandardSection, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope,
};

use crate::original::{Kernel, Target};
use crate::tables::{Numbers, entries, table_names};

/// A machine: its name, its number in `e_machine`, the original for it, and an
/// architecture of the library that has its class, byte order and way of
/// relocating.
#[derive(Debug)]
pub struct Machine {
    /// What it is called.
    pub name: &'static str,
    number: u16,
    /// The original for it.
    pub target: Target,
    like: Architecture,
    /// Words are aligned to two bytes.
    aligned_to_2: bool,
}

const fn machine(name: &'static str, number: u16, target: Target, like: Architecture) -> Machine {
    Machine { name, number, target, like, aligned_to_2: false }
}

/// All machines with something of their own.
pub const MACHINES: &[Machine] = &[
    machine("x86-64", 62, Target::Lsb64, Architecture::X86_64),
    machine("x32", 62, Target::Lsb32, Architecture::X86_64_X32),
    machine("i386", 3, Target::Lsb32, Architecture::I386),
    machine("arm", 40, Target::Lsb32, Architecture::Arm),
    machine("armeb", 40, Target::Msb32, Architecture::Arm),
    machine("arm64", 183, Target::Lsb64, Architecture::Aarch64),
    machine("mips", 8, Target::Msb32, Architecture::Mips),
    machine("mipsel", 8, Target::Lsb32, Architecture::Mips),
    machine("mips64", 8, Target::Msb64, Architecture::Mips64),
    machine("mips64el", 8, Target::Lsb64, Architecture::Mips64),
    machine("ppc", 20, Target::Msb32, Architecture::PowerPc),
    machine("ppc64", 21, Target::Msb64, Architecture::PowerPc64),
    machine("ppc64le", 21, Target::Lsb64, Architecture::PowerPc64),
    machine("sparc", 2, Target::Msb32, Architecture::PowerPc),
    machine("sparc64", 43, Target::Msb64, Architecture::Sparc64),
    machine("parisc", 15, Target::Msb32, Architecture::PowerPc),
    machine("parisc64", 15, Target::Msb64, Architecture::PowerPc64),
    machine("riscv32", 243, Target::Lsb32, Architecture::Riscv32),
    machine("riscv64", 243, Target::Lsb64, Architecture::Riscv64),
    machine("loongarch64", 258, Target::Lsb64, Architecture::LoongArch64),
    machine("s390x", 22, Target::Msb64, Architecture::S390x),
    machine("alpha", 0x9026, Target::Lsb64, Architecture::X86_64),
    Machine { aligned_to_2: true, ..machine("m68k", 4, Target::Msb32, Architecture::PowerPc) },
];

/// Undefined symbols that one machine or another doesn't report.
const UNDEFINED: &[&str] = &[
    "_restgpr_14",
    "_save32gpr_20",
    "_restvr_20",
    "_restgpr0_14",
    "_savegpr1_14",
    "_restfpr_14",
    ".TOC.",
    "__s390_indirect_jump_r1",
    ".urem",
    ".f",
    "__start_section",
    "plain",
];

struct Builder<'a> {
    object: Object<'a>,
    numbers: Numbers,
}

impl Builder<'_> {
    fn symbol(&mut self, name: &str, section: SymbolSection, value: u64, size: u64, kind: SymbolKind) -> SymbolId {
        let scope = if section == SymbolSection::Undefined { SymbolScope::Unknown } else { SymbolScope::Linkage };
        self.object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value,
            size,
            kind,
            scope,
            weak: false,
            section,
            flags: SymbolFlags::None,
        })
    }

    fn section(&mut self, name: &str, kind: SectionKind, contents: &[u8]) -> object::write::SectionId {
        let section = self.object.add_section(Vec::new(), name.as_bytes().to_vec(), kind);
        self.object.set_section_data(section, contents.to_vec(), 8);
        section
    }

    fn word(&mut self) -> u32 {
        self.numbers.next() as u32
    }
}

/// A module for a machine: undefined symbols, relocations of every type from
/// text and data into init and exit sections, and a table of each type with so
/// many entries.
///
/// # Errors
/// If it can't be made.
pub fn module(machine: &Machine, kernel: &Kernel, entries: usize) -> io::Result<Vec<u8>> {
    let big = machine.is_big();
    let endianness = if big { Endianness::Big } else { Endianness::Little };
    let object = Object::new(BinaryFormat::Elf, machine.like, endianness);
    let mut builder = Builder { object, numbers: Numbers::new(u64::from(machine.number) << 8 | 1) };
    let modinfo: &[u8] = b"license=GPL\0description=x\0";
    builder.section(".modinfo", SectionKind::ReadOnlyData, modinfo);
    for name in UNDEFINED {
        builder.symbol(name, SymbolSection::Undefined, 0, 0, SymbolKind::Unknown);
    }
    builder.symbol("$t", SymbolSection::Absolute, 0, 0, SymbolKind::Label);

    // Targets: two named places in each section, odd as in Thumb code.
    let mut targets = Vec::new();
    for (name, kind) in
        [(".init.text", SectionKind::Text), (".exit.data", SectionKind::Data), (".init.data", SectionKind::Data)]
    {
        let section = builder.section(name, kind, &[0; 256]);
        let kind = if kind == SectionKind::Text { SymbolKind::Text } else { SymbolKind::Data };
        let label = name.replace('.', "_");
        builder.symbol(&format!("first{label}"), SymbolSection::Section(section), 0, 8, kind);
        let named = builder.symbol(&format!("second{label}"), SymbolSection::Section(section), 65, 8, kind);
        targets.extend([builder.object.section_symbol(section), named]);
    }
    for (name, kind) in
        [(".text", SectionKind::Text), (".data", SectionKind::Data), ("__ex_table", SectionKind::ReadOnlyData)]
    {
        // Small numbers, so that addends are near something.
        let contents: Vec<u8> =
            (0..2048).map(|n| if n % 4 == if big { 3 } else { 0 } { builder.word() as u8 & 0x7f } else { 0 }).collect();
        let section = match name {
            ".text" => builder.object.section_id(StandardSection::Text),
            ".data" => builder.object.section_id(StandardSection::Data),
            _ => builder.object.add_section(Vec::new(), name.as_bytes().to_vec(), kind),
        };
        builder.object.set_section_data(section, contents, 8);
        builder.symbol(
            &format!("from{}", name.replace('.', "_")),
            SymbolSection::Section(section),
            0,
            16,
            SymbolKind::Data,
        );
        let mut types: Vec<u32> = (0..110).collect();
        if name == "__ex_table" {
            // An error in kernels before ends the run at once.
            types = if !kernel.dialect().riscv_extable { Vec::new() } else { vec![1, 39, 55, 100, 102] };
        }
        for (number, r_type) in types.into_iter().enumerate() {
            let addend = if machine.relocates_in_place() { 0 } else { i64::from(builder.word() as u8 & 0x7f) };
            let symbol = targets[number % targets.len()];
            let relocation =
                Relocation { offset: number as u64 * 8, symbol, addend, flags: RelocationFlags::Elf { r_type } };
            builder.object.add_relocation(section, relocation).map_err(io::Error::other)?;
        }
    }
    exports(&mut builder);
    device_tables(&mut builder, machine, kernel, entries);
    let mut bytes = builder.object.write().map_err(io::Error::other)?;
    let number = if big { machine.number.to_be_bytes() } else { machine.number.to_le_bytes() };
    bytes[18..20].copy_from_slice(&number);
    Ok(bytes)
}

impl Machine {
    const fn is_big(&self) -> bool {
        matches!(self.target, Target::Msb32 | Target::Msb64)
    }

    fn relocates_in_place(&self) -> bool {
        matches!(self.like, Architecture::I386 | Architecture::Arm | Architecture::Mips)
    }
}

/// Exports as kernels to 6.4 have them: one of a symbol that is there, and one
/// of one that isn't.
fn exports(builder: &mut Builder) {
    let text = builder.object.section_id(StandardSection::Text);
    builder.symbol("exported", SymbolSection::Section(text), 16, 8, SymbolKind::Text);
    let strings = builder.section("__ksymtab_strings", SectionKind::ReadOnlyData, b"\0SPACE\0");
    for (name, table, namespace) in [("exported", "___ksymtab_gpl", 1), ("hidden", "___ksymtab", 0)] {
        let section = builder.section(&format!("{table}+{name}"), SectionKind::ReadOnlyData, &[0; 16]);
        let section = SymbolSection::Section(section);
        builder.symbol(&format!("__ksymtab_{name}"), section, 0, 16, SymbolKind::Data);
        let strings = SymbolSection::Section(strings);
        builder.symbol(&format!("__kstrtabns_{name}"), strings, namespace, 0, SymbolKind::Data);
        builder.symbol(&format!("__crc_{name}"), SymbolSection::Absolute, 0x1234_5678, 0, SymbolKind::Data);
    }
}

/// A table of each type, in the machine's layout. Originals for 32 bits have
/// i386's, to which m68k's tables are none, or where the archive has no package
/// for i386, a 64-bit kernel's, to which none are.
fn device_tables(builder: &mut Builder, machine: &Machine, kernel: &Kernel, count: usize) {
    let dialect = kernel.dialect();
    let word = if matches!(machine.target, Target::Lsb64 | Target::Msb64) { 8 } else { 4 };
    let abi = Abi { word, max_align: word };
    if machine.aligned_to_2 || !kernel.knows_tables_of(machine.target) {
        return;
    }
    for (number, table) in TABLES.iter().filter(|table| table.is_known(&dialect)).enumerate() {
        let layout = Layout::new(table.structure, abi, &dialect, None);
        let mut bytes = entries(count, table, &layout, &dialect, &mut builder.numbers);
        if machine.is_big() {
            swap_fields(&layout, &mut bytes);
        }
        bytes.extend(vec![0; layout.size]);
        let section = builder.section(&format!(".rodata.table{number}"), SectionKind::ReadOnlyData, &bytes);
        let old = format!("__mod_{}__ids_device_table", table.name);
        for name in std::iter::once(old).chain(table_names(table.name, "ids")) {
            builder.symbol(&name, SymbolSection::Section(section), 0, bytes.len() as u64, SymbolKind::Data);
        }
    }
}

/// Brings the integers of entries into big-endian order.
fn swap_fields(layout: &Layout, bytes: &mut [u8]) {
    for entry in bytes.chunks_exact_mut(layout.size) {
        for place in layout.places.iter().filter(|place| matches!(place.width, 2 | 4 | 8)) {
            let field = &mut entry[place.offset..place.offset + place.width * place.count];
            field.chunks_exact_mut(place.width).for_each(<[u8]>::reverse);
        }
    }
}
