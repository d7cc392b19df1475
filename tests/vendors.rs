//! What vendors' modposts have of their own: the exact text. There is no
//! original to compare with; what is expected here is from the vendors'
//! sources, which `docs/kernels.md` names.

use std::fs;
use std::io;
use std::process::Command;

use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::ours;
use modpost::dialect::Dialect;
use tempfile::TempDir;

const MODULE: &str = "\t.section .modinfo, \"a\"\n\t.asciz \"license=GPL\"\n\t.asciz \"description=x\"\n\
    \t.data\nd:\t.quad missing\n\t.section .export_symbol,\"a\"\n__export_symbol_f: .asciz \"GPL\"\n\t.asciz \"\"\n\
    \t.balign 8\n\t.quad f\n\t.section ___ksymtab_gpl+f, \"a\"\n__ksymtab_f: .quad 0\n\t.text\n\t.globl f\nf:\t.quad 0\n";

const SYMVERS: &str =
    "0x00000001\tother\tvmlinux\tEXPORT_SYMBOL\t\n0x00000002\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n";

struct Run {
    dir: TempDir,
    status: Option<i32>,
    stderr: String,
}

impl Run {
    /// Runs modpost on `drivers/m.o` as a kernel's.
    fn new(kernel: &str, arguments: &str, supported: &str) -> io::Result<Self> {
        Self::with(kernel, arguments, &[("Module.supported", supported.as_bytes())])
    }

    /// Runs modpost among these files, too.
    fn with(kernel: &str, arguments: &str, files: &[(&str, &[u8])]) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        for directory in ["drivers", "crypto/fips140", "include/generated"] {
            fs::create_dir_all(dir.path().join(directory))?;
        }
        let object = assemble(MODULE)?;
        let usual: [(&str, &[u8]); 5] = [
            ("drivers/m.o", &object),
            ("vmlinux.o", &object),
            ("drivers/m.mod", b"\n"),
            (".vmlinux.objs", b"\n"),
            ("in", SYMVERS.as_bytes()),
        ];
        for (name, contents) in usual.iter().chain(files) {
            fs::write(dir.path().join(name), contents)?;
        }
        let output = Command::new(ours("modpost")?.program)
            .args(arguments.split_whitespace())
            .env("KBUILD_RS_KERNEL", kernel)
            .current_dir(dir.path())
            .output()?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Self { dir, status: output.status.code(), stderr })
    }

    fn file(&self, name: &str) -> io::Result<String> {
        fs::read_to_string(self.dir.path().join(name))
    }

    fn mod_c(&self) -> io::Result<String> {
        self.file("drivers/m.mod.c")
    }
}

/// A text with more before a line, which is there once; or, for "", at its end.
fn with(text: &str, more: &str, line: &str) -> String {
    let parts: Vec<_> = if line.is_empty() { vec![text, ""] } else { text.split(line).collect() };
    assert_eq!(parts.len(), 2, "{line}: {text}");
    [parts[0], more, line, parts[1]].concat()
}

const PLAIN: &str = "-w -m -i in -o symvers drivers/m.o";

#[test]
fn suse() -> io::Result<()> {
    let list = "drivers/other.ko\ndrivers/m.ko external\n";
    for (kernel, mainline) in [("suse/5.14", "5.14"), ("suse/6.4", "6.4"), ("suse/6.12", "6.12")] {
        let dialect = Dialect::named(mainline.as_bytes());
        let exports = if dialect.is_some_and(|dialect| dialect.module_option) { "-M" } else { "" };
        let plain = Run::new(mainline, &format!("{exports} {PLAIN}"), list)?;
        let marked = Run::new(kernel, &format!("-S Module.supported {exports} {PLAIN}"), list)?;
        assert_eq!((marked.status, &marked.stderr), (plain.status, &plain.stderr));
        let versions = "\nstatic const struct modversion_info ____versions[]";
        let expected = with(&plain.mod_c()?, "\nMODULE_INFO(supported, \"external\");\n", versions);
        assert_eq!(marked.mod_c()?, expected, "{kernel}");
        // Without a list, and with an empty one.
        for option in ["", "-S /dev/null", "-S nowhere"] {
            let run = Run::new(kernel, &format!("{option} {exports} {PLAIN}"), list)?;
            assert_eq!(run.mod_c()?, plain.mod_c()?, "{kernel} {option}");
        }
    }
    let (plain, marked) = (Run::new("6.4", PLAIN, "")?, Run::new("suse/15.6", PLAIN, "")?);
    let expected = with(&plain.mod_c()?, "\nMODULE_INFO(suserelease, \"SLE15-SP6\");\n", "");
    assert_eq!(marked.mod_c()?, expected);
    Ok(())
}

#[test]
fn patterns_that_are_none() -> io::Result<()> {
    let run = Run::new("suse/6.4", &format!("-S Module.supported {PLAIN}"), "a-b]c\nm\n")?;
    assert!(run.stderr.contains("WARNING: modpost: Unmatched bracket in a_b]c\n"), "{}", run.stderr);
    assert_eq!(run.status, Some(0));
    let run = Run::new("suse/6.4", &format!("-S Module.supported {PLAIN}"), "a\nm[\n")?;
    let fatal = "FATAL: modpost: Module.supported: line at offset 2: bracket without end\n";
    assert!(run.stderr.ends_with(fatal), "{}", run.stderr);
    assert_eq!(run.status, Some(1));
    assert!(run.file("drivers/m.mod.c").is_err() && run.file("symvers").is_err());
    // At which the original crashes.
    let run = Run::new("suse/6.4", &format!("-S drivers {PLAIN}"), "")?;
    assert_eq!((run.status, &run.stderr[..]), (Some(1), "FATAL: modpost: drivers: Is a directory\n"));
    Ok(())
}

#[test]
fn android() -> io::Result<()> {
    let long = "g".repeat(70);
    for (kernel, before) in [("5.10", ""), ("6.6", "\n#ifdef CONFIG_RETPOLINE")] {
        let plain = Run::new(kernel, PLAIN, "")?;
        let vendor = format!("android/{kernel}");
        for (scmversion, written) in [("g2806f02f43ff", "g2806f02f43ff"), (&long, &long[..63])] {
            let marked = Run::new(&vendor, &format!("-v {scmversion} {PLAIN}"), "")?;
            let more = format!("\nMODULE_INFO(scmversion, \"{written}\");\n");
            assert_eq!(marked.mod_c()?, with(&plain.mod_c()?, &more, before), "{kernel}");
        }
        assert_eq!(Run::new(&vendor, PLAIN, "")?.mod_c()?, plain.mod_c()?);
    }
    Ok(())
}

/// What is expected of 5.10's and 5.15's, as the Android trees of these versions do it.
#[test]
fn android_5_10_and_5_15() -> io::Result<()> {
    // Exported by the kernel, too.
    let clash = "0x00000001\tf\tvmlinux\tEXPORT_SYMBOL\t\n";
    for (kernel, mainline) in [("android/5.10.198", "5.10.198"), ("android/5.15.149", "5.15.149")] {
        let arguments = "-w -i clash -o symvers drivers/m.o";
        let text = "modpost: drivers/m: 'f' exported twice. Previous export was in vmlinux\n";
        let run = Run::with(kernel, arguments, &[("clash", clash.as_bytes())])?;
        assert_eq!((run.status, &run.stderr[..]), (Some(1), &format!("FATAL: {text}")[..]), "{kernel}");
        assert!(run.mod_c().is_err() && run.file("symvers").is_err(), "{kernel}");
        let run = Run::with(mainline, arguments, &[("clash", clash.as_bytes())])?;
        assert!(run.stderr.starts_with(&format!("WARNING: {text}")), "{}", run.stderr);
        assert!(run.mod_c().is_ok() && run.file("symvers").is_ok(), "{mainline}");
    }
    // Since 5.11 mainline does that, too.
    let unlicensed = assemble("\t.text\n\t.globl f\nf:\t.quad 0\n")?;
    let run = Run::with("android/5.10.198", "-o symvers u.o", &[("u.o", &unlicensed)])?;
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("ERROR: modpost: missing MODULE_LICENSE() in u.o\n"), "{}", run.stderr);
    assert!(run.file("u.mod.c").is_ok() && run.file("symvers").is_ok());
    let suffixed = [("drivers/m.lto.o", &assemble(MODULE)?[..])];
    let run = Run::with("android/5.10.198", "-w -o symvers drivers/m.lto.o", &suffixed)?;
    assert!(run.mod_c().is_ok(), "{}", run.stderr);
    Ok(())
}

/// The sum of the sources of two objects, which the list has one a line.
#[test]
fn android_5_15_lists_objects_by_line() -> io::Result<()> {
    let srcversion = |kernel: &str, list: &str| {
        let files: [(&str, &[u8]); 5] = [
            ("drivers/m.mod", list.as_bytes()),
            ("drivers/.a.o.cmd", b"source_drivers/a.o := drivers/a.c\n"),
            ("drivers/.b.o.cmd", b"source_drivers/b.o := drivers/b.c\n"),
            ("drivers/a.c", b"int a;\n"),
            ("drivers/b.c", b"int b;\n"),
        ];
        let text = Run::with(kernel, "-a -w -o symvers drivers/m.o", &files)?.mod_c()?;
        Ok::<_, io::Error>(text.lines().find(|line| line.contains("srcversion")).map(str::to_owned))
    };
    let whole = srcversion("5.15.149", "drivers/a.o drivers/b.o\n")?;
    assert!(whole.is_some());
    for kernel in ["android/5.15.40", "android/5.15.149", "5.19"] {
        assert_eq!(srcversion(kernel, "drivers/a.o\ndrivers/b.o\n")?, whole, "{kernel}");
    }
    assert_ne!(srcversion("5.15.149", "drivers/a.o\ndrivers/b.o\n")?, whole);
    Ok(())
}

#[test]
fn android_since_6_1() -> io::Result<()> {
    let object = assemble(&[MODULE, "\t.section empty\n\t.section filled\n\t.byte 0\n"].concat())?;
    let warned = |kernel: &str| {
        let run = Run::with(kernel, "-w -o symvers drivers/m.o", &[("drivers/m.o", &object)])?;
        let lines = run.stderr.lines().filter(|line| line.ends_with("unexpected non-allocatable section."));
        Ok::<_, io::Error>(lines.count())
    };
    for (kernel, expected) in [("android/6.1.75", 1), ("android/6.6.50", 1), ("6.6.50", 2), ("android/5.15.149", 2)] {
        assert_eq!(warned(kernel)?, expected, "{kernel}");
    }
    Ok(())
}

#[test]
fn cachyos() -> io::Result<()> {
    let files: [(&str, &[u8]); 3] = [
        ("x.thinlto-native.o", &assemble(MODULE)?),
        ("x.thinlto-native.mod", b"x.thinlto-native.o\n"),
        (".x.o.cmd", b"cmd_x.o := cc\n#SYMVER f 0x12345678\n"),
    ];
    let arguments = "-M -m -b -w -o symvers x.thinlto-native.o";
    for kernel in ["cachyos/6.16.0", "cachyos/6.17.0", "7.2"] {
        let run = Run::with(kernel, arguments, &files)?;
        assert_eq!(run.status, Some(0), "{kernel}: {}", run.stderr);
        assert!(run.file("symvers")?.starts_with("0x12345678\tf\t"), "{kernel}");
    }
    for kernel in ["6.17.0", "cachyos/6.15.0"] {
        let run = Run::with(kernel, arguments, &files)?;
        let missing = ".x.thinlto-native.o.cmd: No such file or directory\n";
        assert_eq!((run.status, &run.stderr[..]), (Some(1), missing), "{kernel}");
    }
    Ok(())
}

/// References from data to code: one, two, and all of them in full.
#[test]
fn hardened() -> io::Result<()> {
    let object = |count: usize| {
        let pointers = "\t.quad f\n".repeat(count);
        assemble(&[MODULE, "\t.data\nholder:", &pointers].concat())
    };
    let closing = |count: &str| {
        format!(
            "WARNING: modpost: modpost: Found {count}.\nTo see full details build your kernel with:\n'make CONFIG_DEBUG_WRITABLE_FUNCTION_POINTERS_VERBOSE=y'\n"
        )
    };
    for mainline in ["5.15.160", "6.1.90", "6.6.30", "6.12.10", "6.18.8", "7.1"] {
        let kernel = format!("hardened/{mainline}");
        let dialect = Dialect::named(mainline.as_bytes());
        let exports = if dialect.is_some_and(|dialect| dialect.module_option) { "-M" } else { "" };
        let arguments = format!("-E -w {exports} -i in -o symvers drivers/m.o");
        for (count, said) in [(1, "1 writable function pointer"), (2, "2 writable function pointers")] {
            let files = [("drivers/m.o", &object(count)?[..])];
            let plain = Run::with(mainline, &arguments, &files)?;
            let run = Run::with(&kernel, &arguments, &files)?;
            let expected = plain.stderr.clone() + &closing(said);
            assert_eq!((run.status, &run.stderr), (plain.status, &expected), "{kernel}");
            assert_eq!(run.mod_c()?, plain.mod_c()?, "{kernel}");
        }
        let full = Run::with(&kernel, &format!("-f {arguments}"), &[("drivers/m.o", &object(2)?)])?;
        let (line, rest) = if full.stderr.contains("Section mismatch") {
            ("Section mismatch in reference from the", "The variable .data:holder references\nthe variable .text:f\n\n")
        } else {
            ("section mismatch in reference: holder", "The .data:holder references\nthe .text:f\n")
        };
        assert_eq!(full.stderr.matches(line).count(), 2, "{kernel}: {}", full.stderr);
        assert_eq!(full.stderr.matches(rest).count(), 2, "{kernel}: {}", full.stderr);
        assert!(!full.stderr.contains("Found"), "{kernel}: {}", full.stderr);
        assert_eq!(full.status, Some(0), "{kernel}");
    }
    Ok(())
}

/// Symbols that `klp-convert` resolves: the original looks up none that follows one, until
/// ten undefined symbols were reported.
#[test]
fn suse_livepatches() -> io::Result<()> {
    let livepatch = "\t.section .modinfo, \"a\"\n\t.asciz \"license=GPL\"\n\t.asciz \"livepatch=Y\"\n\t.data\n";
    let klp = "\t.quad \".klp.sym.rela.vmlinux.vmlinux.secret,0\"\n";
    let many: String = (0..10).map(|number| format!("\t.quad missing{number}\n")).collect();
    let files = [
        ("l.o", assemble(&[livepatch, "\t.quad other\n", klp, "\t.quad gone\n"].concat())?),
        ("n.o", assemble(&[MODULE, "\t.data\n", klp].concat())?),
        ("many.o", assemble(&[livepatch, &many].concat())?),
    ];
    let files: Vec<_> = files.iter().map(|(name, object)| (*name, &object[..])).collect();
    let run = Run::with("suse/15.6", "-i in -l list -o symvers l.o", &files)?;
    assert_eq!((run.status, &run.stderr[..]), (Some(0), ""));
    assert_eq!(run.file("list")?, "l.o\n");
    let run = Run::with("suse/15.6", "-w -i in -l list -o symvers l.o n.o", &files)?;
    let undefined = |name: &str, module: &str| format!("WARNING: modpost: \"{name}\" [{module}.ko] undefined!\n");
    let expected = undefined("missing", "n") + &undefined(".klp.sym.rela.vmlinux.vmlinux.secret,0", "n");
    assert_eq!((run.status, run.stderr), (Some(0), expected));
    let run = Run::with("suse/15.6", "-w -i in -l list -o symvers many.o l.o", &files)?;
    let suppressed = "WARNING: modpost: suppressed 2 unresolved symbol warnings because there were too many)\n";
    assert!(run.stderr.ends_with(suppressed), "{}", run.stderr);
    assert_eq!(run.file("list")?, "many.o\nl.o\n");
    let refused = Run::with("suse/5.14", "-l list l.o", &files)?;
    assert!(refused.stderr.ends_with(": invalid option -- 'l'\n"), "{}", refused.stderr);
    Ok(())
}

/// In a tree, `-S` acts by its configuration.
#[test]
fn suse_marks_where_it_is_configured_to() -> io::Result<()> {
    for (configuration, marks) in
        [("#define CONFIG_SUSE_KERNEL_SUPPORTED 1\n", true), ("#define CONFIG_SMP 1\n", false)]
    {
        let files =
            [("include/generated/autoconf.h", configuration.as_bytes()), ("Module.supported", &b"drivers/m\n"[..])];
        let run = Run::with("suse/15.6", "-S Module.supported -w -i in -o symvers drivers/m.o", &files)?;
        assert_eq!(run.mod_c()?.contains("MODULE_INFO(supported, "), marks, "{configuration}");
    }
    Ok(())
}

/// Stable releases on both sides of a backport.
#[test]
fn stable_releases() -> io::Result<()> {
    let said = |kernel: &str, source: &str| {
        let object = assemble(&[MODULE, source].concat())?;
        let run = Run::with(kernel, "-w -i in -o symvers drivers/m.o", &[("drivers/m.o", &object)])?;
        Ok::<_, io::Error>((run.stderr.clone(), run.file("symvers").is_ok()))
    };
    let near =
        "\t.section .init.text, \"ax\"\none:\ntwo:\t.quad 0\n\t.section .text.x, \"ax\"\nuser:\t.quad .init.text + 2\n";
    for (kernel, symbol) in [("6.6.25", "two"), ("6.6.26", "one"), ("6.6.150", "one"), ("6.7", "one")] {
        let (said, _) = said(kernel, near)?;
        assert!(said.contains(&format!("-> {symbol} (section: .init.text)")), "{kernel}: {said}");
    }
    let table = "\t.data\ne:\t.quad 0\n\t.section __ex_table, \"a\"\n\t.quad e, e\n";
    for (kernel, severity) in [("5.15.120", "FATAL: "), ("5.15.121", "ERROR: "), ("5.10.262", "FATAL: ")] {
        let (said, written) = said(kernel, table)?;
        assert!(said.contains(severity), "{kernel}: {said}");
        assert_eq!(written, severity == "ERROR: ", "{kernel}");
    }
    let hot = "\t.section .init.text, \"ax\"\ntarget:\t.quad 0\n\t.section .text.hot, \"ax\"\nuser:\t.quad target\n";
    for (kernel, expected) in [("5.15.173", false), ("5.15.174", true), ("5.10.262", false), ("6.1.79", true)] {
        let (said, _) = said(kernel, hot)?;
        assert_eq!(said.contains("ection mismatch"), expected, "{kernel}: {said}");
    }
    Ok(())
}

#[test]
fn amazon() -> io::Result<()> {
    let both = "-M -m -i in -o symvers vmlinux.o drivers/m.o";
    let plain = Run::new("amazon/6.18", both, "")?;
    assert_eq!(plain.status, Some(1));
    assert!(plain.stderr.contains("\"missing\" [drivers/m.ko] undefined!\n"), "{}", plain.stderr);
    let made = Run::new("amazon/6.18", "-c -M -i in -o symvers drivers/m.o", "")?;
    assert_eq!((made.status, &made.stderr[..]), (Some(0), ""));
    assert_eq!(made.file("crypto/fips140/.fips140.symvers")?, "0x00000000\tf\tdrivers/m\tEXPORT_SYMBOL_GPL\t\n");
    assert!(made.file("symvers").is_err());
    // vmlinux's exports are not among them.
    let kernel = Run::new("amazon/6.18", "-c -M -o symvers vmlinux.o", "")?;
    assert_eq!((kernel.status, &kernel.file("crypto/fips140/.fips140.symvers")?[..]), (Some(0), ""));
    Ok(())
}

#[test]
fn ubuntu_6_14() -> io::Result<()> {
    let run = Run::new("ubuntu/6.14", "-w -m -M -i in -o symvers drivers/m.o", "")?;
    let versions = "\nstatic const char ____versions[]\n__used __section(\"__versions\") =\n\
        \t\"\\x18\\x00\\x00\\x00\\x02\\x00\\x00\\x00\"\n\t\"module_layout\\0\\0\\0\"\n\
        \t\"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\";\n";
    let text = run.file("drivers/m.mod.c")?;
    assert!(text.contains(versions), "{text}");
    for option in ["-x", "-b"] {
        let refused = Run::new("ubuntu/6.14", &format!("{option} {PLAIN}"), "")?;
        assert!(refused.stderr.ends_with(&format!(": invalid option -- '{}'\n", &option[1..])), "{}", refused.stderr);
    }
    Ok(())
}
