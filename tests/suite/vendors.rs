//! Options that vendors' modposts alone have.

use std::io;

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::{Kernel, kernels};

use crate::asm::{GPL, exporter, function, modinfo, uses};

/// Lists of supported modules, and what they try.
const LISTS: &[(&str, &str)] = &[
    ("nothing", ""),
    ("a name", "drivers/net/one.ko\nother external\n"),
    ("a name elsewhere", "elsewhere/one\n"),
    ("how", "one external\nfs/a-b\tyes, really \n\n"),
    ("an empty how", "one \n"),
    ("dashes for underscores", "fs/a_b\nfs/c-d\n"),
    ("wildcards", "drivers/*\nf?/[a-c]?[!x]\n"),
    ("wildcards without the directory", "on[ef]\n"),
    ("dashes in brackets", "fs/a[+--]b external\n"),
    ("an unmatched bracket", "x]-y\none\n"),
    ("space before lines", " \t one\n\n  \n\tfs/c_d.ko\n"),
    ("no newline at the end", "one"),
    ("the suffix alone", ".ko\none\n"),
    ("a backslash", "o\\ne\n"),
];

fn supported(kernel: &'static Kernel, object: &[u8]) -> Vec<Case> {
    let case = |title: &str| {
        let case = Case::new(kernel, format!("{} supported: {title}", kernel.version()));
        ["drivers/net/one", "fs/a-b", "fs/c_d"].into_iter().fold(case, |case, name| case.module(name, object))
    };
    let objects = "-o symvers drivers/net/one.o fs/a-b.o fs/c_d.o";
    let listed = |(title, list): &(&str, &str)| case(title).file("list", list).args(&format!("-S list {objects}"));
    let mut cases: Vec<_> = LISTS.iter().map(listed).collect();
    for length in [498, 4095, 4096] {
        let list = format!("{}\none external\n", "x".repeat(length));
        cases.push(case(&format!("a line of {length} bytes")).file("list", list).args(&format!("-S list {objects}")));
    }
    let long = format!("one {}\n", "how".repeat(200));
    cases.push(case("a long how").file("list", long).args(&format!("-S list {objects}")));
    cases.push(case("no list").args(&format!("-S list {objects}")));
    cases.push(case("the last of two").file("list", "one\n").args(&format!("-S list -S nothing {objects}")));
    cases
}

fn scmversion(kernel: &'static Kernel, object: &[u8]) -> Vec<Case> {
    let versions = [("usual", "g2806f02f43ff-dirty".to_owned()), ("long", "v".repeat(80)), ("empty", String::new())];
    let case = |(title, version): (&str, String)| {
        let case = Case::new(kernel, format!("{} scmversion: {title}", kernel.version())).module("m", object);
        case.arg_list(&["-v", "first", "-v", &version, "-o", "symvers", "m.o"])
    };
    versions.map(case).into()
}

/// Livepatch modules. Some use another module's symbol after one that `klp-convert`
/// resolves.
fn livepatches(kernel: &'static Kernel) -> io::Result<Vec<Case>> {
    let livepatch = modinfo("livepatch", "Y");
    let klp = uses(".klp.sym.rela.vmlinux.vmlinux.secret,0");
    let many: String = (0..10).map(|number| uses(&format!("missing{number}"))).collect();
    let sources = [
        ("owner", exporter("f")),
        ("before", [GPL, &livepatch, &uses("f"), &klp].concat()),
        ("between", [GPL, &livepatch, &uses("missing"), &klp, &uses("f"), &uses("other")].concat()),
        ("no/livepatch", [GPL, &klp, &uses("f")].concat()),
        ("many", [GPL, &many].concat()),
    ];
    let assembled = sources.iter().map(|(name, source)| Ok((*name, assemble(source)?)));
    let objects = assembled.collect::<io::Result<Vec<_>>>()?;
    let titled = |title: &str, arguments: &str| {
        let case = Case::new(kernel, format!("{} livepatch: {title}", kernel.version()));
        objects.iter().fold(case, |case, (name, object)| case.module(name, object)).args(arguments)
    };
    Ok(vec![
        titled("all", "-l list -o symvers owner.o before.o between.o no/livepatch.o"),
        titled("all, warned of", "-w -l list -o symvers owner.o before.o between.o no/livepatch.o"),
        titled("after too many", "-w -l list -o symvers owner.o many.o between.o"),
        titled("none", "-l list -o symvers owner.o"),
        titled("no list", "-w -o symvers owner.o between.o"),
    ])
}

/// References from writable data to code.
fn writable_pointers(kernel: &'static Kernel) -> io::Result<Vec<Case>> {
    let pointers = |count: usize| {
        let data = ".quad f\n".repeat(count);
        assemble(&[GPL, &function("f"), &format!(".data\nholder: {data}"), ".section .rodata\n.quad f\n"].concat())
    };
    let case = |title: &str, object: &[u8], arguments: &str| {
        Case::new(kernel, format!("{} writable pointers: {title}", kernel.version()))
            .module("m", object)
            .args(arguments)
    };
    Ok(vec![
        case("none", &pointers(0)?, "-o symvers m.o"),
        case("one", &pointers(1)?, "-o symvers m.o"),
        case("two", &pointers(2)?, "-o symvers m.o"),
        case("two, as errors", &pointers(2)?, "-E -o symvers m.o"),
        case("two, in full", &pointers(2)?, "-f -o symvers m.o"),
    ])
}

fn fips140(kernel: &'static Kernel, object: &[u8]) -> Vec<Case> {
    let case = |title: &str, arguments: &str| {
        let case = Case::new(kernel, format!("{} fips140: {title}", kernel.version()));
        let case = case.module("m", object).module("vmlinux", object).directory("crypto/fips140");
        case.file(".vmlinux.objs", "\n").args(arguments)
    };
    vec![
        case("a module", "-c -o symvers m.o"),
        case("with vmlinux", "-c -e -o symvers m.o vmlinux.o"),
        case("no file wanted", "-c m.o"),
    ]
}

pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let plain = assemble(GPL)?;
    let exporting = assemble(&[&exporter("f")[..], &uses("missing")].concat())?;
    let mut cases = Vec::new();
    for kernel in kernels() {
        let dialect = kernel.dialect();
        if dialect.supported_option {
            cases.extend(supported(kernel, &plain));
        }
        if dialect.livepatch_option {
            cases.extend(livepatches(kernel)?);
        }
        if dialect.writable_pointers_option {
            cases.extend(writable_pointers(kernel)?);
        }
        if dialect.scmversion_option {
            cases.extend(scmversion(kernel, &plain));
        }
        if dialect.fips140_option {
            cases.extend(fips140(kernel, &exporting));
        }
    }
    Ok(cases)
}
