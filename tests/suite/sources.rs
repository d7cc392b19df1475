//! The sum of a module's sources.

use std::io;

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::{Kernel, kernels};

use crate::asm::{GPL, modinfo};

/// Sources in which comments, strings and white space are where they can be.
const SOURCES: &[&str] = &[
    "",
    "int a;\n",
    "int  a ; /* comment */\n#define X \\\n 1\n",
    "char *s = \"a  b /* no comment */\"; /* \" */ char c = '\"'; int x  = 1;\n",
    "char *s = \"escaped \\\" quote\"; char *t = \"back\\\\\"; int  y;\n",
    "/*/ int a; */ int b;\n",
    "a / * b; // c \\\n d\n",
    "\"never  ends",
    "/* never ends",
    "a\\",
    "caf\u{e9} \u{a0} \x0b\x0c\r\n",
    "a\0b",
    "0123456789012345678901234567890123456789012345678901234",
    "01234567890123456789012345678901234567890123456789012345",
    "012345678901234567890123456789012345678901234567890123456789012",
    "0123456789012345678901234567890123456789012345678901234567890123",
];

fn case(kernel: &'static Kernel, name: &str, module: &[u8]) -> Case {
    Case::new(kernel, format!("{} sources: {name}", kernel.version()))
        .module("dir/m", module)
        .args("-a -o symvers dir/m.o")
}

/// Objects listed as the kernel's `.mod` files have them.
fn list(kernel: &Kernel, objects: &[&str]) -> String {
    objects.join(if kernel.dialect().mod_file_by_line { "\n" } else { " " }) + "\n"
}

/// The sources of two objects, and a list of these.
fn two(case: Case, list: &str) -> Case {
    case.file("dir/m.mod", list)
        .file("dir/.m.o.cmd", "source_dir/m.o := dir/m.c\n")
        .file("dir/.n.o.cmd", "source_dir/n.o := dir/n.c\n")
        .file("dir/.m.o dir/n.o.cmd", "source_dir/n.o := dir/n.c\n")
        .file("dir/m.c", "int m;\n")
        .file("dir/n.c", "int n;\n")
}

fn cases_of(kernel: &'static Kernel, module: &[u8], versioned: &[u8]) -> Vec<Case> {
    let one = |name: &str, commands: &str| {
        case(kernel, name, module)
            .file("dir/m.mod", list(kernel, &["dir/m.o"]))
            .file("dir/.m.o.cmd", commands)
            .file("dir/m.c", "int  m;\n")
            .file("dir/m.h", "int h; /* x */\n")
            .file("dir/sub/n.h", "int n;\n")
            .file("include/i.h", "int i;\n")
    };
    let source = "source_dir/m.o := dir/m.c\n\ndeps_dir/m.o := \\\n";
    let mut cases = vec![
        case(kernel, "none", module),
        case(kernel, "an empty list", module).file("dir/m.mod", ""),
        case(kernel, "several lines", module).file("dir/m.mod", "\n\ndir/n.o\n"),
        // Some kernels read the first line alone, others split lines at newlines alone.
        two(case(kernel, "two objects, one a line", module), "dir/m.o\ndir/n.o\n"),
        two(case(kernel, "two objects on one line", module), "dir/m.o dir/n.o\n"),
        case(kernel, "a list is missing", module).args("-a -o symvers none.o dir/m.o").file("none.o", module),
        case(kernel, "not asked for", module).args("-o symvers dir/m.o"),
        case(kernel, "asked for by a version", versioned).args("-o symvers dir/m.o"),
        case(kernel, "an object's file is missing", module).file("dir/m.mod", list(kernel, &["dir/n.o"])),
        case(kernel, "a static library", module).file("dir/m.mod", list(kernel, &["dir/lib.a", "", "dir/lib2.a"])),
        one("a source", "source_dir/m.o := dir/m.c\n"),
        one("a source is missing", "source_dir/m.o := dir/none.c\n"),
        // With a newline at the list's end, 6.1 crashes.
        one("a malformed source line", "source_dir/m.o\n").file("dir/m.mod", "dir/m.o"),
        one("no source", "cmd_dir/m.o := gcc\n"),
        one("sources before", "  source_dir/m.o := dir/m.c\n"),
        one(
            "dependencies",
            &format!(
                "{source}  dir/m.h \\\n  dir/sub/n.h \\\n  include/i.h \\\n  $(wildcard include/config/X) \\\n\nx: y\n  dir/none.h \\\n"
            ),
        ),
        one("dependencies without spaces", &format!("{source}dir/m.h \\\ndir/sub/n.h \\\n\n")),
        one("dependencies elsewhere", &format!("{source}  /src/dir/m.h \\\n")),
        one("dependencies that are missing", &format!("{source}  dir/none.h \\\n")),
        one("dependencies without end", &format!("{source}  dir/m.h \\")),
        one("dependencies whose last has no backslash", &format!("{source}  dir/m.h\n  dir/none.h \\\n")),
        case(kernel, "an object in no directory", module)
            .file("dir/m.mod", list(kernel, &["m.o"]))
            .file(".m.o.cmd", "source_m.o := m.c\ndeps_m.o := \\\n  m.h \\\n  none.h \\\n\n")
            .file("m.c", "int m;\n")
            .file("m.h", "int h;\n"),
    ];
    for (number, text) in SOURCES.iter().enumerate() {
        cases.push(one(&format!("text {number}"), "source_dir/m.o := dir/m.c\n").file("dir/m.c", text));
    }
    cases
}

pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let module = assemble(GPL)?;
    let versioned = assemble(&[GPL, &modinfo("version", "1.0")].concat())?;
    Ok(kernels().iter().flat_map(|kernel| cases_of(kernel, &module, &versioned)).collect())
}
