//! Exports and their users, CRCs, namespaces, licenses, and `Module.symvers`.

use std::fmt::Write;
use std::io;

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::{Kernel, kernels};

use crate::asm::{GPL, crc, export, exporter, function, modinfo, uses};

/// Objects that several cases have.
struct Objects {
    /// Exports `f` to all, `g` to GPL modules, `n` in namespace NS, `p` from a
    /// section of another name; only some of them with a CRC.
    owner: Vec<u8>,
    /// Uses all of them.
    user: Vec<u8>,
    /// The same, importing NS.
    importer: Vec<u8>,
    /// The same, not under the GPL.
    proprietary: Vec<u8>,
    /// Exports `f` again.
    rival: Vec<u8>,
}

impl Objects {
    fn new() -> io::Result<Self> {
        let all_uses = ["f", "g", "n", "missing"].map(uses).concat();
        let owner = [
            GPL,
            &["f", "g", "n", "p"].map(function).concat(),
            &export("f", "___ksymtab", ""),
            &export("g", "___ksymtab_gpl", ""),
            &export("n", "___ksymtab", "NS"),
            ".section other,\"a\"\n__ksymtab_p: .quad 0\n",
            &crc("f", 0x1234_5678),
            &crc("g", 0),
            &crc("nobody", 7),
        ];
        Ok(Self {
            owner: assemble(&owner.concat())?,
            user: assemble(&[GPL, &all_uses].concat())?,
            importer: assemble(&[GPL, &all_uses, &modinfo("import_ns", "NS")].concat())?,
            proprietary: assemble(&[&modinfo("license", "Proprietary")[..], &all_uses].concat())?,
            rival: assemble(&exporter("f"))?,
        })
    }
}

/// `Module.symvers` of a kernel.
const SYMVERS: &str = "0x11111111\tf\tvmlinux\tEXPORT_SYMBOL\t\n\
    0x22222222\tg\tvmlinux\tEXPORT_SYMBOL_GPL\t\n\
    0x33333333\tn\tdrivers/other\tEXPORT_SYMBOL\tNS\n\
    0x44444444\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n";

fn with_cmd(case: Case, commands: &str) -> Case {
    case.file("owner.mod", "owner.o\nextra.o\n\nbeyond.o\n").file(".owner.o.cmd", commands).file(".extra.o.cmd", "x")
}

fn cases_of(kernel: &'static Kernel, objects: &Objects) -> Vec<Case> {
    let case = |name: &str| {
        Case::new(kernel, format!("{} exports: {name}", kernel.version()))
            .module("owner", &objects.owner)
            .module("dir/user", &objects.user)
    };
    let from = |name: &str, text: &str| case(name).file("in", text).args("-i in -o symvers dir/user.o");
    let commands = "cmd := x\n#SYMVER f 0x12345678\n#SYMVER g 0x00000000\n#SYMVER n zero\n#SYMVER nobody 0x1\n";
    vec![
        case("owner and user").args("-o symvers owner.o dir/user.o"),
        case("user before owner").args("-o symvers dir/user.o owner.o"),
        case("with versions").args("-m -o symvers owner.o dir/user.o"),
        with_cmd(case("with versions in .cmd files"), commands).args("-m -o symvers owner.o dir/user.o"),
        case("a .mod file is missing").file("x.o", &objects.owner).args("-m -o symvers owner.o x.o"),
        case("a .cmd file is missing").file("owner.mod", "owner.o\n").args("-m -o symvers dir/user.o owner.o"),
        case("of an object of distributed ThinLTO")
            .module("x.thinlto-native", &objects.rival)
            .file("x.thinlto-native.mod", "x.thinlto-native.o\n")
            .file(".x.o.cmd", commands)
            .args("-m -w -o symvers x.thinlto-native.o"),
        case("exported twice").module("rival", &objects.rival).args("-m -o symvers owner.o rival.o dir/user.o"),
        case("exported twice, externally")
            .module("rival", &objects.rival)
            .args("-e -m -o symvers owner.o rival.o dir/user.o"),
        case("exported twice by one").module("owner2", &objects.owner).args("-o symvers owner.o owner2.o owner.o"),
        case("exported by the kernel, too").file("in", SYMVERS).args("-m -i in -o symvers owner.o dir/user.o"),
        case("exported by the kernel, too, externally")
            .file("in", SYMVERS)
            .args("-e -m -i in -o symvers owner.o dir/user.o"),
        case("exported by vmlinux")
            .module("vmlinux", &objects.owner)
            .file(".vmlinux.objs", "\n")
            .args("-m -o symvers vmlinux.o dir/user.o"),
        case("exported by vmlinux, without versions")
            .module("vmlinux", &objects.owner)
            .args("-o symvers vmlinux.o dir/user.o"),
        case("namespace imported")
            .module("importer", &objects.importer)
            .args("-w -o symvers -d nsdeps owner.o importer.o"),
        case("namespace not imported").args("-w -o symvers -d nsdeps owner.o dir/user.o"),
        case("namespace not imported, allowed").args("-w -N -o symvers -d nsdeps owner.o dir/user.o"),
        case("not under the GPL").module("p", &objects.proprietary).args("-w -N -o symvers owner.o dir/user.o p.o"),
        case("kept by a list").file("keep", "g\n\nnobody\nf").args(if kernel.dialect().trim_option {
            "-u keep -o symvers owner.o dir/user.o"
        } else {
            "-o symvers owner.o dir/user.o"
        }),
        case("no namespace missing").args("-d nsdeps owner.o"),
        from("read from a file", SYMVERS).args("-m -N -w -i in -o symvers dir/user.o"),
        from("read from two files", SYMVERS)
            .file("in2", "0x5\tmissing\tdir/more\tEXPORT_SYMBOL\t\n")
            .args("-m -N -i in -i in2 -o symvers dir/user.o"),
        from("read from two files that clash", SYMVERS)
            .file("in2", "0x5\tf\tdir/more\tEXPORT_SYMBOL\t\n")
            .args("-m -N -w -i in -i in2 -o symvers dir/user.o"),
        from("read from two files that clash, externally", SYMVERS)
            .file("in2", "0x5\tf\tdir/more\tEXPORT_SYMBOL\t\n")
            .args("-e -m -N -w -i in -i in2 -o symvers dir/user.o"),
        from("an empty file", ""),
        from("a pipe", "").args("-i /dev/stdin -o symvers dir/user.o").stdin(SYMVERS),
        from("a directory", "").directory("directory").args("-i directory -o symvers dir/user.o"),
        from("an empty line", "0x1\tf\tvmlinux\tEXPORT_SYMBOL\t\n\n"),
        from("a field too few", "0x1\tf\tvmlinux\tEXPORT_SYMBOL\n"),
        from("a field more", "0x1\tf\tvmlinux\tEXPORT_SYMBOL\tNS\tmore\n"),
        from("no symbol", "0x1\t\tvmlinux\tEXPORT_SYMBOL\t\n"),
        from("no module", "0x1\tf\t\tEXPORT_SYMBOL\t\n"),
        from("no number", "crc\tf\tvmlinux\tEXPORT_SYMBOL\t\n"),
        from(
            "a number in other forms",
            "  -1\tf\tvmlinux\tEXPORT_SYMBOL\t\n123456789abcdef01\tg\tvmlinux\tEXPORT_SYMBOL\t\n",
        ),
        from("no newline at the end", "0x1\tf\tvmlinux\tEXPORT_SYMBOL\t"),
        from("a NUL", "0x1\tf\tvmlinux\tEXPORT_SYMBOL\t\n0x2\tg\tvm\0linux\n"),
        from(
            "kinds of exports of other kernels",
            "0x1\tf\tvmlinux\tEXPORT_UNUSED_SYMBOL\t\n0x1\tg\tvmlinux\tEXPORT_SYMBOL_GPL_FUTURE\t\n0x1\tn\tvmlinux\tEXPORT_UNUSED_SYMBOL_GPL\t\n",
        ),
    ]
}

/// Kinds of exports that kernels had until 5.11.
fn unused(kernel: &'static Kernel) -> io::Result<Vec<Case>> {
    let kinds = [("a", "___ksymtab_unused"), ("b", "___ksymtab_unused_gpl"), ("c", "___ksymtab_gpl_future")];
    let mut owner = GPL.to_owned();
    let mut cases = Vec::new();
    for (name, section) in kinds {
        owner += &[function(name), export(name, section, ""), crc(name, 1)].concat();
    }
    let owner = assemble(&owner)?;
    for license in ["GPL", "Proprietary"] {
        for (name, section) in kinds {
            let user = assemble(&[modinfo("license", license), uses(name), uses("z")].concat())?;
            let title = format!("{} exports: {section} used under {license}", kernel.version());
            let symvers = "0x1\tnothing\tvmlinux\tEXPORT_SYMBOL\t\n";
            let case = Case::new(kernel, title).module("owner", &owner).module("user", &user).file("in", symvers);
            cases.push(case.args("-w -i in -o symvers owner.o user.o"));
        }
    }
    Ok(cases)
}

fn lengths(kernel: &'static Kernel) -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for length in [55, 56, 57, 480, 498, 499, 500, 501, 700] {
        let long = "s".repeat(length);
        let owner = assemble(&exporter(&long))?;
        let user = assemble(&[GPL, &uses("before"), &uses(&long), &uses("zzz")].concat())?;
        let symvers = format!(
            "0x1\tbefore\tvmlinux\tEXPORT_SYMBOL\t\n0x1\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n0x2\t{long}x\tm\tEXPORT_SYMBOL\t\n0x2\tzzz\tm\tEXPORT_SYMBOL\t{long}\n"
        );
        let name = format!("{} exports: a name of {length} bytes", kernel.version());
        let commands = format!("\n#SYMVER {long} 0x1\n");
        cases.push(
            Case::new(kernel, name)
                .module("owner", &owner)
                .file("owner.mod", "owner.o\n")
                .file(".owner.o.cmd", commands)
                .module("user", &user)
                .file("in", symvers)
                .args("-N -m -i in -o symvers -d nsdeps owner.o user.o"),
        );
    }
    let plain = assemble(GPL)?;
    for length in [55, 56, 57] {
        let name = format!("{} exports: a module's name of {length} bytes", kernel.version());
        let module = "m".repeat(length);
        cases.push(Case::new(kernel, name).module(&module, &plain).args(&format!("-o symvers {module}.o")));
    }
    Ok(cases)
}

fn others(kernel: &'static Kernel) -> io::Result<Vec<Case>> {
    let case = |name: &str| Case::new(kernel, format!("{} exports: {name}", kernel.version()));
    // More undefined symbols than are reported.
    let mut many = GPL.to_owned();
    for number in 0..9 {
        let _ = write!(many, "{}", uses(&format!("missing{number}")));
    }
    let many = assemble(&many)?;
    let weak = assemble(&[GPL, ".weak perhaps\n", &uses("perhaps"), &uses("f")].concat())?;
    let own = assemble(&[GPL, &export("own", "___ksymtab", ""), &uses("own")].concat())?;
    let fixed = assemble(
        &[GPL, ".text\nf: .quad 0\n", &export("f", "___ksymtab", ""), &export("g", "___ksymtab_gpl", "")].concat(),
    )?;
    let global = assemble(&[GPL, &function("g")].concat())?;
    let orphan =
        assemble(&[GPL, ".data\n__kstrtabns_orphan: .asciz \"NS\"\n__kstrtabns_other: .asciz \"\"\n"].concat())?;
    let weak_crc =
        assemble(&[GPL, &function("f"), &export("f", "___ksymtab", ""), ".weak __crc_f\n", &uses("__crc_f")].concat())?;
    let no_crc = assemble(&[GPL, &function("f"), &export("f", "___ksymtab", "")].concat())?;
    let reserved = ".section ___kcrctab+f,\"a\"\n.weak __crc_f\n.long __crc_f - .\n";
    let reserved_crc = assemble(&[GPL, &function("f"), &export("f", "___ksymtab", ""), reserved].concat())?;
    let crc_in_section = assemble(
        &[
            GPL,
            &function("f"),
            &export("f", "___ksymtab", ""),
            ".section __kcrctab,\"a\"\n.long 1\n__crc_f: .long 0xabcdef01\n",
        ]
        .concat(),
    )?;
    let entry = |label: &str, license: &str, namespace: &str, symbol: &str| {
        format!(
            ".section .export_symbol,\"a\"\n{label}: .asciz \"{license}\"\n.asciz \"{namespace}\"\n.balign 8\n.quad {symbol}\n"
        )
    };
    let strange = assemble(
        &[
            GPL,
            &function("f"),
            &function("g"),
            ".section .init.text,\"ax\"\n.globl i\n.type i,@function\ni: .quad 0\n",
            ".section .exit.text,\"ax\"\n.globl e\n.type e,@function\ne: .quad 0\n",
            ".data\n.globl d\nd: .quad 0\nlocal: .quad 0\n.weak w\nw: .quad 0\n",
            &entry("strange", "", "", "f"),
            &entry("__export_symbol_g", "", "", "f"),
            &entry("__export_symbol_local", "", "", "local"),
            &entry("__export_symbol_f", "BSD", "", "f"),
            &entry("__export_symbol_i", "GPL", "", "i"),
            &entry("__export_symbol_e", "", "NS", "e"),
            &entry("__export_symbol_d", "", "module:user,other*", "d"),
            &entry("__export_symbol_w", "GPL", "module:someone", "w"),
            &entry("__export_symbol_undefined", "", "", "undefined"),
        ]
        .concat(),
    )?;
    let unnamed = assemble(&[GPL, &function("f"), ".section .export_symbol,\"a\"\n.quad f\n"].concat())?;
    let user = assemble(&[GPL, &uses("i"), &uses("e"), &uses("d"), &uses("w")].concat())?;
    let keeper =
        assemble(&[GPL, ".section .no_trim_symbol,\"a\"\n.asciz \"g\"\n.byte 0\n.asciz \"nobody\"\n"].concat())?;
    let dotted =
        assemble(&[GPL, ".globl .f\n.text\n.f: .quad 0\n", &uses(".g"), &export(".f", "___ksymtab", "")].concat())?;
    let symvers = "0x1\tg\tvmlinux\tEXPORT_SYMBOL\t\n";
    let symver_lines =
        "#SYMVER first 0x1\n#SYMVER f 0x10\n#SYMVER f 10 \n#SYMVER f\n#SYMVER f 017\n#SYMVER f 0xffffffffff\n";
    Ok(vec![
        case("many undefined").module("a", &many).module("b", &many).file("in", symvers).args("-i in a.o b.o"),
        case("many undefined, only warned of")
            .module("a", &many)
            .module("b", &many)
            .file("in", symvers)
            .args("-w -i in a.o b.o"),
        case("weak").module("m", &weak).file("in", symvers).args("-i in m.o"),
        case("own").module("m", &own).file("in", symvers).args("-i in -o symvers m.o"),
        case("static").module("m", &fixed).args("-o symvers m.o"),
        case("static, and global in another").module("m", &fixed).module("n", &global).args("-o symvers m.o n.o"),
        case("static, and global in one before").module("m", &fixed).module("n", &global).args("-o symvers n.o m.o"),
        case("namespaces of nothing").module("m", &orphan).args("-o symvers m.o"),
        case("namespaces of nothing that the kernel exports")
            .module("m", &orphan)
            .file("in", "0x1\torphan\tvmlinux\tEXPORT_SYMBOL\t\n")
            .args("-i in -o symvers m.o"),
        case("strange entries").module("m", &strange).args("-o symvers m.o"),
        case("strange entries, used")
            .module("m", &strange)
            .module("user", &user)
            .args("-w -m -d nsdeps -o symvers m.o user.o"),
        case("an entry without label").module("m", &unnamed).args("-o symvers m.o"),
        case("kept for symbol_get").module("m", &fixed).module("k", &keeper).args("-o symvers m.o k.o"),
        case("no CRC").module("m", &weak_crc).args("-m -o symvers m.o"),
        case("no CRC, nor a place for one").module("m", &no_crc).args("-m -o symvers m.o"),
        case("no CRC in the place for one").module("m", &reserved_crc).args("-m -o symvers m.o"),
        case("a CRC in a section").module("m", &crc_in_section).args("-m -o symvers m.o"),
        case("a dot before the name").module("m", &dotted).file("in", symvers).args("-i in -o symvers m.o"),
        case("forms of SYMVER lines")
            .module("m", &weak_crc)
            .file("m.mod", "m.o\n")
            .file(".m.o.cmd", symver_lines)
            .args("-m -o symvers m.o"),
    ])
}

pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let objects = Objects::new()?;
    let mut cases = Vec::new();
    for kernel in kernels() {
        cases.extend(cases_of(kernel, &objects));
        cases.extend(unused(kernel)?);
        cases.extend(lengths(kernel)?);
        cases.extend(others(kernel)?);
    }
    Ok(cases)
}
