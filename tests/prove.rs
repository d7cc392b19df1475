//! kbuild-rs-prove on the originals that have a package, as they are and
//! altered in a byte.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kbuild_rs_tests::command::copy;
use kbuild_rs_tests::original::{self, KERNELS, Kernel, Target, Tool, V5_10, V6_1};
use kbuild_rs_tests::{recording, tally};
use kernel::record;
use modpost::dialect::Dialect;
use tempfile::TempDir;

/// A headers package's programs, which a test may alter.
struct Headers {
    dir: TempDir,
    version: String,
    tool: Tool,
    /// The one that is altered.
    program: &'static str,
}

/// Modpost's.
const PROGRAM: &str = "modpost.real-lsb-64";

impl Headers {
    /// Those of a kernel's modpost; `None` if its package can't be had.
    fn new(kernel: &Kernel) -> io::Result<Option<Self>> {
        Self::of(kernel, Tool::Modpost)
    }

    /// Those of a kernel's tool.
    fn of(kernel: &Kernel, tool: Tool) -> io::Result<Option<Self>> {
        let Some(original) = tally::available("prove", kernel.program(tool, Target::Lsb64))? else { return Ok(None) };
        let program = if tool == Tool::Modpost { PROGRAM } else { tool.name() };
        let headers = Self { dir: tempfile::tempdir()?, version: kernel.version().to_owned(), tool, program };
        fs::create_dir_all(headers.tree().join("scripts"))?;
        copy(original.program.parent().unwrap_or(Path::new("")), &headers.scripts())?;
        Ok(Some(headers))
    }

    fn tree(&self) -> PathBuf {
        self.dir.path().join(format!("linux-kbuild-{}", self.version))
    }

    fn scripts(&self) -> PathBuf {
        self.tree().join("scripts").join(self.tool.directory())
    }

    /// Replaces what is there once.
    fn alter(&self, text: &[u8], other: &[u8]) -> io::Result<()> {
        let path = self.scripts().join(self.program);
        let mut bytes = fs::read(&path)?;
        let mut places: Vec<_> = memchr::memmem::find_iter(&bytes, text).collect();
        assert_eq!((places.len(), text.len()), (1, other.len()), "{}", text.escape_ascii());
        let at = places.remove(0);
        bytes[at..at + other.len()].copy_from_slice(other);
        self.write(&bytes)
    }

    /// By another process: what one of our threads writes, no other can run.
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let altered = self.dir.path().join("altered");
        fs::write(&altered, bytes)?;
        let cp = Command::new("cp").arg(&altered).arg(self.scripts().join(self.program)).status()?;
        assert!(cp.success());
        Ok(())
    }

    /// Changes its machine to one that does not exist.
    fn be_foreign(&self) -> io::Result<()> {
        let mut bytes = fs::read(self.scripts().join(self.program))?;
        bytes[18..20].copy_from_slice(&[0x34, 0x12]);
        self.write(&bytes)
    }

    /// Changes its order of bytes to the other.
    fn be_of_another_order(&self) -> io::Result<()> {
        let mut bytes = fs::read(self.scripts().join(self.program))?;
        bytes[5] = 3 - bytes[5];
        self.write(&bytes)
    }

    fn prove(&self, arguments: &[&str]) -> io::Result<Output> {
        let program = original::ours("kbuild-rs-prove")?.program;
        let ours = program.parent().unwrap_or(Path::new(""));
        let mut command = Command::new(&program);
        command.args(["--tool", self.tool.name()]).arg("--from").arg(ours).arg("--cases").arg(recording::file());
        command.args(arguments).arg(self.tree()).current_dir(&self.dir).output()
    }

    fn proves(&self) -> io::Result<String> {
        let output = self.prove(&[])?;
        assert!(output.status.success(), "{}: {}", self.version, String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn refuses(&self, arguments: &[&str], reason: &str) -> io::Result<()> {
        let output = self.prove(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{}: {}", self.version, String::from_utf8_lossy(&output.stdout));
        assert!(said.contains(reason), "{}: {said}", self.version);
        Ok(())
    }
}

/// A kernel that is too old is refused, unless the command line names a kernel.
#[test]
fn kernels_that_are_too_old_are_refused() -> io::Result<()> {
    let Some(headers) = Headers::new(&V5_10)? else { return Ok(()) };
    let config = headers.tree().join("include/config");
    fs::create_dir_all(&config)?;
    for release in ["5.4.291", "4.19.191-android"] {
        fs::write(config.join("kernel.release"), release)?;
        let why = format!(
            "kernel {} is older than 5.10, the oldest that is served (--kernel 5.10 treats it as that)\n",
            release.split('-').next().unwrap_or_default()
        );
        headers.refuses(&[], &why)?;
    }
    let version = headers.version.clone();
    assert!(headers.prove(&["--kernel", &version])?.status.success());
    Ok(())
}

#[test]
fn originals_are_proved() -> io::Result<()> {
    for kernel in KERNELS {
        let Some(headers) = Headers::new(kernel)? else { continue };
        let version = &headers.version;
        let said = headers.proves()?;
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines.len(), 5, "{said}");
        assert!(lines.contains(&"modpost: chooses one of the others"));
        // A machine whose C library is too old can't run all of them.
        for target in original::TARGETS {
            let name = target.program();
            let line = lines.iter().find(|line| line.starts_with(&format!("{name}: ")));
            let runs = format!("{name}: does what ours does as kernel {version}, in ");
            let is_proved = |line: &&&str| line.starts_with(&runs) && !line.ends_with(" in 0 cases");
            let has_texts = |line: &&&str| line.ends_with(&format!("), but has the texts of kernel {version}"));
            assert!(line.is_some_and(|line| is_proved(&line) || has_texts(&line)), "{said}");
        }
        let path = headers.dir.path().join("record");
        assert!(headers.prove(&["--record", "record"])?.status.success());
        let record = fs::read_to_string(path)?;
        assert_eq!(record::parse(&record, None), Dialect::named(version.as_bytes()), "{record}");
        assert_eq!(record.lines().filter(|line| line.starts_with("original ")).count(), 5, "{record}");
    }
    Ok(())
}

/// The other tools, which have one program each.
#[test]
fn fixdep_and_genksyms_are_proved() -> io::Result<()> {
    for kernel in KERNELS {
        for tool in [Tool::Fixdep, Tool::Genksyms] {
            let (name, Some(headers)) = (tool.name(), Headers::of(kernel, tool)?) else { continue };
            let version = &headers.version;
            let said = headers.proves()?;
            let has_texts = format!("), but has the texts of kernel {version}\n");
            let runs = said.starts_with(&format!("{name}: does what ours does as kernel {version}, in "));
            assert!((runs && !said.contains(" in 0 cases")) || said.ends_with(&has_texts), "{said}");
            headers.be_foreign()?;
            let said = headers.proves()?;
            assert!(said.starts_with(&format!("{name}: can't be run here")) && said.ends_with(&has_texts), "{said}");
            let path = headers.dir.path().join("record");
            assert!(headers.prove(&["--record", "record"])?.status.success());
            let record = fs::read_to_string(path)?;
            assert!(record.starts_with(&format!("kernel {version}\n")) && record.ends_with(&format!(" {name}\n")));
        }
    }
    Ok(())
}

#[test]
fn altered_fixdep_and_genksyms_are_refused() -> io::Result<()> {
    // What a message is, which texts tell; and a CRC and a list, which only running does.
    let alterations: [(Tool, &[u8], &[u8], &str); 4] = [
        (Tool::Fixdep, b"<depfile>", b"<DEPFILE>", "it lacks the text \"Usage: fixdep <depfile>"),
        (Tool::Fixdep, b"source_%s :=", b"Source_%s :=", "fixdep: does not what ours does as kernel"),
        (Tool::Genksyms, b"\0_Static_assert\0", b"\0_static_assert\0", "it lacks the text \"_Static_assert\""),
        (Tool::Genksyms, b"\0__typeof\0", b"\0__typeoF\0", "genksyms: does not what ours does as kernel"),
    ];
    for (tool, text, other, reason) in alterations {
        let Some(headers) = Headers::of(&V6_1, tool)? else { continue };
        headers.alter(text, other)?;
        headers.refuses(&[], reason)?;
    }
    Ok(())
}

/// A kernel's tool may be that of another release: it is found out what it does.
#[test]
fn tools_of_another_release() -> io::Result<()> {
    for tool in [Tool::Fixdep, Tool::Genksyms] {
        let Some(mut headers) = Headers::of(&V6_1, tool)? else { continue };
        let tree = headers.tree();
        headers.version = "5.14".to_owned();
        fs::rename(tree, headers.tree())?;
        let said = headers.proves()?;
        assert!(said.starts_with(&format!("{}: does what ours does as kernel ", tool.name())), "{said}");
        assert!(!said.contains("as kernel 5.14"), "{said}");
    }
    Ok(())
}

/// A byte of a message, of the options, of what `.mod.c` looks like.
type Alteration = (&'static [u8], &'static [u8], &'static str);

const ALTERATIONS: &[Alteration] = &[
    (
        b"parse error in symbol dump",
        b"parse error in symbol dumb",
        "it lacks the text \"parse error in symbol dump file\\n\"",
    ),
    (b"MODULE_INFO(depends, ", b"MODULE_INFO(depend5, ", "it lacks the text \"MODULE_INFO(depends, \\\"\""),
    (b"wENd:", b"wENq:", ", without d, but with q"),
    (b".arch = MODULE_ARCH_INIT", b".arch = MODULE_ARCH_1NIT", "it lacks the text \"\\t.arch = MODULE_ARCH_INIT,\\n\""),
];

#[test]
fn altered_ones_are_refused() -> io::Result<()> {
    for kernel in KERNELS {
        for (text, other, reason) in ALTERATIONS {
            for foreign in [false, true] {
                let Some(headers) = Headers::new(kernel)? else { continue };
                headers.alter(text, other)?;
                if foreign {
                    headers.be_foreign()?;
                }
                headers.refuses(&[], &format!("{PROGRAM}: is not what kernel {} has", headers.version))?;
                headers.refuses(&[], reason)?;
            }
        }
    }
    Ok(())
}

#[test]
fn what_cant_be_run_is_judged_by_its_texts() -> io::Result<()> {
    for kernel in KERNELS {
        let says = |headers: &Headers, reason: &str| -> io::Result<()> {
            let version = &headers.version;
            let line = format!("{PROGRAM}: can't be run here ({reason}), but has the texts of kernel {version}");
            let said = headers.proves()?;
            assert!(said.lines().any(|said| said == line), "{said}");
            Ok(())
        };
        let Some(headers) = Headers::new(kernel)? else { continue };
        headers.be_foreign()?;
        says(&headers, "it is for another machine than ours")?;
        // The kernel runs it all the same, as an emulator might: it doesn't look at the order
        // of bytes.
        let Some(headers) = Headers::new(kernel)? else { continue };
        headers.be_of_another_order()?;
        says(&headers, "it is for another machine than ours")?;
        // Its loader isn't there.
        let Some(headers) = Headers::new(kernel)? else { continue };
        headers.alter(b"/lib64/ld-linux-x86-64.so.2", b"/lib65/ld-linux-x86-64.so.2")?;
        says(&headers, "No such file or directory (os error 2)")?;
    }
    Ok(())
}

/// What no text shows. These two run wherever the tests run.
#[test]
fn what_does_something_else_is_refused() -> io::Result<()> {
    for kernel in [&V5_10, &V6_1] {
        let Some(headers) = Headers::new(kernel)? else { continue };
        headers.alter(b"\0import_ns\0", b"\0import_nz\0")?;
        headers.refuses(&[], &format!("{PROGRAM}: does not what ours does as kernel {}, in ", headers.version))?;
        headers.refuses(&["--kernel", "6.12.9"], "is not what kernel 6.12.9 has")?;
        headers.refuses(&["--kernel", "a kernel"], "a kernel: not a kernel")?;
    }
    Ok(())
}

#[test]
fn marks_of_vendors() -> io::Result<()> {
    let Some(headers) = Headers::new(&V6_1)? else { return Ok(()) };
    let mut bytes = fs::read(headers.scripts().join(PROGRAM))?;
    bytes.extend_from_slice(b"\0sdtinfo.c\0");
    headers.write(&bytes)?;
    headers.refuses(&[], "it has \"sdtinfo\", as the modpost of Oracle has")?;
    let (dir, tool) = (tempfile::tempdir()?, Tool::Modpost);
    let empty = Headers { dir, version: "6.1".to_owned(), tool, program: PROGRAM };
    fs::create_dir_all(empty.scripts())?;
    empty.refuses(&[], "there is neither an original nor its source")
}

/// A kernel's own source, before its programs are built.
#[test]
fn sources_are_judged_by_their_texts() -> io::Result<()> {
    let Some(headers) = Headers::new(&V6_1)? else { return Ok(()) };
    // As a compiler would have it the other way round.
    let program = fs::read(headers.scripts().join(PROGRAM))?;
    let texts = program.split(|byte| !matches!(byte, b'\t' | b'\n' | b' '..=b'~')).filter(|text| text.len() > 2);
    let literal = |text: &[u8]| format!("\"{}\",\n", text.escape_ascii());
    let source: String = texts.map(literal).collect();
    fs::remove_dir_all(headers.scripts())?;
    fs::create_dir_all(headers.scripts())?;
    fs::write(headers.scripts().join("modpost.c"), &source)?;
    assert_eq!(headers.proves()?, format!("its source has the texts of kernel {}\n", headers.version));
    let altered = source.replacen("has no symtab?", "has no symtab!", 1);
    fs::write(headers.scripts().join("modpost.c"), altered)?;
    headers.refuses(&[], "it lacks the text \"%s has no symtab?\\n\"")
}
