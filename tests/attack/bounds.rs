//! Nothing hangs, nothing takes memory without bound, and no output is half written.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use kbuild_rs_tests::original::{Subject, Target, Tool, V6_1, ours};
use kbuild_rs_tests::tally;
use tempfile::TempDir;

const KERNEL: &str = "6.1.176";

/// A preprocessed source that takes genksyms a while, and has a dump of some size.
fn large_source() -> String {
    let mut source = "# 1 \"x.h\"\n".to_owned();
    for number in 1..20_000 {
        let before = number - 1;
        source += &format!("struct s{number} {{ int a; struct s{before} *p; }};\n");
        source += &format!("int f{number}(struct s{number} a);\n__GENKSYMS_EXPORT_SYMBOL(f{number});\n");
    }
    source
}

/// Runs a program in a directory through the shell: what stands before it, its arguments
/// and redirections.
fn run(subject: &Subject, dir: &Path, before: &str, after: &str) -> io::Result<Output> {
    let words: Vec<_> = subject.words().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let line = format!("{before} exec {} {after}", words.join(" "));
    Command::new("sh").args(["-c", &line]).env("KERNELVERSION", KERNEL).current_dir(dir).output()
}

/// Exit status, standard output and standard error.
fn ended(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The names of a directory's files.
fn names(dir: &TempDir) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir.path())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// A program that kbuild calls, and what is given to it on standard input and as
/// arguments.
const CALLS: &[(Tool, &str, &str)] = &[
    (Tool::Genksyms, "genksyms", ""),
    (Tool::Fixdep, "fixdep", "a.d a.o cc"),
    (Tool::Modpost, "modpost", "-o out missing.o"),
];

/// `/dev/null` opened for reading and writing is no closed stream: Python's
/// `subprocess.DEVNULL` and daemon(3) open it so. What is closed, or open the wrong way
/// round, gives the errors that it gives to the originals.
#[test]
fn null_devices_and_closed_streams() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("a.c"), "CONFIG_A")?;
    fs::write(dir.path().join("a.d"), "a.o: a.c\n")?;
    fs::write(dir.path().join("source"), "int x;\n__GENKSYMS_EXPORT_SYMBOL(x);\n")?;
    for (tool, name, arguments) in CALLS {
        let program = V6_1.program(*tool, Target::Lsb64);
        let Some(original) = tally::available("null_devices_and_closed_streams", program)? else { continue };
        for redirections in [
            "<source 1<>/dev/null",
            "0<>/dev/null",
            "0<>/dev/null 1<>/dev/null 2<>/dev/null",
            "<source >&-",
            "<&-",
            "<source 2>&-",
            "<&- >&- 2>&-",
            "<source 1</dev/null",
            "0>/dev/null",
        ] {
            let after = format!("{arguments} {redirections}");
            let run = |subject: &Subject| run(subject, dir.path(), "", &after).map(|output| ended(&output));
            assert_eq!(run(&ours(name)?)?, run(&original)?, "{name} {after}");
        }
    }
    for (name, arguments) in
        [("modpost", "--help"), ("mk_elfconfig", "--version"), ("modcheck", "--version"), ("file2alias", "--version")]
    {
        let output = run(&ours(name)?, dir.path(), "", &format!("{arguments} 0<>/dev/null 1<>/dev/null"))?;
        let closed = run(&ours(name)?, dir.path(), "", &format!("{arguments} >&-"))?;
        assert_eq!(ended(&output).0, Some(0), "{name}: {}", ended(&output).2);
        // clap writes help and versions of some programs, and looks at no error.
        let is_written_by_us = name == "modpost" || name == "mk_elfconfig";
        assert!(!is_written_by_us || ended(&closed).0 != Some(0), "{name} succeeds with a closed output");
    }
    Ok(())
}

/// Runs genksyms with a dump of types into a file.
fn dump(dir: &TempDir, before: &str, source: &str, target: &str) -> io::Result<Output> {
    fs::write(dir.path().join("source"), source)?;
    run(&ours("genksyms")?, dir.path(), before, &format!("-T {target} <source"))
}

/// The list without end makes genksyms end with a `FATAL`.
const UNDEFINED: &str = "int x, y(int);\n__GENKSYMS_EXPORT_SYMBOL(x);\n";

#[test]
fn a_dump_of_types_is_whole_or_as_it_was() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = |name: &str| dir.path().join(name);
    // A new file, an old one, and one that is written in place.
    fs::write(path("old"), "old")?;
    fs::write(path("many"), "old")?;
    fs::hard_link(path("many"), path("more"))?;
    std::os::unix::fs::symlink("many", path("link"))?;
    let before = names(&dir)?;
    for target in ["new", "old", "many", "link"] {
        let output = dump(&dir, "", UNDEFINED, target)?;
        assert_eq!(output.status.code(), Some(1), "{target}");
        assert!(ended(&output).2.starts_with("FATAL: genksyms: "), "{target}");
    }
    fs::remove_file(path("source"))?;
    assert_eq!(names(&dir)?, before);
    assert_eq!((fs::read(path("old"))?, fs::read(path("many"))?), (b"old".to_vec(), b"old".to_vec()));

    let source = "int x;\n__GENKSYMS_EXPORT_SYMBOL(x);\n";
    for target in ["new", "old", "link"] {
        let output = dump(&dir, "", source, target)?;
        assert!(output.status.success() && output.stderr.is_empty(), "{target}: {}", ended(&output).2);
        assert_eq!(fs::read(path(target))?, b"x int x \n", "{target}");
    }
    assert!(path("link").is_symlink());
    assert_eq!(fs::read(path("more"))?, b"x int x \n", "the other name of a file");
    Ok(())
}

/// A pipe, and standard output, are written as they are.
#[test]
fn a_dump_of_types_into_other_things() -> io::Result<()> {
    let Some(original) =
        tally::available("a_dump_of_types_into_other_things", V6_1.program(Tool::Genksyms, Target::Lsb64))?
    else {
        return Ok(());
    };
    let source = "int x;\nint f(int);\n__GENKSYMS_EXPORT_SYMBOL(x);\n__GENKSYMS_EXPORT_SYMBOL(f);\n";
    for after in [
        "-T /dev/stdout <source",
        "-T /dev/stdout <source >out; cat out",
        "-T out <source >out; cat out",
        "-T a -T b <source; cat a b",
        "-T a -T a <source; cat a",
        "-T a -r a <source; cat a",
        "-r source -T source <source; cat source",
        "-T missing/a <source",
        "-T . <source",
        "-T a --unknown <source; cat a",
        "-T source <source; cat source",
    ] {
        let of = |subject: &Subject| -> io::Result<_> {
            let dir = tempfile::tempdir()?;
            fs::write(dir.path().join("source"), source)?;
            let words: Vec<_> = subject.words().iter().map(|word| word.to_string_lossy().into_owned()).collect();
            let line = format!("{} {after}", words.join(" "));
            let mut command = Command::new("sh");
            command.args(["-c", &line]).env("KERNELVERSION", KERNEL).current_dir(dir.path());
            let (code, stdout, stderr) = ended(&command.output()?);
            // The usage names the program by its path.
            Ok((code, stdout, stderr.replace(&words.join(" "), "genksyms"), names(&dir)?))
        };
        assert_eq!(of(&ours("genksyms")?)?, of(&original)?, "{after}");
    }
    // A pipe with a name.
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("source"), source)?;
    let output = run(&ours("genksyms")?, dir.path(), "mkfifo fifo; cat fifo >got & ", "-T fifo <source")?;
    assert!(output.status.success(), "{}", ended(&output).2);
    let mut got = Vec::new();
    for _ in 0..600 {
        got = fs::read(dir.path().join("got")).unwrap_or_default();
        if !got.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(String::from_utf8_lossy(&got), "x int x \nf int f ( int ) \n");
    Ok(())
}

/// Killed while it reads its source: there is nothing else that takes time.
#[test]
fn a_dump_of_types_of_a_run_that_is_killed() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("types");
    fs::write(&path, "old")?;
    let mut command = Command::new(ours("genksyms")?.program);
    command.args(["-T", "types"]).env("KERNELVERSION", KERNEL).current_dir(dir.path());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let mut stdin = child.stdin.take().ok_or_else(|| io::Error::other("no standard input"))?;
    // More than a pipe holds: the program has read its options and a part of the source.
    stdin.write_all(large_source().as_bytes())?;
    child.kill()?;
    child.wait()?;
    assert_eq!(fs::read(&path)?, b"old");
    Ok(())
}

/// Files can't be larger than a limit, which is said where a disk's end is said.
#[test]
fn a_dump_of_types_on_a_full_disk() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let source = large_source();
    // In units of 512 bytes or 1,024.
    let limit = "trap '' XFSZ; ulimit -f 16;";
    fs::write(dir.path().join("types"), "old")?;
    for target in ["types", "new"] {
        fs::write(dir.path().join("source"), &source)?;
        let output = run(&ours("genksyms")?, dir.path(), limit, &format!("-T {target} <source >/dev/null"))?;
        let said = format!("{target}: File too large\n");
        assert_eq!(ended(&output), (Some(1), String::new(), said));
    }
    assert_eq!(fs::read(dir.path().join("types"))?, b"old");
    assert_eq!(names(&dir)?, ["source", "types"]);
    Ok(())
}

/// Where the originals lose what they wrote and succeed, ours fails and says why.
#[test]
fn output_that_is_lost_is_an_error() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("source"), large_source())?;
    fs::copy(std::env::current_exe()?, dir.path().join("object"))?;
    let full = OpenOptions::new().write(true).open("/dev/full");
    assert!(full.is_ok_and(|mut full| full.write_all(b"x").is_err()), "/dev/full");
    for (name, input) in [("genksyms", "source"), ("mk_elfconfig", "object")] {
        let output = run(&ours(name)?, dir.path(), "", &format!("<{input} >/dev/full"))?;
        let said = format!("{name}: standard output: No space left on device\n");
        assert_eq!(ended(&output), (Some(1), String::new(), said));
    }
    Ok(())
}
