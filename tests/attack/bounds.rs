//! Nothing hangs, nothing takes memory without bound, and no output is half written.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::{Subject, Target, Tool, V6_1, ours};
use kbuild_rs_tests::tally;
use tempfile::TempDir;
use wait_timeout::ChildExt;

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

const RELEASE: &str = "6.12.0";

/// A module for a kernel, and what else is in it.
fn module(name: &str, more: &str) -> io::Result<Vec<u8>> {
    assemble(&format!(
        "\t.section .modinfo, \"a\"\n\t.asciz \"name={name}\"\n\t.asciz \"vermagic={RELEASE} SMP mod_unload \"\n\
         \t.asciz \"license=GPL\"\n\t.asciz \"intree=Y\"\n\
         \t.section .gnu.linkonce.this_module, \"aw\"\n\t.skip 1280\n{more}\n"
    ))
}

/// A root with an installed kernel, which runs, and a module for it.
fn root(more_config: &str) -> io::Result<TempDir> {
    let dir = tempfile::tempdir()?;
    let config = format!("CONFIG_X86_64=y\nCONFIG_SMP=y\nCONFIG_MODULE_UNLOAD=y\n{more_config}");
    write(&dir, &format!("boot/config-{RELEASE}"), config.as_bytes())?;
    write(&dir, &format!("lib/modules/{RELEASE}/kernel/a.ko"), &module("a", "\t.data\n\t.quad printk")?)?;
    write(&dir, "proc/sys/kernel/osrelease", format!("{RELEASE}\n").as_bytes())?;
    write(&dir, "m.ko", &module("m", "\t.data\n\t.quad printk")?)?;
    Ok(dir)
}

/// Writes a file below a directory.
fn write(dir: &TempDir, path: &str, bytes: &[u8]) -> io::Result<()> {
    let path = dir.path().join(path);
    fs::create_dir_all(path.parent().unwrap_or(dir.path()))?;
    fs::write(path, bytes)
}

/// Runs modcheck below a root, with little memory, for at most a minute: its status, and
/// what it printed.
fn modcheck(dir: &TempDir, arguments: &str) -> io::Result<(Option<i32>, String)> {
    let program = ours("modcheck")?.program;
    let line = format!("ulimit -v 3000000; exec {} {arguments} >said 2>&1", program.display());
    let mut child = Command::new("sh").args(["-c", &line]).current_dir(dir.path()).spawn()?;
    let status = child.wait_timeout(Duration::from_secs(60))?;
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let said = fs::read(dir.path().join("said"))?;
    Ok((status.and_then(|status| status.code()), String::from_utf8_lossy(&said).into_owned()))
}

/// Bytes and zeros after them, compressed by the format that a name's end tells.
fn bomb(name: &str, start: &[u8], megabytes: u64) -> io::Result<Vec<u8>> {
    let mut from = start.chain(io::repeat(b'\n').take(megabytes << 20));
    let mut to = Vec::new();
    if name.ends_with("gz") {
        let mut encoder = flate2::write::GzEncoder::new(&mut to, flate2::Compression::fast());
        io::copy(&mut from, &mut encoder)?;
        encoder.finish()?;
    } else if name.ends_with("xz") {
        io::copy(&mut liblzma::read::XzEncoder::new(from, 1), &mut to)?;
    } else {
        zstd::stream::copy_encode(from, &mut to, 1)?;
    }
    Ok(to)
}

/// Small files that decompress to a lot.
#[test]
fn what_decompresses_to_a_lot_is_refused() -> io::Result<()> {
    let symvers = b"0x0\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n";
    let modules = format!("lib/modules/{RELEASE}");
    for (name, start, megabytes, limit) in [
        (format!("{modules}/symvers.gz"), &symvers[..], 21, 20),
        (format!("{modules}/symvers.xz"), symvers, 21, 20),
        (format!("{modules}/symvers.zst"), symvers, 4000, 20),
        ("proc/config.gz".to_owned(), b"CONFIG_SMP=y\n", 4, 3),
        (format!("boot/vmlinuz-{RELEASE}"), b"\x7fELF\x02\x01\x01", 600, 512),
    ] {
        let dir = root("")?;
        write(&dir, &name, &bomb(&name, start, megabytes)?)?;
        let said = format!("modcheck: ./{name}: decompresses to more than {limit} MiB, the limit for such a file\n");
        assert_eq!(modcheck(&dir, &format!("--root . --kernel {RELEASE} m.ko"))?, (Some(2), said));
    }
    // A list below the limit is read.
    let dir = root("")?;
    let name = format!("{modules}/symvers.xz");
    write(&dir, &name, &bomb(&name, symvers, 19)?)?;
    let said = modcheck(&dir, &format!("--root . --kernel {RELEASE} m.ko"))?;
    assert_eq!(said, (Some(0), format!("m.ko: would load on {RELEASE}\n")));

    for name in ["m.ko.xz", "m.ko.zst"] {
        let dir = tempfile::tempdir()?;
        let bytes = bomb(name, &module("m", "")?, 300)?;
        let limit = (bytes.len() as u64 * 1000) >> 20;
        assert!((1..200).contains(&limit), "{name}: {limit}");
        write(&dir, name, &bytes)?;
        let output = run(&ours("file2alias")?, dir.path(), "ulimit -v 3000000;", name)?;
        let error = format!("decompresses to more than {limit} MiB, the limit for such a file\n");
        assert_eq!(ended(&output), (Some(1), String::new(), format!("file2alias: {name}: {error}")));
        write(&dir, "Module.symvers", symvers)?;
        let (status, said) = modcheck(&dir, &format!("--symvers Module.symvers {name}"))?;
        assert!(status == Some(2) && said.ends_with(&format!("\n  {error}")), "{status:?} {said}");
    }
    Ok(())
}

/// A value of DER.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = u16::try_from(contents.len()).expect("a length").to_be_bytes();
    let header = match length {
        [0, low @ 0..0x80] => vec![tag, low],
        [0, low] => vec![tag, 0x81, low],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [header, contents].concat()
}

/// The firmware has a certificate with RSA numbers of 16,384 bytes, and a module has a
/// signature by it. Arithmetic with these numbers would take hours.
#[test]
fn absurd_keys_are_refused() -> io::Result<()> {
    const BYTES: usize = 16_384;
    let (sequence, integer, octets, bits) = (0x30, 2, 4, 3);
    let [rsa, sha256, data] = [
        &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1][..],
        &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1],
        &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2],
    ];
    let algorithm = |kind: &[u8]| der(sequence, &[kind, &[5, 0]]);
    let name = der(sequence, &[]);
    let serial = der(integer, &[&[1]]);
    let number = der(integer, &[&[0], &[0xff; BYTES]]);
    let key = der(sequence, &[&number, &number]);
    let key = der(sequence, &[&algorithm(rsa), &der(bits, &[&[0], &key])]);
    let version = der(0xa0, &[&der(integer, &[&[2]])]);
    let signed = der(sequence, &[&version, &serial, &algorithm(rsa), &name, &name, &name, &key]);
    let certificate = der(sequence, &[&signed, &algorithm(rsa), &der(bits, &[&[0]])]);

    let signature = der(octets, &[&[0x7f], &[0xff; BYTES - 1]]);
    let who = der(sequence, &[&name, &serial]);
    let signer = der(sequence, &[&der(integer, &[&[1]]), &who, &algorithm(sha256), &algorithm(rsa), &signature]);
    let set = |parts: &[&[u8]]| der(0x31, parts);
    let message = der(sequence, &[&der(integer, &[&[1]]), &set(&[]), &der(sequence, &[data]), &set(&[&signer])]);
    let message = der(sequence, &[data, &der(0xa0, &[&message])]);

    let dir = root("CONFIG_MODULE_SIG=y\n")?;
    write(&dir, "sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23", &certificate)?;
    write(&dir, &format!("lib/modules/{RELEASE}/build/Module.symvers"), b"0x0\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n")?;
    let length = u32::try_from(message.len()).map_err(io::Error::other)?.to_be_bytes();
    let end = [&[0, 0, 2, 0, 0, 0, 0, 0][..], &length, b"~Module signature appended~\n"].concat();
    let module = [fs::read(dir.path().join("m.ko"))?, message, end].concat();
    write(&dir, "signed.ko", &module)?;
    let said = modcheck(&dir, &format!("--root . --kernel {RELEASE} signed.ko"))?;
    assert_eq!(said, (Some(0), format!("signed.ko: would load on {RELEASE}\n")));
    Ok(())
}

/// The label of an export has the greatest address that there is, and the relocation is
/// there, too. The sum of that address and a string's length wraps around.
#[test]
fn an_export_at_the_end_of_all_addresses() -> io::Result<()> {
    let source = "\t.section .modinfo,\"a\"\n\t.asciz \"license=GPL\"\n\t.text\n\t.globl f\nf:\n\
                  \t.section .export_symbol,\"a\"\n\t.balign 8\n\t.long 0\n__export_symbol_f = . - 5\n\
                  \t.balign 8\n\t.quad f\n";
    let mut object = assemble(source)?;
    // The only relocation: 8 bytes into the section, of type 1.
    let is_relocation = |bytes: &[u8]| bytes[..8] == 8u64.to_le_bytes() && bytes[8..12] == 1u32.to_le_bytes();
    let place = object.windows(12).rposition(is_relocation).ok_or_else(|| io::Error::other("no relocation"))?;
    object[place..place + 8].fill(0xff);
    let dir = tempfile::tempdir()?;
    write(&dir, "m.o", &object)?;
    let mut modpost = Command::new(ours("modpost")?.program);
    modpost.args(["-M", "-o", "out", "m.o"]).env("KERNELVERSION", "6.12.117").current_dir(dir.path());
    assert_eq!(ended(&modpost.output()?), (Some(0), String::new(), String::new()));
    assert_eq!(fs::read_to_string(dir.path().join("out"))?, "0x00000000\tf\tm\tEXPORT_SYMBOL\t\n");
    Ok(())
}

/// Directories may be called as modules are.
#[test]
fn suffixes_are_those_of_files() -> io::Result<()> {
    let dir = root("")?;
    write(&dir, &format!("lib/modules/{RELEASE}/build/Module.symvers"), b"0x0\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n")?;
    let exports = "\t.section __ksymtab, \"a\"\n__ksymtab_own_symbol:\n\t.long 0, 0, 0";
    write(&dir, ".kode/provider.o", &module("provider", exports)?)?;
    write(&dir, ".kode/user.o", &module("user", "\t.data\n\t.quad own_symbol")?)?;
    let said = modcheck(&dir, &format!("--root . --kernel {RELEASE} .kode/provider.o .kode/user.o"))?;
    let would = |name: &str| format!(".kode/{name}.o: would load on {RELEASE}\n");
    assert_eq!(said, (Some(0), would("provider") + &would("user")));
    Ok(())
}
