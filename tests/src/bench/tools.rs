//! fixdep and genksyms, on what the headers of a kernel declare.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;

use super::cases::Row;
use super::contest::in_turns;
use super::cost::Process;
use crate::declared::{self, SETS};
use crate::original::{self, Target, Tool, V6_1};

/// How many symbols a source exports: most of the kernel's have fewer.
const EXPORTS: usize = 20;
/// How many times the floor fixdep may take.
const FLOOR: f64 = 1.2;

/// A row for each of some inputs of a tool.
///
/// # Errors
/// If something can't be had or run, or the two subjects don't do the same.
pub(super) fn rows(letter: &'static str, pairs: usize, dir: &Path) -> io::Result<Vec<Row>> {
    let set = SETS.iter().find(|set| set.name == "net").ok_or_else(|| io::Error::other("no set of headers"))?;
    if letter == "i" {
        return Ok(vec![fixdep(letter, pairs, set, dir)?]);
    }
    let source = String::from_utf8_lossy(&declared::source(&V6_1, set)?).into_owned();
    let lines: Vec<&str> = source.lines().collect();
    let begin = lines.iter().position(|line| line.starts_with("__GENKSYMS")).unwrap_or(lines.len());
    let mut rows = Vec::new();
    for step in [(lines.len() - begin) / EXPORTS, 1] {
        let exports: Vec<&str> = lines[begin..].iter().copied().step_by(step.max(1)).collect();
        let what = format!("genksyms, {:.1} MB, {} exports", source.len() as f64 / 1e6, exports.len());
        let input = dir.join(format!("{}.i", exports.len()));
        fs::write(&input, [&lines[..begin], &exports].concat().join("\n") + "\n")?;
        let (_, report) = declared::differences(&V6_1, &fs::read(&input)?, "")?;
        if !report.is_empty() {
            return Err(io::Error::other(format!("{what}: the two don't do the same")));
        }
        let process = |tool_of: io::Result<original::Subject>| -> io::Result<Process> {
            let environment = vec![("KERNELVERSION", V6_1.version().to_owned())];
            Ok(Process { words: tool_of?.words(), environment, input: Some(input.clone()) })
        };
        let processes = [process(V6_1.program(Tool::Genksyms, Target::Lsb64))?, process(original::ours("genksyms"))?];
        let costs = in_turns(pairs, &processes, [dir, dir], None, |_| Ok(()))?;
        rows.push(Row { letter, what, costs, wanted: 15.0, floor: 0.0 });
    }
    Ok(rows)
}

/// fixdep on the headers that a source includes.
fn fixdep(letter: &'static str, pairs: usize, set: &declared::Set, dir: &Path) -> io::Result<Row> {
    fs::write(dir.join("set.c"), declared::text(set))?;
    let mut command = declared::preprocessor(&V6_1)?;
    command.args(["-Wp,-MMD,set.d", "-o", "/dev/null", "set.c"]).current_dir(dir).stderr(Stdio::null()).status()?;
    let depfile = fs::read_to_string(dir.join("set.d"))?;
    let files: Vec<&str> = depfile.split([' ', '\\', '\n']).filter(|word| word.ends_with(".h")).collect();
    fs::write(dir.join("files"), files.join("\n"))?;
    let process = |words: Vec<std::ffi::OsString>| Process {
        words,
        environment: vec![("KERNELVERSION", V6_1.version().to_owned())],
        input: None,
    };
    let with = |subject: original::Subject, arguments: &[&str]| {
        let mut words = subject.words();
        words.extend(arguments.iter().map(Into::into));
        process(words)
    };
    let arguments = ["set.d", "set.o", "gcc -c -o set.o set.c"];
    let theirs = with(V6_1.program(Tool::Fixdep, Target::Lsb64)?, &arguments);
    let ours = with(original::ours("fixdep")?, &arguments);
    let floor = with(original::ours("floor")?, &["files"]);
    let costs = in_turns(pairs, &[theirs, ours], [dir, dir], Some(&floor), |_| Ok(()))?;
    let what = format!("fixdep, {} files", files.len());
    Ok(Row { letter, what, costs, wanted: 1.0, floor: FLOOR })
}
