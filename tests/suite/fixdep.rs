//! fixdep: dependency files of compilers, and what isn't one.

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::original::{Tool, kernels};

/// Names, and dependency files beside sources `a.c`, `b.h` and others.
const FILES: &[(&str, &str)] = &[
    ("as gcc writes it", "a.o: a.c b.h \\\n c.h include/generated/autoconf.h \\\n  d.h\n"),
    ("with phony targets", "a.o: a.c b.h\n\nb.h:\nc.h:\n"),
    ("several targets", "a.o a.d b.o: a.c b.h\n"),
    ("concatenated", "a.o: a.c b.h\na.o: e.c c.h b.h\na.dtb: a.c d.h\n"),
    ("a file twice", "a.o: a.c b.h b.h a.c c.h b.h\n"),
    ("a file twice in two rules", "a.o: a.c b.h\na.o: a.c b.h\n"),
    ("without last newline", "a.o: a.c b.h"),
    ("a backslash last", "a.o: a.c b.h\\"),
    ("a backslash and newline last", "a.o: a.c b.h \\\n"),
    ("backslash inside", "a.o: a.c b\\.h\n"),
    ("backslash and newline inside", "a.o: a.c b.\\\nh d.h\n"),
    ("escaped blank", "a.o: a.c b\\ c.h d.h\n"),
    ("escaped number sign", "a.o: a.c n\\#m.h d.h\n"),
    ("escaped colon", "a.o: a.c n\\:m.h d.h\n"),
    ("escaped twice", "a.o: a.c n\\:m\\#.h d.h\n"),
    ("escaped backslash", "a.o: a.c n\\\\m.h d.h\n"),
    ("dollars", "a.o: a.c n$$m.h d.h\n"),
    ("comment", "# a comment: b.h\na.o: a.c # c.h\n\tb.h\n"),
    ("comment over lines", "# a comment \\\n b.h: a.c\na.o: a.c b.h\n"),
    ("comment after a word", "a.o: a.c b.h# c.h\n"),
    ("comment last", "a.o: a.c b.h\n# end"),
    ("tabs", "a.o:\ta.c\tb.h\n"),
    ("carriage returns", "a.o: a.c b.h\r\n"),
    ("no blank after the colon", "a.o:a.c b.h\n"),
    ("a blank before the colon", "a.o : a.c b.h\n"),
    ("two colons", "a.o:: a.c b.h\n"),
    ("a colon alone", ": a.c b.h\n"),
    ("a colon later", "a.o: a.c b.h: c.h d.h\n"),
    ("a colon in a name", "a.o: a.c n:m.h d.h\n"),
    ("a newline after the colon", "a.o:\na.c b.h\n"),
    ("nothing after the colon", "a.o:\n"),
    ("no target", "a.c b.h\n"),
    ("empty", ""),
    ("white space", " \n\\\n \n"),
    ("a missing file", "a.o: a.c b.h missing.h c.h\n"),
    ("a missing source", "a.o: missing.c b.h\n"),
    ("a missing later source", "a.o: a.c b.h\na.o: missing.c c.h\n"),
    ("a directory", "a.o: a.c include c.h\n"),
    ("below a file", "a.o: a.c a.c/b.h\n"),
    ("an empty file", "a.o: a.c empty.h b.h\n"),
    ("autoconf.h as source", "a.o: include/generated/autoconf.h a.c b.h\n"),
    ("autoksyms.h", "a.o: a.c include/generated/autoksyms.h b.h\n"),
    ("autoconf.h elsewhere", "a.o: a.c x/include/generated/autoconf.h b.h\n"),
    ("autoconf.h by another name", "a.o: a.c include/generated/autoconf.hh generated/autoconf.h b.h\n"),
    ("what rustc lists", "libx.rmeta: a.rs libc.rlib libm.rmeta libp.so b.rs\nlibx.o: a.rs b.rs\n\na.rs:\nb.rs:\n"),
    ("a library as source", "x.o: libc.rlib b.h\n"),
    ("a NUL", "a.o: a.c b.h\0 c.h\n"),
    ("bytes that aren't UTF-8", "a.o: a.c \u{e9}.h b.h\n"),
    ("all options", "a.o: a.c options.h more.h nul.h\n"),
];

const SOURCES: &[(&str, &[u8])] = &[
    ("a.c", b"#ifdef CONFIG_A\n#include \"b.h\" /* CONFIG_IN_COMMENT */\n"),
    ("b.h", b"IS_ENABLED(CONFIG_B_OPTION) CONFIG_A\n"),
    ("c.h", b"CONFIG_C_OF_C"),
    ("d.h", b"#if defined(CONFIG_D) || defined(CONFIG_D_MODULE)\n"),
    ("e.c", b"CONFIG_E\n"),
    ("empty.h", b""),
    ("include/generated/autoconf.h", b"#define CONFIG_AUTOCONF 1\n"),
    ("include/generated/autoksyms.h", b"#define CONFIG_AUTOKSYMS 1\n"),
    ("include/generated/autoconf.hh", b"CONFIG_HH\n"),
    ("generated/autoconf.h", b"CONFIG_GENERATED\n"),
    ("a.rs", b"#[cfg(CONFIG_RUST)]\n"),
    ("b.rs", b"CONFIG_RUST CONFIG_B_RS\n"),
    ("libc.rlib", b"CONFIG_RLIB"),
    ("libm.rmeta", b"CONFIG_RMETA"),
    ("libp.so", b"CONFIG_SO"),
    ("n#m.h", b"CONFIG_NUMBER"),
    ("n:m.h", b"CONFIG_COLON"),
    ("n\\m.h", b"CONFIG_BACKSLASH"),
    ("n\\\\m.h", b"CONFIG_BACKSLASHES"),
    ("n$$m.h", b"CONFIG_DOLLARS"),
    ("b\\ c.h", b"CONFIG_BLANK"),
    ("b.h\r", b"CONFIG_RETURN"),
    ("\u{e9}.h", b"CONFIG_ACUTE"),
    (
        "options.h",
        b"CONFIG_ CONFIG__ CONFIG___X__Y CONFIG_X_MODULE CONFIG_MODULE CONFIG__MODULE CONFIG_X_MODULE_MODULE \
          CONFIG_MODULES XCONFIG_NO _CONFIG_NO 9CONFIG_NO -CONFIG_YES(CONFIG_A,CONFIG_B)CONFIG_lower_9\n\
          CONFIG_CONFIG_X CONFIG_X.CONFIG_Y CONFIG_\xe9 \xe9CONFIG_Z CONFIG_Z\xe9 CONFIG_CONFIG_ CONFI CONFIG",
    ),
    ("more.h", b"CONFIG_LAST"),
    ("nul.h", b"CONFIG_BEFORE\0CONFIG_AFTER"),
];

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
