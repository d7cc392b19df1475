//! Objects that break the gABI, and of which the original makes something all
//! the same: it doesn't count sections, looks at tables one entry at a time, and
//! brings headers, symbols and section numbers into the host's byte order where
//! they stand.

use std::io;

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::host;
use kbuild_rs_tests::machine::{MACHINES, Machine, module};
use kbuild_rs_tests::original::kernels;

use crate::asm::GPL;

/// A field of a structure: its offset and its width in bytes.
type Field = (usize, usize);

// `Elf64_Ehdr`, `Elf64_Shdr` and `Elf64_Sym` (gABI).
const E_MACHINE: Field = (18, 2);
const E_SHOFF: Field = (40, 8);
const E_SHNUM: Field = (60, 2);
const E_SHSTRNDX: Field = (62, 2);
const SH_NAME: Field = (0, 4);
const SH_TYPE: Field = (4, 4);
const SH_OFFSET: Field = (24, 8);
const SH_SIZE: Field = (32, 8);
const SH_LINK: Field = (40, 4);
const SH_INFO: Field = (44, 4);
const HEADER: usize = 64;
const ST_NAME: Field = (0, 4);
const ST_SHNDX: Field = (6, 2);
const ST_VALUE: Field = (8, 8);
const SYMBOL: usize = 24;

const SHT_REL: usize = 9;
const SHT_SYMTAB_SHNDX: usize = 18;
const SHN_XINDEX: usize = 0xffff;

/// A 64-bit object that is being corrupted.
#[derive(Clone)]
struct Corrupted {
    bytes: Vec<u8>,
    is_big: bool,
}

impl Corrupted {
    fn new(object: &[u8]) -> Self {
        Self { bytes: object.to_vec(), is_big: object[5] == 2 }
    }

    fn get(&self, base: usize, (offset, width): Field) -> usize {
        let add = |value: usize, byte: &u8| value << 8 | usize::from(*byte);
        let bytes = &self.bytes[base + offset..][..width];
        if self.is_big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }

    fn set(mut self, base: usize, (offset, width): Field, value: usize) -> Self {
        let bytes = value.to_be_bytes();
        let field = &mut self.bytes[base + offset..][..width];
        field.copy_from_slice(&bytes[bytes.len() - width..]);
        if !self.is_big {
            field.reverse();
        }
        self
    }

    /// With bytes at its end.
    fn with(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn string(&self, table: usize, offset: usize) -> &[u8] {
        let rest = &self.bytes[self.get(table, SH_OFFSET) + offset..];
        rest.split(|&byte| byte == 0).next().unwrap_or_default()
    }

    /// The section of a name, which it must have, and its header's place.
    fn section(&self, name: &str) -> (usize, usize) {
        let headers = self.get(0, E_SHOFF);
        let names = headers + self.get(0, E_SHSTRNDX) * HEADER;
        let mut places = (0..self.get(0, E_SHNUM)).map(|number| (number, headers + number * HEADER));
        let found = places.find(|&(_, place)| self.string(names, self.get(place, SH_NAME)) == name.as_bytes());
        found.unwrap_or_else(|| panic!("the object has no section {name}"))
    }

    fn header(&self, name: &str) -> usize {
        self.section(name).1
    }

    /// The symbol of a name, which it must have, and its place.
    fn symbol(&self, name: &str) -> (usize, usize) {
        let (table, strings) = (self.header(".symtab"), self.header(".strtab"));
        let start = self.get(table, SH_OFFSET);
        let mut places = (0..self.get(table, SH_SIZE) / SYMBOL).map(|number| (number, start + number * SYMBOL));
        let found = places.find(|&(_, place)| self.string(strings, self.get(place, ST_NAME)) == name.as_bytes());
        found.unwrap_or_else(|| panic!("the object has no symbol {name}"))
    }

    /// With a section at its end, and `more` bytes said to be in it.
    fn moved(self, name: &str, more: usize) -> Self {
        let header = self.header(name);
        let (offset, size) = (self.get(header, SH_OFFSET), self.get(header, SH_SIZE));
        let contents = self.bytes[offset..][..size].to_vec();
        let end = self.bytes.len();
        self.set(header, SH_OFFSET, end).set(header, SH_SIZE, size + more).with(&contents)
    }

    /// With a section that is said to hold the symbols' section numbers.
    fn numbers(self, name: &str) -> Self {
        let (header, (symbols, _)) = (self.header(name), self.section(".symtab"));
        self.set(header, SH_TYPE, SHT_SYMTAB_SHNDX).set(header, SH_LINK, symbols)
    }
}

/// One of the host's byte order.
const MISMATCH: &str = ".section .init.text,\"ax\"\nf: .quad 0\n.text\n.quad f\n.data\n.globl g\ng: .quad 0\n";

/// A machine of the other byte order.
fn foreign() -> &'static Machine {
    MACHINES.iter().find(|machine| machine.name == "ppc64").expect("one of them")
}

pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let native = Corrupted::new(&assemble(&[GPL, MISMATCH].concat())?);
    let table = "__mod_pnp__ids_device_table";
    let refused = format!("{GPL}.data\n.globl {table}\n.type {table},@object\n.size {table},5\n{table}: .skip 5\n");
    let refused = Corrupted::new(&assemble(&refused)?);

    let (g, beyond) = (native.symbol("g").1, native.get(0, E_SHNUM));
    let no_section = native.clone().set(g, ST_SHNDX, beyond).with(&[0; HEADER]);
    let nowhere = native.clone().set(native.header(".rela.text"), SH_INFO, 0);
    let no_addends = native.clone().set(native.header(".rela.text"), SH_TYPE, SHT_REL).set(0, E_MACHINE, 0xfff);
    let no_addends = no_addends.moved(".rela.text", SYMBOL);

    let mut cases = Vec::new();
    for kernel in kernels() {
        let dialect = kernel.dialect();
        let named = |name: &str| Case::new(kernel, format!("{} corrupted: {name}", kernel.version()));
        let case = |name: &str, object: Corrupted| named(name).module("m", &object.bytes).args("-o symvers m.o");
        cases.push(case("a symbol's section is what follows the section headers", no_section.clone()));
        let enabled = if dialect.module_option { "-M -o symvers m.o" } else { "-o symvers m.o" };
        cases.push(case("relocations of no section", nowhere.clone()).args(enabled));
        if dialect.rel_needs_machine {
            cases.push(case("relocations cut, of an unknown machine", no_addends.clone()));
        }
        // Where they are byte-swapped, those behind the file's end are, too.
        if !dialect.byte_order_of_objects && !host::is_big()? {
            cases.push(case("symbols cut, behind a refused table", refused.clone().moved(".symtab", SYMBOL)));
        }

        let machine = foreign();
        let foreign = Corrupted::new(&module(machine, kernel, 1)?);
        let case = |name: &str, object: Corrupted| case(name, object).target(machine.target).args("-w -o symvers m.o");
        cases.push(case("section names byte-swapped as section numbers", foreign.clone().numbers(".shstrtab")));
        // Two bytes, and then `.modinfo`.
        let (text, end) = (foreign.header(".init.text"), foreign.bytes.len());
        let overlap = foreign.clone().with(&[0; 2]).moved(".modinfo", 0).numbers(".init.text");
        let overlap = overlap.set(text, SH_OFFSET, end).set(text, SH_SIZE, 2);
        cases.push(case(".modinfo byte-swapped by the end of section numbers", overlap));

        // The number of its section is taken from the low half of a symbol's
        // value, six numbers to a symbol, which is byte-swapped already.
        let ((number, symbol), (section, _)) = (foreign.symbol("first_init_text"), foreign.section(".init.data"));
        let (data, symbols) = (foreign.header(".data"), foreign.get(foreign.header(".symtab"), SH_OFFSET));
        let short = foreign.clone().numbers(".data").set(data, SH_OFFSET, symbols - 4).set(data, SH_SIZE, 4);
        let short = short.set(symbols + (6 * number + 3) * SYMBOL, ST_SHNDX, SHN_XINDEX);
        let short = short.set(symbol, ST_VALUE, section);
        cases.push(case("a section number from past the end of their table", short));
    }
    Ok(cases)
}
