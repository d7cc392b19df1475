//! Every type of device table, its entries made of what each field can be.
//!
//! The tables' sizes are our own layouts': if one were wrong, the original
//! would refuse the table.

use std::fmt::Write;
use std::io;

use elf::arch::Abi;
use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::fixture::{assemble, compile_c};
use kbuild_rs_tests::original::{Kernel, kernels};
use kbuild_rs_tests::tables::{Numbers, entries, table_names};
use modpost::alias::TABLES;
use modpost::alias::layout::Layout;

use crate::asm::GPL;

/// How many entries each table has.
const ENTRIES: usize = 40;

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

fn types(kernel: &'static Kernel) -> io::Result<Vec<Case>> {
    let dialect = kernel.dialect();
    let abi = Abi { word: 8, max_align: 8 };
    let mut cases = Vec::new();
    let mut numbers = Numbers::new(0x2545_f491_4f6c_dd1d);
    for table in TABLES {
        let case = |name: &str, object: &[u8]| {
            let name = format!("{} device table: {} {name}", kernel.version(), table.name);
            Case::new(kernel, name).module("m", object).args("-o symvers m.o")
        };
        let layout = Layout::new(table.structure, abi, &dialect, None);
        let zeros = vec![0; layout.size];
        let mut bytes = entries(ENTRIES, table, &layout, &dialect, &mut numbers);
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

/// A table of CDX devices with entries of the size that they had at first.
fn short_cdx(kernel: &'static Kernel) -> io::Result<Vec<Case>> {
    let entries = [0x34, 0x12, 0x78, 0x56, 1, 0, 0, 0, 0x34, 0x12, 0x79, 0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let object = assemble(&[GPL, &table_source("cdx", "ids", &entries)].concat())?;
    let name = format!("{} device table: cdx with entries of 8 bytes", kernel.version());
    Ok(vec![Case::new(kernel, name).module("m", &object).args("-o symvers m.o")])
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
    let name = format!("{} device table: symbols", kernel.version());
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
        let name = format!("{} device table: an alias of {bits} keys", kernel.version());
        cases.push(Case::new(kernel, name).module("m", &object).args("-o symvers m.o"));
    }
    Ok(cases)
}

pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for kernel in kernels() {
        cases.extend(types(kernel)?);
        cases.extend(short_cdx(kernel)?);
        cases.extend(symbols(kernel)?);
        cases.extend(long_lines(kernel)?);
        let flags: &[&str] = if kernel.dialect().pci_override_only { &["-DOVERRIDE_ONLY"] } else { &[] };
        let driver = compile_c("driver.c", flags)?;
        let name = format!("{} device table: a driver in C", kernel.version());
        cases.push(Case::new(kernel, name).module("driver", &driver).args("-o symvers driver.o"));
    }
    Ok(cases)
}
