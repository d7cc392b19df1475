//! Every program that a test calls is on each Debian machine, or `tests/needs` installs it.
//!
//! Calls are found in the tests' sources (`Command::new`, the shell's commands after `-c`,
//! scripts in strings), in their scripts, and in the commands of documents. A call whose
//! program is not a literal needs a row in [`VARIABLE`] with the programs that it may be.

#![forbid(unsafe_code)]

mod rust;
mod shell;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kbuild_rs_tests::command::output;

/// Programs of packages that every Debian machine has: essential ones, those of the priority
/// `required`, and apt.
const ALWAYS: &[(&str, &str)] = &[
    ("apt", "apt-config apt-get apt-helper"),
    ("bash", "bash"),
    ("bsdutils", "logger renice script"),
    (
        "coreutils",
        "[ basename cat chgrp chmod chown chroot cp cut date dd df dirname du echo env expr false head id \
         install join link ln ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc od paste pinky printenv printf pwd \
         readlink realpath rm rmdir seq sha256sum shuf sleep sort split stat stdbuf stty sync tac tail tee test timeout \
         touch tr true truncate tsort tty uname uniq unlink wc whoami yes",
    ),
    ("dash", "sh dash"),
    ("debianutils", "which"),
    ("diffutils", "cmp diff diff3 sdiff"),
    ("dpkg", "dpkg dpkg-deb dpkg-query dpkg-split dpkg-trigger update-alternatives"),
    ("findutils", "find xargs"),
    ("grep", "egrep fgrep grep"),
    ("gzip", "gunzip gzip zcat zgrep"),
    ("libc-bin", "getconf getent iconv ldconfig ldd locale"),
    ("login", "login"),
    ("mawk", "awk"),
    ("mount", "losetup mount umount"),
    ("passwd", "useradd usermod groupadd"),
    ("perl-base", "perl"),
    ("sed", "sed"),
    ("tar", "tar"),
    ("util-linux", "flock nsenter pivot_root prlimit setpriv setsid su taskset unshare"),
];

/// Programs that README asks for, except the C compiler, which `tests/needs` installs.
const README: &str = "git make cargo rustc";

/// Packages with several programs: `tests/needs` looks for one of them.
const SEVERAL: &[(&str, &str)] = &[
    ("binutils", "ar as ld nm objcopy objdump ranlib readelf strip"),
    ("debhelper", "dh"),
    ("gcc", "cc cpp gcc"),
    ("kmod", "depmod insmod kmod lsmod modinfo modprobe rmmod"),
    ("rpm", "rpm rpm2cpio rpmbuild"),
];

/// Programs that are called only where they exist.
const OPTIONAL: &str = "rustup sudo";

/// Beginnings of paths below the repository, and the arguments of `tests/needs` that install
/// what the files there call. Other files are part of `make check`.
const SECTIONS: &[(&str, &str)] = &[
    ("scripts-compat", "packages"),
    ("tests/fixtures/external", "kernel"),
    ("tests/fresh", "fresh"),
    ("tests/fuzz", "fuzz"),
    ("tests/packages", "packages"),
    ("tests/src/external.rs", "kernel"),
    ("tests/src/history.rs", "source"),
    ("tests/src/kernel.rs", "kernel"),
    ("tests/src/packaged.rs", "packaging"),
];

/// Calls that do not show the program: the file, the expression in the program's place or a
/// program that runs another one, and the programs that it may be. "" means one of our own programs, an original, or a script
/// of the repository. A path that ends with `/` is a directory.
const VARIABLE: &[(&str, &str, &str)] = &[
    ("tests/attack/swap.rs", "command", "chmod cp ln mkdir mkfifo truncate"),
    ("tests/attack/swap.rs", "timeout", ""),
    ("tests/debian/src/suite.rs", "program", "apt-get"),
    ("tests/faults.rs", "&words[0]", "prlimit"),
    ("tests/faults.rs", "unshare", "sh"),
    ("tests/hosts.rs", "cargo", "cargo"),
    // The commands are in tests/mistakes/table.
    ("tests/mistakes/main.rs", "command", ""),
    ("tests/src/bench/cost.rs", "program", ""),
    ("tests/src/bench/report.rs", "program", "rustc gcc git"),
    ("tests/src/boot/machine.rs", "timeout", "qemu-system-x86_64"),
    ("tests/src/history.rs", "&compiler", "gcc"),
    ("tests/src/layouts.rs", "gcc", "gcc m68k-linux-gnu-gcc"),
    // Callers pass the name of the package, too, and go on without the program.
    ("tests/src/needs.rs", "name", ""),
    ("tests/src/privilege.rs", "setpriv", ""),
    ("tests/src/scratch_tree.rs", "env", ""),
    ("tests/which.rs", "place.modpost()", ""),
    ("tests/which.rs", "program", ""),
];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Paths of all files below a directory of the repository, relative to the repository.
fn files(dir: &str) -> Vec<String> {
    let entries = fs::read_dir(top().join(dir)).unwrap_or_else(|error| panic!("{dir}: {error}"));
    let mut files = Vec::new();
    for entry in entries.map(|entry| entry.expect("an entry")) {
        let path = format!("{dir}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The programs that a machine has after `tests/needs` with these arguments.
fn installed(arguments: &str) -> BTreeSet<String> {
    let mut needs = Command::new(top().join("tests/needs"));
    let list = output(needs.arg("--list").args(arguments.split_whitespace())).expect("tests/needs");
    let mut programs: BTreeSet<String> = words(README).chain(words(OPTIONAL)).map(str::to_owned).collect();
    programs.extend(ALWAYS.iter().flat_map(|(_, programs)| words(programs)).map(str::to_owned));
    for line in String::from_utf8(list).expect("UTF-8").lines() {
        let (program, package) = line.split_once(':').expect("PROGRAM:PACKAGE");
        programs.insert(program.to_owned());
        let several = SEVERAL.iter().filter(|(name, _)| *name == package);
        programs.extend(several.flat_map(|(_, programs)| words(programs)).map(str::to_owned));
    }
    programs
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

/// Our own programs.
fn ours() -> BTreeSet<String> {
    let names = fs::read_dir(top().join("bin")).expect("bin");
    names.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// A call: the file, and the program or, in parentheses, the expression in its place.
type Call = (String, String);

/// All calls of the repository's tests.
fn calls() -> Vec<Call> {
    let mut calls = Vec::new();
    let mut add = |file: &str, found: Vec<String>| calls.extend(found.into_iter().map(|call| (file.to_owned(), call)));
    for file in [files("tests"), files("scripts-compat"), files("docs"), vec!["README.md".to_owned()]].concat() {
        let path = top().join(&file);
        if file.ends_with(".rs") {
            add(&file, rust::calls(&read(&path)));
        } else if file.ends_with(".md") || file == "tests/mistakes/table" {
            let text = read(&path);
            let commands = text.lines().filter_map(|line| line.trim_start_matches("    ").strip_prefix("$ "));
            commands.for_each(|command| add(&file, shell::calls(command)));
        } else if fs::read(&path)
            .is_ok_and(|bytes| [&b"#!/bin/sh"[..], b"#!/bin/bash"].iter().any(|start| bytes.starts_with(start)))
        {
            add(&file, shell::calls(&read(&path)));
        }
    }
    calls
}

/// A call without its parentheses.
fn bare(call: &str) -> &str {
    call.strip_prefix('(').and_then(|call| call.strip_suffix(')')).unwrap_or(call)
}

/// Names the programs that a call runs.
///
/// # Errors
/// The call does not show them, and has no row in [`VARIABLE`].
fn programs(file: &str, call: &str) -> Result<Vec<String>, String> {
    if !call.starts_with('(') {
        return Ok(vec![call.to_owned()]);
    }
    let call = bare(call);
    let is_file = |path: &str| if path.ends_with('/') { file.starts_with(path) } else { file == path };
    let mut rows = VARIABLE.iter().filter(|(path, expression, _)| is_file(path) && *expression == call).peekable();
    if rows.peek().is_none() {
        return Err(format!("{file}: {call} is in no row of VARIABLE"));
    }
    Ok(rows.flat_map(|(_, _, programs)| words(programs)).map(str::to_owned).collect())
}

#[test]
fn every_program_is_asked_for() {
    let sections: BTreeMap<&str, BTreeSet<String>> = ["check"]
        .into_iter()
        .chain(SECTIONS.iter().map(|(_, section)| *section))
        .map(|section| (section, installed(section)))
        .collect();
    let ours = ours();
    let mut wrong = BTreeSet::new();
    let mut count = 0;
    for (file, call) in calls() {
        count += 1;
        let row = SECTIONS.iter().find(|(path, _)| file.starts_with(path));
        let section = row.map_or("check", |(_, section)| section);
        let found = programs(&file, &call).unwrap_or_else(|error| {
            wrong.insert(error);
            Vec::new()
        });
        for program in found {
            if !ours.contains(&program) && !sections[section].contains(&program) {
                wrong.insert(format!("{file}: {program} is in no package that `tests/needs {section}` asks for"));
            }
        }
    }
    assert!(count > 300, "only {count} calls are found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A row that no call uses any more may hide one that is new.
#[test]
fn every_row_is_used() {
    let calls: BTreeSet<Call> = calls().into_iter().collect();
    for (path, expression, _) in VARIABLE {
        let is_used = |(file, call): &Call| file.starts_with(path) && bare(call) == *expression;
        assert!(calls.iter().any(is_used), "{path}: {expression}");
    }
    for (path, section) in SECTIONS {
        assert!(calls.iter().any(|(file, _)| file.starts_with(path)), "{path}: {section}");
    }
}
