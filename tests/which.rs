//! Which kernel's modpost ours is, however it is called.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use kbuild_rs_tests::command::copy;
use kbuild_rs_tests::fixture::compile_c;
use kbuild_rs_tests::original::{self, Tool};
use kernel::{Flags, Version};
use modpost::dialect::Dialect;
use tempfile::TempDir;

const MAKEFILE: &str = "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 176\nEXTRAVERSION =\n";
/// What a build directory and a headers package have for a Makefile.
const WRAPPER: &str = "include /usr/src/linux-headers-6.1.0-50-common/Makefile\n";
const HEADER: &str = "#define LINUX_VERSION_CODE 393648\n#define LINUX_VERSION_SUBLEVEL 176\n";

/// A tree with these files and modpost in its place, and an empty directory.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(place.empty()).unwrap();
        for (name, text) in files {
            let path = place.tree().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir_all(place.modpost().parent().unwrap()).unwrap();
        // By another process: what one of our threads writes, no other can run.
        copy(&original::ours("modpost").unwrap().program, &place.modpost()).unwrap();
        place
    }

    fn tree(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    fn empty(&self) -> PathBuf {
        self.dir.path().join("empty")
    }

    fn modpost(&self) -> PathBuf {
        self.tree().join("scripts/mod/modpost")
    }

    /// What `program` says on standard error, called in `dir`.
    fn says(&self, program: &Path, dir: &Path, environment: &[(&str, &str)]) -> String {
        let output = Command::new(program)
            .current_dir(dir)
            .env_clear()
            .envs(environment.iter().copied())
            .env("KBUILD_RS_DEBUG", "1")
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Each tool has its own directory in a tree's `scripts`, and all are called from anywhere.
#[test]
fn tools_by_the_tree_that_they_lie_in() {
    let place = Place::new(&[("Makefile", MAKEFILE)]);
    let whole = format!("kbuild-rs: kernel 6.1.176, from {}\n", place.tree().join("Makefile").display());
    for tool in [Tool::Fixdep, Tool::Genksyms] {
        let path = place.tree().join("scripts").join(tool.path());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        copy(&original::ours(tool.name()).unwrap().program, &path).unwrap();
        let says = place.says(&path, &place.empty(), &[]);
        assert!(says.starts_with(&whole), "{}: {says}", tool.name());
    }
}

/// The name of a vendor's kernel is for the tools, too, that are mainline's there.
#[test]
fn vendors_by_name() {
    let place = Place::new(&[]);
    for row in Dialect::VENDORS {
        let since = Version::new(row.since.0, row.since.1, 0);
        let name = row.dialect(if row.base.is_none() { since.max(Version::OLDEST) } else { since }).kernel.name;
        let expected = format!("kbuild-rs: kernel {name}, from KBUILD_RS_KERNEL\n");
        for tool in Tool::ALL {
            let program = original::ours(tool.name()).unwrap().program;
            let says = place.says(&program, &place.empty(), &[("KBUILD_RS_KERNEL", &name)]);
            assert!(says.starts_with(&expected), "{}: {says}", tool.name());
        }
    }
}

#[test]
fn by_the_tree_that_it_lies_in() {
    let release = ("include/config/kernel.release", "6.1.0-50-amd64\n");
    let header = ("include/generated/uapi/linux/version.h", HEADER);
    for (files, version, source) in [
        (&[("Makefile", MAKEFILE), release][..], "6.1.176", "Makefile"),
        (&[("Makefile", WRAPPER), header, release], "6.1.176", header.0),
        (&[("Makefile", WRAPPER), release], "6.1.0", release.0),
    ] {
        let place = Place::new(files);
        let whole = format!("kbuild-rs: kernel {version}, from {}\n", place.tree().join(source).display());
        // By its path, and through a symbolic link from elsewhere.
        assert_eq!(place.says(&place.modpost(), &place.empty(), &[]), whole);
        let link = place.empty().join("modpost");
        symlink(place.modpost(), &link).unwrap();
        assert_eq!(place.says(&link, &place.empty(), &[]), whole);
        // As kbuild calls it, and from outside of any tree.
        let relative = format!("kbuild-rs: kernel {version}, from {source}\n");
        assert_eq!(place.says(Path::new("scripts/mod/modpost"), &place.tree(), &[]), relative);
        let ours = original::ours("modpost").unwrap().program;
        assert_eq!(place.says(&ours, &place.tree(), &[]), relative);
    }
}

#[test]
fn by_the_environment() {
    let place = Place::new(&[("Makefile", MAKEFILE)]);
    let kbuild = ("KERNELVERSION", "6.12.107");
    let said = place.says(&place.modpost(), &place.tree(), &[kbuild]);
    assert_eq!(said, "kbuild-rs: kernel 6.12.107, from KERNELVERSION\n");
    let said = place.says(&place.modpost(), &place.tree(), &[kbuild, ("KBUILD_RS_KERNEL", "6.2")]);
    assert_eq!(said, "kbuild-rs: kernel 6.2.0, from KBUILD_RS_KERNEL\n");
    let said = place.says(&place.modpost(), &place.tree(), &[("KBUILD_RS_KERNEL", "new")]);
    assert_eq!(said, "FATAL: modpost: KBUILD_RS_KERNEL: new: not a kernel, as in 6.1, 6.1.176 or rhel/9.6\n");
    let said = place.says(&place.modpost(), &place.tree(), &[kbuild, ("KBUILD_RS_JOBS", "0")]);
    assert!(said.ends_with("FATAL: modpost: KBUILD_RS_JOBS: not a number of workers: 0\n"), "{said}");
}

const OFFSETS: &str = "scripts/mod/devicetable-offsets.h";
/// Of a kernel that took `override_only` over from 5.15.
const OVERRIDE_ONLY: &str = "#define SIZE_pci_device_id 40\n#define OFF_pci_device_id_override_only 32\n";

#[test]
fn tables_that_a_vendor_took_over() {
    let object = compile_c("driver.c", &["-DOVERRIDE_ONLY"]).unwrap();
    for (offsets, is_known) in [(OVERRIDE_ONLY, true), ("#define SIZE_pci_device_id 40\n", false)] {
        let place = Place::new(&[(OFFSETS, offsets), ("m.mod", "\n")]);
        fs::write(place.tree().join("m.o"), &object).unwrap();
        let mut modpost = Command::new("scripts/mod/modpost");
        modpost.args(["-w", "m.o"]).current_dir(place.tree()).env_clear().env("KERNELVERSION", "5.10.9");
        let output = modpost.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let aliases = fs::read_to_string(place.tree().join("m.mod.c")).unwrap();
        assert_eq!(aliases.contains("MODULE_ALIAS(\"vfio_pci:v"), is_known, "{aliases}");
    }
}

/// Older kernels go on to say that they have no vmlinux.
fn first_line(text: &str) -> &str {
    text.split_inclusive('\n').next().unwrap_or_default()
}

#[test]
fn by_a_vendors_files() {
    let version = "include/generated/uapi/linux/version.h";
    let suse = "include/generated/uapi/linux/suse_version.h";
    let packed = "struct modversion_info {\n\tu32 next;\n\tu32 crc;\n\tchar name[0];\n};\n";
    let rhel = |minor: u16| format!("{HEADER}#define RHEL_MAJOR 9\n#define RHEL_MINOR {minor}\n");
    let source =
        |options: &str| format!("\twhile ((opt = getopt(argc, argv, \"ei:MmnT:to:au:WwENd:{options}\")) != -1) {{\n");
    for (kbuild, file, text, expected) in [
        ("6.8.12", "include/linux/module.h", packed, "ubuntu/6.8.12"),
        ("5.14.0", version, &rhel(4), "rhel/9.4"),
        ("5.14.0", version, &rhel(6), "rhel/9.6"),
        ("6.4.0", suse, "#define SUSE_PRODUCT_SHORTNAME  \"SLE15-SP6\"\n", "suse/6.4.0"),
        ("6.4.0", "include/config/SUSE_KERNEL_SUPPORTED", "", "suse/6.4.0"),
        ("5.10.9", "include/config/suse/kernel/supported.h", "", "suse/5.10.9"),
        ("6.6.30", "include/config/MODULE_SCMVERSION", "", "android/6.6.30"),
        ("6.6.30", "scripts/mod/modpost.c", &source("v:"), "android/6.6.30"),
        ("6.18.2", "scripts/mod/modpost.c", &source("xbc"), "amazon/6.18.2"),
        ("5.10.9", OFFSETS, OVERRIDE_ONLY, "5.10.9"),
    ] {
        let place = Place::new(&[(file, text)]);
        let whole =
            format!("kbuild-rs: kernel {expected}, from KERNELVERSION and {}\n", place.tree().join(file).display());
        let version = ("KERNELVERSION", kbuild);
        assert_eq!(first_line(&place.says(&place.modpost(), &place.empty(), &[version])), whole);
        // As kbuild calls it, in the tree and with its source elsewhere.
        let said = place.says(Path::new("scripts/mod/modpost"), &place.tree(), &[version]);
        assert_eq!(first_line(&said), format!("kbuild-rs: kernel {expected}, from KERNELVERSION and {file}\n"));
        let ours = original::ours("modpost").unwrap().program;
        let source = place.tree();
        let said = place.says(&ours, &place.empty(), &[version, ("srctree", source.to_str().unwrap())]);
        assert_eq!(first_line(&said), whole);
        // What the user says comes first.
        let said = place.says(&place.modpost(), &place.tree(), &[("KBUILD_RS_KERNEL", "6.8.12")]);
        assert_eq!(said, "kbuild-rs: kernel 6.8.12, from KBUILD_RS_KERNEL\n");
    }
    let place = Place::new(&[("scripts/mod/modpost.c", &source(""))]);
    let said = place.says(&place.modpost(), &place.empty(), &[("KERNELVERSION", "6.12.3")]);
    assert_eq!(said, "kbuild-rs: kernel 6.12.3, from KERNELVERSION\n");
}

#[test]
fn by_what_a_swap_recorded() {
    let record = "scripts/mod/.kbuild-rs/kernel";
    let place = Place::new(&[("Makefile", MAKEFILE), (record, "kernel rhel/9.6\noriginal 12ab modpost\n")]);
    let said = place.says(&place.modpost(), &place.empty(), &[("KERNELVERSION", "5.14.0")]);
    assert_eq!(said, format!("kbuild-rs: kernel rhel/9.6, from {}\n", place.tree().join(record).display()));
    let said = place.says(&place.modpost(), &place.empty(), &[("KBUILD_RS_KERNEL", "6.2")]);
    assert_eq!(said, "kbuild-rs: kernel 6.2.0, from KBUILD_RS_KERNEL\n");
    // One that says nothing that we know.
    let place = Place::new(&[("Makefile", MAKEFILE), (record, "kernel 6.1\nwith what_nobody_knows\n")]);
    let said = place.says(Path::new("scripts/mod/modpost"), &place.tree(), &[]);
    assert_eq!(said, "kbuild-rs: kernel 6.1.176, from Makefile\n");
}

#[test]
fn by_nothing() {
    let place = Place::new(&[]);
    let said = place.says(&place.modpost(), &place.empty(), &[]);
    assert_eq!(said, "kbuild-rs: kernel 5.15.0, from the default\n");
    // Nobody asked.
    let output = Command::new(place.modpost()).current_dir(place.empty()).env_clear().output().unwrap();
    assert!(output.stderr.is_empty() && output.status.success());
}
