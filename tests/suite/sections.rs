//! References between sections: every pair of the sections that a rule could
//! name, symbols that are excepted, and exception tables.

use std::fmt::Write;
use std::io;

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::{Kernel, kernels};

use crate::asm::GPL;

/// Sections that rules name, and their neighbours.
const SECTIONS: &[(&str, &str)] = &[
    (".text", "ax"),
    (".text.unlikely", "ax"),
    (".text.hot", "ax"),
    (".sched.text", "ax"),
    (".noinstr.text", "ax"),
    (".ltext.x", "ax"),
    (".ref.text", "ax"),
    (".head.text", "ax"),
    (".irqentry.text", "ax"),
    (".softirqentry.text", "ax"),
    (".data", "aw"),
    (".data.rel", "aw"),
    (".data.rel.ro", "aw"),
    (".rodata", "a"),
    (".init.text", "ax"),
    (".init.data", "aw"),
    (".init.rodata", "a"),
    (".init.setup", "a"),
    (".meminit.text", "ax"),
    (".meminit.data", "aw"),
    (".meminit.rodata", "a"),
    (".exit.text", "ax"),
    (".exit.data", "aw"),
    (".memexit.text", "ax"),
    (".memexit.rodata", "a"),
    (".pci_fixup_final", "a"),
    (".pci_fixup_early", "a"),
    ("___ksymtab+f", "a"),
    (".comment.x", "a"),
    (".discard.x", "a"),
    (".altinstr_replacement", "ax"),
];

/// Symbols with names that are excepted from rules, and one that isn't.
const FROM_SYMBOLS: &[&str] = &[
    "plain",
    "my_driver",
    "a_template",
    "a_timer",
    "a_sht",
    "an_ops",
    "a_probe",
    "a_probe_one",
    "a_console",
    "__param_x",
    "__param_ops_x",
    "f.constprop.0",
    "reference___initcall_x",
    "$x",
];

fn label(section: &str) -> String {
    section.replace(['.', '+'], "_")
}

/// An object in which each section refers to each other one: to a function,
/// to a variable, and by a distance from its begin.
pub(crate) fn all_pairs(kind: &str) -> io::Result<Vec<u8>> {
    let mut source = GPL.to_owned();
    for (section, flags) in SECTIONS {
        let name = label(section);
        let _ = write!(
            source,
            ".section {section},\"{flags}\"\nbegin{name}: .quad 0,0\n\
             .type function{name},@function\nfunction{name}: .quad 0,0,0,0,0,0\n\
             .type variable{name},@object\nvariable{name}: .quad 0\n"
        );
    }
    for (from, flags) in SECTIONS {
        let _ = writeln!(source, ".section {from},\"{flags}\"\n.type from{0},@{kind}\nfrom{0}:", label(from));
        for (to, _) in SECTIONS {
            let to = label(to);
            let _ = writeln!(source, ".quad function{to}, variable{to}, begin{to}+70, begin{to}+21, begin{to}+1000");
        }
    }
    assemble(&source)
}

/// References to a global symbol, which keeps its name in the relocation.
fn to_globals() -> io::Result<Vec<u8>> {
    let mut source = GPL.to_owned();
    for (section, flags) in SECTIONS {
        let name = label(section);
        let _ = writeln!(
            source,
            ".section {section},\"{flags}\"\n.globl global{name}\n.type global{name},@function\nglobal{name}: .quad 0"
        );
    }
    source += ".section .init.text,\"ax\"\n.globl _sinittext, _einittext, __init_begin\n_sinittext: .quad 0\n_einittext: .quad 0\n__init_begin: .quad 0\n";
    for from in [".text", ".data", ".init.text", ".exit.text"] {
        let _ = writeln!(source, ".section {from}\n.globl source{0}\nsource{0}:", label(from));
        for (to, _) in SECTIONS {
            let _ = writeln!(source, ".quad global{}", label(to));
        }
        source += ".quad _sinittext, _einittext, __init_begin, undefined\n";
    }
    assemble(&source)
}

/// References from symbols whose names are excepted.
fn from_excepted() -> io::Result<Vec<u8>> {
    let mut source = GPL.to_owned();
    for section in
        [".init.text", ".init.data", ".init.rodata", ".exit.text", ".exit.data", ".meminit.text", ".memexit.text"]
    {
        let _ = writeln!(source, ".section {section},\"aw\"\ntarget{}: .quad 0", label(section));
    }
    let targets = "target_init_text, target_init_data, target_init_rodata, target_exit_text, target_exit_data, target_meminit_text, target_memexit_text";
    for (number, from) in
        [".data", ".text", ".data.rel", ".head.text", ".meminit.data", ".exit.data"].iter().enumerate()
    {
        let _ = writeln!(source, ".section {from}");
        for symbol in FROM_SYMBOLS {
            // The same names in each section, made distinct in front.
            let name = if symbol.starts_with(['_', '$', 'r']) {
                format!("{symbol}{number}")
            } else {
                format!("n{number}{symbol}")
            };
            let _ = writeln!(source, "{name}: .quad {targets}");
        }
    }
    assemble(&source)
}

/// An exception table whose entries, 12 bytes each, refer to some sections.
fn exception_table(targets: &[&str]) -> io::Result<Vec<u8>> {
    let mut source = GPL.to_owned();
    for (section, flags) in SECTIONS {
        let _ = writeln!(
            source,
            ".section {section},\"{flags}\"\n.type code{0},@function\ncode{0}: .quad 0",
            label(section)
        );
    }
    source += ".section odd_code,\"ax\"\ncode_odd: .quad 0\n.section __ex_table,\"a\"\ntable:\n";
    for target in targets {
        let _ = writeln!(source, ".long code_text - ., code{} - ., 0", label(target));
    }
    assemble(&source)
}

/// A reference from each of these labels in `.text` to `.init.text`: which of
/// them names the place?
fn labels(first: &str, second: &str) -> io::Result<Vec<u8>> {
    assemble(&format!(
        "{GPL}.text\nreal: .quad 0\n.globl \"{first}\", \"{second}\"\n\"{first}\": .quad target, 0\n\
         \"{second}\": .quad target\n.section .init.text,\"ax\"\n.globl target\ntarget: .quad 0\n"
    ))
}

/// A reference to a symbol whose name tells nothing, 64 bytes into its section:
/// to what is near that, or near the addend, which is 0?
fn nameless() -> io::Result<Vec<u8>> {
    let source = ".text\ncaller: .quad .Lx\n.section .init.text,\"ax\"\nfirst: .skip 64\n.globl .Lx\n.Lx: .skip 16\n\
                  second: .quad 0\n";
    assemble(&[GPL, source].concat())
}

/// References from a place with two names to places without one, near which
/// there are two symbols: at one address, or as far below as above.
fn equally_near() -> io::Result<Vec<u8>> {
    let source = ".text\none:\ntwo: .quad .Lat, .Lbetween, .Lafter\n.section .init.text,\"ax\"\nfirst:\nsecond:\n\
                  .Lat: .skip 4\n.Lbetween: .skip 4\nthird:\nfourth: .skip 4\n.Lafter: .quad 0\n";
    assemble(&[GPL, source].concat())
}

/// A reference from a symbol in one section to one in another.
fn reference(from: &str, symbol: &str, to: &str) -> io::Result<Vec<u8>> {
    let target = format!(".section {to},\"aw\"\n.globl target\ntarget: .quad 0\n");
    assemble(&format!("{GPL}.section {from}\n{symbol}: .quad target\n{target}"))
}

fn cases_of(kernel: &'static Kernel, objects: &[(&str, Vec<u8>)]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, object) in objects {
        for options in ["", "-W", "-E"] {
            if options == "-W" && !kernel.dialect().extra_warn {
                continue;
            }
            let title = format!("{} sections: {name} {options}", kernel.version());
            cases.push(
                Case::new(kernel, title).module("dir/m", object).args(&format!("{options} -w -o symvers dir/m.o")),
            );
        }
    }
    // What one object tells of the table's entries is remembered for others.
    let good = objects.iter().find(|(name, _)| *name == "exception table to text");
    for (name, object) in objects.iter().filter(|(name, _)| name.starts_with("exception table to")) {
        if let Some((_, good)) = good {
            let title = format!("{} sections: {name} in a second module", kernel.version());
            cases.push(Case::new(kernel, title).module("a", good).module("m", object).args("-w -o symvers a.o m.o"));
        }
    }
    cases
}

pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let not_allocated = "not allocated";
    let objects = vec![
        ("all pairs from functions", all_pairs("function")?),
        ("all pairs from variables", all_pairs("object")?),
        ("global targets", to_globals()?),
        ("excepted symbols", from_excepted()?),
        (not_allocated, assemble(&[GPL, ".section odd\n.byte 0\n.section .debug_x\n.byte 0\n.section .note.x\n.byte 0\n.section .cranges\n.byte 0\n"].concat())?),
        (
            "an empty section that isn't allocated",
            assemble(&[GPL, ".section empty\n.section filled\n.byte 0\n.section .text.empty,\"x\"\n"].concat())?,
        ),
        ("exception table to text", exception_table(&[".text", ".init.text", ".text.hot", ".exit.text"])?),
        ("exception table to late text", exception_table(&[".text", ".irqentry.text", ".softirqentry.text", ".ltext.x"])?),
        ("exception table to other code", exception_table(&[".text", "_odd", ".text"])?),
        ("exception table to data", exception_table(&[".text", ".data", ".init.data", ".text"])?),
        ("exception table to data first", exception_table(&[".data"])?),
        ("exception table to black-listed code", exception_table(&[".text", ".altinstr_replacement", ".text"])?),
        ("labels of tools", labels(".L5", "L0abc")?),
        ("labels of an assembler", labels("$x1", "$d.1")?),
        ("a target without a name", nameless()?),
        ("symbols that are equally near", equally_near()?),
        ("a driver to .memexit", reference(".data", "my_driver", ".memexit.text")?),
        ("a driver to .exit", reference(".data", "my_driver", ".exit.text")?),
        ("code to .meminit", reference(".text", "caller", ".meminit.text")?),
        ("exception table to late text alone", exception_table(&[".text", ".softirqentry.text"])?),
        ("exception table at data", assemble(&[GPL, ".data\nd: .quad 0\n.section __ex_table,\"a\"\n.quad d, d\n.quad d, d\n"].concat())?),
    ];
    Ok(kernels().iter().flat_map(|kernel| cases_of(kernel, &objects)).collect())
}
