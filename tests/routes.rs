//! `MODPOST=` on make's command line, as docs/packaging.md has it: the
//! `Makefile.modpost` of each kernel calls ours as it would call its own.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use kbuild_rs_tests::command::copy;
use kbuild_rs_tests::command::{self, write_executable};
use kbuild_rs_tests::original::{KERNELS, Target};
use kbuild_rs_tests::{route, tally};

/// Stands for modpost: records its name, its arguments and standard input, and
/// writes an empty output.
const MODPOST: &str = "#!/bin/sh
echo \"$0\" >>\"$CALLS.names\"
{ printf '<%s>' \"$@\"; echo; cat; } >>\"$CALLS\"
while [ $# -gt 0 ]; do
\t[ \"$1\" != -o ] || : >\"$2\"
\tshift
done
";

const CONFIGURATIONS: [&str; 2] = [
    "",
    "CONFIG_MODULES=y\nCONFIG_MODVERSIONS=y\nCONFIG_BASIC_MODVERSIONS=y\nCONFIG_EXTENDED_MODVERSIONS=y\n\
     CONFIG_MODULE_SRCVERSION_ALL=y\nCONFIG_SECTION_MISMATCH_WARN_ONLY=y\nCONFIG_TRIM_UNUSED_KSYMS=y\n\
     CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=y\n",
];

/// What else make is told.
const ARGUMENTS: [&[&str]; 4] =
    [&[], &["KBUILD_MODPOST_WARN=1"], &["KBUILD_NSDEPS=1", "MODULES_NSDEPS=deps"], &["KBUILD_EXTRA_WARN=1"]];

/// Files that a kernel's build has made when it comes to modpost; each is left out once.
const MADE: [&str; 3] = ["Module.symvers", "vmlinux.symvers", "vmlinux.o"];

/// A kernel's tree and a module beside it.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new(scripts: &Path, stub: &Path, configuration: &str, missing: Option<&str>) -> io::Result<Self> {
        let place = Self { dir: tempfile::tempdir()? };
        for dir in ["scripts/mod", "include/config", "module", "ours"] {
            fs::create_dir_all(place.path(dir))?;
        }
        for entry in fs::read_dir(scripts)? {
            let entry = entry?;
            if entry.file_name() != "mod" {
                symlink(entry.path(), place.path("scripts").join(entry.file_name()))?;
            }
        }
        copy(stub, &place.path("scripts/mod/modpost"))?;
        copy(stub, &place.path("ours/modpost"))?;
        fs::write(place.path("include/config/auto.conf"), configuration)?;
        for name in MADE.into_iter().chain(["vmlinux.a"]).filter(|name| Some(*name) != missing) {
            fs::write(place.path(name), "")?;
        }
        // Both forms that kernels have had.
        for order in ["modules.order", "module/modules.order"] {
            fs::write(place.path(order), "module/m.ko\nmodule/m.o\n")?;
        }
        fs::write(place.path("module/Makefile"), "KBUILD_EXTRA_SYMBOLS := others.symvers\n")?;
        fs::write(place.path("others.symvers"), "")?;
        Ok(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes, with our value or the kernel's own, and returns what modpost was called
    /// with and the names by which it was called.
    fn calls(&self, is_ours: bool, arguments: &[&str], is_external: bool) -> io::Result<(String, String)> {
        let scripts = self.path("scripts");
        // Since 6.13, external modules are built in their own directory.
        let text = fs::read_to_string(scripts.join("Makefile.modpost"))?;
        let is_inside = is_external && text.contains("$(objtree)/scripts/mod/modpost");
        let (dir, root) = if is_inside { ("module", "..") } else { ("", ".") };
        let module = if is_inside { "." } else { "module" };
        let mut make = Command::new("make");
        make.args(["-s", "-f", &format!("{root}/scripts/Makefile.modpost")]).args(arguments);
        if is_ours {
            // No `i` in it: GNU make 4.4 takes it for the option.
            let value = route::value(&scripts, &Path::new(root).join("ours/modpost"))?;
            make.arg(format!("MODPOST={value}"));
        }
        let order = if is_external { format!("{module}/modules.order") } else { "modules.order".to_owned() };
        let extmod = if is_external { module } else { "" };
        make.env_remove("MAKEFLAGS").envs([
            ("srctree", root),
            ("objtree", root),
            ("srcroot", "."),
            ("CONFIG_SHELL", "sh"),
            ("AR", ":"),
            ("KBUILD_MODULES", "1"),
            ("KBUILD_MODPOST_NOFINAL", "1"),
            ("KBUILD_EXTMOD", extmod),
            ("MODORDER", &order),
            ("kbuild-file", &format!("{module}/Makefile")),
        ]);
        let calls = self.path("calls");
        command::output(make.env("CALLS", &calls).current_dir(self.path(dir)))?;
        let read = |path: PathBuf| if path.exists() { fs::read_to_string(path) } else { Ok(String::new()) };
        Ok((read(calls)?, read(self.path("calls.names"))?))
    }
}

#[test]
fn each_kernel_calls_ours_as_its_own() -> io::Result<()> {
    let stubs = tempfile::tempdir()?;
    let stub = stubs.path().join("modpost");
    write_executable(&stub, MODPOST)?;
    for kernel in KERNELS {
        let Some(program) = tally::available("routes", kernel.modpost(Target::Lsb64))?.map(|subject| subject.program)
        else {
            continue;
        };
        let scripts = program.ancestors().nth(2).unwrap();
        let mut seen = String::new();
        for configuration in CONFIGURATIONS {
            for arguments in ARGUMENTS {
                let vmlinux = [arguments, &["MODPOST_VMLINUX=1"]].concat();
                let all =
                    [(arguments, None, false), (&vmlinux, Some("vmlinux.symvers"), false), (arguments, None, true)];
                let less = MADE.map(|name| (arguments, Some(name), name == "Module.symvers"));
                for (arguments, missing, is_external) in all.into_iter().chain(less) {
                    let calls = |is_ours| {
                        let place = Place::new(scripts, &stub, configuration, missing)?;
                        place.calls(is_ours, arguments, is_external)
                    };
                    let (theirs, names) = calls(false)?;
                    assert!(names.lines().all(|name| name.ends_with("scripts/mod/modpost")), "{names}");
                    let (ours, names) = calls(true)?;
                    assert!(names.lines().all(|name| name.ends_with("ours/modpost")), "{names}");
                    assert_eq!(ours, theirs, "{}: {configuration}{arguments:?} {missing:?}", kernel.release);
                    seen += &theirs;
                }
            }
        }
        for word in ["-m", "-a", "-E", "-w", "-N", "-d", "-e", "-i", "vmlinux.o", "others.symvers"] {
            assert!(seen.contains(&format!("<{word}>")), "{}: {word} is never given", kernel.release);
        }
    }
    Ok(())
}
