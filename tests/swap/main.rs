//! kbuild-rs-swap: every byte, mode and time comes back.

#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use kbuild_rs_tests::command::{copy, output, write_executable};
use kbuild_rs_tests::original;
use kbuild_rs_tests::scratch_tree::{
    BUILT, DEBIAN, PROVER, RECORD, ScratchTree, TOOLS, digest, program, program_of_swaps,
};

use swap::Error;
use swap::change::Change;

#[test]
fn our_programs_are_known() {
    for name in BUILT {
        let program = fs::read(original::ours(name).unwrap().program).unwrap();
        assert!(program.windows(9).any(|bytes| bytes == b"KBUILD_RS"), "{name}");
    }
}

#[test]
fn programs_are_replaced_and_restored() {
    for (programs, source) in [(DEBIAN, false), (BUILT, false), (BUILT, true), (&[][..], true)] {
        let tree = ScratchTree::new(programs, source);
        let before = tree.snapshot();
        tree.swap();
        let swapped = tree.snapshot();
        for name in programs {
            let path = tree.scripts().join(name);
            let ours = if *name == "mk_elfconfig" { "mk_elfconfig" } else { "modpost" };
            let (mode, time, found) = &swapped[&path];
            assert_eq!((mode, time), (&before[&path].0, &before[&path].1), "{name}");
            assert_eq!(*found, digest(&fs::read(tree.ours().join(ours)).unwrap()), "{name}");
        }
        if source {
            let kbuild = fs::read_to_string(tree.scripts().join("Kbuild")).unwrap();
            let line = format!("KBUILD_RS ?= {}", tree.ours().display());
            assert!(kbuild.lines().any(|l| l == line), "{kbuild}");
            let makefile = tree.scripts().join("Makefile");
            assert_eq!(swapped[&makefile], before[&makefile]);
        }
        let swapped = tree.files();
        tree.swap();
        assert_eq!(tree.files(), swapped, "twice");
        tree.undo();
        assert_eq!(tree.snapshot(), before);
        tree.undo();
        assert_eq!(tree.snapshot(), before, "twice");
    }
}

/// What make takes, in a tree, from the Kbuild in a directory: the programs that it copies,
/// those that it compiles, and what else it makes.
fn made_in(tree: &ScratchTree, dir: &str) -> String {
    let text = format!(
        "obj := {dir}\nsrctree := .\ninclude $(srctree)/$(obj)/Kbuild\n\
         $(info $(kbuild-rs):$(hostprogs-always-y):$(always-y))\nFORCE:\nnothing:\n"
    );
    let make = ["-c", "printf '%s' \"$0\" | make -s -f - nothing", &text];
    String::from_utf8(output(Command::new("sh").args(make).current_dir(tree.tree())).unwrap()).unwrap()
}

/// The same of one of the tree's `scripts`.
fn made(tree: &ScratchTree, dir: &str) -> String {
    made_in(tree, &format!("scripts/{dir}"))
}

#[test]
fn without_our_programs_a_tree_builds_its_own() {
    let tree = ScratchTree::new(&[], true).with_tools();
    for _ in 0..2 {
        tree.swap();
        let expected = "modpost mk_elfconfig::modpost mk_elfconfig elfconfig.h devicetable-offsets.h\n";
        assert_eq!(made(&tree, "mod"), expected);
        for (dir, name) in TOOLS {
            assert_eq!(made(&tree, dir), format!("{name}::more {name}\n"));
        }
    }
    // As in a package of the headers that is made in the tree, for another machine.
    fs::create_dir(tree.tree().join("package")).unwrap();
    copy(&tree.tree().join("scripts"), &tree.tree().join("package/scripts")).unwrap();
    for (dir, name) in TOOLS {
        assert_eq!(made_in(&tree, &format!("package/scripts/{dir}")), format!(":{name}:more\n"));
    }
    fs::remove_dir_all(tree.ours()).unwrap();
    assert_eq!(made(&tree, "mod"), ":modpost mk_elfconfig:\n");
    for (dir, name) in TOOLS {
        assert_eq!(made(&tree, dir), format!(":{name}:more\n"));
    }
}

/// Each of the tools can be swapped alone.
#[test]
fn other_tools_beside_modpost() {
    for (programs, source) in [(DEBIAN, false), (BUILT, true)] {
        let tree = ScratchTree::new(programs, source).with_tools();
        let before = tree.snapshot();
        let scripts = fs::canonicalize(tree.tree().join("scripts")).unwrap();
        let status = |expected: [bool; 3]| {
            let line = |(dir, is_ours): (&str, bool)| {
                let state = if is_ours { "uses kbuild-rs for kernel 6.1.176" } else { "has its originals" };
                format!("{}: {state}\n", scripts.join(dir).display())
            };
            let lines: String = ["mod", "basic", "genksyms"].into_iter().zip(expected).map(line).collect();
            assert_eq!(String::from_utf8_lossy(&tree.run(&["--status"]).stdout), lines);
        };
        tree.swap();
        status([true; 3]);
        for (dir, name) in TOOLS {
            let place = scripts.join(dir);
            assert!(fs::read(place.join(name)).unwrap() == fs::read(tree.ours().join(name)).unwrap());
            assert_eq!(fs::read_to_string(place.join(RECORD)).unwrap(), "kernel 6.1.176\n");
            assert_eq!(place.join("Kbuild").exists(), source);
        }
        assert!(tree.run(&["--undo", "--only", "basic,mod"]).status.success());
        status([false, false, true]);
        tree.undo();
        assert_eq!(tree.snapshot(), before);
        assert!(tree.run(&["--from", "ours", "--only", "mod", "--only", "genksyms"]).status.success());
        status([true, false, true]);
        fs::remove_dir_all(scripts.join("basic")).unwrap();
        let refused = tree.run(&["--undo", "--only", "basic"]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).ends_with("not a kernel: it has no scripts/basic\n"));
    }
}

/// What git says in a tree.
fn git(tree: &ScratchTree, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]).args(arguments);
    git.current_dir(tree.tree()).envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")]);
    String::from_utf8(output(&mut git).unwrap()).unwrap()
}

#[test]
fn git_sees_no_change() {
    let tree = ScratchTree::new(&[], true).with_tools();
    fs::write(tree.tree().join(".gitignore"), ".*\n").unwrap();
    git(&tree, &["init", "-q"]);
    let exclude = tree.tree().join(".git/info/exclude");
    let before = "*.orig\n\n# mine\n\n";
    fs::write(&exclude, before).unwrap();
    git(&tree, &["add", "-A", "-f"]);
    git(&tree, &["commit", "-q", "-m", "a kernel"]);
    let is_clean = || {
        assert_eq!(git(&tree, &["status", "--porcelain"]), "");
        assert!(!git(&tree, &["describe", "--always", "--dirty"]).contains("dirty"));
    };
    for _ in 0..2 {
        tree.swap();
        is_clean();
    }
    git(&tree, &["stash", "-q"]);
    git(&tree, &["checkout", "-q", "-f"]);
    git(&tree, &["clean", "-q", "-f", "-d"]);
    assert!(made(&tree, "mod").starts_with("modpost mk_elfconfig::"));

    // This removes what isn't tracked, the swap with it.
    git(&tree, &["clean", "-q", "-f", "-d", "-x"]);
    assert!(String::from_utf8_lossy(&tree.run(&["--status"]).stdout).ends_with("has its originals\n"));
    tree.swap();
    is_clean();
    tree.undo();
    is_clean();
    assert_eq!(fs::read_to_string(&exclude).unwrap(), before);
}

/// Version 0.1.0 has kept what it replaced in the tree, where anybody who owns the tree
/// chooses what an undo installs.
#[test]
fn originals_of_version_0_1_0_are_refused() {
    let tree = ScratchTree::new(BUILT, true);
    tree.swap();
    fs::write(tree.scripts().join(".kbuild-rs/.time"), "").unwrap();
    for arguments in [&["--undo"][..], &["--from", "ours"]] {
        tree.refuses(arguments, ".kbuild-rs: was made by version 0.1.0, which has to undo its own swap");
    }
}

/// Version 0.2.0 has kept originals under their own names, in a directory named as the
/// tree's.
#[test]
fn originals_of_version_0_2_0_come_back() {
    for is_undone in [true, false] {
        let tree = ScratchTree::new(BUILT, true);
        let before = tree.snapshot();
        tree.swap();
        let scripts = fs::canonicalize(tree.scripts()).unwrap();
        let old = tree.state().join("kept").join(scripts.strip_prefix("/").unwrap());
        fs::create_dir_all(&old).unwrap();
        for name in BUILT {
            let path = old.join(name);
            fs::copy(tree.kept_original(name), &path).unwrap();
            let (mode, (seconds, nanoseconds), _) = &before[&tree.scripts().join(name)];
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
            date(&path, *seconds, *nanoseconds);
        }
        let (seconds, nanoseconds) = before[&tree.scripts()].1;
        fs::write(old.join(".time"), "").unwrap();
        date(&old.join(".time"), seconds, nanoseconds);
        fs::remove_dir_all(tree.kept()).unwrap();
        fs::remove_file(tree.scripts().join(".kbuild-rs/installed")).unwrap();
        let status = String::from_utf8(tree.run(&["--status"]).stdout).unwrap();
        assert!(status.ends_with(": uses kbuild-rs for kernel 6.1.176\n"), "{status}");
        if !is_undone {
            tree.swap();
        }
        tree.undo();
        assert_eq!(tree.snapshot(), before);
        assert!(!tree.state().exists());
    }
}

fn date(path: &Path, seconds: i64, nanoseconds: i64) {
    let date = format!("@{seconds}.{nanoseconds:09}");
    assert!(Command::new("touch").args(["-d", &date]).arg(path).status().unwrap().success());
}

/// A copy of a swapped tree, and a package of its headers, hold what was recorded and
/// nothing that was replaced.
#[test]
fn what_is_kept_is_not_in_the_tree() {
    let tree = ScratchTree::new(BUILT, true);
    let before: Vec<_> = tree.snapshot().into_keys().collect();
    tree.swap();
    let mut after: Vec<_> = tree.snapshot().into_keys().filter(|path| !path.starts_with(tree.state())).collect();
    after.retain(|path| !before.contains(path));
    let scripts = tree.scripts();
    let recorded = [".kbuild-rs", ".kbuild-rs/installed", RECORD, "Kbuild"];
    assert_eq!(after, recorded.map(|name| scripts.join(name)));

    let copied = tree.dir.path().join("copied");
    copy(&tree.tree(), &copied).unwrap();
    let undo = |expected: Option<i32>| {
        let mut undo = program_of_swaps();
        let output = undo.args(["--state", "state", "--undo"]).arg(&copied).current_dir(tree.dir.path()).output();
        assert_eq!(output.unwrap().status.code(), expected);
    };
    // Headers, in which nothing can be built; then a source tree.
    fs::rename(copied.join("init"), copied.join("away")).unwrap();
    undo(Some(1));
    assert!(copied.join("scripts/mod/modpost").exists());
    fs::rename(copied.join("away"), copied.join("init")).unwrap();
    undo(Some(0));
    assert!(!copied.join("scripts/mod/modpost").exists() && copied.join("scripts/mod/Makefile").exists());
    tree.undo();
}

#[test]
fn trees_that_were_swapped_are_found() {
    let tree = ScratchTree::new(BUILT, true);
    let before = tree.snapshot();
    tree.swap();
    let all = |argument: &str| {
        let mut all = program_of_swaps();
        let root = tree.dir.path().join("nothing");
        all.args(["--state", "state", "--all", argument]).env("DPKG_ROOT", root).current_dir(tree.dir.path());
        String::from_utf8(output(&mut all).unwrap()).unwrap()
    };
    let place = fs::canonicalize(tree.scripts()).unwrap();
    assert_eq!(all("--status"), format!("{}: uses kbuild-rs for kernel 6.1.176\n", place.display()));
    assert_eq!(all("--undo"), format!("{}: has its originals again\n", place.display()));
    assert_eq!(all("--status"), "");
    assert_eq!(tree.snapshot(), before);
    assert!(!tree.state().exists());
}

/// The same program with another machine in its ELF header: aarch64.
fn for_another(program: &[u8]) -> Vec<u8> {
    let mut other = program.to_vec();
    other[18..20].copy_from_slice(&[0xb7, 0]);
    other
}

/// Headers whose programs are for another machine: which is meant depends on what the
/// headers themselves are for.
#[test]
fn programs_of_another_machine() {
    let tree = ScratchTree::new(BUILT, false);
    for name in BUILT {
        fs::write(tree.scripts().join(name), for_another(&program(name))).unwrap();
    }
    let before = tree.snapshot();
    let from = &["--from", "ours"];
    tree.refuses(from, "modpost: is for aarch64, and this machine is x86_64: --host says where ours is to run");
    let for_aarch64 = &["--from", "ours", "--host", "aarch64"];
    tree.refuses(for_aarch64, "ours/aarch64/modpost: is missing, or not for aarch64");

    // A package for another machine is made here.
    fs::create_dir(tree.ours().join("aarch64")).unwrap();
    for name in BUILT {
        let ours = for_another(&fs::read(tree.ours().join(name)).unwrap());
        fs::write(tree.ours().join("aarch64").join(name), ours).unwrap();
    }
    assert!(tree.run(for_aarch64).status.success());
    let modpost = || fs::read(tree.scripts().join("modpost")).unwrap();
    assert!(modpost() == for_another(&fs::read(tree.ours().join("modpost")).unwrap()));
    tree.undo();
    assert_eq!(tree.snapshot(), before);

    // Headers for this machine were made on another, and hold its programs.
    fs::write(tree.tree().join(".config"), "CONFIG_X86=y\nCONFIG_X86_64=y\n").unwrap();
    fs::create_dir(tree.tree().join("scripts/kconfig")).unwrap();
    let conf = tree.tree().join("scripts/kconfig/conf");
    fs::write(&conf, for_another(&program("conf"))).unwrap();
    fs::set_permissions(&conf, fs::Permissions::from_mode(0o755)).unwrap();
    let before = tree.snapshot();
    let output = tree.run(from);
    assert!(output.status.success());
    let expected = format!(
        "kbuild-rs-swap: {}: is for aarch64, too, and isn't replaced: what calls it fails\n",
        fs::canonicalize(&conf).unwrap().display()
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    assert!(modpost() == fs::read(tree.ours().join("modpost")).unwrap());
    tree.undo();
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn what_a_swapped_tree_builds_goes_too() {
    let tree = ScratchTree::new(&[], true);
    let before = tree.snapshot();
    tree.swap();
    fs::copy(tree.ours().join("modpost"), tree.scripts().join("modpost")).unwrap();
    tree.undo();
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn a_package_made_of_a_swapped_tree_keeps_what_it_cant_build() {
    let tree = ScratchTree::new(&[], true);
    tree.swap();
    fs::copy(tree.ours().join("modpost"), tree.scripts().join("modpost")).unwrap();
    fs::remove_dir_all(tree.tree().join("init")).unwrap();
    tree.refuses(
        &["--undo"],
        "modpost: is of kbuild-rs, its original isn't kept, and it can't be built here: nothing is changed",
    );
}

#[test]
fn an_upgrade_brings_new_originals() {
    let tree = ScratchTree::new(DEBIAN, false);
    tree.swap();
    let new = program("newer");
    let path = tree.scripts().join("modpost");
    fs::remove_file(&path).unwrap();
    fs::write(&path, &new).unwrap();
    tree.swap();
    assert!(fs::read(&path).unwrap() != new);
    tree.undo();
    assert!(fs::read(&path).unwrap() == new);
}

#[test]
fn the_status_says_what_a_tree_uses() {
    let tree = ScratchTree::new(DEBIAN, false);
    let expect = |state: &str| {
        let before = tree.snapshot();
        let output = tree.run(&["--status"]);
        assert!(output.status.success(), "{output:?}");
        let place = fs::canonicalize(tree.scripts()).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{}: {state}\n", place.display()));
        assert_eq!(tree.snapshot(), before);
    };
    expect("has its originals");
    tree.swap();
    expect("uses kbuild-rs for kernel 6.1.176");
    for (number, name) in DEBIAN.iter().enumerate() {
        let path = tree.scripts().join(name);
        fs::remove_file(&path).unwrap();
        fs::write(&path, program("newer")).unwrap();
        let is_last = number + 1 == DEBIAN.len();
        expect(if is_last {
            "was swapped, and has new originals since: run kbuild-rs-swap again"
        } else {
            "uses kbuild-rs in part: run kbuild-rs-swap again"
        });
    }
    tree.swap();
    fs::remove_dir_all(tree.kept()).unwrap();
    expect("uses kbuild-rs, and the originals that it replaced are not kept");
}

#[test]
fn all_installed_headers_are_found() {
    let tree = ScratchTree::new(DEBIAN, false);
    let before = tree.snapshot();
    let root = tree.dir.path().join("root");
    // As in Debian, several names lead to one directory.
    for (dir, name) in [("lib/modules/6.1", "build"), ("usr/src", "linux-headers-6.1"), ("usr/lib", "linux-kbuild-6.1")]
    {
        fs::create_dir_all(root.join(dir)).unwrap();
        symlink(tree.tree(), root.join(dir).join(name)).unwrap();
    }
    fs::create_dir_all(root.join("usr/src/linux-headers-6.1-common/scripts")).unwrap();
    let all = |arguments: &[&str]| {
        let mut command = program_of_swaps();
        let output = command
            .args(["--state", "state"])
            .args(arguments)
            .arg("--all")
            .env("DPKG_ROOT", &root)
            .current_dir(tree.dir.path());
        let output = output.output().unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), stdout, stderr)
    };
    let place = fs::canonicalize(tree.scripts()).unwrap();
    let is = |state: &str| format!("{}: {state}\n", place.display());

    assert_eq!(all(&["--status"]), (Some(0), is("has its originals"), String::new()));
    let ours = fs::canonicalize(tree.dir.path()).unwrap().join("ours");
    let swapped = format!("modpost: is the same\n{}", is(&format!("uses kbuild-rs of {}", ours.display())));
    assert_eq!(all(&["--from", "ours"]), (Some(0), swapped, String::new()));
    assert_eq!(all(&["--status"]), (Some(0), is("uses kbuild-rs for kernel 6.1.176"), String::new()));

    // One that can't be done doesn't keep the others from it.
    let other = root.join("lib/modules/6.0/build/scripts/mod");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    copy(&tree.scripts(), &other).unwrap();
    let (status, stdout, stderr) = all(&["--undo"]);
    assert_eq!((status, stdout), (Some(1), is("has its originals again")));
    assert!(stderr.ends_with("its original isn't kept, and it can't be built here: nothing is changed\n"), "{stderr}");
    // What never was swapped is none of an undo's business.
    fs::remove_dir_all(&other).unwrap();
    fs::create_dir(&other).unwrap();
    fs::write(other.join("modpost"), "#!/bin/sh\n").unwrap();
    let (status, _, stderr) = all(&["--undo"]);
    assert_eq!((status, &*stderr), (Some(0), ""));
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn killed_before_any_change() {
    for (programs, source) in [(&DEBIAN[..2], false), (BUILT, true), (&[][..], true)] {
        let tree = ScratchTree::new(programs, source).with_tools();
        let before = tree.snapshot();
        let files = tree.files();
        tree.swap();
        let swapped = tree.files();
        let times =
            |tree: &ScratchTree| tree.snapshot().into_iter().filter(|(path, _)| path.is_dir()).collect::<Vec<_>>();
        let swapped_times: Vec<_> = times(&tree).into_iter().filter(|(path, _)| before.contains_key(path)).collect();
        tree.undo();
        let mut number = 0;
        while tree.killed_before(number, false) {
            for (path, file) in tree.files() {
                let is_whole = [files.get(&path), swapped.get(&path)].contains(&Some(&file));
                let is_hidden = path.to_str().unwrap().contains("/.kbuild-rs") || path.starts_with(tree.state());
                assert!(is_whole || is_hidden, "swap ended before change {number}: {}", path.display());
            }
            // Both ways lead on from there.
            if number % 2 == 0 {
                tree.swap();
                assert_eq!(tree.files(), swapped, "swap ended before change {number}, then swapped");
                let mut found = times(&tree);
                found.retain(|(path, _)| before.contains_key(path));
                assert_eq!(found, swapped_times, "swap ended before change {number}, then swapped");
            }
            tree.undo();
            assert_eq!(tree.snapshot(), before, "swap ended before change {number}, then undone");
            number += 1;
        }
        assert!(number > 10, "{number}");
        tree.undo();
        number = 0;
        loop {
            tree.swap();
            if !tree.killed_before(number, true) {
                break;
            }
            tree.undo();
            assert_eq!(tree.snapshot(), before, "undo ended before change {number}");
            number += 1;
        }
        assert!(number > 5, "{number}");
        // Nothing is left where originals are kept, either.
        assert_eq!(tree.snapshot(), before);
        assert!(!tree.state().exists());
    }
}

/// A change that fails: what was prepared is gone again, and the originals are there.
#[test]
fn a_change_that_fails() {
    let tree = ScratchTree::new(BUILT, true);
    let before = tree.snapshot();
    let mut watch = |change: &Change| match change {
        Change::Replace(path) => Err(Error::Io(path.clone(), std::io::Error::from_raw_os_error(5))),
        _ => Ok(()),
    };
    assert!(matches!(tree.change(false, &mut watch), Err(Error::Io(..))));
    assert!(!tree.scripts().join(".kbuild-rs.new").exists());
    tree.undo();
    assert_eq!(tree.snapshot(), before);
}

/// A signal that ends it while programs are compared leaves the tree as it was.
#[test]
fn told_to_end() {
    let tree = ScratchTree::new(BUILT, true);
    let before = tree.files();
    for signal in ["HUP", "INT", "TERM"] {
        let ends = format!("#!/bin/sh\nkill -{signal} $PPID\n");
        write_executable(&tree.ours().join("kbuild-rs-prove"), &ends).unwrap();
        assert_eq!(tree.run(&["--from", "ours"]).status.code(), None, "{signal}");
        assert_eq!(tree.files(), before, "{signal}");
        write_executable(&tree.ours().join("kbuild-rs-prove"), PROVER).unwrap();
    }
}

#[test]
fn what_is_not_known_is_refused() {
    let from = &["--from", "ours"];

    let tree = ScratchTree::new(&[], false);
    tree.refuses(from, "not a kernel: scripts/mod has neither modpost nor its source");
    for wrong in [&["--from", "ours", "another"][..], &["--all"], &["--undo", "--status"], &["--undo", "--check"]] {
        assert_eq!(tree.run(wrong).status.code(), Some(2), "{wrong:?}");
    }

    let tree = ScratchTree::new(BUILT, false);
    tree.refuses(&["--from", "nothing"], "modpost: is missing");
    tree.refuses(&["--from", "not ours"], "contains characters that are unsafe in a Makefile");
    fs::remove_file(tree.ours().join("Kbuild")).unwrap();
    tree.refuses(from, "Kbuild: is missing");

    let tree = ScratchTree::new(BUILT, false);
    fs::write(tree.scripts().join("modpost"), "#!/bin/sh\n").unwrap();
    tree.refuses(from, "modpost: is not an ELF program");

    let tree = ScratchTree::new(BUILT, false);
    let path = tree.scripts().join("modpost");
    fs::remove_file(&path).unwrap();
    symlink("/bin/true", &path).unwrap();
    tree.refuses(from, "modpost: is a symbolic link");

    let tree = ScratchTree::new(&[], true);
    fs::write(tree.scripts().join("Makefile"), "all:\n").unwrap();
    tree.refuses(from, "Makefile: doesn't make modpost and mk_elfconfig");

    let tree = ScratchTree::new(&[], true);
    fs::write(tree.scripts().join("Kbuild"), "all:\n").unwrap();
    tree.refuses(from, "Kbuild: is not of kbuild-rs");

    // Where nothing can be kept, nothing is replaced.
    let tree = ScratchTree::new(BUILT, false);
    let before = tree.snapshot();
    fs::write(tree.dir.path().join("file"), "").unwrap();
    let mut swap = program_of_swaps();
    swap.args(["--from", "ours", "--state", "file/state", "tree"]).current_dir(tree.dir.path());
    let output = swap.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.ends_with("file/state: Not a directory: --state names another directory for the originals\n"),
        "{said}"
    );
    assert_eq!((output.status.code(), tree.snapshot()), (Some(1), before));

    let tree = ScratchTree::new(BUILT, false);
    tree.swap();
    fs::remove_dir_all(tree.state()).unwrap();
    tree.refuses(&["--undo"], "its original isn't kept, and it can't be built here: nothing is changed");
}

#[test]
fn nothing_is_swapped_without_proof() {
    let tree = ScratchTree::new(BUILT, true);
    let before = tree.snapshot();
    let output = tree.run(&["--from", "ours", "--check"]);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"modpost: is the same\n"[..]));
    assert_eq!(tree.snapshot(), before);

    fs::write(tree.ours().join("refused"), "").unwrap();
    tree.refuses(&["--from", "ours", "--check"], "modpost: differs");
    tree.refuses(
        &["--from", "ours"],
        "not swapped: could not verify that kbuild-rs behaves like the original (--force overrides)",
    );

    let output = tree.run(&["--from", "ours", "--force"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.contains("modpost: differs\n") && stderr.contains("(--force)"));
    assert!(!tree.scripts().join(RECORD).exists());
    tree.undo();
    assert_eq!(tree.snapshot(), before);
}

#[test]
fn what_is_proved_is_recorded() {
    let tree = ScratchTree::new(BUILT, false);
    tree.swap();
    assert_eq!(fs::read_to_string(tree.scripts().join(RECORD)).unwrap(), "kernel 6.1.176\n");
    fs::remove_file(tree.ours().join("kbuild-rs-prove")).unwrap();
    tree.refuses(&["--from", "ours"], "kbuild-rs-prove: is missing");
}

/// What was done, for other programs, and what is done, step by step.
#[test]
fn results_as_json() {
    let tree = ScratchTree::new(DEBIAN, true).with_tools();
    let scripts = fs::canonicalize(tree.tree().join("scripts")).unwrap();
    let expected = |rest: &str| {
        let line = |dir| format!("{{\"directory\":\"{}\",{rest}}}\n", scripts.join(dir).display());
        ["mod", "basic", "genksyms"].map(line).concat()
    };
    let run = |arguments: &[&str]| String::from_utf8(tree.run(arguments).stdout).unwrap();
    let proof = "\"proof\":[\"modpost: is the same\"]";
    assert_eq!(run(&["--status", "--json"]), expected("\"status\":\"original\",\"kernel\":null"));
    assert_eq!(run(&["--from", "ours", "--check", "--json"]), expected(&format!("\"outcome\":\"same\",{proof}")));
    assert_eq!(run(&["--from", "ours", "--json"]), expected(&format!("\"outcome\":\"swapped\",{proof}")));
    assert_eq!(run(&["--status", "--json"]), expected("\"status\":\"swapped\",\"kernel\":\"6.1.176\""));
    assert_eq!(run(&["--status", "-q"]), "");
    let undone = tree.run(&["--undo", "-v", "--only", "genksyms"]);
    let said = String::from_utf8(undone.stderr).unwrap();
    assert!(said.lines().count() > 2 && said.lines().all(|line| line.starts_with("kbuild-rs-swap: ")), "{said}");
    assert_eq!(run(&["--undo", "-q"]), "");
    assert_eq!(run(&["--undo", "--json"]), expected("\"outcome\":\"original\",\"proof\":[]"));
    fs::write(tree.ours().join("refused"), "").unwrap();
    let differs = tree.run(&["--from", "ours", "--check", "--json"]);
    assert_eq!(differs.status.code(), Some(1));
    assert_eq!(String::from_utf8(differs.stdout).unwrap(), expected("\"outcome\":\"different\",\"proof\":[]"));
}
