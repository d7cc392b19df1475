//! The programs that are to be replaced.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base::regular;
use sha2::{Digest, Sha256};

use super::{Request, at};
use crate::error::Error;
use crate::subject::{TARGETS, Target, Tool};

/// What only our programs have.
const OURS: &[u8] = b"KBUILD_RS";

/// The most bytes that a program may have.
const MAX_PROGRAM: u64 = 64 << 20;

/// Debian's wrapper makes the name of what it runs from this.
const WRAPPER: &[u8] = b"%s.real-%s-%s";

/// Why a program isn't run that isn't for the machine of ours.
const FOREIGN: &str = "it is for another machine than ours";

/// A program that is to be replaced.
#[derive(Debug)]
pub(super) struct Original {
    pub(super) name: &'static str,
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    /// Why it can't be run here.
    pub(super) unable: Option<String>,
}

impl Original {
    pub(super) fn is_wrapper(&self) -> bool {
        memchr::memmem::find(&self.bytes, WRAPPER).is_some()
    }

    pub(super) fn digest(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The targets that it may serve: Debian's modposts say it, a kernel's own has
    /// one. Other tools have none, and their cases the first.
    pub(super) fn targets(&self) -> Vec<Target> {
        let serves = |target: &Target| self.name == "modpost" || self.name == target.program();
        let targets: Vec<_> = TARGETS.into_iter().filter(serves).collect();
        if targets.is_empty() { vec![TARGETS[0]] } else { targets }
    }
}

/// The names that a tool's program can have: Debian's modpost is a wrapper around
/// one for each target.
pub(super) fn names(tool: Tool) -> Vec<&'static str> {
    let mut names = vec![tool.name()];
    if tool == Tool::Modpost {
        names.extend(TARGETS.into_iter().map(Target::program));
    }
    names
}

/// Reads the originals of these names. If the request names no directory with originals,
/// the tool's directory is searched, and programs that contain our text are skipped.
pub(super) fn originals(request: &Request, names: &[&'static str]) -> Result<Vec<Original>, Error> {
    let ours = request.ours.join(request.tool.name());
    let wanted = machine(&at(&ours, regular::read(&ours, MAX_PROGRAM))?);
    let directory = request.originals.as_ref().unwrap_or(&request.scripts);
    let mut originals = Vec::new();
    for &name in names {
        let path = directory.join(name);
        let bytes = match regular::read(&path, MAX_PROGRAM) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            bytes => at(&path, bytes)?,
        };
        if request.originals.is_none() && memchr::memmem::find(&bytes, OURS).is_some() {
            continue;
        }
        // An emulator may run it, but some of what it does is its machine's: whether
        // `char` is signed, the order of bytes.
        let is_foreign = machine(&bytes).is_some_and(|theirs| Some(theirs) != wanted);
        let unable = if is_foreign { Some(FOREIGN.to_owned()) } else { unable(&path)? };
        originals.push(Original { name, path, bytes, unable });
    }
    Ok(originals)
}

/// What a program is for: its ELF class and byte order, and its machine; `None` if it is a
/// script.
fn machine(program: &[u8]) -> Option<[u8; 4]> {
    match program {
        [0x7f, b'E', b'L', b'F', class, order, ..] => Some([*class, *order, *program.get(18)?, *program.get(19)?]),
        _ => None,
    }
}

/// Why a program can't be run here, if it can't.
fn unable(program: &Path) -> Result<Option<String>, Error> {
    let dir = at(program, tempfile::tempdir())?;
    let mut command = Command::new(program);
    let output = command.current_dir(dir.path()).env_clear().stdin(Stdio::null()).output();
    let said = match &output {
        Err(error) => return Ok(Some(error.to_string())),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    // What the loader of shared libraries says, or a shell.
    let loader = ["GLIBC_", "error while loading shared libraries", "Exec format error"];
    let line = said.lines().find(|line| loader.iter().any(|mark| line.contains(mark)));
    let line = line.map(|line| line.split_once(" (required by").map_or(line, |(line, _)| line));
    Ok(line.map(|line| line.rsplit_once(": ").map_or(line, |(_, reason)| reason).to_owned()))
}
