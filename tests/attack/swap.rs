//! What users, other programs and other runs can do to kbuild-rs-swap while root runs it.
//! A race is tested by making the other's move at each change that a run makes.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Output};

use kbuild_rs_tests::command::{copy, write_executable};
use kbuild_rs_tests::scratch_tree::{BUILT, DEBIAN, ScratchTree, program, program_of_swaps};
use kbuild_rs_tests::{original, tally};
use swap::Error;
use swap::change::Change;

/// A user that no system has.
const USER: u32 = 54321;

/// Whether this test can be run, which takes several users.
fn is_root(test: &str) -> bool {
    let needed = if nix::unistd::geteuid().is_root() { Ok(()) } else { Err(io::Error::other("only root can run it")) };
    match tally::available(test, needed) {
        Ok(available) => available.is_some(),
        // Under CI, an ordinary user can't run it either.
        Err(error) => {
            println!("not compared: {test}: {error}");
            false
        }
    }
}

/// Gives everything below a directory to the user, and lets everybody see it.
fn give(path: &Path, uid: u32) {
    chown(path, Some(uid), Some(uid)).unwrap();
    if path.is_dir() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path(), uid));
    }
}

/// A tree whose directory everybody may enter.
fn open_tree(programs: &[&str], source: bool) -> ScratchTree {
    let tree = ScratchTree::new(programs, source);
    fs::set_permissions(tree.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    tree
}

/// Adds commands to the beginning of the script that replaces the prover.
fn before_proof(tree: &ScratchTree, commands: &str) {
    let path = tree.ours().join("kbuild-rs-prove");
    let text = fs::read_to_string(&path).unwrap();
    write_executable(&path, &text.replacen("record=\n", &format!("{commands}\nrecord=\n"), 1)).unwrap();
}

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Runs kbuild-rs-swap on all trees of a root. Its link `build` leads to the tree.
fn run_all(tree: &ScratchTree, arguments: &[&str]) -> Output {
    let root = tree.dir.path().join("root");
    fs::create_dir_all(root.join("lib/modules/9.9.9")).unwrap();
    let link = root.join("lib/modules/9.9.9/build");
    if !link.exists() {
        symlink(tree.tree(), link).unwrap();
    }
    let mut all = program_of_swaps();
    all.args(["--state", "state", "--all"]).args(arguments).env("DPKG_ROOT", root).current_dir(tree.dir.path());
    all.output().unwrap()
}

/// Root runs a user's programs with that user's rights alone.
#[test]
fn users_programs_are_run_as_the_user() {
    if !is_root("users_programs_are_run_as_the_user") {
        return;
    }
    let tree = open_tree(BUILT, false);
    let shared = tree.dir.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    give(&tree.tree(), USER);
    let before = tree.snapshot();
    let report = format!(
        "id -u >{0}/uid; id -G >{0}/groups; env >{0}/env; cut -d ' ' -f 6,7 /proc/self/stat >{0}/session; echo $$ >{0}/pid",
        shared.display()
    );
    before_proof(&tree, &report);
    // All trees: those of users are left out, and nothing of them is run.
    for arguments in [&["--from", "ours"][..], &["--from", "ours", "--check"], &["--status"], &["--undo"]] {
        let output = run_all(&tree, arguments);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output).1);
        assert!(stdout.contains(&format!("left alone: belongs to uid {USER}")), "{arguments:?}: {stdout}");
        assert!(!shared.join("uid").exists(), "{arguments:?}");
        assert_eq!(tree.snapshot(), before);
    }
    // One tree: its owner's rights must do.
    let kept = tree.dir.path().join("user");
    fs::create_dir(&kept).unwrap();
    give(&kept, USER);
    let state = kept.to_str().unwrap();
    // The user has to be able to run it, wherever this test was built.
    let program = tree.dir.path().join("kbuild-rs-swap");
    copy(Path::new(program_of_swaps().get_program()), &program).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(["--state", state, "--from", "ours"]).args(arguments).arg(tree.tree());
        command.env("KBUILD_RS_SECRET", "root's").current_dir(tree.dir.path()).output().unwrap()
    };
    let output = run(&[]);
    assert!(output.status.success(), "{}", said(&output).1);
    assert_eq!(fs::read_to_string(shared.join("uid")).unwrap(), format!("{USER}\n"));
    assert_eq!(fs::read_to_string(shared.join("groups")).unwrap(), "65534\n");
    assert!(!fs::read_to_string(shared.join("env")).unwrap().contains("KBUILD_RS_SECRET"));
    // No terminal, in a session of its own.
    let session = fs::read_to_string(shared.join("session")).unwrap();
    let own = nix::unistd::getsid(None).unwrap().to_string();
    let fields: Vec<_> = session.split_whitespace().collect();
    assert!(fields[0] != own && fields[1] == "0", "{session}");
    let path = tree.scripts().join("modpost");
    assert_eq!(path.metadata().unwrap().uid(), USER);
    assert!(fs::read(&path).unwrap() == fs::read(tree.ours().join("modpost")).unwrap());
    assert!(run(&["--undo"]).status.success());
    assert_eq!(tree.snapshot(), before);
    // The output of a user's program is escaped before it reaches root's terminal.
    before_proof(&tree, "printf 'a\\033]0;b\\007\\n'");
    let shown = run(&["--check"]).stdout;
    assert!(!shown.contains(&0x1b) && !shown.contains(&7), "{}", shown.escape_ascii());
}

/// kbuild-rs-prove, called by root, doesn't run a user's programs either.
#[test]
fn the_prover_runs_no_users_programs() -> io::Result<()> {
    if !is_root("the_prover_runs_no_users_programs") {
        return Ok(());
    }
    let tree = open_tree(BUILT, false);
    give(&tree.tree(), USER);
    let prover = original::ours("kbuild-rs-prove")?.program;
    let output = Command::new(&prover).arg("--from").arg(prover.parent().unwrap()).arg(tree.tree()).output()?;
    let (status, stderr) = said(&output);
    assert_eq!(status, Some(1));
    assert!(stderr.contains(&format!("belongs to uid {USER}, so root does not work below it")), "{stderr}");
    Ok(())
}

/// A tree is refused if several users own parts of it.
#[test]
fn trees_of_several_owners_are_refused() {
    if !is_root("trees_of_several_owners_are_refused") {
        return;
    }
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    // The change of owners or modes, the path that is named, and the reason.
    type Part = (fn(&ScratchTree), &'static str, &'static str);
    let parts: [Part; 6] = [
        (|tree| give(&tree.scripts().join("modpost"), USER), "scripts/mod/modpost", "belongs to uid 54321"),
        (|tree| chown(tree.scripts(), Some(USER), None).unwrap(), "scripts/mod", "belongs to uid 54321"),
        (|tree| chown(tree.dir.path(), Some(USER), None).unwrap(), "", "belongs to uid 54321"),
        (
            |tree| {
                give(&tree.tree(), USER);
                chown(tree.scripts().join("modpost"), Some(0), None).unwrap();
            },
            "scripts/mod/modpost",
            "belongs to",
        ),
        (
            |tree| {
                give(&tree.tree(), USER);
                chown(tree.scripts(), Some(USER + 1), None).unwrap();
            },
            "scripts/mod",
            "belongs to uid 54322",
        ),
        (
            |tree| fs::set_permissions(tree.scripts(), fs::Permissions::from_mode(0o777)).unwrap(),
            "scripts/mod",
            "can be written by others than root",
        ),
    ];
    for (change, path, why) in parts {
        let tree = open_tree(BUILT, false);
        change(&tree);
        let before = tree.snapshot();
        for arguments in [&["--from", "ours"][..], &["--status"], &["--undo"]] {
            let (status, stderr) = said(&tree.run(arguments));
            assert_eq!(status, Some(1), "{path}: {stderr}");
            let named = if path.is_empty() { tree.dir.path().to_owned() } else { tree.tree().join(path) };
            assert!(stderr.contains(&format!("{}: {why}", named.display())), "{path} {why}: {stderr}");
            let all = run_all(&tree, arguments);
            assert!(all.status.success() && String::from_utf8_lossy(&all.stdout).contains("left alone"), "{all:?}");
            assert_eq!(tree.snapshot(), before);
        }
    }
    // A kernel's tarball has files that their group can write, and root's group is root.
    let tree = open_tree(BUILT, true);
    mode(&tree.scripts(), 0o775);
    mode(&tree.scripts().join("Makefile"), 0o664);
    tree.swap();
}

/// Root keeps originals only in a directory that nobody else can write.
#[test]
fn originals_of_roots_trees_are_kept_where_root_alone_writes() {
    if !is_root("originals_of_roots_trees_are_kept_where_root_alone_writes") {
        return;
    }
    let tree = open_tree(BUILT, false);
    fs::create_dir(tree.state()).unwrap();
    give(&tree.state(), USER);
    let (status, stderr) = said(&tree.run(&["--from", "ours"]));
    assert_eq!(status, Some(1));
    assert!(stderr.contains("state: belongs to uid 54321, so root does not work below it"), "{stderr}");
    assert!(fs::read_dir(tree.state()).unwrap().next().is_none());
}

/// At each change of a swap and an undo, a program is replaced by a symbolic link to a
/// set-user-id program. Neither becomes ours.
#[test]
fn links_to_set_user_id_programs() {
    let tree = ScratchTree::new(BUILT, true);
    let target = tree.dir.path().join("su");
    fs::write(&target, program("su")).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o4755)).unwrap();
    let path = tree.scripts().join("modpost");
    let away = tree.dir.path().join("away");
    for is_undo in [false, true] {
        for number in 0.. {
            if is_undo {
                tree.swap();
            }
            let mut done = 0;
            let mut moved = false;
            let result = tree.change(is_undo, &mut |_: &Change| {
                if done == number {
                    fs::rename(&path, &away).unwrap();
                    symlink(&target, &path).unwrap();
                    moved = true;
                }
                done += 1;
                Ok(())
            });
            let found = path.symlink_metadata().unwrap();
            assert_eq!(found.mode() & 0o6000, 0, "{number}: {result:?}");
            assert!(fs::read(&target).unwrap() == program("su"), "{number}");
            assert_eq!(target.metadata().unwrap().mode() & 0o7777, 0o4755, "{number}");
            if !moved {
                break;
            }
            // The program that was moved away is whole, and goes back where it was.
            if found.is_symlink() {
                fs::rename(&away, &path).unwrap();
            }
            tree.undo();
            assert!(fs::read(&path).unwrap() == program("modpost"), "{number}");
        }
    }
}

/// The directory of new files is replaced by a symbolic link while an undo runs.
#[test]
fn links_in_place_of_the_new_files() {
    let tree = ScratchTree::new(BUILT, true);
    let before = tree.snapshot();
    let elsewhere = tree.dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("modpost"), "root's").unwrap();
    tree.swap();
    let new = tree.scripts().join(".kbuild-rs.new");
    let mut is_first = true;
    tree.change(true, &mut |change: &Change| {
        if matches!(change, Change::Replace(_)) && is_first {
            is_first = false;
            fs::rename(&new, tree.dir.path().join("moved")).unwrap();
            symlink(&elsewhere, &new).unwrap();
        }
        Ok(())
    })
    .unwrap();
    assert!(!is_first);
    assert_eq!(fs::read_to_string(elsewhere.join("modpost")).unwrap(), "root's");
    assert_eq!(tree.snapshot(), before);
}

/// Nothing is written through a link in a clone's `.git`, and no git is asked.
#[test]
fn lists_of_git_are_not_written_through_links() {
    let tree = ScratchTree::new(BUILT, true);
    let info = tree.tree().join(".git/info");
    fs::create_dir_all(&info).unwrap();
    fs::write(tree.tree().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
    let victim = tree.dir.path().join("victim");
    fs::write(&victim, "root's").unwrap();
    for name in ["exclude.new", "exclude.kbuild-rs", "exclude"] {
        let _ = fs::remove_file(info.join(name));
        symlink(&victim, info.join(name)).unwrap();
        tree.swap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "root's", "{name}");
        tree.undo();
        let _ = fs::remove_file(info.join(name));
    }
    fs::remove_dir(&info).unwrap();
    let elsewhere = tree.dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &info).unwrap();
    tree.swap();
    assert!(fs::read_dir(&elsewhere).unwrap().next().is_none());
}

/// Special files and giants are refused at once, and read by nobody.
#[test]
fn special_files_and_giants() {
    let make: [(&str, &str); 5] = [
        ("mkfifo \"$0\"", "is a FIFO, not a regular file"),
        ("ln -s /dev/zero \"$0\"", "is a symbolic link"),
        ("truncate -s 3G \"$0\"", "is larger than the limit of 64 MiB"),
        ("mkdir \"$0\"", "is a directory, not a regular file"),
        (
            "cp /bin/true \"$0\"; chmod 4755 \"$0\"",
            "is set-user-id or set-group-id, which no program of a kernel's build is",
        ),
    ];
    for (command, why) in make {
        for name in ["modpost", "Kbuild"] {
            let tree = ScratchTree::new(BUILT, true);
            let path = tree.scripts().join(name);
            let _ = fs::remove_file(&path);
            assert!(Command::new("sh").args(["-c", command]).arg(&path).status().unwrap().success());
            for arguments in [&["--status"][..], &["--from", "ours"], &["--from", "ours", "--check"], &["--undo"]] {
                let mut limited = Command::new("sh");
                limited.args(["-c", "ulimit -v 1000000; exec timeout 60 \"$0\" \"$@\""]);
                limited.arg(program_of_swaps().get_program()).args(["--state", "state"]).args(arguments);
                let output = limited.arg(tree.tree()).current_dir(tree.dir.path()).output().unwrap();
                let (status, stderr) = said(&output);
                let is_set_id = why.contains("set-user-id");
                if is_set_id && (name == "Kbuild" || arguments != ["--from", "ours"]) {
                    continue;
                }
                assert_eq!(status, Some(1), "{command} {name} {arguments:?}: {stderr}");
                assert!(stderr.ends_with(&format!("{name}: {why}\n")), "{command} {name} {arguments:?}: {stderr}");
            }
        }
    }
}

/// No program is found by the search path that root has inherited.
#[test]
fn no_helper_is_found_by_the_path() {
    let tree = ScratchTree::new(BUILT, true);
    fs::create_dir_all(tree.tree().join(".git/info")).unwrap();
    let commands = tree.dir.path().join("commands");
    fs::create_dir(&commands).unwrap();
    let marker = tree.dir.path().join("called");
    for name in ["cp", "git", "modprobe", "mv", "rm", "sh", "kbuild-rs-prove"] {
        let script = format!("#!/bin/sh\necho {name} >>{}\n", marker.display());
        write_executable(&commands.join(name), &script).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", commands.display());
    // The script that replaces the prover is called by its path.
    for arguments in [&["--from", "ours"][..], &["--status"], &["--undo"]] {
        assert!(tree.call(arguments, &path).status.success());
    }
    assert!(!marker.exists(), "{}", fs::read_to_string(&marker).unwrap());
}

/// A tree is locked from the first look to the last change.
#[test]
fn two_runs_at_once() {
    let tree = ScratchTree::new(BUILT, true);
    let before = tree.snapshot();
    tree.swap();
    let program = program_of_swaps().get_program().to_str().unwrap().to_owned();
    let (state, kdir) = (tree.state(), tree.tree());
    let undo = format!("{program} --state {} --undo {} 2>said; echo $? >>said", state.display(), kdir.display());
    before_proof(&tree, &undo);
    // It runs in the directory of the tests' tree.
    let output = tree.run(&["--from", "ours"]);
    assert!(output.status.success(), "{output:?}");
    let said = fs::read_to_string(tree.dir.path().join("said")).unwrap();
    assert!(said.ends_with("scripts/mod: another kbuild-rs-swap is working on it\n1\n"), "{said}");
    tree.undo();
    assert_eq!(tree.snapshot(), before);
}

/// An upgrade of a headers package brings new originals at any moment of a swap.
#[test]
fn originals_that_come_while_a_swap_runs() {
    let tree = ScratchTree::new(BUILT, false);
    let before = tree.snapshot();
    let path = tree.scripts().join("modpost");
    let upgrade = || {
        let new = tree.scripts().join("modpost.dpkg-new");
        fs::write(&new, program("newer")).unwrap();
        fs::rename(&new, &path).unwrap();
    };
    // While programs are compared.
    let newer = tree.dir.path().join("newer");
    fs::write(&newer, program("newer")).unwrap();
    before_proof(&tree, &format!("cp {} {1}.new; mv {1}.new {1}", newer.display(), path.display()));
    let (status, stderr) = said(&tree.run(&["--from", "ours"]));
    assert_eq!(status, Some(1));
    assert!(stderr.ends_with("another program has changed it in the meantime: run kbuild-rs-swap again\n"), "{stderr}");
    assert!(fs::read(&path).unwrap() == program("newer"));
    // At each change.
    for number in 0.. {
        fs::write(&path, program("modpost")).unwrap();
        let (mut done, mut is_upgraded) = (0, false);
        let result = tree.change(false, &mut |_: &Change| {
            if done == number {
                upgrade();
                is_upgraded = true;
            }
            done += 1;
            Ok(())
        });
        if !is_upgraded {
            break;
        }
        // Before it was replaced, the new one stays. After that, it is what a tree has that
        // was upgraded later.
        assert!(matches!(result, Ok(()) | Err(Error::Changed(_))), "{number}: {result:?}");
        assert!(fs::read(&path).unwrap() == program("newer"), "{number}: {result:?}");
        tree.undo();
        assert!(fs::read(&path).unwrap() == program("newer"), "{number}");
    }
    tree.undo();
    assert_eq!(tree.snapshot().len(), before.len());
}

/// Kept originals that are not what was kept are not given back.
#[test]
fn kept_originals_that_were_damaged() {
    type Damage = (fn(&Path), &'static str);
    let damages: [Damage; 4] = [
        (|path| fs::write(path, "").unwrap(), "has 0 bytes instead of"),
        (
            |path| {
                let text = fs::read(path).unwrap();
                fs::write(path, &text[..text.len() / 2]).unwrap();
            },
            "bytes instead of",
        ),
        (
            |path| {
                let mut text = fs::read(path).unwrap();
                text[100] ^= 1;
                fs::write(path, text).unwrap();
            },
            "has other contents (its SHA-256 differs)",
        ),
        (|path| fs::remove_file(path).unwrap(), "is missing"),
    ];
    for (damage, why) in damages {
        let tree = ScratchTree::new(BUILT, false);
        tree.swap();
        let path = tree.kept_original("modpost");
        let whole = fs::read(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        damage(&path);
        let before = tree.snapshot();
        for arguments in [&["--undo"][..], &["--from", "ours"]] {
            let (status, stderr) = said(&tree.run(arguments));
            assert_eq!(status, Some(1), "{why}: {stderr}");
            let named = format!("the kept original of {}", tree.scripts().join("modpost").display());
            assert!(stderr.contains(&named) && stderr.contains(why), "{why}: {stderr}");
            assert_eq!(tree.snapshot(), before, "{why}");
        }
        // After the file was restored from a copy, the undo works.
        fs::write(&path, &whole).unwrap();
        tree.undo();
        assert!(fs::read(tree.scripts().join("modpost")).unwrap() == whole);
    }
    // So is a manifest.
    for text in ["", "{}", "{\"version\":1,\"directory\":\"/\"}"] {
        let tree = ScratchTree::new(BUILT, false);
        tree.swap();
        fs::write(tree.kept().join("manifest.json"), text).unwrap();
        let before = tree.snapshot();
        for arguments in [&["--undo"][..], &["--from", "ours"], &["--status"]] {
            let (status, stderr) = said(&tree.run(arguments));
            assert_eq!(status, Some(1), "{text}");
            assert!(stderr.contains("manifest.json: is corrupted: "), "{text}: {stderr}");
            assert_eq!(tree.snapshot(), before, "{text}");
        }
    }
}

/// A text in a program doesn't make it ours.
#[test]
fn an_original_with_our_text_is_an_original() {
    let tree = ScratchTree::new(DEBIAN, false);
    fs::write(tree.scripts().join("modpost"), program("KBUILD_RS")).unwrap();
    let before = tree.files();
    tree.swap();
    assert!(fs::read(tree.scripts().join("modpost")).unwrap() == fs::read(tree.ours().join("modpost")).unwrap());
    tree.undo();
    assert_eq!(tree.files(), before);
}

/// Trees whose paths begin alike share nothing.
#[test]
fn trees_below_each_other() {
    let tree = ScratchTree::new(BUILT, false);
    let below = tree.tree().join("scripts/mod.new");
    let other = below.join("scripts/mod");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    copy(&tree.scripts(), &other).unwrap();
    fs::write(other.join("modpost"), program("another")).unwrap();
    let before = tree.files();
    let run = |arguments: &[&str]| {
        let mut command = program_of_swaps();
        command.args(["--state", "state"]).args(arguments).arg(&below).current_dir(tree.dir.path());
        assert!(command.status().unwrap().success());
    };
    run(&["--from", "ours"]);
    tree.swap();
    tree.undo();
    tree.swap();
    run(&["--undo"]);
    tree.undo();
    assert_eq!(tree.files(), before);
}

/// The script that removes Debian's package ends well, whatever users' trees are like.
#[test]
fn removal_of_the_package_is_not_blocked() {
    let tree = open_tree(BUILT, false);
    let before = tree.files();
    tree.swap();
    // A copy whose originals are nowhere.
    let root = tree.dir.path().join("root");
    let lost = root.join("lib/modules/8.8.8/build/scripts/mod");
    fs::create_dir_all(lost.parent().unwrap()).unwrap();
    copy(&tree.scripts(), &lost).unwrap();
    fs::create_dir_all(root.join("var/lib")).unwrap();
    symlink(tree.state(), root.join("var/lib/kbuild-rs")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts-compat/recipes/debian/kbuild-rs.prerm");
    let commands = program_of_swaps().get_program().to_owned();
    let mut remove = Command::new("sh");
    remove.arg(script).arg("remove").env("DPKG_ROOT", &root).env("XDG_STATE_HOME", root.join("var/lib"));
    remove.env("PATH", format!("{}:/usr/bin:/bin", Path::new(&commands).parent().unwrap().display()));
    let output = remove.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(said(&output).1.contains("8.8.8/build/scripts/mod/modpost: is of kbuild-rs"), "{output:?}");
    assert_eq!(tree.files(), before);
}
