//! A kernel's tree to be swapped, and what is known of its files. Whatever goes wrong
//! panics, as in the tests that use it.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest, Sha256};
use swap::Error;
use swap::change::{Change, Watch};
use swap::group::GROUPS;
use swap::kept::State;
use swap::ours::Ours;
use swap::place::{Place, Purpose};
use swap::replace::{self, Replacements};
use tempfile::TempDir;

use crate::command::write_executable;
use crate::{original, run};

/// The names of programs in Debian's headers packages.
pub const DEBIAN: &[&str] =
    &["modpost", "modpost.real-lsb-32", "modpost.real-lsb-64", "modpost.real-msb-32", "modpost.real-msb-64"];
/// The names of programs in a tree that was built.
pub const BUILT: &[&str] = &["modpost", "mk_elfconfig"];
/// The other tools, which lie in directories of their names: `basic` has fixdep.
pub const TOOLS: &[(&str, &str)] = &[("basic", "fixdep"), ("genksyms", "genksyms")];
/// Stands for kbuild-rs-prove, which has tests of its own: it says yes, unless
/// there is a file that tells otherwise.
pub const PROVER: &str = "#!/bin/sh
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
/// The record of the kernel, from the directory of the programs.
pub const RECORD: &str = ".kbuild-rs/kernel";

/// A kernel tree, and a directory with our programs.
pub struct ScratchTree {
    /// The directory of both.
    pub dir: TempDir,
}

/// Mode, modification time and digest of each file.
pub type Snapshot = BTreeMap<PathBuf, (u32, (i64, i64), String)>;

/// A program for this machine; no two are alike.
pub fn program(mark: &str) -> Vec<u8> {
    [&fs::read("/bin/true").unwrap(), mark.as_bytes()].concat()
}

/// The SHA-256 of contents.
pub fn digest(contents: &[u8]) -> String {
    format!("{:x}", Sha256::digest(contents))
}

/// kbuild-rs-swap.
pub fn program_of_swaps() -> Command {
    Command::new(original::ours("kbuild-rs-swap").unwrap().program)
}

impl ScratchTree {
    /// A tree with these programs, with or without modpost's source.
    pub fn new(programs: &[&str], source: bool) -> Self {
        let tree = Self { dir: run::place().unwrap() };
        fs::create_dir_all(tree.scripts()).unwrap();
        fs::create_dir(tree.ours()).unwrap();
        // Small ones instead of ours.
        for name in BUILT.iter().copied().chain(TOOLS.iter().map(|(_, name)| *name)) {
            fs::write(tree.ours().join(name), program(&format!("KBUILD_RS {name}"))).unwrap();
        }
        write_executable(&tree.ours().join("kbuild-rs-prove"), PROVER).unwrap();
        fs::write(tree.ours().join("cases.tar.zst"), "").unwrap();
        let kbuild = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts-compat/Kbuild");
        fs::copy(kbuild, tree.ours().join("Kbuild")).unwrap();
        for (number, name) in programs.iter().enumerate() {
            let path = tree.scripts().join(name);
            fs::write(&path, program(name)).unwrap();
            let mode = if number == 0 { 0o755 } else { 0o750 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            tree.age(&path, number);
        }
        if source {
            fs::create_dir(tree.tree().join("init")).unwrap();
            fs::write(tree.tree().join("init/main.c"), "").unwrap();
            for (name, text) in [("modpost.c", ""), ("Makefile", "hostprogs-always-y += modpost mk_elfconfig\n")] {
                let path = tree.scripts().join(name);
                fs::write(&path, text).unwrap();
                tree.age(&path, 20);
            }
        }
        tree.age(&tree.scripts(), 30);
        tree
    }

    /// With the other tools, too, and their sources if there are sources.
    pub fn with_tools(self) -> Self {
        let [is_source, is_built] = ["modpost.c", "modpost"].map(|name| self.scripts().join(name).exists());
        for (dir, name) in TOOLS {
            let dir = self.tree().join("scripts").join(dir);
            fs::create_dir(&dir).unwrap();
            if is_built {
                fs::write(dir.join(name), program(name)).unwrap();
                self.age(&dir.join(name), 40);
            }
            if is_source {
                fs::write(dir.join(format!("{name}.c")), "").unwrap();
                fs::write(dir.join("Makefile"), format!("hostprogs-always-y += {name}\nalways-y += more\n")).unwrap();
            }
            self.age(&dir, 50);
        }
        self
    }

    fn age(&self, path: &Path, seconds: usize) {
        let time = format!("2021-02-03 04:05:{seconds:02}.123456789 UTC");
        assert!(Command::new("touch").args(["-d", &time]).arg(path).status().unwrap().success());
    }

    /// The kernel tree.
    pub fn tree(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    /// Its `scripts/mod`.
    pub fn scripts(&self) -> PathBuf {
        self.tree().join("scripts/mod")
    }

    /// The directory with our programs.
    pub fn ours(&self) -> PathBuf {
        self.dir.path().join("ours")
    }

    /// The state, which has the originals.
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// The directory with the kept originals of `scripts/mod`.
    pub fn kept(&self) -> PathBuf {
        State::new(self.state()).entry(&fs::canonicalize(self.scripts()).unwrap())
    }

    /// The path of a kept original of `scripts/mod`.
    pub fn kept_original(&self, name: &str) -> PathBuf {
        let manifest = State::new(self.state()).manifest(&fs::canonicalize(self.scripts()).unwrap());
        self.kept().join(manifest.unwrap().unwrap().original(name).unwrap().digest.to_string())
    }

    /// Swaps the tree, or takes ours out again, in this process. `watch` is asked before
    /// each change whether it is to be made.
    pub fn change(&self, is_undo: bool, watch: &mut Watch<'_>) -> Result<(), Error> {
        let state = State::new(self.state());
        let names = ["modpost", "mk_elfconfig", "fixdep", "genksyms"];
        let ours = Ours::in_directory(&self.ours(), &names)?;
        let mut places = Vec::new();
        for group in &GROUPS {
            places.extend(Place::find(&self.tree(), group, &state, &ours, Purpose::Change, watch)?);
        }
        if is_undo {
            places.iter().try_for_each(Place::check_undo)?;
            return replace::undo(&places, watch);
        }
        places.iter().try_for_each(Place::check_swap)?;
        let record = Some(b"kernel 6.1.176\n".to_vec());
        let given =
            |_: &Place| Ok(Replacements { programs: self.ours(), kbuild: ours.kbuild()?, record: record.clone() });
        let given = places.iter().map(given).collect::<Result<Vec<_>, Error>>()?;
        replace::swap(&places, &given, watch)
    }

    /// Ends a swap or an undo before this change, as if the process were killed. Returns
    /// false if it has fewer changes.
    pub fn killed_before(&self, number: usize, is_undo: bool) -> bool {
        let mut done = 0;
        let mut watch = |_: &Change| {
            done += 1;
            if done > number { Err(Error::Interrupted) } else { Ok(()) }
        };
        match self.change(is_undo, &mut watch) {
            Ok(()) => false,
            Err(Error::Interrupted) => true,
            Err(error) => panic!("{error}"),
        }
    }

    /// Everything below the tree's `scripts` and the state.
    pub fn snapshot(&self) -> Snapshot {
        let mut files = Snapshot::new();
        let mut paths = vec![self.tree().join("scripts"), self.state()];
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

    /// The files without directories, and without the times of what a swap records.
    pub fn files(&self) -> Snapshot {
        let mut files = self.snapshot();
        files.retain(|path, _| !path.is_dir());
        let is_record = |path: &Path| path.starts_with(self.state()) || path.parent().unwrap().ends_with(".kbuild-rs");
        let records = files.iter_mut().filter(|(path, _)| is_record(path));
        records.for_each(|(path, (_, time, contents))| {
            *time = (0, 0);
            // It has times of access.
            if path.ends_with("manifest.json") {
                contents.clear();
            }
        });
        files
    }

    /// Signals have their usual effect, whatever the tests were started with.
    pub fn call(&self, arguments: &[&str], path: &str) -> Output {
        Command::new("env")
            .arg("--default-signal=HUP,INT,TERM")
            .arg(program_of_swaps().get_program())
            .args(["--state", "state"])
            .args(arguments)
            .arg(self.tree())
            .env("PATH", path)
            .current_dir(self.dir.path())
            .output()
            .unwrap()
    }

    /// Runs kbuild-rs-swap on the tree.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.call(arguments, &std::env::var("PATH").unwrap())
    }

    /// Swaps the tree.
    pub fn swap(&self) {
        let output = self.run(&["--from", "ours"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Takes ours out of the tree.
    pub fn undo(&self) {
        let output = self.run(&["--undo"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Checks that a run is refused with this message and changes nothing.
    pub fn refuses(&self, arguments: &[&str], message: &str) {
        let before = self.snapshot();
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.ends_with(&format!("{message}\n")) && stderr.lines().count() <= 2, "{stderr}");
        assert_eq!(self.snapshot(), before, "{message}");
    }
}
