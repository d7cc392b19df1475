//! Every type of device table, its entries made of what each field can be.
//!
//! The tables' sizes are our own layouts': if one were wrong, the original
//! would refuse the table.

use std::fmt::Write;
use std::io;

use kbuild_rs::alias::layout::{Abi, Layout};
use kbuild_rs::alias::{TABLES, TableType};
use kbuild_rs::dialect::Dialect;
use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::fixture::{assemble, compile_c};
use kbuild_rs_tests::original::{Kernel, kernels};

use crate::asm::GPL;

/// How many entries each table has.
const ENTRIES: usize = 40;

/// A sequence of numbers that is the same in each run (Marsaglia's xorshift).
pub(crate) struct Numbers(u64);

impl Numbers {
    /// A sequence; any start but 0 will do.
    pub(crate) const fn new(start: u64) -> Self {
        Self(start)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[(self.next() % values.len() as u64) as usize]
    }
}

/// Fields that hold a string.
const STRINGS: &[&str] =
    &["name", "type", "compatible", "compat", "sig", "obj_type", "protocol_key", "guid_string", "chan"];

/// A field's bytes: a string, or what integers are at their edges.
fn field(name: &str, width: usize, count: usize, numbers: &mut Numbers) -> Vec<u8> {
    let len = width * count;
    let is_id = name == "id" && width == 1 && count > 1;
    if (STRINGS.contains(&name) && width == 1) && count > 1 || is_id {
        let mut bytes = vec![0; len];
        let filled = if name == "guid_string" { numbers.pick(&[36, 36, 35, 0]) } else { numbers.next() as usize % len };
        let alphabet = b"abcXYZ019-_, \t*:.";
        bytes[..filled.min(len - 1)].fill_with(|| numbers.pick(alphabet));
        return bytes;
    }
    let mut bytes = Vec::with_capacity(len);
    for _ in 0..count {
        let value = match numbers.next() % 6 {
            0 => 0,
            1 => u64::MAX,
            2 => 1,
            3 => numbers.next() & 0xff,
            // A number in binary-coded decimal.
            4 => numbers.next() & 0x1111_1111_1111_1111 | (numbers.next() & 0x0808_0808_0808_0808),
            _ => numbers.next(),
        };
        bytes.extend((0..width).map(|byte| if byte < 8 { (value >> (8 * byte)) as u8 } else { numbers.next() as u8 }));
    }
    bytes
}

/// What only some values of a field let pass is made so that it does.
fn adjust(table: &TableType, layout: &Layout, entry: &mut [u8], numbers: &mut Numbers, undefined: bool) {
    let mut set = |name: &str, value: u32| {
        let place = layout.place(name);
        entry[place.offset..place.offset + 4].copy_from_slice(&value.to_le_bytes());
    };
    match table.name {
        "pci" => {
            set("class_mask", numbers.pick(&[0, 0xff_ffff, 0xff_ff00, 0xff_0000, 0xff, 0xf0_0000]));
            if layout.places.iter().any(|place| place.name == "override_only") {
                // What an unknown value does is undefined in later kernels.
                let values: &[u32] = if undefined { &[0, 0, 1] } else { &[0, 0, 1, 1, 2] };
                set("override_only", numbers.pick(values));
            }
        }
        "amba" => {
            let mask = numbers.pick(&[u32::MAX, 0, 0x000f_ffff, 0x0fff_f0f3, 0x1248_1248]);
            let id = numbers.next() as u32 & mask;
            set("id", id);
            set("mask", mask);
        }
        // An alias has room for so many bits alone.
        "input" => {
            for name in ["evbit", "keybit", "relbit", "absbit", "mscbit", "ledbit", "sndbit", "ffbit", "swbit"] {
                let place = layout.place(name);
                let bits = &mut entry[place.offset..place.offset + place.width * place.count];
                let (byte, bit) = (numbers.next() as usize % bits.len(), numbers.next() % 8);
                bits.fill(0);
                bits[byte] = 1 << bit;
                if name == "swbit" {
                    bits[2] = 1;
                }
            }
        }
        "usb" => {
            let flags = layout.place("match_flags").offset;
            entry[flags] |= 0x0c;
            let (low, high) = (layout.place("bcdDevice_lo").offset, layout.place("bcdDevice_hi").offset);
            let range = numbers.pick(&[
                (0u16, 0x9999u16),
                (0x0001, 0x0001),
                (0x0100, 0x0199),
                (0x0123, 0x4567),
                (0x0999, 0x1000),
                (0x0000, 0xffff),
                (0x12ab, 0x34cd),
                (0x0a00, 0x9fff),
                (0x2000, 0x1000),
                (0x0099, 0x0101),
            ]);
            entry[low..low + 2].copy_from_slice(&range.0.to_le_bytes());
            entry[high..high + 2].copy_from_slice(&range.1.to_le_bytes());
        }
        "dmi" => {
            let place = layout.place("matches");
            for slot in 0..place.count {
                let bytes = &mut entry[place.offset + slot * 80..][..80];
                bytes[0] = numbers.pick(&[0, 1, 3, 6, 7, 13, 20, 24, 0x81]);
                let filled = 1 + numbers.next() as usize % 60;
                bytes[1..=filled].fill_with(|| numbers.pick(b"Aa :\x01\x7f\xe9*0-"));
                bytes[filled + 1..].fill(0);
            }
        }
        "pnp_card" => {
            let place = layout.place("devs");
            let ids = numbers.next() as usize % place.count;
            for device in 0..place.count {
                let bytes = &mut entry[place.offset + device * 8..][..8];
                bytes.fill(0);
                if device < ids {
                    bytes[..7].copy_from_slice(numbers.pick(&[b"PNPb006", b"ABC0001", b"xyz00ff", b"CTL0045"]));
                }
            }
        }
        _ => {}
    }
}

pub(crate) fn entries(table: &TableType, layout: &Layout, dialect: &Dialect, numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..ENTRIES {
        let mut entry = vec![0; layout.size];
        for place in &layout.places {
            let value = field(place.name, place.width, place.count, numbers);
            entry[place.offset..place.offset + value.len()].copy_from_slice(&value);
        }
        adjust(table, layout, &mut entry, numbers, dialect.pci_override_undefined);
        bytes.extend(entry);
    }
    bytes
}

/// A table's symbol over some bytes.
fn table_source(name: &str, identifier: &str, bytes: &[u8]) -> String {
    let symbol = format!("__mod_{name}__{identifier}_device_table");
    let newer = table_names(name, identifier);
    let mut source = format!(
        ".section .rodata.{identifier},\"a\"\n.balign 8\n.type {symbol},@object\n.size {symbol},{}\n{symbol}:\n",
        bytes.len()
    );
    for line in bytes.chunks(32) {
        let values: Vec<_> = line.iter().map(u8::to_string).collect();
        let _ = writeln!(source, ".byte {}", values.join(","));
    }
    for name in newer {
        let _ = writeln!(source, ".type {name},@object\n.size {name},{}\n{name} = {symbol}", bytes.len());
    }
    source
}

/// The symbols by which kernels since 6.13 and since 6.18 know a table.
pub(crate) fn table_names(name: &str, identifier: &str) -> [String; 2] {
    ["", "kmod_m__"].map(|module| format!("__mod_device_table__{module}{name}__{identifier}"))
}

fn types(kernel: &'static Kernel) -> io::Result<Vec<Case>> {
    let dialect = kernel.dialect();
    let abi = Abi { word: 8, max_align: 8 };
    let mut cases = Vec::new();
    let mut numbers = Numbers::new(0x2545_f491_4f6c_dd1d);
    for table in TABLES {
        let case = |name: &str, object: &[u8]| {
            let name = format!("{} device table: {} {name}", kernel.version, table.name);
            Case::new(kernel, name).module("m", object).args("-o symvers m.o")
        };
        let layout = Layout::new(table.structure, abi, &dialect, None);
        let zeros = vec![0; layout.size];
        let mut bytes = entries(table, &layout, &dialect, &mut numbers);
        bytes.extend(&zeros);
        let object = |bytes: &[u8]| assemble(&[GPL, &table_source(table.name, "ids", bytes)].concat());
        cases.push(case("with many entries", &object(&bytes)?));
        cases.push(case("with an entry of NULs", &object(&[&zeros[..], &zeros].concat())?));
        cases.push(case("with a terminator alone", &object(&zeros)?));
        cases.push(case("with a byte too many", &object(&[&zeros[..], &[0]].concat())?));
        let unterminated = [&zeros[..], &vec![0xa5; layout.size]].concat();
        cases.push(case("without terminator", &object(&unterminated)?));
        let symbol = format!("__mod_{}__ids_device_table", table.name);
        let (mut bss, size) = (format!("{GPL}.bss\n"), layout.size * 3);
        for symbol in [symbol].into_iter().chain(table_names(table.name, "ids")) {
            let _ = write!(bss, ".type {symbol},@object\n.size {symbol},{size}\n{symbol}: .skip {size}\n");
        }
        cases.push(case("in .bss", &assemble(&bss)?));
    }
    Ok(cases)
}

/// Symbols that look like tables, and tables that look otherwise.
fn symbols(kernel: &'static Kernel) -> io::Result<Vec<Case>> {
    let layout_size = 40;
    let entry = [vec![1; 24], vec![0; 16], vec![0; layout_size]].concat();
    let mut source = GPL.to_owned();
    source += &table_source("pci", "one", &entry);
    source += &table_source("pci", "two__three", &entry);
    source += &table_source("nosuch", "x", &entry);
    source += "__mod_pci__notype_device_table: .quad 0\n";
    source += ".type __mod_pci_single_device_table,@object\n__mod_pci_single_device_table: .quad 0\n";
    source += ".type __mod_pci__x_device_tables,@object\n__mod_pci__x_device_tables: .quad 0\n";
    source += ".type __mod_device_table,@object\n__mod_device_table: .quad 0\n";
    source += ".globl __mod_pci__absolute_device_table\n.type __mod_pci__absolute_device_table,@object\n__mod_pci__absolute_device_table = 5\n";
    source += ".data\n.quad __mod_pci__undefined_device_table\n.type __mod_pci__undefined_device_table,@object\n";
    let name = format!("{} device table: symbols", kernel.version);
    Ok(vec![Case::new(kernel, name).module("m", &assemble(&source)?).args("-w -o symvers m.o")])
}

/// Lines that are longer than the original's array.
fn long_lines(kernel: &'static Kernel) -> io::Result<Vec<Case>> {
    let dialect = kernel.dialect();
    if dialect.alias_list && !dialect.alias_bounds {
        // They overflow an array on the stack.
        return Ok(Vec::new());
    }
    let input = TABLES.iter().find(|table| table.name == "input");
    let Some(input) = input else { return Ok(Vec::new()) };
    let layout = Layout::new(input.structure, Abi { word: 8, max_align: 8 }, &dialect, None);
    let mut cases = Vec::new();
    for bits in [84usize, 86, 88, 90] {
        let mut entry = vec![0; layout.size];
        entry[layout.place("flags").offset] = 0x20;
        let keys = layout.place("keybit").offset;
        for bit in 0x100..0x100 + bits {
            entry[keys + bit / 8] |= 1 << (bit % 8);
        }
        let bytes = [&entry[..], &vec![0; layout.size]].concat();
        let after = [vec![1; 24], vec![0; 16], vec![0; 40]].concat();
        let object = assemble(
            &[GPL, &table_source("input", "ids", &bytes), &table_source("i2c", "ids2", &after[..56])].concat(),
        )?;
        let name = format!("{} device table: an alias of {bits} keys", kernel.version);
        cases.push(Case::new(kernel, name).module("m", &object).args("-o symvers m.o"));
    }
    Ok(cases)
}

pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for kernel in kernels() {
        cases.extend(types(kernel)?);
        cases.extend(symbols(kernel)?);
        cases.extend(long_lines(kernel)?);
        let flags: &[&str] = if kernel.dialect().pci_override_only { &["-DOVERRIDE_ONLY"] } else { &[] };
        let driver = compile_c("driver.c", flags)?;
        let name = format!("{} device table: a driver in C", kernel.version);
        cases.push(Case::new(kernel, name).module("driver", &driver).args("-o symvers driver.o"));
    }
    Ok(cases)
}
