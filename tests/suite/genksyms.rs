//! genksyms: preprocessed C, what isn't C to it, its options, and references.

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::declarations::{HEADER, REFERENCES, SOURCES, exports};
use kbuild_rs_tests::original::{Tool, kernels};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kernel in kernels() {
        let case =
            |name: &str| Case::new(kernel, format!("{} genksyms: {name}", kernel.version())).tool(Tool::Genksyms);
        let exports = exports();
        for (name, source) in SOURCES {
            let source = format!("{HEADER}{source}\n{exports}");
            cases.push(case(name).args("-w -d -D -T types").stdin(&source));
            cases.push(case(&format!("{name}, quietly")).stdin(source));
        }
        for (name, reference, source) in REFERENCES {
            let source = format!("{HEADER}{source}\n{exports}");
            for options in ["-w -r ref", "-p -w -D -T types -r ref", "-d -r ref"] {
                let case = case(&format!("reference: {name} ({options})"));
                cases.push(case.file("ref", reference).args(options).stdin(&source));
            }
        }
        let x = "int x;\n__GENKSYMS_EXPORT_SYMBOL(x);\n3;\n";
        let options = [
            "-h",
            "--help",
            "-V",
            "-V -V",
            "--version",
            "-x",
            "-wx",
            "-dDqwq",
            "-w -q",
            "-q -w",
            "--warn",
            "--d",
            "--du",
            "--dump",
            "--dump-t types",
            "--dump-types=types",
            "--dump-types",
            "--debug=3",
            "--warnings=",
            "--nothing",
            "--nothing=3",
            "-T",
            "-T types -T other",
            "-Ttypes",
            "-r",
            "-r missing",
            "-T directory",
            "-T missing/types",
            "--ref=missing",
            "-s prefix",
            "-s",
            "-R",
            "--relative-crc",
            "--rel",
            "--re",
            "--r",
            "-",
            "--",
            "-- -w",
            "operand -w",
            "-w operand",
            "-a",
            "-p",
            "--preserve -w",
            "-e\u{e9}",
            "--=3",
            "-Vh",
            "-hV",
            "-Rw",
        ];
        for options in options {
            cases.push(case(&format!("options: {options}")).directory("directory").args(options).stdin(x));
        }
        cases.push(case("options: posixly correct").env("POSIXLY_CORRECT", "1").args("operand -w").stdin(x));
        cases.push(case("options: an empty one").arg_list(&["", "-w"]).stdin(x));
        cases.push(case("options: an empty value").arg_list(&["-T", "", "-w"]).stdin(x));
        cases.push(case("nothing"));
        let deep = |open: &str, close: &str, n: usize| format!("{}x{};\n", open.repeat(n), close.repeat(n));
        for (name, source) in [
            ("many pointers", format!("int {}", deep("*", "", 6000))),
            ("more pointers than the stack holds", format!("3; int {} int y;", deep("*", "", 12_000))),
            ("many parentheses", format!("int {}", deep("(", ")", 3000))),
            ("structures in structures", format!("{}int a;{};", "struct {".repeat(900), "} x".repeat(900))),
            ("many declarators", format!("int x{};", (0..3000).map(|n| format!(", x{n}")).collect::<String>())),
            (
                "many enumerators",
                format!("enum {{ {} }}; int x[E2999];", (0..3000).map(|n| format!("E{n},")).collect::<String>()),
            ),
            (
                "a chain of structures",
                (0..2000).map(|n| format!("struct c{n} {{ struct c{} *a; }};", (n + 1) % 2000)).collect::<String>()
                    + "struct c0 x;",
            ),
        ] {
            cases.push(case(name).args("-w -T types").stdin(format!("{source}\n{exports}")));
        }
    }
    cases
}
