//! genksyms where the original's behaviour is undefined.

use std::io::{self, Write};
use std::process::{Command, Output, Stdio};

use kbuild_rs_tests::original::ours;

/// Runs ours on a source, with a reference.
fn genksyms(source: &[u8], reference: &str) -> io::Result<Output> {
    let dir = tempfile::tempdir()?;
    std::fs::write(dir.path().join("ref"), reference)?;
    let mut command = Command::new(ours("genksyms")?.program);
    command.args(["-r", "ref"]).env("KERNELVERSION", "6.1.176").current_dir(dir.path());
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
        let output = genksyms(format!("{source}{export}").as_bytes(), reference)?;
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

#[test]
fn a_reference_that_cannot_be_read() -> io::Result<()> {
    let mut command = Command::new(ours("genksyms")?.program);
    let output = command.args(["-r", "/"]).stdin(Stdio::null()).output()?;
    assert_eq!(String::from_utf8_lossy(&output.stderr), "FATAL: genksyms: /: Is a directory\n");
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}
