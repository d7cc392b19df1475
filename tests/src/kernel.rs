//! A small real kernel, built from a distribution's source: objects as kbuild
//! hands them to modpost, with the exports that a linked module has lost.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use kbuild_rs_debian::cache;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::command;
use crate::needs;
use crate::observed::Observed;
use crate::original::{self, Kernel, Subject, V5_10, V6_1, V6_12, V7_3};
use crate::run::Call;
use crate::tally::Finding;

/// A kernel to build.
#[derive(Debug)]
pub struct Tree {
    /// Its original.
    pub kernel: &'static Kernel,
    /// Sets of options under which both subjects run.
    pub option_sets: &'static [&'static str],
}

/// Every kernel that can be built.
pub static TREES: &[Tree] = &[
    Tree { kernel: &V5_10, option_sets: &["-m -a", "-m -a -E", "-m", "-a -w -N", "-m -a -e"] },
    Tree { kernel: &V6_1, option_sets: &["-m -a", "-m -a -E", "-m", "-a -w -N", "-m -a -e"] },
    Tree {
        kernel: &V6_12,
        option_sets: &["-M -m -a", "-M -m -a -W -E", "-M", "-M -m -t", "-M -m -t -u keep", "-m -a"],
    },
    Tree {
        kernel: &V7_3,
        option_sets: &["-M -m -b -x -a", "-M -m -b -a -W -E", "-M", "-M -m -x -t", "-M -m -b -t -u keep", "-m -b -a"],
    },
];

/// Another way to build a kernel, in a directory beside its source.
#[derive(Debug)]
pub struct Way {
    name: &'static str,
    /// What make is told.
    pub arguments: &'static [&'static str],
    /// Options beside those of all kernels.
    options: &'static str,
}

/// A kernel that was built in another way, in directories that go away.
#[derive(Debug)]
pub struct Beside {
    /// Where they are.
    pub dir: TempDir,
    /// Its source.
    pub source: PathBuf,
    /// Its build directory.
    pub out: PathBuf,
    /// What make is told in the source.
    pub arguments: Vec<String>,
}

impl Way {
    /// Builds a kernel; `prepare` is called with its source before.
    ///
    /// # Errors
    /// If the source can't be had or doesn't build, and those of `prepare`.
    pub fn built(&self, kernel: &Tree, prepare: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<Beside> {
        // The same for each run, since make is told it.
        let name = format!("{}-{}.place", kernel.name()?, self.name);
        let places = cache::directory("kernels")?;
        remove(&places.join(&name))?;
        let dir = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir_in(places)?;
        let (source, out) = (dir.path().join("source"), dir.path().join("out"));
        fs::create_dir(&source)?;
        fs::create_dir(&out)?;
        kernel.unpack(&source)?;
        prepare(&source)?;
        let directory = format!("O={}", out.display());
        let arguments = [&[&*directory], self.arguments].concat();
        configure(&source, &out, &arguments, self.options)?;
        make(&source, &arguments)?;
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        Ok(Beside { dir, source, out, arguments })
    }
}

/// Removes a directory, if there is one.
fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

static WAYS: &[Way] = &[
    Way { name: "arm64", arguments: &["ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"], options: "" },
    Way { name: "llvm", arguments: &["LLVM=1"], options: "" },
    Way { name: "lto", arguments: &["LLVM=1"], options: "CONFIG_LTO_CLANG_THIN=y\n" },
    Way { name: "booted", arguments: &[], options: include_str!("../boot.config") },
    // Kernels since 6.14 alone have that.
    Way {
        name: "extended",
        arguments: &[],
        options: concat!(include_str!("../boot.config"), "# CONFIG_BASIC_MODVERSIONS is not set\n"),
    },
    Way { name: "trim", arguments: &[], options: "CONFIG_TRIM_UNUSED_KSYMS=y\nCONFIG_UNUSED_KSYMS_WHITELIST=\"\"\n" },
];

/// Where Debian's ccache has the compilers' names.
const COMPILERS: &str = "/usr/lib/ccache";

/// Runs make, with one job for each processor. What a compiler was given before, in this
/// run or another, it isn't given again: a kernel is built many times, and its objects are
/// not what is compared. The commands are the same with and without that.
///
/// # Errors
/// If it fails.
pub fn make(dir: &Path, arguments: &[&str]) -> io::Result<()> {
    needs::program("ccache", "ccache")?;
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let path = std::env::var("PATH").unwrap_or_default();
    eprintln!("make {}", arguments.join(" "));
    command::run(
        Command::new("make")
            .args(["-s", &format!("-j{jobs}")])
            .args(arguments)
            .current_dir(dir)
            .env("PATH", format!("{COMPILERS}:{path}"))
            .env("CCACHE_DIR", cache::directory("ccache")?)
            .env_remove("MAKEFLAGS")
            .env_remove("KBUILD_RS_BIN"),
    )
}

impl Tree {
    /// The kernel of a release, as in `6.12`.
    #[must_use]
    pub fn named(release: &str) -> Option<&'static Self> {
        TREES.iter().find(|tree| tree.kernel.release == release)
    }

    /// The kernel of a release, and how it is built, as in `6.12` or `6.12-arm64`.
    ///
    /// # Errors
    /// If there is no such kernel or way.
    pub fn and_way(name: &str) -> io::Result<(&'static Self, Option<&'static Way>)> {
        let (release, way) = name.split_once('-').map_or((name, None), |(release, way)| (release, Some(way)));
        let known = || TREES.iter().map(|tree| tree.kernel.release).chain(WAYS.iter().map(|way| way.name));
        let unknown = || io::Error::other(format!("not a kernel: known are {}", known().collect::<Vec<_>>().join(" ")));
        let way = way.map(|name| WAYS.iter().find(|way| way.name == name).ok_or_else(unknown)).transpose()?;
        Ok((Self::named(release).ok_or_else(unknown)?, way))
    }

    /// The archive of its source.
    ///
    /// # Errors
    /// If it can't be had.
    pub fn source(&self) -> io::Result<PathBuf> {
        let name = format!("linux-source-{}", self.kernel.release);
        Ok(self.kernel.unpacked(&name, "amd64")?.join("usr/src").join(format!("{name}.tar.xz")))
    }

    /// Unpacks the source.
    ///
    /// # Errors
    /// If it can't be had.
    pub fn unpack(&self, dir: &Path) -> io::Result<()> {
        let mut tar = Command::new("tar");
        command::run(tar.args(["-xJ", "--strip-components=1", "-f"]).arg(self.source()?).current_dir(dir))
    }

    /// What tells its built tree from others: its version and its options.
    fn name(&self) -> io::Result<String> {
        let options = Sha256::digest(fs::read(options())?);
        let options: String = options.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{}-{options}", self.kernel.found()?.version))
    }

    /// Where it is built, and built again: in another directory kbuild would make
    /// everything anew. Nothing is there.
    fn place(&self) -> io::Result<PathBuf> {
        let place = cache::directory("kernels")?.join(self.name()? + ".place");
        remove(&place)?;
        Ok(place)
    }

    /// The built tree, which is not to be changed.
    ///
    /// # Errors
    /// If the source can't be had or doesn't build.
    pub fn built(&self) -> io::Result<PathBuf> {
        cache::once(&format!("kernels/{}", self.name()?), |dir| {
            let place = self.place()?;
            fs::create_dir(&place)?;
            self.unpack(&place)?;
            configure(&place, &place, &[], "")?;
            make(&place, &[])?;
            fs::rename(&place, dir)
        })
    }

    /// Calls `run` with a copy of the built tree in which make has nothing to do.
    ///
    /// # Errors
    /// If there is no built tree, or it can't be copied, and those of `run`.
    pub fn in_copy<T>(&self, run: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
        let built = self.built()?;
        let place = self.place()?;
        command::copy(&built, &place)?;
        let result = run(&place);
        fs::remove_dir_all(&place)?;
        result
    }
}

/// The options that a kernel has beside tinyconfig's.
fn options() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kernel.config")
}

/// Configures a kernel to be small, in a build directory that may be the
/// source's; `arguments` are make's, `more` options of its own.
///
/// # Errors
/// If that fails.
fn configure(source: &Path, out: &Path, arguments: &[&str], more: &str) -> io::Result<()> {
    make(source, &[arguments, &["tinyconfig"]].concat())?;
    let mut merge = Command::new("scripts/kconfig/merge_config.sh");
    let own = tempfile::NamedTempFile::new()?;
    fs::write(own.path(), more)?;
    merge.arg("-m").arg("-O").args([out, &out.join(".config"), &options(), own.path()]).current_dir(source);
    command::run(&mut merge)?;
    make(source, &[arguments, &["olddefconfig"]].concat())?;
    let config = fs::read_to_string(out.join(".config"))?;
    let wanted = |line: &&str| line.contains("CONFIG_");
    match more.lines().filter(wanted).find(|option| !config.lines().any(|line| line == *option)) {
        None => Ok(()),
        Some(option) => Err(io::Error::other(format!("{option}: not an option of this kernel"))),
    }
}

/// The file that lists a built kernel's modules as objects.
pub const LIST: &str = "modules.list";

/// Lists a built kernel's modules without their suffix.
///
/// # Errors
/// Those of the file system.
pub fn stems(tree: &Path) -> io::Result<Vec<String>> {
    let modules = fs::read_to_string(tree.join("modules.order"))?;
    // Both forms that kernels have had.
    Ok(modules.lines().map(|line| line.trim_end_matches(".ko").trim_end_matches(".o").to_owned()).collect())
}

/// Writes [`LIST`] and returns how many modules there are.
///
/// # Errors
/// Those of the file system.
pub fn write_list(tree: &Path) -> io::Result<usize> {
    let stems = stems(tree)?;
    let list: String = stems.iter().map(|stem| format!("{stem}.o\n")).collect();
    fs::write(tree.join(LIST), list)?;
    Ok(stems.len())
}

fn observe(subject: &Subject, tree: &Path, version: &str, options: &str) -> io::Result<Observed> {
    write_list(tree)?;
    // Every third export of the kernel's own is kept.
    let symvers = fs::read_to_string(tree.join("Module.symvers"))?;
    let names = symvers.lines().filter_map(|line| line.split('\t').nth(1)).step_by(3);
    fs::write(tree.join("keep"), names.collect::<Vec<_>>().join("\n"))?;
    let mut outputs: Vec<_> = stems(tree)?.iter().map(|stem| format!("{stem}.mod.c")).collect();
    outputs.extend([".vmlinux.export.c", "out.symvers", "out.nsdeps"].map(String::from));
    for name in &outputs {
        let path = tree.join(name);
        if path.exists() {
            fs::remove_file(path)?;
        }
    }
    let mut arguments: Vec<OsString> = options.split(' ').map(OsString::from).collect();
    let rest = ["-d", "out.nsdeps", "-o", "out.symvers", "-T", LIST, "vmlinux.o"];
    arguments.extend(rest.map(OsString::from));
    Observed::of(subject, tree, version, &Call { arguments, ..Call::default() })
}

/// Runs the original that the tree was built with, and ours, both of which write
/// over what is there.
///
/// # Errors
/// If something can't be run or read.
pub fn compare(tree: &Tree, dir: &Path, options: &str) -> io::Result<Finding> {
    let original = Subject::new(dir.join("scripts/mod/modpost"));
    let version = tree.kernel.version();
    let theirs = observe(&original, dir, version, options)?;
    let ours = observe(&original::ours("modpost")?, dir, version, options)?;
    let report = theirs.differences(&ours).0;
    Ok((format!("modpost {options}, {} files", theirs.files.len()), report))
}
