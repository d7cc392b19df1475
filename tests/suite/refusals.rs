//! Objects on which the original's behaviour is undefined: it reads beyond
//! the file's end, overflows an array, or crashes. Ours ends with one line
//! that says what is wrong and where, and writes nothing.

use std::fs;
use std::io;

use elf::Source;
use kbuild_rs_tests::fixture::{assemble, compile_c};
use kbuild_rs_tests::host;
use kbuild_rs_tests::original::{self, Kernel, kernels};
use kbuild_rs_tests::run::{self, Call};
use kbuild_rs_tests::tally::{Tally, Verdict};
use kernel::Version;
use modpost::cli::Options;
use modpost::dialect::Dialect;
use modpost::object::{self, Context, Scratch};
use modpost::section::Rules;

use crate::asm::GPL;
use crate::objects::{E_SHOFF, SHT_SYMTAB, patched, section_headers, section_of_type};

const SHT_RELA: u32 = 4;
const SHT_STRTAB: u32 = 3;

/// Name, object, and the line after `FATAL: modpost: m.o: `.
type Refusal = (&'static str, Vec<u8>, String);

/// The begin of a case's name, and the kernels to which it is undefined.
type OnSome = (&'static str, fn(&Dialect) -> bool);

/// Cases that are for some kernels only.
const ON_SOME: &[OnSome] = &[
    // The others have a message of their own.
    ("no byte order", |dialect| !dialect.byte_order_of_objects),
    ("before 6.12: ", |dialect| !dialect.byte_order_of_objects),
    ("from 6.12 on: ", |dialect| dialect.byte_order_of_objects),
    ("from 6.7 on: ", |dialect| dialect.nearest_is_first),
];

/// The object with the table of a type at its end, and one entry less in it than
/// it is said to have.
fn cut(object: &[u8], sh_type: u32) -> Vec<u8> {
    let [offset, size] = [24, 32].map(|field| {
        let at = section_of_type(object, sh_type, field);
        (at, object[at..at + 8].try_into().map_or(0, u64::from_le_bytes))
    });
    let table = object[offset.1 as usize..][..size.1 as usize].to_vec();
    let cut = patched(object, offset.0, &(object.len() as u64).to_le_bytes());
    [patched(&cut, size.0, &(size.1 + 24).to_le_bytes()), table].concat()
}

fn refusals() -> io::Result<Vec<Refusal>> {
    let module = assemble(&[GPL, ".section .init.text,\"ax\"\nf: .quad 0\n.text\n.quad f\n"].concat())?;
    let quiet = assemble(&[GPL, ".section .init.text,\"ax\"\nf: .quad 0\n.quad f\n"].concat())?;
    let size = module.len() as u64;
    let headers = section_headers(&module);
    let symtab = |field| section_of_type(&module, SHT_SYMTAB, field);
    let rela = |field| section_of_type(&module, SHT_RELA, field);
    let word = |at: usize| u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|n| module[at + n]));
    let number = |at: usize| (at - headers) / 64;
    let section_number = |object: &[u8], sh_type| (section_of_type(object, sh_type, 0) - section_headers(object)) / 64;
    let strings = section_of_type(&module, SHT_STRTAB, 24);
    let (symbols, relocations) = (word(symtab(24)) as usize, word(rela(24)) as usize);
    let table = |bytes: &[u8]| {
        let values: Vec<_> = bytes.iter().map(u8::to_string).collect();
        let mut source = format!("{GPL}.data\n");
        for symbol in
            ["__mod_pnp__ids_device_table", "__mod_device_table__pnp__ids", "__mod_device_table__kmod_m__pnp__ids"]
        {
            let (size, values) = (bytes.len(), values.join(","));
            source += &format!(".type {symbol},@object\n.size {symbol},{size}\n{symbol}: .byte {values}\n");
        }
        assemble(&source)
    };
    let bad_table = table(&[b'A'; 5])?;
    let at_symbols = |object: &[u8]| {
        let at = section_of_type(object, SHT_SYMTAB, 24);
        object[at..at + 8].try_into().map_or(0, u64::from_le_bytes) as usize
    };
    // A whole number of entries, of 32 bytes or 40.
    let absurd =
        |symbol| format!(".type {symbol},@object\n.size {symbol},{}\n.local {symbol}\n{symbol}:\n", 160u64 << 36);
    let headers_cut = format!("section headers reach beyond the end of the file (section 0, offset {})", size - 64);
    let string_table = format!("no such section header string table (section 0, offset {})", module[62]);
    Ok(vec![
        (
            "before 6.12: section headers cut off",
            patched(&module, E_SHOFF, &(size - 64).to_le_bytes()),
            // All are byte-swapped first, if the host's order is another.
            if host::is_big()? { headers_cut.clone() } else { string_table },
        ),
        ("from 6.12 on: section headers cut off", patched(&module, E_SHOFF, &(size - 64).to_le_bytes()), headers_cut),
        (
            "more sections than bytes",
            patched(&patched(&module, 60, &[0, 0]), headers + 32, &u32::MAX.to_le_bytes()),
            format!("section headers reach beyond the end of the file (section 0, offset {headers})"),
        ),
        (
            "a symbol table that the file's end cuts",
            cut(&module, SHT_SYMTAB),
            format!("table reaches beyond the end of the file (section {}, offset {size})", number(symtab(0))),
        ),
        (
            "a symbol table with no strings",
            patched(&module, symtab(40), &500u32.to_le_bytes()),
            "no such string table (section 0, offset 500)".to_owned(),
        ),
        (
            "no section header strings",
            patched(&module, 62, &[0xf0, 0]),
            "no such section header string table (section 0, offset 240)".to_owned(),
        ),
        (
            "a name beyond the strings",
            patched(&module, symbols + 24, &0x00ff_ffffu32.to_le_bytes()),
            format!("symbol name without end (section {}, offset {})", number(strings), 0x00ff_ffff),
        ),
        (
            "a section's name beyond the strings",
            patched(&module, headers + 64, &0x00ff_ffffu32.to_le_bytes()),
            format!("section name without end (section {}, offset {})", module[62], 0x00ff_ffff),
        ),
        (
            "from 6.7 on: a name beyond the strings, before a table that is refused",
            patched(&bad_table, at_symbols(&bad_table), &0x00ff_ffffu32.to_le_bytes()),
            format!(
                "symbol name without end (section {}, offset {})",
                section_number(&bad_table, SHT_STRTAB),
                0x00ff_ffff
            ),
        ),
        (
            "a symbol with an extended section number and no table of them",
            patched(&module, symbols + 24 + 6, &[0xff, 0xff]),
            format!("symbol without its section number (section {}, offset 24)", number(symtab(0))),
        ),
        (
            "a relocation of no symbol",
            patched(&module, relocations + 12, &1000u32.to_le_bytes()),
            format!("relocation refers to a symbol that doesn't exist (section {}, offset 0)", number(rela(0))),
        ),
        (
            "relocations that the file's end cuts",
            cut(&quiet, SHT_RELA),
            format!(
                "table reaches beyond the end of the file (section {}, offset {})",
                section_number(&quiet, SHT_RELA),
                quiet.len()
            ),
        ),
        (
            "no class",
            patched(&module, 4, &[9]),
            "neither a 32-bit nor a 64-bit object (section 0, offset 4)".to_owned(),
        ),
        ("no byte order", patched(&module, 5, &[0]), "neither little- nor big-endian (section 0, offset 5)".to_owned()),
        (
            "a table of an absurd size",
            assemble(&format!(
                "{GPL}.bss\n{}{}{}.skip 8\n",
                absurd("__mod_pci__x_device_table"),
                absurd("__mod_device_table__pci__x"),
                absurd("__mod_device_table__kmod_m__pci__x")
            ))?,
            "device table of an absurd size (section 3, offset 0)".to_owned(),
        ),
        ("an id without end", table(&[&[b'A'; 16][..], &[0; 16]].concat())?, "PNP id without end".to_owned()),
    ])
}

fn check(name: &str, object: &[u8], expected: &str) -> io::Result<Verdict> {
    let modpost = original::ours("modpost")?;
    let undefined = |kernel: &&Kernel| {
        let mut on_some = ON_SOME.iter().filter(|(begin, _)| name.starts_with(begin));
        on_some.all(|(_, is_undefined)| is_undefined(&kernel.dialect()))
    };
    for kernel in kernels().iter().copied().filter(undefined) {
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("m.o"), object)?;
        fs::write(dir.path().join("m.mod"), "\n")?;
        let call = Call { arguments: ["-o", "symvers", "m.o"].map(Into::into).to_vec(), ..Call::default() };
        let outcome = run::observe(&modpost, dir.path(), kernel.version(), &call)?;
        let stderr = String::from_utf8_lossy(&outcome.stderr).into_owned();
        // A table's message names the module, not the file.
        let wanted = [format!("FATAL: modpost: m.o: {expected}\n"), format!("FATAL: modpost: m: {expected}\n")];
        if !wanted.contains(&stderr) || outcome.status.code() != Some(1) || outcome.files.len() != 2 {
            let status = outcome.status;
            return Ok(Verdict::Failed(format!("  {}: {status}, {stderr}  expected {}", kernel.version(), wanted[0])));
        }
    }
    Ok(Verdict::Passed)
}

/// How many mutants of each object are read.
const MUTANTS: u64 = 3000;

/// Reads an object cut off at each length, and with some bytes replaced. Any
/// result is fine that is one: a panic ends the suite.
fn survives(object: &[u8]) -> Verdict {
    for version in [Version::new(5, 15, 100), Version::new(6, 1, 176)] {
        let mut scratch = Scratch::default();
        let dialect = Dialect::new(version);
        let rules = Rules::new(&dialect);
        let options = Options::default();
        let context = Context::new(&dialect, &rules, &options);
        let mut read = |bytes: Vec<u8>| object::read_source(b"m.o", &Source::Memory(bytes), &context, &mut scratch);
        for len in 0..object.len().min(2000) {
            read(object[..len].to_vec());
        }
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let headers = section_headers(object);
        for _ in 0..MUTANTS {
            let mut mutant = object.to_vec();
            for _ in 0..=next() % 3 {
                // Headers more often than what they tell of.
                let at = match next() % 3 {
                    0 => next() as usize % 64,
                    1 => headers + next() as usize % (object.len() - headers),
                    _ => next() as usize % object.len(),
                };
                mutant[at] = next() as u8;
            }
            read(mutant);
        }
    }
    Verdict::Passed
}

pub(crate) fn run(tally: &Tally, wanted: &dyn Fn(&str) -> bool) -> io::Result<()> {
    for (title, object, expected) in refusals()? {
        let name = format!("refusals: {title}");
        if wanted(&name) {
            tally.note(&name, check(title, &object, &expected)?);
        }
    }
    if wanted("refusals: mutants") {
        for object in [compile_c("driver.c", &["-DOVERRIDE_ONLY"])?, crate::sections::all_pairs("function")?] {
            tally.note("refusals: mutants", survives(&object));
        }
    }
    Ok(())
}
