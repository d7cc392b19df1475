//! Every call of fixdep and genksyms that the build of a kernel makes. A script stands in
//! each original's place, which calls it and ours on the same input, with more options
//! than kbuild gives, and goes on with what the original did.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::command::{output, write_executable};
use crate::corpus::working_directory;
use crate::kernel::{Tree, make};
use crate::original::{self, Tool};
use crate::tally::Finding;

/// What the original's name ends with while a script stands in its place.
pub(crate) const ORIGINAL: &str = "original";
/// How many calls of either program a build makes at least: with fewer, its script wasn't
/// in its place.
pub(crate) const FEWEST: usize = 100;

/// What differs stays in a directory of its own; `log` has a line for each call.
const SCRIPT: &str = r#"#!/bin/sh
# Calls the original and ours, and goes on with the original.
calls='@CALLS@' original='@ORIGINAL@' ours='@OURS@'
dir=$(mktemp -d "$calls/XXXXXX") || exit 125
input=/dev/null
differs=
run() {
	"$@" <"$input" >"$dir/out" 2>"$dir/err"
	echo $? >"$dir/status"
}
beside() {
	mkdir "$dir/original" "$dir/ours"
	for which in original ours; do
		if [ "$which" = ours ]; then run "$ours" "$@"; else run "$original" "$@"; fi
		mv "$dir/out" "$dir/err" "$dir/status" "$dir/$which"
		[ ! -e "$dir/types" ] || mv "$dir/types" "$dir/$which"
	done
	diff -r "$dir/original" "$dir/ours" >/dev/null || { differs=yes; echo "$*" >>"$dir/differs"; }
}
if [ '@TOOL@' = genksyms ]; then
	cat >"$dir/input"
	input=$dir/input
	cp "$calls/reference" "$dir/reference" 2>/dev/null || : >"$dir/reference"
	for options in -w '-p -w -r reference' '-T types'; do
		options=$(echo "$options" | sed "s|reference|$dir/reference|; s|types|$dir/types|")
		beside "$@" $options
		[ ! -e "$dir/original/types" ] || cp "$dir/original/types" "$calls/reference.$$"
		[ -n "$differs" ] || rm -r "$dir/original" "$dir/ours"
	done
	mv "$calls/reference.$$" "$calls/reference" 2>/dev/null
fi
[ -z "$differs" ] || dir=$(mktemp -d "$calls/XXXXXX")
beside "$@"
cat "$dir/original/out"
cat "$dir/original/err" >&2
status=$(cat "$dir/original/status")
if [ -n "$differs" ]; then
	echo "@TOOL@ differs: $dir" >>"$calls/log"
else
	echo '@TOOL@ same' >>"$calls/log"
	rm -r "$dir"
fi
exit "$status"
"#;

/// Puts a script in the place of an original, which make is not to notice. `@CALLS@` in it
/// is the directory of calls, `@ORIGINAL@` and `@OURS@` are the two programs, and `@TOOL@`
/// is the name of both.
fn stand_in(script: &str, tree: &Path, calls: &Path, tool: Tool) -> io::Result<()> {
    let program = tree.join("scripts").join(tool.path());
    let kept = program.with_extension(ORIGINAL);
    fs::rename(&program, &kept)?;
    let names = [
        ("@CALLS@", calls.display().to_string()),
        ("@ORIGINAL@", kept.display().to_string()),
        ("@OURS@", original::ours(tool.name())?.program.display().to_string()),
        ("@TOOL@", tool.name().to_owned()),
    ];
    let script = names.iter().fold(script.to_owned(), |script, (name, value)| script.replace(name, value));
    write_executable(&program, &script)?;
    output(Command::new("touch").arg("-r").args([&kept, &program])).map(drop)
}

/// Builds a kernel anew with a script in the places of both programs, as [`stand_in`] has
/// it.
///
/// # Errors
/// If it can't be built.
pub(crate) fn build(script: &str, tree: &Path, calls: &Path) -> io::Result<()> {
    make(tree, &["clean"])?;
    // The originals are there then, however this tree came here.
    make(tree, &["modules_prepare"])?;
    for tool in [Tool::Fixdep, Tool::Genksyms] {
        stand_in(script, tree, calls, tool)?;
    }
    make(tree, &[])
}

/// Builds a kernel anew and compares every call of both programs.
///
/// # Errors
/// If it can't be built.
pub fn compare(kernel: &Tree) -> io::Result<Vec<Finding>> {
    let calls = working_directory()?;
    kernel.in_copy(|tree| build(SCRIPT, tree, calls.path()))?;
    let log = fs::read_to_string(calls.path().join("log"))?;
    let finding = |tool: Tool| {
        let lines: Vec<_> = log.lines().filter(|line| line.starts_with(tool.name())).collect();
        let differing: Vec<_> = lines.iter().filter(|line| !line.ends_with(" same")).collect();
        let mut report: String = differing.iter().take(5).map(|line| format!("  {line}\n")).collect();
        if lines.len() < FEWEST {
            report += "  there are too few calls\n";
        }
        (format!("{} calls of {}, {} of them differ", lines.len(), tool.name(), differing.len()), report)
    };
    let findings: Vec<Finding> = [Tool::Fixdep, Tool::Genksyms].map(finding).into();
    if findings.iter().any(|(_, report)| !report.is_empty()) {
        // What failed stays to be looked at.
        let _ = calls.keep();
    }
    Ok(findings)
}
