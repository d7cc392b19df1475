//! Every system call of a swap and an undo fails once, and ends the program once. Whatever
//! fails, the originals are in the tree or kept.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

use kbuild_rs_tests::scratch_tree::{BUILT, ScratchTree, program_of_swaps};
use kbuild_rs_tests::tally;

/// The calls that fail, and the error of each.
const CALLS: &[(&str, &str)] = &[
    ("openat", "EIO"),
    ("openat", "EACCES"),
    ("openat", "EMFILE"),
    ("read", "EIO"),
    ("write", "ENOSPC"),
    ("renameat", "EIO"),
    ("renameat2", "EIO"),
    ("renameat2", "EINVAL"),
    ("unlinkat", "EIO"),
    ("mkdirat", "ENOSPC"),
    ("fsync", "EIO"),
    ("fchown", "EPERM"),
    ("fchown", "EIO"),
    ("fchmod", "EIO"),
    ("utimensat", "EIO"),
    ("flock", "EIO"),
    ("getdents64", "EIO"),
];

/// The calls before which the program is killed.
const KILLED: &[&str] = &["renameat", "renameat2", "unlinkat", "mkdirat", "fsync", "fchmod", "utimensat"];

/// Runs kbuild-rs-swap under strace(1) with these options.
fn traced(tree: &ScratchTree, options: &[&str], arguments: &[&str]) -> io::Result<Output> {
    let mut strace = Command::new("strace");
    strace.args(options).arg(program_of_swaps().get_program()).args(["--state", "state"]).args(arguments);
    strace.arg(tree.tree()).current_dir(tree.dir.path()).output()
}

/// Counts the calls of a run.
fn counts(tree: &ScratchTree, arguments: &[&str]) -> io::Result<Vec<usize>> {
    let log = tree.dir.path().join("log");
    let output = traced(tree, &["-o", "log"], arguments)?;
    assert!(output.status.success(), "{output:?}");
    let text = fs::read_to_string(&log)?;
    fs::remove_file(log)?;
    let count = |call: &str| text.lines().filter(|line| line.starts_with(&format!("{call}("))).count();
    Ok(CALLS.iter().map(|(call, _)| *call).chain(KILLED.iter().copied()).map(count).collect())
}

/// Checks that every original is in the tree or kept, byte for byte.
fn nothing_is_lost(tree: &ScratchTree, originals: &[(String, Vec<u8>)], what: &str) {
    let kept: Vec<_> = fs::read_dir(tree.kept()).into_iter().flatten().flatten().collect();
    let is_at = |path: &Path, contents: &[u8]| fs::read(path).is_ok_and(|found| found == contents);
    for (name, contents) in originals {
        let is_there =
            is_at(&tree.scripts().join(name), contents) || kept.iter().any(|entry| is_at(&entry.path(), contents));
        assert!(is_there, "{what}: {name} is lost");
    }
}

fn every_call(is_undo: bool) -> io::Result<()> {
    let test = if is_undo { "every_call_of_an_undo_fails" } else { "every_call_of_a_swap_fails" };
    let can_trace = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    let can_trace =
        can_trace.and_then(|status| if status.success() { Ok(()) } else { Err(io::Error::other("strace")) });
    if tally::available(test, can_trace)?.is_none() {
        return Ok(());
    }
    let tree = ScratchTree::new(BUILT, true);
    let before = tree.snapshot();
    let originals: Vec<_> =
        BUILT.iter().map(|name| ((*name).to_owned(), fs::read(tree.scripts().join(name)).unwrap())).collect();
    let arguments: &[&str] = if is_undo { &["--undo", "--from", "ours"] } else { &["--from", "ours"] };
    let prepare = || {
        if is_undo {
            tree.swap();
        }
    };
    prepare();
    let counts = counts(&tree, arguments)?;
    tree.undo();
    let failures = CALLS.iter().map(|(call, error)| (*call, format!("error={error}")));
    let kills = KILLED.iter().map(|call| (*call, "signal=KILL".to_owned()));
    let mut runs = 0;
    for ((call, what), count) in failures.chain(kills).zip(counts) {
        for number in 1..=count {
            prepare();
            let inject = format!("inject={call}:{what}:when={number}");
            let output = traced(&tree, &["-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject], arguments)?;
            let status = output.status;
            nothing_is_lost(&tree, &originals, &inject);
            // Whatever it said, both ways lead on from there.
            if number % 2 == 0 {
                tree.swap();
            }
            tree.undo();
            assert_eq!(tree.snapshot(), before, "{inject}: {status}");
            runs += 1;
        }
    }
    println!("{runs} faults");
    assert!(runs > 100, "{runs}");
    Ok(())
}

#[test]
fn every_call_of_a_swap_fails() -> io::Result<()> {
    every_call(false)
}

#[test]
fn every_call_of_an_undo_fails() -> io::Result<()> {
    every_call(true)
}
