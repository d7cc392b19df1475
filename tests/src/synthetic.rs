//! Large inputs made for measuring.

use object::write::{Object, Relocation, StandardSection, StandardSegment, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};

/// An x86-64 object with so many symbols in one section, every other of which
/// is undefined.
///
/// # Errors
/// If the object can't be written.
pub fn symbols(count: usize) -> object::write::Result<Vec<u8>> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let modinfo = object.add_section(Vec::new(), b".modinfo".to_vec(), SectionKind::ReadOnlyData);
    object.append_section_data(modinfo, b"license=GPL\0", 1);
    let text = object.section_id(StandardSection::Text);
    for number in 0..count {
        object.add_symbol(Symbol {
            name: format!("a_function_with_the_number_{number}").into_bytes(),
            value: 0,
            size: 0,
            kind: SymbolKind::Text,
            scope: SymbolScope::Linkage,
            weak: false,
            section: if number % 2 == 0 { SymbolSection::Section(text) } else { SymbolSection::Undefined },
            flags: SymbolFlags::None,
        });
    }
    object.write()
}

/// A `Module.symvers` of so many lines.
#[must_use]
pub fn symvers(lines: usize) -> String {
    let line = |number: usize| {
        let module = number / 20;
        format!("0x{number:08x}\tsymbol_with_the_number_{number}\tdrivers/a/module{module}\tEXPORT_SYMBOL_GPL\t\n")
    };
    (0..lines).map(line).collect()
}

/// The bytes of a function, and of what each relocation relocates.
const FUNCTION: usize = 512;
const PLACE: u64 = 8;

/// What `-ffunction-sections` makes of a big program for x86-64: so many
/// sections, half of which hold a function each and the other half their
/// relocations, `relocations` in all.
///
/// # Errors
/// If the object can't be written.
pub fn object(sections: usize, relocations: usize) -> object::write::Result<Vec<u8>> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let functions = sections / 2;
    let modinfo = object.add_section(Vec::new(), b".modinfo".to_vec(), SectionKind::ReadOnlyData);
    object.append_section_data(modinfo, b"license=GPL\0", 1);
    let symbols: Vec<_> = (0..functions)
        .map(|number| {
            let name = format!(".text.function_{number}").into_bytes();
            let segment = object.segment_name(StandardSegment::Text).to_vec();
            let section = object.add_section(segment, name, SectionKind::Text);
            object.append_section_data(section, &[0xcc; FUNCTION], 16);
            let symbol = object.add_symbol(Symbol {
                name: format!("function_{number}").into_bytes(),
                value: 0,
                size: FUNCTION as u64,
                kind: SymbolKind::Text,
                scope: SymbolScope::Linkage,
                weak: false,
                section: SymbolSection::Section(section),
                flags: SymbolFlags::None,
            });
            (section, symbol)
        })
        .collect();
    let places = FUNCTION as u64 / PLACE;
    for number in 0..relocations {
        let (section, _) = symbols[number % functions];
        // Calls go all over the program.
        let (_, symbol) = symbols[number.wrapping_mul(7919) % functions];
        let offset = (number / functions) as u64 % places * PLACE;
        let flags = RelocationFlags::Elf { r_type: elf::R_X86_64_PLT32 };
        object.add_relocation(section, Relocation { offset, symbol, addend: -4, flags })?;
    }
    object.write()
}
