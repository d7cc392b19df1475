//! Files and names of others, given to the programs that people call: special files and
//! giants are refused at once, and nothing in a name acts on the terminal.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::ours;
use nix::sys::stat::Mode;
use tempfile::TempDir;
use wait_timeout::ChildExt;

/// A program that takes longer than this, in seconds, hangs.
const PATIENCE: u64 = 60;
/// The address space that a program may take, in KiB.
const MEMORY: u64 = 1 << 20;

/// The end of a program: its status, what it wrote, and what it said.
type End = (Option<i32>, String, String);

/// Runs one of our programs in a directory, with little memory.
fn run(dir: &Path, program: &str, arguments: &[&str], input: &str) -> io::Result<End> {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"")]).arg(ours(program)?.program);
    command.args(arguments).current_dir(dir).env("KBUILD_RS_KERNEL", "6.1.176");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // A program that refuses its arguments reads nothing.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    if child.wait_timeout(Duration::from_secs(PATIENCE))?.is_none() {
        child.kill()?;
        child.wait()?;
        return Err(io::Error::other(format!("{program} {arguments:?} hangs")));
    }
    let output = child.wait_with_output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status.code(), text(&output.stdout), text(&output.stderr)))
}

/// Files that nobody can read to their end, by what our programs call them.
struct Traps(TempDir, #[expect(dead_code, reason = "the socket lives as long")] UnixListener);

const TRAPS: &[(&str, &str)] = &[
    ("fifo", "is a FIFO, not a regular file"),
    ("zero", "is a character device, not a regular file"),
    ("socket", "is a socket, not a regular file"),
    ("sparse", "is larger than the limit of "),
];

impl Traps {
    fn new() -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        nix::unistd::mkfifo(&dir.path().join("fifo"), Mode::S_IRWXU)?;
        symlink("/dev/zero", dir.path().join("zero"))?;
        File::create(dir.path().join("sparse"))?.set_len(3 << 30)?;
        let socket = UnixListener::bind(dir.path().join("socket"))?;
        Ok(Self(dir, socket))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts a trap in the place of a file.
    fn set(&self, trap: &str, place: &str) -> io::Result<()> {
        let place = self.path().join(place);
        fs::create_dir_all(place.parent().unwrap_or(Path::new("/")))?;
        if place.is_symlink() || place.exists() {
            fs::remove_file(&place)?;
        }
        symlink(self.path().join(trap), place)
    }
}

/// Sets each trap in the place of a file that a program reads, and expects that the program
/// refuses it by its path.
fn refuses(traps: &Traps, place: &str, shown: &str, program: &str, arguments: &[&str], status: i32) -> io::Result<()> {
    for (trap, reason) in TRAPS {
        traps.set(trap, place)?;
        let (ended, stdout, stderr) = run(traps.path(), program, arguments, "")?;
        let said = format!("{stdout}{stderr}");
        assert!(said.contains(shown) && said.contains(reason), "{program} {arguments:?}, {trap}: {said}");
        assert_eq!(ended, Some(status), "{program} {arguments:?}, {trap}: {said}");
    }
    fs::remove_file(traps.path().join(place))
}

const MODULE: &str =
    "\t.section .modinfo, \"a\"\n\t.asciz \"license=GPL\"\n\t.asciz \"vermagic=6.1.0 SMP\"\n\t.text\nf:\t.quad 0\n";
const SYMVERS: &str = "0x00000001\tf\tvmlinux\tEXPORT_SYMBOL\t\n";

#[test]
fn modcheck_refuses_traps() -> io::Result<()> {
    let traps = Traps::new()?;
    let dir = traps.path();
    fs::write(dir.join("m.ko"), assemble(MODULE)?)?;
    fs::write(dir.join("good.symvers"), SYMVERS)?;
    refuses(&traps, "trap.ko", "trap.ko", "modcheck", &["--symvers", "good.symvers", "trap.ko"], 2)?;
    refuses(&traps, "trap", "modcheck: trap: ", "modcheck", &["--symvers", "trap", "m.ko"], 2)?;
    let headers = ["--headers", "h", "m.ko"];
    refuses(&traps, "h/Module.symvers", "modcheck: h/Module.symvers: ", "modcheck", &headers, 2)?;
    fs::write(dir.join("h/Module.symvers"), SYMVERS)?;
    for file in [
        "h/include/config/auto.conf",
        "h/.config",
        "h/include/generated/utsrelease.h",
        "h/include/config/kernel.release",
        "h/include/generated/uapi/linux/version.h",
    ] {
        refuses(&traps, file, &format!("modcheck: {file}: "), "modcheck", &headers, 2)?;
    }
    let release = ["--root", ".", "--kernel", "6.1.0", "m.ko"];
    fs::create_dir_all(dir.join("lib/modules/6.1.0"))?;
    for file in ["boot/config-6.1.0", "lib/modules/6.1.0/config", "proc/sys/kernel/osrelease"] {
        refuses(&traps, file, &format!("modcheck: ./{file}: "), "modcheck", &release, 2)?;
    }
    fs::create_dir_all(dir.join("proc/sys/kernel"))?;
    fs::write(dir.join("proc/sys/kernel/osrelease"), "6.1.0\n")?;
    for file in [
        "proc/sys/kernel/tainted",
        "sys/kernel/btf/vmlinux",
        "sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23",
    ] {
        refuses(&traps, file, &format!("modcheck: ./{file}: "), "modcheck", &release, 2)?;
    }
    // Without these lists and images, less is known.
    for (trap, _) in TRAPS {
        for file in ["modules.dep", "modules.symbols", "vmlinuz", "symvers.xz"] {
            traps.set(trap, &format!("lib/modules/6.1.0/{file}"))?;
        }
        let (status, ..) = run(dir, "modcheck", &release, "")?;
        assert!(matches!(status, Some(0..=2)), "{trap}: {status:?}");
    }
    Ok(())
}

#[test]
fn file2alias_refuses_traps() -> io::Result<()> {
    let traps = Traps::new()?;
    let dir = traps.path();
    refuses(&traps, "trap.ko", "trap.ko", "file2alias", &["trap.ko"], 1)?;
    refuses(&traps, "trap", "trap: ", "file2alias", &["match", "pci:v1", "trap"], 1)?;
    let of_release = |command: &[&'static str]| [command, &["--root", ".", "--kernel", "6.1.0"]].concat();
    let by_modalias = of_release(&["match", "pci:v1"]);
    let modules = "lib/modules/6.1.0";
    refuses(&traps, &format!("{modules}/modules.alias"), "modules.alias: ", "file2alias", &by_modalias, 1)?;
    fs::write(dir.join(modules).join("modules.alias"), "alias vfio_pci:v* vfio_pci\n")?;
    let builtin = format!("{modules}/modules.builtin.modinfo");
    refuses(&traps, &builtin, "modules.builtin.modinfo: ", "file2alias", &by_modalias, 1)?;
    refuses(&traps, "own.alias", "own.alias: ", "file2alias", &["vfio", "--aliases", "own.alias", "pci:v1d2"], 1)?;
    let device = "sys/bus/pci/devices/0000:01:00.0";
    let vfio = of_release(&["vfio", "--sysfs", "sys"]);
    let named = [&vfio[..], &["01:00.0"]].concat();
    refuses(&traps, &format!("{device}/modalias"), "01:00.0: ", "file2alias", &named, 1)?;
    fs::write(dir.join(device).join("modalias"), "pci:v00001234d00000002sv0sd0bcFFsc00i00\n")?;
    // Without these, the list has less in it.
    for (trap, _) in TRAPS {
        traps.set(trap, &format!("{device}/class"))?;
        traps.set(trap, "usr/share/misc/pci.ids")?;
        assert_eq!(run(dir, "file2alias", &vfio, "")?.0, Some(0), "{trap}");
    }
    Ok(())
}

#[test]
fn sumversion_refuses_traps() -> io::Result<()> {
    let traps = Traps::new()?;
    let dir = traps.path();
    refuses(&traps, "trap.ko", "trap.ko: ", "sumversion", &["--compare", "trap.ko", "trap.ko"], 1)?;
    refuses(&traps, "m.mod", "m.mod: ", "sumversion", &["m"], 1)?;
    fs::write(dir.join("m.mod"), "m.o\n\n")?;
    refuses(&traps, ".m.o.cmd", ".m.o.cmd: ", "sumversion", &["m"], 1)?;
    fs::write(dir.join(".m.o.cmd"), "source_m.o := m.c\n\ndeps_m.o := \\\n\n")?;
    refuses(&traps, "m.c", "m.c: ", "sumversion", &["m"], 1)?;
    fs::write(dir.join("m.c"), "int a;\n")?;
    assert_eq!(run(dir, "sumversion", &["m"], "")?.0, Some(0));
    for (trap, _) in TRAPS {
        traps.set(trap, "sys/module/m/srcversion")?;
        assert_eq!(run(dir, "sumversion", &["--loaded", "m", "--sysfs", "sys"], "")?.0, Some(1), "{trap}");
    }
    Ok(())
}

/// kbuild gives no such files to the drop-ins; they end as the originals do.
#[test]
fn the_drop_ins_read_no_device_to_its_end() -> io::Result<()> {
    let traps = Traps::new()?;
    let said = |program, arguments: &[&str]| run(traps.path(), program, arguments, "int f;\n");
    let ended = |stderr: &str| (Some(1), String::new(), stderr.to_owned());
    assert_eq!(said("genksyms", &["-r", "/dev/zero"])?, ended("Token too long\n"));
    assert_eq!(said("modpost", &["-T", "/dev/zero"])?, ended("No such file or directory\n"));
    // A FIFO that has a writer is read.
    let text = "f int f \nlong ".to_owned() + &"x".repeat(300);
    for (program, option, text, stderr) in
        [("genksyms", "-r", &*text, "Token too long\n"), ("modpost", "-T", "a.o\n", "a.o: No such file or directory\n")]
    {
        let fifo = traps.path().join("fifo");
        let ended_so = std::thread::scope(|scope| {
            let writer = scope.spawn(|| fs::write(&fifo, text));
            let ended_so = said(program, &[option, "fifo"]);
            writer.join().map_or(Err(io::Error::other("the writer failed")), |written| written.and(ended_so))
        })?;
        assert_eq!(ended_so, ended(stderr));
    }
    // The kernel is looked for in files that the originals don't read.
    traps.set("fifo", "Makefile")?;
    traps.set("zero", "include/generated/uapi/linux/version.h")?;
    let mut command = Command::new(ours("modpost")?.program);
    command.arg("-T").arg("/dev/null").current_dir(traps.path()).env_remove("KBUILD_RS_KERNEL");
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let status = child.wait_timeout(Duration::from_secs(PATIENCE))?;
    child.kill()?;
    let mut stderr = String::new();
    child.stderr.take().map(|mut pipe| pipe.read_to_string(&mut stderr)).transpose()?;
    assert_eq!((status.and_then(|status| status.code()), &*stderr), (Some(0), ""));
    Ok(())
}

/// Sequences that set a terminal's title, begin a new line that looks like the program's,
/// or turn the direction of writing round; and how people see them.
const EVIL: &str = "\u{1b}]0;x\u{7}\nfile2alias: fine\u{202e}\u{9b}";
const SHOWN: &str = r"\x1b]0;x\x07\nfile2alias: fine\u{202e}\u{9b}";

/// Whether no control character but a newline is in a text, and nothing that turns it round.
fn is_harmless(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}')
}

#[test]
fn names_do_nothing_to_the_terminal() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let dir = dir.path();
    let module = |name: &str| {
        format!(
            "\t.section .modinfo, \"a\"\n\t.asciz \"license={name}\"\n\t.asciz \"vermagic={name}\"\n\
             \t.asciz \"srcversion={name}\"\n\t.asciz \"name={name}\"\n\t.text\n\t.quad f\n"
        )
    };
    let quoted = EVIL.replace('\n', "\\n").replace('\u{1b}', "\\033").replace('\u{7}', "\\007");
    let path = format!("{EVIL}.ko");
    fs::write(dir.join(&path), assemble(&module(&quoted))?)?;
    fs::write(dir.join("s"), SYMVERS)?;
    fs::write(dir.join("evil.alias"), format!("alias pci:v* {}\n", EVIL.replace(['\n', ' '], "")))?;
    let missing = format!("{EVIL}-");
    let cases: &[(&str, &[&str], &str)] = &[
        ("modcheck", &["--symvers", "s", &path], SHOWN),
        ("modcheck", &["--symvers", &missing, &path], SHOWN),
        ("modcheck", &["--symvers", "s", &missing], SHOWN),
        ("modcheck", &["--kernel", &missing, "--root", ".", &path], SHOWN),
        ("sumversion", &["--compare", &path, &path], SHOWN),
        ("sumversion", &[&missing], SHOWN),
        ("file2alias", &[&missing], SHOWN),
        ("file2alias", &["-r", &missing], SHOWN),
        ("file2alias", &["-v", &path], SHOWN),
        ("file2alias", &["match", "pci:v1", &missing], SHOWN),
        ("file2alias", &["match", "pci:v1", "evil.alias"], r"\x1b]0;x\x07file2alias:fine\u{202e}\u{9b}"),
        ("file2alias", &["vfio", &missing], SHOWN),
        ("file2alias", &["--kernel", &missing, &path], SHOWN),
        ("file2alias", &["--type", &missing, &path], SHOWN),
    ];
    for (program, arguments, shown) in cases {
        let (_, stdout, stderr) = run(dir, program, arguments, "")?;
        let said = format!("{stdout}{stderr}");
        assert!(said.contains(shown) && is_harmless(&said), "{program} {arguments:?}: {said:?}");
    }
    // Lines of a format for programs have every byte.
    let table = "\t.section .modinfo, \"a\"\n\t.asciz \"alias=a:\\033\"\n\t.text\nf:\t.quad 0\n";
    fs::write(dir.join("m.ko"), assemble(table)?)?;
    let lines = run(dir, "file2alias", &["--format", "modules.alias", "m.ko"], "")?;
    assert_eq!(lines, (Some(0), "alias a:\u{1b} m\n".to_owned(), String::new()));
    Ok(())
}
