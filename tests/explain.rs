//! What modpost says when asked: `KBUILD_RS_EXPLAIN=1`, why symbols are
//! undefined, after all that the original says; `KBUILD_RS_REPORT=FILE`,
//! messages for programs.

use std::fs;
use std::io;
use std::process::Command;

use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::ours;
use tempfile::TempDir;

struct Place(TempDir);

const KERNEL: &str = "\
0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\t
0x1\tmodule_put\tvmlinux\tEXPORT_SYMBOL\t
0x1\tdma_buf_get\tvmlinux\tEXPORT_SYMBOL_GPL\tDMA_BUF
0x1\tkmalloc\tvmlinux\tEXPORT_SYMBOL\t
";

impl Place {
    /// A module `own/m.o` that uses symbols.
    fn new(symbols: &[&str]) -> io::Result<Self> {
        let place = Self(tempfile::tempdir()?);
        let uses: String = symbols.iter().map(|symbol| format!("\t.quad {symbol}\n")).collect();
        let source = format!(
            "\t.section .modinfo, \"a\"\n\t.asciz \"license=GPL\"\n\t.asciz \"description=x\"\n\t.data\nd:\n{uses}"
        );
        place.write("own/m.o", assemble(&source)?)?;
        place.write("own/m.mod", "\n")?;
        place.write("kernel/Module.symvers", KERNEL)?;
        Ok(place)
    }

    fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> io::Result<()> {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(self.0.path()))?;
        fs::write(path, contents)
    }

    /// What is said with the variable after what is said without.
    fn explained(&self, kernel: &str, options: &str) -> io::Result<String> {
        let run = |explain: Option<&str>| -> io::Result<(Option<i32>, String)> {
            let output = Command::new(ours("modpost")?.program)
                .args(options.split(' ').chain(["m.o"]))
                .env("KBUILD_RS_KERNEL", kernel)
                .envs(explain.map(|value| ("KBUILD_RS_EXPLAIN", value)))
                .current_dir(self.0.path().join("own"))
                .output()?;
            Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
        };
        let (plain, with) = (run(None)?, run(Some("1"))?);
        assert_eq!(plain, run(Some(""))?);
        assert_eq!(plain.0, with.0);
        let more = with.1.strip_prefix(&plain.1).expect("it follows what the original says");
        assert!(!plain.1.contains("kbuild-rs"));
        let top = fs::canonicalize(self.0.path())?;
        Ok(more.replace(&format!("{}", top.display()), "TOP"))
    }
}

#[test]
fn no_symvers() -> io::Result<()> {
    let place = Place::new(&["printk"])?;
    fs::remove_dir_all(place.0.path().join("kernel"))?;
    let expected = "\
kbuild-rs: 1 undefined symbol: no Module.symvers was given, so nothing of the kernel is known
kbuild-rs:   a kernel's Module.symvers is made by building it, not by `make modules_prepare`
kbuild-rs:   printk, used by m.ko
";
    assert_eq!(place.explained("6.1.176", "-e -o out")?, expected);
    let without = expected.replace(
        "no Module.symvers was given, so nothing of the kernel is known",
        "the Module.symvers that was given has no symbol of vmlinux",
    );
    place.write("other.symvers", "0x1\tf\tother\tEXPORT_SYMBOL\t\n")?;
    assert_eq!(place.explained("6.1.176", "-e -i ../other.symvers -o out")?, without);
    Ok(())
}

#[test]
fn symvers_of_another_kernel() -> io::Result<()> {
    let place = Place::new(&["printk", "one_thing", "other_thing", "third_thing", "fourth_thing"])?;
    let expected = "\
kbuild-rs: 4 undefined symbols: most of what is used isn't exported: Module.symvers seems to be of another kernel
kbuild-rs:   take the Module.symvers of the kernel you are building against
kbuild-rs:   one_thing, used by m.ko
kbuild-rs:   other_thing, used by m.ko
kbuild-rs:   third_thing, used by m.ko
kbuild-rs:   fourth_thing, used by m.ko
";
    assert_eq!(place.explained("6.1.176", "-e -i ../kernel/Module.symvers -o out")?, expected);
    Ok(())
}

#[test]
fn a_misspelt_symbol() -> io::Result<()> {
    let place = Place::new(&["printk", "modul_put"])?;
    let expected = "\
kbuild-rs: 1 undefined symbol: no export of that name is known
kbuild-rs:   known are exports of the kernel, and of modules whose Module.symvers is given
kbuild-rs:   modul_put, used by m.ko: did you mean module_put?
";
    assert_eq!(place.explained("6.1.176", "-e -i ../kernel/Module.symvers -o out")?, expected);
    Ok(())
}

#[test]
fn another_modules_symvers() -> io::Result<()> {
    let place = Place::new(&["printk", "their_function"])?;
    place.write("theirs/Module.symvers", "0x1\ttheir_function\ttheirs\tEXPORT_SYMBOL\t\n")?;
    let expected = "\
kbuild-rs: 1 undefined symbol: no export of that name is known
kbuild-rs:   known are exports of the kernel, and of modules whose Module.symvers is given
kbuild-rs:   their_function, used by m.ko: TOP/theirs/Module.symvers has it
kbuild-rs:   build with KBUILD_EXTRA_SYMBOLS='TOP/theirs/Module.symvers'
";
    assert_eq!(place.explained("6.1.176", "-e -i ../kernel/Module.symvers -o out")?, expected);
    Ok(())
}

#[test]
fn a_namespace_as_its_kernel_writes_it() -> io::Result<()> {
    let place = Place::new(&["dma_buf_get"])?;
    for (kernel, line) in [("6.12.107", "MODULE_IMPORT_NS(DMA_BUF);"), ("6.13.0", "MODULE_IMPORT_NS(\"DMA_BUF\");")] {
        let expected = format!("kbuild-rs: to be added: {line} in m.ko\n");
        assert_eq!(place.explained(kernel, "-e -i ../kernel/Module.symvers -o out")?, expected);
    }
    Ok(())
}

#[test]
fn nothing_is_wrong() -> io::Result<()> {
    assert_eq!(Place::new(&["printk"])?.explained("6.1.176", "-e -i ../kernel/Module.symvers -o out")?, "");
    Ok(())
}

/// All of them, where the original says ten.
#[test]
fn more_than_the_original_says() -> io::Result<()> {
    let names: Vec<String> = (0..30).map(|number| format!("missing_symbol_{number}")).collect();
    let place = Place::new(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
    let explained = place.explained("6.1.176", "-e -i ../kernel/Module.symvers -o out")?;
    assert!(names.iter().all(|name| explained.contains(&format!("  {name}, used by m.ko"))));
    Ok(())
}

impl Place {
    /// What is in the report of a run, after what was there.
    fn reported(&self, kernel: &str, options: &str) -> io::Result<String> {
        let report = self.0.path().join("report");
        let output = Command::new(ours("modpost")?.program)
            .args(options.split(' '))
            .env("KBUILD_RS_KERNEL", kernel)
            .env("KBUILD_RS_REPORT", &report)
            .current_dir(self.0.path().join("own"))
            .output()?;
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        fs::read_to_string(report)
    }
}

#[test]
fn a_report_for_programs() -> io::Result<()> {
    let names: Vec<String> = (0..12).map(|number| format!("missing_{number:02}")).collect();
    let place = Place::new(&names.iter().map(String::as_str).chain(["dma_buf_get"]).collect::<Vec<_>>())?;
    place.write("report", "before\n")?;
    let reported = place.reported("7.3.4", "-e -i ../kernel/Module.symvers m.o")?;
    let lines: Vec<&str> = reported.lines().collect();
    let undefined = |name: &str| {
        format!(
            "{{\"severity\":\"error\",\"kind\":\"undefined-symbol\",\"module\":\"m\",\"symbols\":[\"{name}\"],\
             \"sections\":[],\"offsets\":[],\"text\":\"m.ko: symbol '{name}' undefined!\"}}"
        )
    };
    assert_eq!(lines.len(), 1 + 12 + 2, "{reported}");
    assert_eq!(lines[0], "before");
    // All of them, where the original says ten.
    assert!(names.iter().all(|name| lines.contains(&&undefined(name)[..])), "{reported}");
    let namespace = "{\"severity\":\"error\",\"kind\":\"missing-namespace\",\"module\":\"m\",\"symbols\":[\"dma_buf_get\"],\
                     \"sections\":[],\"offsets\":[],\"text\":\"m.ko: module uses symbol 'dma_buf_get' from namespace 'DMA_BUF', \
                     but does not import it.\"}";
    assert!(lines.contains(&namespace), "{reported}");
    Ok(())
}

/// Code that calls what will have been freed.
const MISMATCH: &str = r#"
	.section .modinfo, "a"
	.asciz "license=GPL"
	.asciz "description=x"
	.section .init.text, "ax"
	.type set_up, @function
set_up:	ret
	.text
	.type work, @function
work:	.quad 0
	.quad set_up
"#;

#[test]
fn a_report_of_sections_and_their_offsets() -> io::Result<()> {
    let place = Place::new(&[])?;
    place.write("own/m.o", assemble(MISMATCH)?)?;
    let expected = "{\"severity\":\"warning\",\"kind\":\"section-mismatch\",\"module\":\"m\",\
                    \"symbols\":[\"work\",\"set_up\"],\"sections\":[\".text\",\".init.text\"],\"offsets\":[8],\
                    \"text\":\"m.o: section mismatch in reference: work (section: .text) -> set_up (section: .init.text)\"}";
    let reported = place.reported("6.1.176", "-e -E -i ../kernel/Module.symvers m.o")?;
    assert!(reported.lines().any(|line| line == expected), "{reported}");
    Ok(())
}

#[test]
fn a_report_of_what_ended_the_run() -> io::Result<()> {
    let place = Place::new(&[])?;
    place.write("own/m.o", &assemble(MISMATCH)?[..80])?;
    let expected = "{\"severity\":\"fatal\",\"kind\":\"malformed-object\",\"module\":\"m\",";
    let reported = place.reported("6.1.176", "-e -i ../kernel/Module.symvers m.o")?;
    assert!(reported.starts_with(expected) && reported.lines().count() == 1, "{reported}");
    fs::remove_file(place.0.path().join("report"))?;
    let reported = place.reported("6.1.176", "-i missing m.o")?;
    let expected = "{\"severity\":\"fatal\",\"kind\":\"file\",\"module\":null,\"symbols\":[],\"sections\":[],\"offsets\":[],\
                    \"text\":\"missing: No such file or directory\"}\n";
    assert_eq!(reported, expected);
    Ok(())
}

/// A report that can't be written is a failure.
#[test]
fn a_report_that_cannot_be_written() -> io::Result<()> {
    let place = Place::new(&["printk"])?;
    let output = Command::new(ours("modpost")?.program)
        .args(["-e", "-i", "../kernel/Module.symvers", "m.o"])
        .envs([("KBUILD_RS_KERNEL", "6.1.176"), ("KBUILD_RS_REPORT", "missing/report")])
        .current_dir(place.0.path().join("own"))
        .output()?;
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "kbuild-rs: KBUILD_RS_REPORT: missing/report: No such file or directory\n"
    );
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}
