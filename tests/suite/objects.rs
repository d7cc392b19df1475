//! Objects that are not as they should be, and large ones.

use std::fmt::Write;
use std::io;

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::{Kernel, kernels};

use crate::asm::{GPL, export, function, modinfo, uses};

/// Offsets of fields in the 64-bit ELF header.
const E_TYPE: usize = 16;
pub(crate) const E_SHOFF: usize = 40;

/// The object with some bytes replaced.
pub(crate) fn patched(object: &[u8], offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut object = object.to_vec();
    object[offset..offset + bytes.len()].copy_from_slice(bytes);
    object
}

pub(crate) fn section_headers(object: &[u8]) -> usize {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&object[E_SHOFF..E_SHOFF + 8]);
    u64::from_le_bytes(bytes) as usize
}

/// The offset of the first section header of a type, and of a field in it.
pub(crate) fn section_of_type(object: &[u8], sh_type: u32, field: usize) -> usize {
    let start = section_headers(object);
    let types = object[start..].chunks_exact(64).map(|header| [header[4], header[5], header[6], header[7]]);
    let number = types.enumerate().find(|(_, bytes)| u32::from_le_bytes(*bytes) == sh_type);
    start + number.map_or(0, |(number, _)| number) * 64 + field
}

pub(crate) const SHT_SYMTAB: u32 = 2;

/// More sections than 16 bits can count, and symbols in the last of them.
fn many_sections() -> io::Result<Vec<u8>> {
    let mut source = GPL.to_owned();
    for number in 0..66_000 {
        let _ = writeln!(source, ".section .s{number},\"a\"\n.byte 0");
    }
    source += &[function("late"), export("late", "___ksymtab", "NS"), uses("elsewhere")].concat();
    source += ".section .text.late,\"ax\"\nlate_function: .quad init_function\n";
    source += ".section .init.text,\"ax\"\ninit_function: .quad 0\n";
    assemble(&source)
}

/// More relocations than are read at once, and before and after them references
/// that should not be.
fn many_relocations() -> io::Result<Vec<u8>> {
    let mut source = [GPL, &function("early"), &uses("elsewhere")].concat();
    source += ".section .text.a,\"ax\"\nfirst: .quad init_function\n.rept 30000\n.quad elsewhere\n.endr\n";
    source += "last: .quad init_function\n.section .init.text,\"ax\"\ninit_function: .quad 0\n";
    assemble(&source)
}

fn malformed(kernel: &'static Kernel, module: &[u8]) -> io::Result<Vec<Case>> {
    let case = |name: &str, object: &[u8]| {
        Case::new(kernel, format!("{} object: {name}", kernel.version()))
            .module("a", object)
            .module("b", module)
            .args("-o symvers b.o a.o")
    };
    let size = module.len() as u64;
    let nobits = assemble(".section .modinfo,\"a\",@nobits\nstart: .skip 8\n")?;
    let mut cases = vec![
        case("empty", b""),
        case("one byte", b"\x7f"),
        case("a text", &[b'x'; 200]),
        case("magic and no more", &module[..20]),
        case("a byte less than a header", &module[..63]),
        case("section headers beyond the end", &patched(module, E_SHOFF, &(size + 1).to_le_bytes())),
        case("no symbol table", &patched(module, section_of_type(module, SHT_SYMTAB, 4), &1u32.to_le_bytes())),
        case("a section beyond the end", &patched(module, section_of_type(module, 1, 24), &(size + 8).to_le_bytes())),
        case(".modinfo without contents", &nobits),
        case("another machine's number", &patched(module, 18, &[0xff, 0xff])),
    ];
    let dialect = kernel.dialect();
    if dialect.byte_order_of_objects {
        cases.push(case("no byte order", &patched(module, 5, &[0])));
    }
    // To kernels before, any ELF file is an object.
    if dialect.only_relocatable_objects {
        cases.push(case("executable", &patched(module, E_TYPE, &2u16.to_le_bytes())));
    }
    if dialect.object_suffix_checked {
        cases.push(case("not named .o", module).file("a.x", module).args("-o symvers a.x a.o"));
    }
    cases.push(case("empty, and missing ones are ignored", b"").args("-n a.o b.o"));
    Ok(cases)
}

pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let plain = assemble(GPL)?;
    let many = many_sections()?;
    let relocations = many_relocations()?;
    let names = assemble(
        &[
            GPL,
            &function("plain"),
            ".type local.12,@function\nlocal.12: .quad 0\n.type a.b.7,@function\na.b.7: .quad 0\n",
            ".type b.7,@function\nb.7: .quad 0\n.type x.isra.0,@function\nx.isra.0: .quad init.3\n",
            ".section .init.text,\"ax\"\n.quad 0\n.type init.3,@function\ninit.3: .quad 0\n",
        ]
        .concat(),
    )?;
    let undefined =
        assemble(&[GPL, &uses("one.5"), &uses("two"), ".weak two\n", &uses(".three"), &uses("four.x")].concat())?;
    let ignored =
        assemble(&[GPL, &uses("__this_module"), &uses("_GLOBAL_OFFSET_TABLE_"), &uses("_restgpr_14")].concat())?;
    let common = assemble(&[GPL, ".comm shared,8\n.comm __gnu_lto_v1,1\n"].concat())?;
    let undescribed = assemble(".section .modinfo,\"a\"\nstart: .asciz \"license=GPL\"\n")?;
    let listing = assemble(&[GPL, &modinfo("import_ns", "module:m"), &modinfo("import_ns", "NS")].concat())?;
    let unlicensed = assemble(&function("f"))?;
    let proprietary = assemble(&[GPL, &modinfo("license", "Proprietary")].concat())?;
    let padded = assemble(
        ".section .modinfo,\"a\"\n.byte 0,0\n.asciz \"license=GPL v2\"\n.byte 0,0,0\n.asciz \"import_ns=X\"\n",
    )?;
    let entry = assemble(&[GPL, &function("init_module"), &function("cleanup_module")].concat())?;

    let mut cases = Vec::new();
    for kernel in kernels() {
        cases.extend(malformed(kernel, &plain)?);
        let case = |name: &str, object: &[u8]| {
            Case::new(kernel, format!("{} object: {name}", kernel.version())).module("m", object).args("-o symvers m.o")
        };
        let symvers = "0x00000001\tnothing\tvmlinux\tEXPORT_SYMBOL\t\n";
        cases.extend([
            case("plain", &plain),
            case("many sections", &many).args("-w -m -o symvers m.o").file("m.mod", "\n"),
            case("many relocations", &relocations).args("-w -o symvers m.o"),
            case("numbered names", &names),
            case("undefined", &undefined),
            case("undefined, with vmlinux", &undefined).file("in", symvers).args("-i in -o symvers m.o"),
            case("undefined, only warned of", &undefined).file("in", symvers).args("-w -i in -o symvers m.o"),
            case("undefined and ignored", &ignored).file("in", symvers).args("-i in m.o"),
            case("common", &common),
            case("no license", &unlicensed),
            case("two licenses", &proprietary),
            case("padded .modinfo", &padded),
            case("no description", &undescribed),
            case("no description, and more warnings", &undescribed).args(if kernel.dialect().extra_warn {
                "-W -o symvers m.o"
            } else {
                "-o symvers m.o"
            }),
            case("a namespace that lists modules", &listing),
            case("init and exit", &entry),
            case("init and exit of an external module", &entry).args("-e m.o"),
        ]);
        for directory in ["drivers/staging", "drivers/staging2", "tools/testing/x", "a/tools/testing"] {
            let name = format!("{} object: in {directory}", kernel.version());
            let object = format!("{directory}/m");
            cases.push(Case::new(kernel, name).module(&object, &entry).args(&format!("-o symvers {object}.o")));
        }
    }
    Ok(cases)
}
