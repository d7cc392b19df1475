//! Real modules: a distribution's whole kernel, run through both subjects.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use elf::Source;
use kbuild_rs_debian::{Found, Unavailable, cache};
use kmod::archive;

use crate::observed::Observed;
use crate::original::{self, Kernel, Subject, Target, V5_10, V6_1, V6_12, V7_2, V7_3};
use crate::run::{self, Call};

/// Modules of one kernel package, and the original to compare with.
#[derive(Debug)]
pub struct Corpus {
    /// What it is called on command lines: the kernel's release, and Debian's
    /// name of the architecture.
    pub name: &'static str,
    /// The kernel whose original runs.
    pub kernel: &'static Kernel,
    /// The target that the modules are for.
    pub target: Target,
    /// The package with the modules, `*` being the kernel's release.
    modules: &'static str,
    /// The options under which both subjects run.
    pub option_sets: &'static [OptionSet],
}

/// Every corpus: all architectures that Debian builds these kernels for, but
/// i386 in 5.10, whose original for it is gone from the archive.
#[rustfmt::skip]
pub static CORPORA: &[Corpus] = &[
    Corpus { name: "5.10-amd64", kernel: &V5_10, target: Target::Lsb64, modules: "linux-image-*-amd64-unsigned", option_sets: OPTIONS_OF_5_10 },
    Corpus { name: "5.10-arm64", kernel: &V5_10, target: Target::Lsb64, modules: "linux-image-*-arm64-unsigned", option_sets: OPTIONS_OF_5_10 },
    Corpus { name: "6.1-amd64", kernel: &V6_1, target: Target::Lsb64, modules: "linux-image-*-amd64-unsigned", option_sets: OPTIONS_OF_6_1 },
    Corpus { name: "6.1-arm64", kernel: &V6_1, target: Target::Lsb64, modules: "linux-image-*-arm64-unsigned", option_sets: OPTIONS_OF_6_1 },
    Corpus { name: "6.1-armel", kernel: &V6_1, target: Target::Lsb32, modules: "linux-image-*-rpi", option_sets: OPTIONS_OF_6_1 },
    Corpus { name: "6.1-armhf", kernel: &V6_1, target: Target::Lsb32, modules: "linux-image-*-armmp", option_sets: OPTIONS_OF_6_1 },
    Corpus { name: "6.1-i386", kernel: &V6_1, target: Target::Lsb32, modules: "linux-image-*-686-unsigned", option_sets: OPTIONS_OF_6_1 },
    Corpus { name: "6.1-mips64el", kernel: &V6_1, target: Target::Lsb64, modules: "linux-image-*-mips64r2el", option_sets: OPTIONS_OF_6_1 },
    Corpus { name: "6.1-mipsel", kernel: &V6_1, target: Target::Lsb32, modules: "linux-image-*-mips32r2el", option_sets: OPTIONS_OF_6_1 },
    Corpus { name: "6.1-ppc64el", kernel: &V6_1, target: Target::Lsb64, modules: "linux-image-*-powerpc64le", option_sets: OPTIONS_OF_6_1 },
    Corpus { name: "6.1-s390x", kernel: &V6_1, target: Target::Msb64, modules: "linux-image-*-s390x", option_sets: OPTIONS_OF_6_1 },
    Corpus { name: "6.12-amd64", kernel: &V6_12, target: Target::Lsb64, modules: "linux-image-*-amd64-unsigned", option_sets: OPTIONS_OF_6_12 },
    Corpus { name: "6.12-arm64", kernel: &V6_12, target: Target::Lsb64, modules: "linux-image-*-arm64-unsigned", option_sets: OPTIONS_OF_6_12 },
    Corpus { name: "6.12-armel", kernel: &V6_12, target: Target::Lsb32, modules: "linux-image-*-rpi", option_sets: OPTIONS_OF_6_12 },
    Corpus { name: "6.12-armhf", kernel: &V6_12, target: Target::Lsb32, modules: "linux-image-*-armmp", option_sets: OPTIONS_OF_6_12 },
    Corpus { name: "6.12-ppc64el", kernel: &V6_12, target: Target::Lsb64, modules: "linux-image-*-powerpc64le", option_sets: OPTIONS_OF_6_12 },
    Corpus { name: "6.12-riscv64", kernel: &V6_12, target: Target::Lsb64, modules: "linux-image-*-riscv64", option_sets: OPTIONS_OF_6_12 },
    Corpus { name: "6.12-s390x", kernel: &V6_12, target: Target::Msb64, modules: "linux-image-*-s390x", option_sets: OPTIONS_OF_6_12 },
    Corpus { name: "7.2-amd64", kernel: &V7_2, target: Target::Lsb64, modules: "linux-modules-*-amd64", option_sets: OPTIONS_OF_7_3 },
    Corpus { name: "7.3-amd64", kernel: &V7_3, target: Target::Lsb64, modules: "linux-modules-*-amd64", option_sets: OPTIONS_OF_7_3 },
    Corpus { name: "7.3-arm64", kernel: &V7_3, target: Target::Lsb64, modules: "linux-modules-*-arm64", option_sets: OPTIONS_OF_7_3 },
];

/// The file that lists the objects.
pub const LIST: &str = "list";
/// The kernel's own exports.
pub const SYMVERS: &str = "in.symvers";

/// What lies beside the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// A `.mod` file that lists nothing.
    EmptyMods,
    /// `.mod` and `.cmd` files, and the sources that they name.
    Sources,
    /// The same, the `.mod` files being one line, as up to 5.18.
    SourcesOnOneLine,
}

/// A set of options under which both subjects run.
#[derive(Clone, Copy, Debug)]
pub struct OptionSet {
    /// The options.
    pub options: &'static str,
    beside: Beside,
}

const OPTIONS_OF_5_10: &[OptionSet] = &[
    OptionSet { options: "-e -i in.symvers -N -w", beside: Beside::EmptyMods },
    OptionSet { options: "-m -e -i in.symvers -a -d nsdeps", beside: Beside::SourcesOnOneLine },
    OptionSet { options: "-m -E -a", beside: Beside::EmptyMods },
];
const OPTIONS_OF_6_1: &[OptionSet] = &[
    OptionSet { options: "-e -i in.symvers -N -w", beside: Beside::EmptyMods },
    OptionSet { options: "-m -e -i in.symvers -a -d nsdeps -W", beside: Beside::Sources },
    OptionSet { options: "-m -E -a", beside: Beside::EmptyMods },
];
const OPTIONS_OF_6_12: &[OptionSet] = &[
    OptionSet { options: "-M -e -i in.symvers -N -w", beside: Beside::EmptyMods },
    OptionSet { options: "-M -m -e -i in.symvers -a -d nsdeps -W", beside: Beside::Sources },
    OptionSet { options: "-M -m -E -a -t", beside: Beside::EmptyMods },
];

const OPTIONS_OF_7_3: &[OptionSet] = &[
    OptionSet { options: "-M -e -i in.symvers -N -w", beside: Beside::EmptyMods },
    OptionSet { options: "-M -m -b -x -e -i in.symvers -a -w -d nsdeps -W", beside: Beside::Sources },
    OptionSet { options: "-M -m -b -E -a -t", beside: Beside::EmptyMods },
];

/// Every file below a directory that a name's end picks, relative and sorted.
fn files(dir: &Path, suffix: &str) -> io::Result<Vec<PathBuf>> {
    Ok(run::stamps(dir)?.into_keys().filter(|path| path.to_string_lossy().ends_with(suffix)).collect())
}

impl Corpus {
    /// The corpus of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        CORPORA.iter().find(|corpus| corpus.name == name)
    }

    /// The package with the kernel's exports.
    fn headers(&self) -> String {
        let flavour = self.modules.rsplit('*').next().unwrap_or_default().trim_end_matches("-unsigned");
        format!("linux-headers-*{flavour}")
    }

    /// The packages that it is made of.
    ///
    /// # Errors
    /// If the archive can't be reached or doesn't have them.
    pub fn packages(&self) -> Result<[Found; 2], Unavailable> {
        let package = |name: &str| self.kernel.package(name, self.architecture());
        Ok([package(self.modules)?, package(&self.headers())?])
    }

    /// The unpacked package with the modules.
    ///
    /// # Errors
    /// If it can't be had.
    pub fn package(&self) -> io::Result<PathBuf> {
        self.kernel.unpacked(self.modules, self.architecture())
    }

    /// Every module: its file in the package, and its path below `kernel`.
    ///
    /// # Errors
    /// If the package can't be had.
    pub fn modules(&self) -> io::Result<Vec<(PathBuf, PathBuf)>> {
        let package = self.package()?;
        let is_module = |path: &PathBuf| [".ko", ".ko.xz"].iter().any(|end| path.to_string_lossy().ends_with(end));
        // lib/modules/RELEASE/kernel/…, below usr in newer packages.
        let below = |path: &PathBuf| path.iter().skip_while(|part| *part != "kernel").skip(1).collect();
        let paths = run::stamps(&package)?.into_keys().filter(is_module);
        Ok(paths.map(|path| (package.join(&path), below(&path))).collect())
    }

    /// The directory with the kernel's configuration and exports.
    ///
    /// # Errors
    /// If the package can't be had, or has none.
    pub fn headers_directory(&self) -> io::Result<PathBuf> {
        let package = self.kernel.unpacked(&self.headers(), self.architecture())?;
        let symvers = files(&package, "/Module.symvers")?.pop();
        let directory = symvers.as_deref().and_then(Path::parent);
        Ok(package.join(directory.ok_or_else(|| io::Error::other("the headers have no Module.symvers"))?))
    }

    fn architecture(&self) -> &'static str {
        self.name.rsplit('-').next().unwrap_or_default()
    }

    /// The directory that holds each module as an object, their list, and the
    /// kernel's exports.
    ///
    /// # Errors
    /// If the packages can't be had.
    pub fn directory(&self) -> io::Result<PathBuf> {
        let modules = self.modules()?;
        cache::once(&format!("corpora/{}_{}", self.name, self.kernel.found()?.version), |dir| {
            let mut list = Vec::new();
            for (module, path) in &modules {
                let stem = path.to_string_lossy().trim_end_matches(".xz").trim_end_matches(".ko").to_owned();
                let object = format!("{stem}.o");
                let target = dir.join(&object);
                fs::create_dir_all(target.parent().unwrap_or(dir))?;
                match &*archive::open(module).map_err(io::Error::other)? {
                    Source::File(..) => fs::hard_link(module, target)?,
                    Source::Memory(bytes) => fs::write(target, bytes)?,
                }
                list.push(object);
            }
            list.sort_unstable();
            fs::write(dir.join(LIST), list.join("\n") + "\n")?;
            fs::copy(self.headers_directory()?.join("Module.symvers"), dir.join(SYMVERS)).map(drop)
        })
    }
}

/// A directory to run in, on the cache's file system, that goes away.
///
/// # Errors
/// If it can't be made.
pub fn working_directory() -> io::Result<tempfile::TempDir> {
    tempfile::tempdir_in(cache::directory("runs")?)
}

/// Lays the corpus out in `dir`, objects by hard links.
///
/// # Errors
/// Those of the file system.
pub fn lay_out(corpus: &Path, dir: &Path, beside: Beside) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    for name in [LIST, SYMVERS] {
        fs::hard_link(corpus.join(name), dir.join(name))?;
    }
    for object in fs::read_to_string(corpus.join(LIST))?.lines() {
        let target = dir.join(object);
        fs::create_dir_all(target.parent().unwrap_or(dir))?;
        fs::hard_link(corpus.join(object), &target)?;
        match beside {
            Beside::EmptyMods => fs::write(target.with_extension("mod"), "\n")?,
            Beside::Sources => write_sources(dir, object, "\n")?,
            Beside::SourcesOnOneLine => write_sources(dir, object, " ")?,
        }
    }
    Ok(())
}

/// What kbuild would leave for a module of two objects and a static library:
/// `.mod`, a `.cmd` file for each object, and sources in which comments,
/// strings and white space are where they can be.
fn write_sources(dir: &Path, object: &str, separator: &str) -> io::Result<()> {
    let stem = object.strip_suffix(".o").unwrap_or(object);
    let (directory, base) = stem.rsplit_once('/').unwrap_or((".", stem));
    let seed = base.bytes().fold(0u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(u32::from(byte)));
    fs::write(
        dir.join(format!("{stem}.mod")),
        [format!("{stem}-one.o"), format!("{stem}-two.o"), format!("{directory}/lib.a\n")].join(separator),
    )?;
    // A library is asked for CRCs, in later kernels by another name.
    for name in [".lib.a.cmd", ".lib.o.cmd"] {
        fs::write(dir.join(directory).join(name), "savedcmd_lib.a := ar\n#SYMVER in_library 0x1\n")?;
    }
    for part in ["one", "two"] {
        let part_of = format!("{stem}-{part}");
        let mut commands =
            format!("savedcmd_{part_of}.o := gcc -c {part_of}.c\n\nsource_{part_of}.o := {part_of}.c\n\n");
        commands += &format!("deps_{part_of}.o := \\\n    $(wildcard include/config/X) \\\n  {part_of}.h \\\n");
        commands +=
            &format!("  {directory}/sub/other.h \\\n  include/linux/init.h \\\n\n{part_of}.o: $(deps_{part_of}.o)\n\n");
        commands += &format!("#SYMVER {base}_{part} 0x{seed:08x}\n#SYMVER module_layout 0x1\n");
        fs::write(dir.join(format!("{directory}/.{base}-{part}.o.cmd")), commands)?;
        let source = format!(
            "/* {base} */\n#include \"{base}-{part}.h\"\nstatic char *s = \"a /* b */ \\\" {seed}\";\n\t int  x \\\n = {seed} / 2; /*/ */ // c\n"
        );
        fs::write(dir.join(format!("{part_of}.c")), source)?;
        fs::write(dir.join(format!("{part_of}.h")), format!("int f{seed}(void);  /* never ends"))?;
    }
    Ok(())
}

fn observe(subject: &Subject, corpus: &Path, dir: &Path, kernel: &str, set: OptionSet) -> io::Result<Observed> {
    lay_out(corpus, dir, set.beside)?;
    let mut arguments: Vec<OsString> = set.options.split(' ').map(OsString::from).collect();
    arguments.extend(["-o", "out.symvers", "-T", LIST].map(OsString::from));
    Observed::of(subject, dir, kernel, &Call { arguments, ..Call::default() })
}

/// What comparing one option set gave.
#[derive(Debug)]
pub struct Comparison {
    /// What differs; "" if nothing does.
    pub report: String,
    /// How many files the original wrote.
    pub files: usize,
    /// How many differ, or are written by one alone.
    pub differing: usize,
    /// The original's exit status.
    pub status: Option<i32>,
    /// The size of the original's standard error, in bytes.
    pub stderr: usize,
}

/// Runs both subjects on a corpus.
///
/// # Errors
/// If what it takes can't be had.
pub fn compare(corpus: &Corpus, set: OptionSet) -> io::Result<Comparison> {
    let (original, ours) = (corpus.kernel.modpost(corpus.target)?, original::ours("modpost")?);
    let directory = corpus.directory()?;
    let dir = working_directory()?;
    let version = corpus.kernel.version();
    let theirs = observe(&original, &directory, &dir.path().join("original"), version, set)?;
    let ours = observe(&ours, &directory, &dir.path().join("ours"), version, set)?;

    let (report, differing) = theirs.differences(&ours);
    Ok(Comparison {
        report,
        files: theirs.files.len(),
        differing,
        status: theirs.status.and_then(|status| status.code()),
        stderr: theirs.stderr.len(),
    })
}

/// A module's bytes, decompressed.
///
/// # Errors
/// If it can't be read.
pub fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    Ok(archive::Memory::default().read(path).map_err(io::Error::other)?.to_vec())
}
