//! A device table: bytes for the kernel, the table's type, class and byte
//! order, and its contents.

#![no_main]

mod dialects;

use elf::Encoding;
use libfuzzer_sys::fuzz_target;
use elf::arch::Abi;
use modpost::alias::{self, Contents, Output, TABLES, Target};

fuzz_target!(|data: &[u8]| {
    let [kernel, number, form, bytes @ ..] = data else { return };
    let dialect = dialects::dialect(*kernel);
    let table_type = &TABLES[usize::from(*number) % TABLES.len()];
    let encoding = Encoding { is_64: form & 1 != 0, is_big: form & 2 != 0 };
    let abi = Abi { word: encoding.word(), max_align: if form & 4 != 0 { 2 } else { encoding.word() } };
    let target = Target { encoding, abi, dialect, offsets: None };
    let forms = [
        format!("__mod_{}__ids_device_table", table_type.name),
        format!("__mod_device_table__kmod_m__{}__ids", table_type.name),
    ];
    for symbol in forms.iter().filter_map(|name| alias::table_symbol(name.as_bytes(), dialect)) {
        let output = &mut Output::default();
        let Ok(Some(layout)) = alias::check_size(&symbol, b"m", bytes.len() as u64, target, output) else { continue };
        let _ = alias::write_table(&symbol, b"m", Contents::Bytes(bytes), &layout, target, output);
        let _ = alias::detail(&symbol, b"m", bytes, &layout, target);
    }
});
