//! A kernel's tree to be swapped, what is known of its files, and commands that end
//! the script at any of its steps.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kbuild_rs_tests::command::write_executable;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The names of programs in Debian's headers packages.
pub(crate) const DEBIAN: &[&str] =
    &["modpost", "modpost.real-lsb-32", "modpost.real-lsb-64", "modpost.real-msb-32", "modpost.real-msb-64"];
pub(crate) const BUILT: &[&str] = &["modpost", "mk_elfconfig"];
/// What the script calls.
const COMMANDS: &[&str] = &["cat", "cp", "grep", "mkdir", "mv", "od", "rm", "rmdir", "sed", "stat", "touch"];
/// Stands for kbuild-rs-prove, which has tests of its own: it says yes, unless
/// there is a file that tells otherwise.
const PROVER: &str = "#!/bin/sh
record=
while [ $# -gt 0 ]; do
\t[ \"$1\" != --record ] || record=$2
\tshift
done
if [ -e \"${0%/*}/refused\" ]; then
\techo 'modpost: differs' >&2
\texit 1
fi
echo 'modpost: is the same'
[ -z \"$record\" ] || echo 'kernel 6.1.176' >\"$record\"
";
pub(crate) const RECORD: &str = ".kbuild-rs/kernel";

/// A kernel tree, and a directory with our programs.
pub(crate) struct Bench {
    pub(crate) dir: TempDir,
}

/// What is known of a file: mode, modification time, digest of the contents.
pub(crate) type Snapshot = BTreeMap<PathBuf, (u32, (i64, i64), String)>;

/// A program for this machine; no two are alike.
pub(crate) fn program(mark: &str) -> Vec<u8> {
    [&fs::read("/bin/true").unwrap(), mark.as_bytes()].concat()
}

pub(crate) fn digest(contents: &[u8]) -> String {
    format!("{:x}", Sha256::digest(contents))
}

pub(crate) fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts-compat/kbuild-rs-swap")
}

impl Bench {
    /// A tree with these programs, with or without modpost's source.
    pub(crate) fn new(programs: &[&str], source: bool) -> Self {
        let bench = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir_all(bench.scripts()).unwrap();
        fs::create_dir(bench.ours()).unwrap();
        // Small ones instead of ours.
        for name in BUILT {
            fs::write(bench.ours().join(name), program(&format!("KBUILD_RS {name}"))).unwrap();
        }
        write_executable(&bench.ours().join("kbuild-rs-prove"), PROVER).unwrap();
        fs::write(bench.ours().join("cases.tar.zst"), "").unwrap();
        let kbuild = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts-compat/Kbuild");
        fs::copy(kbuild, bench.ours().join("Kbuild")).unwrap();
        for (number, name) in programs.iter().enumerate() {
            let path = bench.scripts().join(name);
            fs::write(&path, program(name)).unwrap();
            let mode = if number == 0 { 0o755 } else { 0o750 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            bench.age(&path, number);
        }
        if source {
            fs::create_dir(bench.tree().join("init")).unwrap();
            fs::write(bench.tree().join("init/main.c"), "").unwrap();
            for (name, text) in [("modpost.c", ""), ("Makefile", "hostprogs-always-y += modpost mk_elfconfig\n")] {
                let path = bench.scripts().join(name);
                fs::write(&path, text).unwrap();
                bench.age(&path, 20);
            }
        }
        bench.age(&bench.scripts(), 30);
        bench
    }

    fn age(&self, path: &Path, seconds: usize) {
        let time = format!("2021-02-03 04:05:{seconds:02}.123456789 UTC");
        assert!(Command::new("touch").args(["-d", &time]).arg(path).status().unwrap().success());
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    pub(crate) fn scripts(&self) -> PathBuf {
        self.tree().join("scripts/mod")
    }

    pub(crate) fn ours(&self) -> PathBuf {
        self.dir.path().join("ours")
    }

    /// Where the originals are kept.
    pub(crate) fn kept(&self) -> PathBuf {
        let scripts = fs::canonicalize(self.scripts()).unwrap();
        self.dir.path().join("state/kept").join(scripts.strip_prefix("/").unwrap())
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut files = Snapshot::new();
        let mut paths = vec![self.scripts(), self.kept()];
        paths.retain(|path| path.exists());
        while let Some(path) = paths.pop() {
            let metadata = path.symlink_metadata().unwrap();
            let contents = if metadata.is_dir() {
                paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                String::new()
            } else if metadata.is_symlink() {
                format!("{:?}", fs::read_link(&path).unwrap())
            } else {
                digest(&fs::read(&path).unwrap())
            };
            files.insert(path, (metadata.mode(), (metadata.mtime(), metadata.mtime_nsec()), contents));
        }
        files
    }

    /// The same without directories, the record of their time, which tells of runs
    /// that were killed, and the time of what was proved.
    pub(crate) fn files(&self) -> Snapshot {
        let mut files = self.snapshot();
        files.retain(|path, _| !path.is_dir() && !path.ends_with(".time"));
        if let Some((_, time, _)) = files.get_mut(&self.scripts().join(RECORD)) {
            *time = (0, 0);
        }
        files
    }

    pub(crate) fn call(&self, arguments: &[&str], path: &str) -> Output {
        Command::new(script())
            .args(["--state", "state"])
            .args(arguments)
            .arg(self.tree())
            .env("PATH", path)
            .current_dir(self.dir.path())
            .output()
            .unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.call(arguments, &std::env::var("PATH").unwrap())
    }

    pub(crate) fn swap(&self) {
        let output = self.run(&["--from", "ours"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn undo(&self) {
        let output = self.run(&["--undo"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn refuses(&self, arguments: &[&str], message: &str) {
        let before = self.snapshot();
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.ends_with(&format!("{message}\n")) && stderr.lines().count() <= 2, "{stderr}");
        assert_eq!(self.snapshot(), before, "{message}");
    }

    /// How many of the fatal commands were called.
    pub(crate) fn calls(&self) -> usize {
        fs::read_to_string(self.dir.path().join("commands/.count")).unwrap().trim().parse().unwrap()
    }

    /// Tries with commands that are fatal at the first call, at the second,
    /// and so on, until there are no more calls; returns the last number.
    pub(crate) fn at_each_call(&self, signal: &str, mut attempt: impl FnMut(usize, &str)) -> usize {
        let mut number = 0;
        loop {
            number += 1;
            attempt(number, &self.fatal_commands(signal, number));
            if self.calls() < number {
                return number;
            }
        }
    }

    /// A directory of commands that send a signal to their caller instead of
    /// what they should do, at the call of this number.
    pub(crate) fn fatal_commands(&self, signal: &str, number: usize) -> String {
        let dir = self.dir.path().join("commands");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        let path = std::env::var("PATH").unwrap();
        let count = dir.join(".count");
        fs::write(&count, "0\n").unwrap();
        for command in COMMANDS {
            let real = path.split(':').map(|dir| Path::new(dir).join(command)).find(|path| path.exists()).unwrap();
            let text = format!(
                "#!/bin/sh\nread calls <{count}\ncalls=$((calls + 1))\necho $calls >{count}\n\
                 if [ $calls = {number} ]; then kill -{signal} $PPID; [ {signal} != KILL ] || exit 1; fi\n\
                 exec {real} \"$@\"\n",
                count = count.display(),
                real = real.display(),
            );
            write_executable(&dir.join(command), &text).unwrap();
        }
        format!("{}:{path}", dir.display())
    }
}
