//! Corrupted objects, given to the original and to ours.
//!
//! The original is compiled with sanitizers, so that it says where its
//! behaviour is undefined; where it says nothing, ours has to do the same.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base::workers::Workers;
use kbuild_rs_debian::cache;
use wait_timeout::ChildExt;

use crate::corpus::{self, Corpus};
use crate::fixture::compile_c;
use crate::history;
use crate::kernel::Tree;
use crate::machine::{MACHINES, module};
use crate::mutate;
use crate::observed::Observed;
use crate::original::{self, Kernel, Subject, Target};

/// Maps a file so that it ends where nothing is: what lies behind a map's end
/// would be there, and zero, and no sanitizer would say a word. (To poison the
/// rest of the last page isn't enough: of what isn't aligned, only the first
/// bytes are looked at.)
const WHOLE: &str = r#"
#include <errno.h>
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <unistd.h>

/* What is beyond a file on both sides, for wrong offsets to hit. */
#define NOWHERE (1UL << 39)

void *__real_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t len);

void *__wrap_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	size_t page = sysconf(_SC_PAGESIZE), room = (len + page - 1) / page * page, have = 0;
	ssize_t got = 1;
	char *all, *file;

	if (!len) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	all = __real_mmap(0, 2 * NOWHERE + room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (all == MAP_FAILED)
		return MAP_FAILED;
	if (mprotect(all + NOWHERE, room, PROT_READ | PROT_WRITE))
		return MAP_FAILED;
	file = all + NOWHERE + room - len;
	while (have < len && got > 0) {
		got = pread(fd, file + have, len - have, offset + have);
		have += got > 0 ? got : 0;
	}
	__asan_poison_memory_region(all + NOWHERE, room - len);
	return file;
}

int __wrap_munmap(void *at, size_t len)
{
	size_t page = sysconf(_SC_PAGESIZE), room = (len + page - 1) / page * page;
	char *start = (char *)at + len - room;

	__asan_unpoison_memory_region(start, room);
	return __real_munmap(start - NOWHERE, 2 * NOWHERE + room);
}
"#;

/// What the compiler is told. Well-formed objects break rules of alignment, too,
/// and so does copying no bytes from nowhere; a pointer that leads nowhere does
/// no harm until it is followed.
const SANITIZED: &[&str] = &[
    "../../whole.c",
    "-Wl,--wrap=mmap,--wrap=munmap",
    "-g",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined",
    "-fno-sanitize=alignment,nonnull-attribute,pointer-overflow",
    "-fno-sanitize-recover=all",
];

/// How the sanitizers end a program.
const REPORTED: i32 = 86;
/// What they are told. An allocation that can't be made fails, as elsewhere.
const ENVIRONMENT: [(&str, &str); 2] = [
    ("ASAN_OPTIONS", "exitcode=86:detect_leaks=0:allocator_may_return_null=1"),
    ("UBSAN_OPTIONS", "exitcode=86:print_stacktrace=1"),
];

/// How long ours may take; the original has more, as sanitizers cost.
const OURS: Duration = Duration::from_secs(2);
const THEIRS: Duration = Duration::from_secs(20);

/// Options under which mutants are read, in turns, and after as many turns
/// with each set of those that the kernel's kbuild may give.
const OPTIONS: &[&str] = &["", "-m -a", "-m -a -E", "-w -N", "-m -a -e"];

fn options(kernel: &Kernel, turn: u64) -> String {
    let options = OPTIONS[turn as usize % OPTIONS.len()];
    let sets = [&[""], kernel.variants].concat();
    format!("{} {options}", sets[turn as usize / OPTIONS.len() % sets.len()]).trim_ascii().to_owned()
}

/// Modules of distributions: corpus and path.
const REAL: &[(&str, &str)] = &[
    ("6.1-amd64", "drivers/net/mii.ko"),
    ("6.1-amd64", "net/ipv4/tunnel4.ko"),
    ("6.1-amd64", "drivers/vfio/pci/vfio-pci.ko"),
    ("6.1-i386", "drivers/net/mii.ko"),
    ("6.1-i386", "drivers/char/ppdev.ko"),
    ("6.1-s390x", "drivers/net/mii.ko"),
];

/// Machines for which an object is made.
const MADE: &[&str] = &["x86-64", "i386", "arm64", "ppc", "mips", "ppc64", "s390x"];

/// An object to be corrupted.
#[derive(Debug)]
struct Seed {
    name: String,
    target: Target,
    object: Vec<u8>,
}

fn seeds(kernel: &'static Kernel) -> io::Result<Vec<Seed>> {
    let driver = compile_c("driver.c", &["-DOVERRIDE_ONLY"])?;
    let mut seeds = vec![Seed { name: "driver.c".to_owned(), target: Target::Lsb64, object: driver }];
    for (name, path) in REAL {
        let corpus = Corpus::named(name).ok_or_else(|| io::Error::other("no such corpus"))?;
        let modules = corpus.modules()?;
        let found = modules.iter().find(|(_, below)| below == Path::new(path));
        let (file, _) = found.ok_or_else(|| io::Error::other(format!("{name}: no {path}")))?;
        let object = corpus::bytes_of(file)?;
        seeds.push(Seed { name: format!("{path} of {name}"), target: corpus.target, object });
    }
    for machine in MACHINES.iter().filter(|machine| MADE.contains(&machine.name)) {
        let object = module(machine, kernel, 1)?;
        seeds.push(Seed { name: machine.name.to_owned(), target: machine.target, object });
    }
    Ok(seeds)
}

/// The directory of the sanitized originals.
fn sanitized(kernel: &'static Kernel) -> io::Result<PathBuf> {
    cache::once(&format!("originals/{}-guarded", kernel.version()), |dir| {
        let tree = Tree::named(kernel.release).ok_or_else(|| io::Error::other("no such kernel"))?;
        history::extract(&tree.source()?, dir)?;
        fs::write(dir.join("whole.c"), WHOLE)?;
        history::compile(dir, None, SANITIZED, true)
    })
}

/// A directory in which mutants are read, one after the other.
struct Place {
    dir: tempfile::TempDir,
    kernel: &'static Kernel,
}

/// What a mutant is called.
const OBJECT: &str = "m.o";

/// What lies beside it.
const INPUTS: &[(&str, &str)] = &[
    ("m.mod", "part.o\n"),
    (".part.o.cmd", "source_part.o := part.c\n\ndeps_part.o := \\\n  part.h \\\n\n#SYMVER exported 0x12345678\n"),
    ("part.c", "int part;\n"),
    ("part.h", "/* nothing */\n"),
    (".m.o.cmd", "source_m.o := part.c\n#SYMVER exported 0x87654321\n"),
    (
        "in",
        "0x1\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n0x2\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n\
                 0x3\tplain\tvmlinux\tEXPORT_SYMBOL_GPL\tSPACE\n",
    ),
];

/// Fills a directory with what is read.
fn fill(dir: &Path, object: &[u8]) -> io::Result<()> {
    INPUTS.iter().try_for_each(|(name, contents)| fs::write(dir.join(name), contents))?;
    fs::write(dir.join(OBJECT), object)
}

impl Place {
    fn new(kernel: &'static Kernel) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        fill(dir.path(), &[])?;
        Ok(Self { dir, kernel })
    }

    fn run(&self, subject: &Subject, options: &str, limit: Duration) -> io::Result<Observed> {
        let dir = self.dir.path();
        let (stdout, stderr) = (dir.join("stdout"), dir.join("stderr"));
        let mut child = Command::new(&subject.program)
            .args(options.split_whitespace())
            .args(["-i", "in", "-o", "out", OBJECT])
            .current_dir(dir)
            .env_clear()
            .env("LC_ALL", "C")
            .env("KERNELVERSION", self.kernel.version())
            .env("KBUILD_RS_JOBS", "1")
            .envs(ENVIRONMENT)
            .stdin(Stdio::null())
            .stdout(File::create(&stdout)?)
            .stderr(File::create(&stderr)?)
            .spawn()?;
        let status = child.wait_timeout(limit)?;
        if status.is_none() {
            child.kill()?;
            child.wait()?;
        }
        let mut did =
            Observed { status, stdout: fs::read(&stdout)?, stderr: fs::read(&stderr)?, files: BTreeMap::new() };
        fs::remove_file(stdout)?;
        fs::remove_file(stderr)?;
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = PathBuf::from(entry.file_name());
            if name != Path::new(OBJECT) && !INPUTS.iter().any(|(input, _)| Path::new(input) == name) {
                did.files.insert(name, fs::read(entry.path())?);
                fs::remove_file(entry.path())?;
            }
        }
        Ok(did)
    }
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The original is well-behaved, and ours does the same.
    Same,
    /// The original isn't: of what kind its report is. Ours refuses it.
    Refused(String),
    /// The original isn't, and ours does something all the same.
    WentOn(String),
    /// The object says that it is for another target than the original was
    /// compiled for, which takes no notice. Ours has no other way to know.
    OtherTarget,
    /// What is wrong.
    Wrong(String),
}

/// What a sanitizer reports, in few words: what, and in which function.
fn report_of(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let kind = text.lines().find_map(|line| {
        if let Some((_, what)) = line.split_once("ERROR: AddressSanitizer: ") {
            return Some(what.split([' ', ':']).next().unwrap_or(what).to_owned());
        }
        let (_, what) = line.split_once(": runtime error: ")?;
        let words = what.split(' ').filter(|word| !word.contains(|c: char| c.is_ascii_digit() || c == '\''));
        Some(words.collect::<Vec<_>>().join(" "))
    });
    // The first frame that isn't a library's.
    let frame = text.lines().find_map(|line| {
        let (_, function) = line.trim_start().strip_prefix('#')?.split_once(" in ")?;
        let own =
            ["modpost.c", "file2alias.c", "sumversion.c", "symsearch.c"].iter().any(|file| function.contains(file));
        own.then(|| function.split(' ').next().unwrap_or(function).to_owned())
    });
    format!("{} in {}", kind.as_deref().unwrap_or("?"), frame.as_deref().unwrap_or("?"))
}

/// What no sanitizer at hand reports, by the words of ours and of the original:
/// it makes an alias of memory that nothing was written to.
const UNINITIALISED: (&str, &str) =
    ("unknown override_only in a PCI device table", "Unknown PCI driver_override alias");

fn is_uninitialised(original: &Observed, ours: &Observed) -> bool {
    let says = |did: &Observed, words: &str| String::from_utf8_lossy(&did.stderr).contains(words);
    says(ours, UNINITIALISED.0) && says(original, UNINITIALISED.1)
}

fn fate(original: &Observed, ours: &Observed, same_target: bool) -> Fate {
    let show = |did: &Observed| {
        String::from_utf8_lossy(&did.stderr)
            .lines()
            .take(12)
            .fold(String::new(), |all, line| all + "    " + line + "\n")
    };
    let Some(status) = ours.status else { return Fate::Wrong("  ours hangs\n".to_owned()) };
    let code = status.code();
    if !matches!(code, Some(0 | 1)) {
        return Fate::Wrong(format!("  ours ends with {status}\n{}", show(ours)));
    }
    if !same_target {
        return Fate::OtherTarget;
    }
    let reported = match original.status {
        None => Some("it hangs".to_owned()),
        Some(_) if is_uninitialised(original, ours) => Some("uninitialised alias in do_pci_entry".to_owned()),
        Some(status) if status.code() == Some(REPORTED) => Some(report_of(&original.stderr)),
        Some(status) => status.signal().map(|signal| format!("signal {signal}")),
    };
    if let Some(reported) = reported {
        let fatal: Vec<_> =
            ours.stderr.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"FATAL: ")).collect();
        if code == Some(1) && fatal.len() == 1 && ours.files.is_empty() {
            return Fate::Refused(reported);
        }
        return Fate::WentOn(reported);
    }
    let (report, _) = original.differences(ours);
    if report.is_empty() { Fate::Same } else { Fate::Wrong(report) }
}

/// One mutant: the way in which it was corrupted, and what became of it.
#[derive(Debug)]
pub struct Mutant {
    /// Its number.
    pub number: u64,
    /// The object that it was.
    pub seed: String,
    /// The number of the way: see [`mutate::name`].
    pub way: usize,
    /// What became of it.
    pub fate: Fate,
}

/// Makes and reads the mutants of these numbers.
///
/// # Errors
/// If something can't be had or run.
pub fn run(kernel: &'static Kernel, numbers: std::ops::Range<u64>) -> io::Result<Vec<Mutant>> {
    let (seeds, sanitized, ours) = (seeds(kernel)?, sanitized(kernel)?, original::ours("modpost")?);
    let numbers: Vec<u64> = numbers.collect();
    let read = |place: &mut io::Result<Place>, &number: &u64| -> io::Result<Mutant> {
        let place = place.as_ref().map_err(|error| io::Error::other(error.to_string()))?;
        let seed = &seeds[(number % seeds.len() as u64) as usize];
        let options = &options(kernel, number / seeds.len() as u64);
        let (way, object) = mutate::mutant(&seed.object, number);
        let same_target = object.get(4..6) == seed.object.get(4..6);
        fs::write(place.dir.path().join(OBJECT), object)?;
        let program = sanitized.join(seed.target.program());
        let theirs = place.run(&Subject::new(program), options, THEIRS)?;
        let fate = fate(&theirs, &place.run(&ours, options, OURS)?, same_target);
        Ok(Mutant { number, seed: seed.name.clone(), way, fate })
    };
    let mut mutants = Vec::new();
    let take = |mutant: io::Result<Mutant>| mutant.map(|mutant| mutants.push(mutant));
    Workers::new(None, numbers.len()).each(&numbers, || Place::new(kernel), read, take)?;
    Ok(mutants)
}

/// Fills a directory with one mutant and what is read with it; returns the options
/// that it is read under.
///
/// # Errors
/// If it can't be made or written.
pub fn write(kernel: &'static Kernel, number: u64, dir: &Path) -> io::Result<String> {
    let seeds = seeds(kernel)?;
    let seed = &seeds[(number % seeds.len() as u64) as usize];
    fs::create_dir_all(dir)?;
    fill(dir, &mutate::mutant(&seed.object, number).1)?;
    Ok(options(kernel, number / seeds.len() as u64))
}
