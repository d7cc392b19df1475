//! Running a program in a directory, and all that it left behind.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{Mode, UtimensatFlags, umask, utimensat};
use nix::sys::time::TimeSpec;

use crate::subject::Subject;

/// A file as it was found after a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// What is in it.
    pub(crate) contents: Vec<u8>,
    /// Its type and mode, not what a link leads to.
    pub(crate) mode: u32,
    /// How many names it has.
    pub(crate) links: u64,
    /// It has been written to, whether or not that changed it.
    pub(crate) touched: bool,
}

/// All that a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// How it ended.
    pub status: ExitStatus,
    /// Every file of the directory.
    pub files: BTreeMap<PathBuf, Left>,
}

/// How a subject is called.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The arguments.
    pub arguments: Vec<OsString>,
    /// Variables set beside `KERNELVERSION`.
    pub environment: Vec<(&'static str, OsString)>,
    /// Standard input.
    pub stdin: Vec<u8>,
}

/// Calls a subject in `dir` by the name of its tool, as in `./modpost`, and waits for
/// it.
///
/// # Errors
/// If it can't be run.
pub fn call(subject: &Subject, dir: &Path, kernel: &str, call: &Call) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let name = Path::new(".").join(subject.tool.name());
    let link = dir.join(&name);
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link)?;
    }
    std::os::unix::fs::symlink(&subject.program, &link)?;
    let words = Subject { program: name, ..subject.clone() }.words();
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .args(&call.arguments)
        .current_dir(dir)
        .env_clear()
        .env("LC_ALL", "C")
        .env("KERNELVERSION", kernel)
        .envs(call.environment.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take();
    let input = call.stdin.clone();
    let writer = std::thread::spawn(move || {
        // A subject that ends before it has read everything is fine.
        stdin.take().map(|mut stdin| stdin.write_all(&input))
    });
    let output = child.wait_with_output()?;
    let _ = writer.join();
    fs::remove_file(&link)?;
    Ok((output.status, output.stdout, output.stderr))
}

/// Runs a subject and looks at every file afterwards.
///
/// # Errors
/// If it can't be run or a file can't be read.
pub fn observe(subject: &Subject, dir: &Path, kernel: &str, how: &Call) -> io::Result<Outcome> {
    age(dir)?;
    let before = stamps(dir)?;
    let (status, stdout, stderr) = call(subject, dir, kernel, how)?;
    let mut files = BTreeMap::new();
    for (path, stamp) in stamps(dir)? {
        let metadata = fs::symlink_metadata(dir.join(&path))?;
        let contents = match fs::read(dir.join(&path)) {
            // A link may lead nowhere.
            Err(_) if metadata.is_symlink() => Vec::new(),
            contents => contents?,
        };
        let (mode, links) = (metadata.mode(), metadata.nlink());
        let touched = before.get(&path) != Some(&stamp);
        files.insert(path, Left { contents, mode, links, touched });
    }
    Ok(Outcome { stdout, stderr, status, files })
}

/// The contents of every file below a directory that is wanted.
///
/// # Errors
/// If one can't be read.
pub fn contents(dir: &Path, wanted: impl Fn(&Path) -> bool) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let paths = stamps(dir)?.into_keys().filter(|path| wanted(path));
    paths.map(|path| fs::read(dir.join(&path)).map(|contents| (path, contents))).collect()
}

/// A temporary directory for a case. It is in memory where possible: on a disk,
/// making and removing files takes most of a case's time.
///
/// # Errors
/// If there can't be one.
pub fn place() -> io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

/// Sets the umask under which the cases were recorded.
pub fn settle_umask() {
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
}

/// Sets the time of every file below a directory far back. The clock of a file
/// system moves in ticks: within one, a file could be written without its time
/// changing.
///
/// # Errors
/// If a time can't be set.
pub fn age(dir: &Path) -> io::Result<()> {
    let then = TimeSpec::new(1_000_000_000, 0);
    for path in stamps(dir)?.into_keys() {
        utimensat(AT_FDCWD, &dir.join(path), &then, &then, UtimensatFlags::NoFollowSymlink)?;
    }
    Ok(())
}

/// What changes when a file is written or replaced: its inode, and the time of
/// its last change, in seconds and nanoseconds.
pub(crate) type Stamp = (u64, i64, i64);

/// Every file below a directory.
///
/// # Errors
/// If the directory can't be read.
pub fn stamps(dir: &Path) -> io::Result<BTreeMap<PathBuf, Stamp>> {
    let mut stamps = BTreeMap::new();
    let mut dirs = vec![PathBuf::new()];
    while let Some(below) = dirs.pop() {
        for entry in fs::read_dir(dir.join(&below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            let metadata = entry.metadata()?;
            if metadata.is_dir() {
                dirs.push(path);
            } else {
                stamps.insert(path, (metadata.ino(), metadata.mtime(), metadata.mtime_nsec()));
            }
        }
    }
    Ok(stamps)
}
