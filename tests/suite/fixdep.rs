//! fixdep: dependency files of compilers, and what isn't one.

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::depfiles::{FILES, SOURCES};
use kbuild_rs_tests::original::{Tool, kernels};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kernel in kernels() {
        let case = |name: &str| Case::new(kernel, format!("{} fixdep: {name}", kernel.version())).tool(Tool::Fixdep);
        let with = |name: &str, depfile: &[u8]| {
            let mut case = case(name).file("a.d", depfile);
            for (path, contents) in SOURCES {
                case = case.file(*path, contents);
            }
            case.arg_list(&["a.d", "dir/a.o", "gcc -o 'a.o' \\# $(x)"])
        };
        cases.extend(FILES.iter().map(|(name, depfile)| with(name, depfile.as_bytes())));
        let long: String = (0..2000).map(|n| format!(" h{n}.h")).collect();
        let mut many = with("many files", format!("a.o: a.c{long}\n").as_bytes());
        for n in 0..2000 {
            many = many.file(format!("h{n}.h"), format!("CONFIG_H_{} CONFIG_H{n}", n / 2));
        }
        cases.push(many);
        cases.extend([
            with("a file that is missing after many", format!("a.o: a.c{}\n", " b.h".repeat(3000)).as_bytes())
                .arg_list(&["nothing", "a.o", &"x".repeat(9000)]),
            with("names that aren't UTF-8", b"a.o: a.c \xff\xfe.h b.h\n").file("\u{e9}", ""),
            case("no arguments"),
            case("two arguments").file("a.d", "a.o: a.d\n").args("a.d a.o"),
            case("four arguments").file("a.d", "a.o: a.d\n").args("a.d a.o cmd more"),
            case("help").args("--help"),
            case("no dependency file").args("a.d a.o cmd"),
            case("a directory for a dependency file").directory("a.d").args("a.d a.o cmd"),
            case("an empty name").arg_list(&["", "a.o", "cmd"]),
            case("empty arguments").file("a.d", "a.o: a.d\n").arg_list(&["a.d", "", ""]),
            case("a list that is its own source").file("a.d", "a.d: a.d CONFIG_A\n").args("a.d a.d cmd"),
            case("an unreadable file through a link")
                .symlink("loop", "loop")
                .file("a.d", "a.o: loop\n")
                .args("a.d a.o c"),
        ]);
    }
    cases
}
