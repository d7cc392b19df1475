//! What real headers declare: those of Debian's kernels, as they are configured,
//! preprocessed, with an export of everything that looks like a function.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kbuild_rs_debian::{Found, Unavailable};

use crate::command::output;
use crate::layouts;
use crate::original::{self, Kernel, Subject, Target, Tool};
use crate::run::{self, Call};
use crate::{compare, tally};

/// Headers that are preprocessed together.
#[derive(Debug)]
pub struct Set {
    /// What it is called.
    pub name: &'static str,
    headers: &'static [&'static str],
}

/// All sets. Each is of some 50,000 lines that declare some thousand functions.
pub const SETS: &[Set] = &[
    Set {
        name: "core",
        headers: &["linux/module.h", "linux/slab.h", "linux/sched.h", "linux/mm.h", "linux/kthread.h"],
    },
    Set { name: "net", headers: &["linux/netdevice.h", "linux/skbuff.h", "net/sock.h", "net/tcp.h", "net/cfg80211.h"] },
    Set {
        name: "fs",
        headers: &["linux/fs.h", "linux/buffer_head.h", "linux/pagemap.h", "linux/namei.h", "linux/nfs_fs.h"],
    },
    Set {
        name: "block",
        headers: &["linux/blkdev.h", "linux/bio.h", "scsi/scsi_host.h", "linux/libata.h", "linux/device-mapper.h"],
    },
    Set { name: "buses", headers: &["linux/pci.h", "linux/usb.h", "linux/i2c.h", "linux/hid.h", "linux/spi/spi.h"] },
    Set { name: "sound", headers: &["sound/core.h", "sound/pcm.h", "sound/soc.h", "sound/hda_codec.h"] },
    Set {
        name: "crypto",
        headers: &["crypto/internal/hash.h", "crypto/internal/skcipher.h", "crypto/aead.h", "linux/bpf.h"],
    },
    Set { name: "graphics", headers: &["drm/drm_atomic.h", "drm/drm_gem.h", "drm/drm_file.h", "linux/fb.h"] },
];

/// How many functions of a set are exported.
const MOST: usize = 1200;

/// The package with a kernel's configuration.
///
/// # Errors
/// If the archive can't be reached or doesn't have it.
pub fn package(kernel: &Kernel) -> Result<Found, Unavailable> {
    kernel.package("linux-headers-*-amd64", "amd64")
}

/// The directory of headers in a package.
pub(crate) fn directory(package: &Path, suffix: &str) -> io::Result<PathBuf> {
    for entry in fs::read_dir(package.join("usr/src"))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(suffix) {
            return Ok(path);
        }
    }
    Err(io::Error::other(format!("{}: no headers", package.display())))
}

/// The command that preprocesses for a kernel, with kbuild's options for x86-64.
pub(crate) fn preprocessor(kernel: &Kernel) -> io::Result<Command> {
    let source = directory(&layouts::package(kernel)?.unpacked()?, "-common")?;
    let build = directory(&package(kernel)?.unpacked()?, "-amd64")?;
    let mut command = Command::new("gcc");
    command.args([
        "-E",
        "-nostdinc",
        "-D__KERNEL__",
        "-D__GENKSYMS__",
        "-DCC_USING_FENTRY",
        "-std=gnu11",
        "-m64",
        "-O2",
    ]);
    command.args(["-fshort-wchar", "-funsigned-char", "-fno-PIE", "-mcmodel=kernel", "-mno-sse", "-pg", "-mfentry"]);
    for name in ["MODFILE", "BASENAME", "MODNAME"] {
        command.arg(format!("-DKBUILD_{name}=\"x\""));
    }
    command.arg("-D__KBUILD_MODNAME=kmod_x");
    // To 5.14, the compiler's own stdarg.h.
    let own = output(Command::new("gcc").arg("-print-file-name=include"))?;
    command.arg("-isystem").arg(String::from_utf8_lossy(&own).trim_end());
    for api in ["", "/uapi"] {
        for dir in [
            source.join(format!("arch/x86/include{api}")),
            build.join(format!("arch/x86/include/generated{api}")),
            source.join(format!("include{api}")),
            build.join(if api.is_empty() { "include" } else { "include/generated/uapi" }),
        ] {
            command.arg("-I").arg(dir);
        }
    }
    for header in ["compiler-version.h", "kconfig.h", "compiler_types.h"] {
        let path = source.join("include/linux").join(header);
        if path.exists() {
            command.arg("-include").arg(path);
        }
    }
    Ok(command)
}

/// Keywords after which everything up to a closing parenthesis is one token.
const PHRASES: &[&str] = &["_Static_assert", "asm", "attribute", "typeof", "typeof_unqual"];

/// The names that a parenthesis follows.
fn functions(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices('(') {
        let before = text[..at].trim_end_matches(' ');
        let begin = before.rfind(|byte: char| !byte.is_ascii_alphanumeric() && byte != '_').map_or(0, |at| at + 1);
        let name = &before[begin..];
        let is_phrase = PHRASES.contains(&name) || PHRASES.contains(&name.trim_matches('_'));
        if !is_phrase && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
            names.insert(name);
        }
    }
    names
}

/// The source that includes a set. Not every kernel has all headers.
pub(crate) fn text(set: &Set) -> String {
    let include = |header: &&str| format!("#if __has_include(<{header}>)\n#include <{header}>\n#endif\n");
    set.headers.iter().map(include).collect()
}

/// A set of a kernel's headers, preprocessed, with exports.
///
/// # Errors
/// If the packages can't be had, or the compiler finds nothing in them.
pub fn source(kernel: &Kernel, set: &Set) -> io::Result<Vec<u8>> {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("set.c"), text(set))?;
    let mut command = preprocessor(kernel)?;
    let output = command.arg("set.c").current_dir(dir.path()).stdin(Stdio::null()).output()?;
    let mut source = output.stdout;
    let text = String::from_utf8_lossy(&source).into_owned();
    let names = functions(&text);
    if names.len() < MOST {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{}: {} functions only: {said}", set.name, names.len())));
    }
    // Some of all: in the order of names, which is none that means anything.
    let step = names.len().div_ceil(MOST);
    for name in names.into_iter().step_by(step) {
        source.extend(format!("__GENKSYMS_EXPORT_SYMBOL({name});\n").into_bytes());
    }
    Ok(source)
}

/// What differs on a source between the original and ours; and the versions that ours
/// tells.
///
/// # Errors
/// If one can't be run.
pub fn differences(kernel: &Kernel, source: &[u8], options: &str) -> io::Result<(String, String)> {
    let observe = |subject: &Subject| -> io::Result<_> {
        let dir = run::place()?;
        let arguments = options.split_whitespace().map(Into::into).collect();
        let call = Call { arguments, stdin: source.to_vec(), ..Call::default() };
        let (status, stdout, stderr) = run::call(subject, dir.path(), kernel.version(), &call)?;
        Ok((status, stdout, stderr, fs::read(dir.path().join("types")).unwrap_or_default()))
    };
    let theirs = observe(&kernel.program(Tool::Genksyms, Target::Lsb64)?)?;
    let ours = observe(&original::ours("genksyms")?)?;
    let mut report = String::new();
    if theirs.0 != ours.0 {
        report += &format!("  status: original {}, ours {}\n", theirs.0, ours.0);
    }
    compare::bytes(&mut report, "stdout", &theirs.1, &ours.1);
    compare::bytes(&mut report, "stderr", &theirs.2, &ours.2);
    compare::bytes(&mut report, "types", &theirs.3, &ours.3);
    Ok((String::from_utf8_lossy(&ours.1).into_owned(), report))
}

/// Compares a kernel's set, and says what is the same.
///
/// # Errors
/// If something can't be had or run.
pub fn compare(kernel: &Kernel, set: &Set) -> io::Result<Vec<tally::Finding>> {
    let source = source(kernel, set)?;
    let mut findings = Vec::new();
    for options in ["-T types", "-w"] {
        let (versions, mut report) = differences(kernel, &source, options)?;
        if versions.is_empty() {
            report += "  there are no versions\n";
        }
        findings.push((format!("{} {options}, {} versions", set.name, versions.lines().count()), report));
    }
    Ok(findings)
}
