//! All calls of fixdep and genksyms that the build of a kernel makes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::cases::Row;
use super::contest::Costs;
use super::cost::{Cost, Process};
use crate::calls;
use crate::corpus::working_directory;
use crate::kernel::Tree;
use crate::original::{self, Subject, Tool};

/// How often all of them are made.
const ROUNDS: usize = 3;

/// Keeps what the original is called with, since the build pipes or removes it.
const SCRIPT: &str = r#"#!/bin/sh
dir=$(mktemp -d '@CALLS@/@TOOL@-XXXXXX') || exit 125
printf '%s\0' "$@" >"$dir/arguments"
if [ '@TOOL@' = fixdep ]; then
	cp "$1" "$dir/input"
	exec '@ORIGINAL@' "$@"
fi
cat >"$dir/input"
exec '@ORIGINAL@' "$@" <"$dir/input"
"#;

/// The calls of a tool that were kept, in order.
fn kept(calls: &Path, tool: Tool) -> io::Result<Vec<PathBuf>> {
    let mut all = fs::read_dir(calls)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let begin = format!("{}-", tool.name());
    all.retain(|path| path.file_name().is_some_and(|name| name.as_bytes().starts_with(begin.as_bytes())));
    all.sort();
    Ok(all)
}

/// A call of one of both programs.
fn process(call: &Path, tool: Tool, subject: &Subject, kernel: &str) -> io::Result<Process> {
    let arguments = fs::read(call.join("arguments"))?;
    let mut arguments: Vec<OsString> =
        arguments.split(|&byte| byte == 0).map(|word| OsStr::from_bytes(word).to_owned()).collect();
    // What the last one ends with.
    arguments.pop();
    let input = call.join("input");
    let input = if tool == Tool::Fixdep {
        *arguments.first_mut().ok_or_else(|| io::Error::other("fixdep without arguments"))? = input.into();
        None
    } else {
        Some(input)
    };
    let words = subject.words().into_iter().chain(arguments).collect();
    Ok(Process { words, environment: vec![("KERNELVERSION", kernel.to_owned())], input })
}

/// What several processes cost together.
fn sum(costs: &[Cost]) -> Cost {
    let none = Cost { wall: 0.0, cpu: 0.0, peak: 0.0, status: 0 };
    costs.iter().fold(none, |sum, cost| Cost {
        wall: sum.wall + cost.wall,
        cpu: sum.cpu + cost.cpu,
        peak: sum.peak.max(cost.peak),
        status: sum.status.max(cost.status),
    })
}

/// All calls of a tool, in the tree that was built.
fn row(letter: &'static str, kernel: &Tree, tree: &Path, calls: &Path, tool: Tool, wanted: f64) -> io::Result<Row> {
    let program = tree.join("scripts").join(tool.path()).with_extension(calls::ORIGINAL);
    let subjects = [Subject { tool, ..Subject::new(program) }, original::ours(tool.name())?];
    let mut processes = Vec::new();
    for call in kept(calls, tool)? {
        let of = |subject| process(&call, tool, subject, kernel.kernel.version());
        processes.push([of(&subjects[0])?, of(&subjects[1])?]);
    }
    if processes.len() < calls::FEWEST {
        return Err(io::Error::other(format!("{}: there are too few calls, {}", tool.name(), processes.len())));
    }
    let mut costs = Costs::default();
    for round in 0..ROUNDS {
        let mut both = [Vec::new(), Vec::new()];
        for call in &processes {
            // Neither is always the first.
            for turn in [round % 2, 1 - round % 2] {
                both[turn].push(call[turn].measure(tree)?);
            }
        }
        let [original, ours] = both;
        if original.iter().zip(&ours).any(|(original, ours)| original.status != ours.status) {
            return Err(io::Error::other(format!("{}: the two don't end with the same status", tool.name())));
        }
        costs.original.push(sum(&original));
        costs.ours.push(sum(&ours));
    }
    let (calls, release) = (processes.len(), kernel.kernel.release);
    let what = format!("{}, all {calls} calls of a build of {release}, {ROUNDS} rounds", tool.name());
    Ok(Row { letter, what, costs, wanted, floor: 0.0 })
}

/// A row for each of both programs.
///
/// # Errors
/// If the kernel can't be built, the build makes too few calls, or the two don't end with
/// the same status.
pub(super) fn rows(letter: &'static str, kernel: &Tree) -> io::Result<Vec<Row>> {
    let calls = working_directory()?;
    kernel.in_copy(|tree| {
        calls::build(SCRIPT, tree, calls.path())?;
        let row = |(tool, wanted)| row(letter, kernel, tree, calls.path(), tool, wanted);
        [(Tool::Genksyms, 15.0), (Tool::Fixdep, 1.0)].into_iter().map(row).collect()
    })
}
