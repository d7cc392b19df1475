//! What git doesn't show: a clone has a list for what only it has, `info/exclude`.

use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::place::{KBUILD, Place};
use crate::step::Step;

/// What git says in a directory; `None` if that isn't in a clone.
fn git(dir: &Path, arguments: &[&str]) -> Option<PathBuf> {
    let output = Command::new("git").args(arguments).current_dir(dir).stderr(Stdio::null()).output().ok()?;
    let line = output.stdout.strip_suffix(b"\n")?.to_vec();
    output.status.success().then(|| std::ffi::OsString::from_vec(line).into())
}

/// Has git hide the files for kbuild of these places, or show them. Each list is replaced
/// as a whole, and only if it says something else.
pub(crate) fn steps(places: &[Place], hide: bool) -> Vec<Step> {
    let mut lists: Vec<(PathBuf, Vec<Vec<u8>>)> = Vec::new();
    for place in places.iter().filter(|place| place.has_kbuild()) {
        let Some(prefix) = git(&place.dir, &["rev-parse", "--show-prefix"]) else { continue };
        let Some(list) = git(&place.dir, &["rev-parse", "--git-path", "info/exclude"]) else { continue };
        let (list, line) = (place.dir.join(list), [b"/", prefix.as_os_str().as_bytes(), KBUILD.as_bytes()].concat());
        // Each directory may name it in its own way.
        let list = list.parent().and_then(|dir| fs::canonicalize(dir).ok()).map_or(list, |dir| dir.join("exclude"));
        match lists.iter_mut().find(|(known, _)| *known == list) {
            Some((_, lines)) => lines.push(line),
            None => lists.push((list, vec![line])),
        }
    }
    let step = |(list, lines): (PathBuf, Vec<Vec<u8>>)| {
        let before = match fs::read(&list) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            before => before.ok()?,
        };
        let of_others =
            |line: &&[u8]| !lines.iter().any(|ours| *line == ours || line.strip_suffix(b"\n") == Some(ours));
        let mut after = before.split_inclusive(|&byte| byte == b'\n').filter(of_others).collect::<Vec<_>>().concat();
        if hide {
            if after.last().is_some_and(|&byte| byte != b'\n') {
                after.push(b'\n');
            }
            lines.iter().for_each(|line| after.extend([line, &b"\n"[..]].concat()));
        }
        (after != before).then_some(Step::Exclude(list, after))
    };
    lists.into_iter().filter_map(step).collect()
}
