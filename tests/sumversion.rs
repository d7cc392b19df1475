//! sumversion as a program: how a sum came about, and who has it.

use std::fs;
use std::io;
use std::process::{Command, Output};

use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::ours;
use tempfile::TempDir;

/// A module of two objects and a library, as kbuild leaves them.
struct Tree(TempDir);

/// What modpost of 6.1.176 gives it.
const SUM: &str = "1007ACDAF702F1BBD0C3B03";

impl Tree {
    fn new() -> io::Result<Self> {
        let tree = Self(tempfile::tempdir()?);
        tree.write("d/m.mod", "d/one.o\nd/two.o\nd/lib.a\n")?;
        for part in ["one", "two"] {
            let commands = format!(
                "savedcmd_d/{part}.o := gcc\n\nsource_d/{part}.o := d/{part}.c\n\ndeps_d/{part}.o := \\\n  d/m.h \\\n  include/a.h \\\n  include/b.h \\\n\nd/{part}.o: $(deps_d/{part}.o)\n"
            );
            tree.write(&format!("d/.{part}.o.cmd"), &commands)?;
            tree.write(&format!("d/{part}.c"), format!("/* {part} */ int {part};\n"))?;
        }
        tree.write("d/m.h", "struct m;\n")?;
        Ok(tree)
    }

    fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> io::Result<()> {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(self.0.path()))?;
        fs::write(path, contents)
    }

    fn module(&self, path: &str, srcversion: &str) -> io::Result<()> {
        let info =
            if srcversion.is_empty() { String::new() } else { format!("\t.asciz \"srcversion={srcversion}\"\n") };
        let source = format!("\t.section .modinfo, \"a\"\n\t.asciz \"license=GPL\"\n{info}\t.text\nf:\t.quad 0\n");
        self.write(path, assemble(&source)?)
    }

    fn run(&self, arguments: &str) -> io::Result<Output> {
        Command::new(ours("sumversion")?.program)
            .args(arguments.split(' '))
            .env("KBUILD_RS_KERNEL", "6.1.176")
            .current_dir(self.0.path())
            .output()
    }

    fn expect(&self, arguments: &str, status: i32, stdout: &str) -> io::Result<()> {
        let output = self.run(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let found = (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code());
        assert_eq!(found, (stdout.to_owned(), Some(status)), "{arguments}: {said}");
        Ok(())
    }
}

#[test]
fn what_went_in() -> io::Result<()> {
    let explained = format!(
        "\
d/m: {SUM}
  object d/one.o
    source d/one.c 19 bytes 6177EFDE96C9C733056AE85CB2224BBB
    header d/m.h 10 bytes 41553AE77020AA590037D53D9CABD0E6
    skipped 2 headers: they lie in other directories
  object d/two.o
    source d/two.c 19 bytes 3C1E6E222CEEDA5BAA41C7C41693346A
    header d/m.h 10 bytes 41553AE77020AA590037D53D9CABD0E6
    skipped 2 headers: they lie in other directories
  skipped d/lib.a: a library
"
    );
    Tree::new()?.expect("--explain d/m", 0, &explained)
}

#[test]
fn two_modules() -> io::Result<()> {
    let tree = Tree::new()?;
    for (file, srcversion) in [("a.ko", "AA"), ("b.ko", "AA"), ("c.ko", "CC"), ("none.ko", "")] {
        tree.module(file, srcversion)?;
    }
    tree.expect("--compare a.ko b.ko", 0, "a.ko: AA\nb.ko: AA\nequal\n")?;
    tree.expect("--compare a.ko c.ko", 1, "a.ko: AA\nc.ko: CC\ndifferent\n")?;
    let absent = "a.ko: AA\nnone.ko: no srcversion\nabsent: modpost gives one to modules with a MODULE_VERSION(), and to all if the kernel has CONFIG_MODULE_SRCVERSION_ALL\n";
    tree.expect("--compare a.ko none.ko", 1, absent)
}

#[test]
fn a_module_and_its_tree() -> io::Result<()> {
    let tree = Tree::new()?;
    tree.module("d/m.ko", SUM)?;
    tree.expect("--check d/m.ko", 0, &format!("d/m.ko: {SUM}\nits tree: {SUM}\nequal\n"))?;
    tree.write("d/m.h", "struct n;\n")?;
    let output = tree.run("--check d/m.ko")?;
    assert!(output.stdout.ends_with(b"\ndifferent\n"));
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}

#[test]
fn a_loaded_module() -> io::Result<()> {
    let tree = Tree::new()?;
    tree.module("m.ko", "AA")?;
    tree.write("sys/module/a_m/srcversion", "AA\n")?;
    tree.write("sys/module/bare/refcnt", "0\n")?;
    tree.expect("--sysfs sys --loaded a-m m.ko", 0, "m.ko: AA\nsys/module/a_m: AA\nequal\n")?;
    let output = tree.run("--sysfs sys --loaded a-m d/m")?;
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("d/m: {SUM}\nsys/module/a_m: AA\ndifferent\n"));
    assert_eq!(tree.run("--sysfs sys --loaded bare m.ko")?.status.code(), Some(1));
    let output = tree.run("--sysfs sys --loaded missing m.ko")?;
    assert_eq!(String::from_utf8_lossy(&output.stderr), "sumversion: sys/module/missing: No such file or directory\n");
    Ok(())
}

#[test]
fn a_missing_module_does_not_keep_the_others() -> io::Result<()> {
    let tree = Tree::new()?;
    let output = tree.run("missing d/m")?;
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("d/m: {SUM}\n"));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "sumversion: missing.mod: No such file or directory\n");
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}

#[test]
fn sums_as_json() -> io::Result<()> {
    let tree = Tree::new()?;
    tree.module("d/m.ko", SUM)?;
    tree.module("none.ko", "")?;
    let own = format!("{{\"module\":\"d/m\",\"srcversion\":\"{SUM}\"}}\n");
    tree.expect("--json d/m", 0, &own)?;
    tree.expect("--json -q d/m", 0, "")?;
    let sides = |one: &str, other: &str| format!("[{{\"module\":{one}}},{{\"module\":{other}}}]}}\n");
    let file = format!("\"d/m.ko\",\"srcversion\":\"{SUM}\"");
    let same = sides(&file, &format!("\"its tree\",\"srcversion\":\"{SUM}\""));
    tree.expect("--json --check d/m.ko", 0, &format!("{{\"verdict\":\"equal\",\"sides\":{same}"))?;
    let absent = sides(&file, "\"none.ko\",\"srcversion\":null");
    tree.expect("--json --compare d/m.ko none.ko", 1, &format!("{{\"verdict\":\"absent\",\"sides\":{absent}"))?;
    tree.write("sys/module/a/srcversion", "AA\n")?;
    tree.expect("--json --sysfs sys --loaded a", 0, "{\"module\":\"sys/module/a\",\"srcversion\":\"AA\"}\n")?;
    let output = tree.run("--json --explain d/m")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let object: serde_json::Value = serde_json::from_str(&text)?;
    let kinds: Vec<_> = object["steps"].as_array().into_iter().flatten().map(|step| step["kind"].clone()).collect();
    assert_eq!(
        kinds,
        ["object", "source", "header", "elsewhere", "object", "source", "header", "elsewhere", "library"]
    );
    assert_eq!(object["steps"][2]["path"], "d/m.h");
    Ok(())
}

#[test]
fn which_kernel_it_is() -> io::Result<()> {
    let tree = Tree::new()?;
    let said = |arguments: &str| Ok::<_, io::Error>(String::from_utf8_lossy(&tree.run(arguments)?.stderr).into_owned());
    assert_eq!(said("-v d/m")?, "sumversion: kernel 6.1.176, from KBUILD_RS_KERNEL\n");
    assert_eq!(said("-v --kernel 6.12.0-5-amd64 d/m")?, "sumversion: kernel 6.12.0, as --kernel says\n");
    assert_eq!(said("-v --kernel rhel/9.6 d/m")?, "sumversion: kernel rhel/9.6, as --kernel says\n");
    Ok(())
}

#[test]
fn verdicts_are_coloured_on_demand() -> io::Result<()> {
    let tree = Tree::new()?;
    tree.module("a.ko", "AA")?;
    tree.expect("--color always --compare a.ko a.ko", 0, "a.ko: AA\na.ko: AA\n\x1b[32mequal\x1b[0m\n")
}
