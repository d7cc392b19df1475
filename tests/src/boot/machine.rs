//! A machine without disks that QEMU emulates: a kernel, and an initial file system of a
//! few programs that runs a script.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base::json;
use tempfile::TempDir;

use crate::command::{output, run, write_executable};
use crate::corpus::working_directory;

/// The beginning of each script: programs, what the kernel says of itself, and the second
/// serial line for all that is written.
const START: &str = r#"#!/bin/busybox sh
PATH=/bin:/applets
busybox mount -t proc proc /proc
busybox mkdir /applets
busybox --install -s /applets
mount -t sysfs sys /sys
mount -t securityfs security /sys/kernel/security 2>/dev/null
mknod /dev/ttyS1 c 4 65
exec </dev/ttyS1 >/dev/ttyS1 2>&1
stty -opost
"#;

/// The end of each script, once everything is written.
const END: &str = "echo @end\nstty opost\npoweroff -f\n";

/// What it writes last.
const LAST: &str = "@end\n";

/// Programs of this machine that it has besides busybox's.
const PROGRAMS: &[&str] = &["kmod"];

/// Words with which a kernel says nothing by itself while it runs: it would measure the
/// processor's clock, and say so, a second after its start. What it says begins with the
/// time, also where its configuration is without, so that scripts can tell lines by it.
const QUIET: &str = "quiet notsc random.trust_cpu=on printk.time=1";

/// How long a machine may run, in seconds: it has no other clock than the emulator's.
const LIMIT: &str = "900";

/// Names under which kmod does what they say.
const NAMES: &[&str] = &["insmod", "rmmod", "depmod", "modprobe"];

/// What the machine starts with.
#[derive(Debug)]
pub(crate) struct Machine {
    dir: TempDir,
}

/// Where a program of this machine is.
fn program(name: &str) -> io::Result<PathBuf> {
    let places = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    let found = places.iter().map(|place| Path::new(place).join(name)).find(|path| path.exists());
    found.ok_or_else(|| io::Error::other(format!("{name} is not installed")))
}

/// The libraries that a program needs, by the loader's list.
fn libraries(program: &Path) -> io::Result<Vec<PathBuf>> {
    let list = output(Command::new("ldd").arg(program))?;
    let list = String::from_utf8_lossy(&list).into_owned();
    Ok(list.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect())
}

impl Machine {
    /// A file system in which `script` is what runs. `files` is what else is in it: their
    /// paths, and bytes; `programs` are put into `bin`, with their libraries.
    ///
    /// # Errors
    /// If a program is missing, or those of the file system.
    pub(crate) fn new(script: &str, files: &[(PathBuf, Vec<u8>)], programs: &[PathBuf]) -> io::Result<Self> {
        let dir = working_directory()?;
        let root = dir.path().join("root");
        for place in ["bin", "proc", "sys", "dev", "tmp"] {
            fs::create_dir_all(root.join(place))?;
        }
        fs::copy(program("busybox")?, root.join("bin/busybox"))?;
        let own = PROGRAMS.iter().map(|name| program(name)).collect::<io::Result<Vec<_>>>()?;
        for program in own.iter().chain(programs) {
            fs::copy(program, root.join("bin").join(program.file_name().unwrap_or_default()))?;
            for library in libraries(program)? {
                let place = root.join(library.strip_prefix("/").unwrap_or(&library));
                fs::create_dir_all(place.parent().unwrap_or(&root))?;
                fs::copy(&library, place)?;
            }
        }
        for name in NAMES {
            std::os::unix::fs::symlink("kmod", root.join("bin").join(name))?;
        }
        for (path, bytes) in files {
            let place = root.join(path);
            fs::create_dir_all(place.parent().unwrap_or(&root))?;
            fs::write(place, bytes)?;
        }
        write_executable(&root.join("init"), &format!("{START}{script}{END}"))?;
        let pack = "cd \"$0\" && find . | cpio --quiet -o -H newc >../initrd";
        run(Command::new("sh").args(["-c", pack]).arg(&root))?;
        Ok(Self { dir })
    }

    /// Starts a kernel; returns what the script wrote to the second serial line, where
    /// the kernel itself writes nothing, until it switched the machine off; bytes are as
    /// JSON has them.
    ///
    /// # Errors
    /// If the emulator can't be run, or the machine isn't switched off in time.
    pub(crate) fn boot(&self, kernel: &Path, words: &str, devices: &[&str]) -> io::Result<String> {
        let mut qemu = Command::new("timeout");
        qemu.args([LIMIT, "qemu-system-x86_64", "-m", "768", "-no-reboot", "-display", "none", "-monitor", "none"]);
        let said = self.dir.path().join("said");
        qemu.args(["-serial", "stdio", "-serial"]).arg(format!("file:{}", said.display())).arg("-kernel").arg(kernel);
        qemu.arg("-initrd").arg(self.dir.path().join("initrd"));
        qemu.args(["-append", &format!("console=ttyS0 {QUIET} panic=-1 {words}")]).args(devices);
        let output = qemu.stdin(Stdio::null()).output()?;
        let console = String::from_utf8_lossy(&output.stdout).replace('\r', "");
        let said = json::text(&fs::read(said)?).as_str().unwrap_or_default().to_owned();
        if !output.status.success() || !said.ends_with(LAST) {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("the machine: {} {error}\n{console}\n{said}", output.status)));
        }
        Ok(said)
    }
}
