//! Which kernel's modpost ours is, however it is called.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use kbuild_rs_tests::external::copy;
use kbuild_rs_tests::original;
use tempfile::TempDir;

const MAKEFILE: &str = "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 176\nEXTRAVERSION =\n";
/// What a build directory and a headers package have for a Makefile.
const WRAPPER: &str = "include /usr/src/linux-headers-6.1.0-50-common/Makefile\n";
const HEADER: &str = "#define LINUX_VERSION_CODE 393648\n#define LINUX_VERSION_SUBLEVEL 176\n";

/// A tree with these files and modpost in its place, and an empty folder.
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
    assert_eq!(said, "FATAL: modpost: KBUILD_RS_KERNEL: not a kernel version: new\n");
    let said = place.says(&place.modpost(), &place.tree(), &[kbuild, ("KBUILD_RS_JOBS", "0")]);
    assert!(said.ends_with("FATAL: modpost: KBUILD_RS_JOBS: not a number of workers: 0\n"), "{said}");
}

#[test]
fn by_a_vendors_headers() {
    let place = Place::new(&[
        ("Makefile", "VERSION = 6\nPATCHLEVEL = 8\nSUBLEVEL = 12\n"),
        ("include/linux/module.h", "struct modversion_info {\n\tu32 next;\n\tu32 crc;\n\tchar name[0];\n};\n"),
    ]);
    let said = place.says(Path::new("scripts/mod/modpost"), &place.tree(), &[]);
    assert_eq!(said, "kbuild-rs: kernel 6.8.12 of Ubuntu, from Makefile and include/linux/module.h\n");
    // As kbuild calls it; and what the user says comes first.
    let said = place.says(&place.modpost(), &place.empty(), &[("KERNELVERSION", "6.8.12")]);
    let header = place.tree().join("include/linux/module.h");
    assert_eq!(said, format!("kbuild-rs: kernel 6.8.12 of Ubuntu, from KERNELVERSION and {}\n", header.display()));
    let said = place.says(&place.modpost(), &place.tree(), &[("KBUILD_RS_KERNEL", "6.8.12")]);
    assert_eq!(said, "kbuild-rs: kernel 6.8.12, from KBUILD_RS_KERNEL\n");

    let header = |minor: u16| format!("{HEADER}#define RHEL_MAJOR 9\n#define RHEL_MINOR {minor}\n");
    for (minor, expected) in [
        (4, "kbuild-rs: kernel 5.14.0 of RHEL 9.4, from KERNELVERSION and include/generated/uapi/linux/version.h\n"),
        (
            6,
            "FATAL: modpost: include/generated/uapi/linux/version.h: RHEL 9.6: this vendor's modpost differs and is not \
             served; KBUILD_RS_KERNEL chooses another\n",
        ),
    ] {
        let place = Place::new(&[("include/generated/uapi/linux/version.h", &header(minor))]);
        let said = place.says(Path::new("scripts/mod/modpost"), &place.tree(), &[("KERNELVERSION", "5.14.0")]);
        assert_eq!(said, expected);
    }
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
