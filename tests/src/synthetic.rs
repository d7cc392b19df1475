//! Large objects made for measuring: what `-ffunction-sections` makes of a big
//! program, each function in a section of its own with its own relocations.

use object::write::{Object, Relocation, StandardSegment, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};

/// The bytes of a function, and of what each relocation relocates.
const FUNCTION: usize = 512;
const PLACE: u64 = 8;

/// An x86-64 object with so many sections, half of which hold the relocations
/// of the other half, `relocations` in all.
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
