//! genksyms where the original's behaviour is undefined.

use std::io::{self, Write};
use std::process::{Command, Output, Stdio};

use kbuild_rs_tests::original::ours;

/// Runs ours on a source, with a reference and a value of `KBUILD_RS_EXPLAIN`.
fn genksyms(source: &[u8], reference: &str, explain: &str) -> io::Result<Output> {
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("ref"), reference)?;
    let mut command = Command::new(ours("genksyms")?.program);
    command.args(["-r", "ref"]).env("KERNELVERSION", "6.1.176").env("KBUILD_RS_EXPLAIN", explain);
    command.current_dir(dir.path());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(source)?;
    drop(stdin);
    child.wait_with_output()
}

/// The original copies without end, reads freed memory, or follows a null pointer.
#[test]
fn what_is_undefined_ends_with_one_line() -> io::Result<()> {
    let export = "__GENKSYMS_EXPORT_SYMBOL(x);";
    for (source, reference, what) in [
        ("\nint x, y(int);", "", "<stdin>:2: a list goes in a circle"),
        ("# 7 \"a.h\"\nint *y, x(char, u32);", "", "a.h:7: a list goes in a circle"),
        ("struct s; struct s { int a; } x;", "s#s t#gone \n", ""),
        ("struct s *x;", "x s#s * E#A \n", ""),
        ("# 1 \"a\0.h\"\n", "", "<stdin>:1: a line marker's file name has a NUL"),
    ] {
        let output = genksyms(format!("{source}{export}").as_bytes(), reference, "")?;
        let (stderr, code) = (String::from_utf8_lossy(&output.stderr), output.status.code());
        if what.is_empty() {
            assert_eq!(code, Some(0), "{source}: {stderr}");
        } else {
            assert_eq!((&*stderr, code), (&*format!("FATAL: genksyms: {what}\n"), Some(1)), "{source}");
            assert!(output.stdout.is_empty());
        }
    }
    Ok(())
}

/// What is explained, and that nothing is without the variable.
#[test]
fn versions_that_say_nothing_are_explained() -> io::Result<()> {
    let source = b"# 1 \"a.c\"\n# 1 \"a.h\" 1\nstruct part { int a b; };\nint f(struct part *);\nint g 3;\n\
                   3 struct gone { int a; };\nint k(struct gone *);\n+ int h(void);\nint l(struct opaque *);\n\
                   # 9 \"a.c\"\n__GENKSYMS_EXPORT_SYMBOL(f); __GENKSYMS_EXPORT_SYMBOL(g); __GENKSYMS_EXPORT_SYMBOL(h);\n\
                   __GENKSYMS_EXPORT_SYMBOL(k); __GENKSYMS_EXPORT_SYMBOL(l);\n";
    let explained = "kbuild-rs: f: its version lacks a part of struct part: not understood at a.h:1\n\
                     kbuild-rs: g: its version lacks a part of its declaration: not understood at a.h:3\n\
                     kbuild-rs: h: has no version: its declaration was not understood at a.h:6\n\
                     kbuild-rs: k: its version says nothing of struct gone: not understood at a.h:4\n";
    for (value, expected) in [("1", explained), ("", "")] {
        let output = genksyms(source, "", value)?;
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
        assert!(output.status.success());
    }
    Ok(())
}

#[test]
fn a_reference_that_cannot_be_read() -> io::Result<()> {
    let mut command = Command::new(ours("genksyms")?.program);
    let output = command.args(["-r", "/"]).stdin(Stdio::null()).output()?;
    assert_eq!(String::from_utf8_lossy(&output.stderr), "FATAL: genksyms: /: Is a directory\n");
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}
