//! What `make install` and the packages made of it put where.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use kbuild_rs_tests::command::{output, write_executable};
use kbuild_rs_tests::original::ours;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Installs the programs that are tested.
fn install(root: &Path, arguments: &[&str]) -> io::Result<()> {
    let programs = ours("modpost")?.program;
    let programs = programs.parent().unwrap_or(&programs).display();
    let mut make = Command::new("make");
    make.args(["-s", "prefix=/usr", &format!("STATIC={programs}")]).arg(format!("DESTDIR={}", root.display()));
    output(make.args(arguments).current_dir(top()).env_remove("MAKEFLAGS")).map(drop)
}

#[test]
fn programs_of_several_machines_lie_beside_each_other() -> io::Result<()> {
    let root = tempfile::tempdir()?;
    install(root.path(), &["install-programs", "install-tools"])?;
    let usr = root.path().join("usr");
    assert!(usr.join("bin/mk_elfconfig").exists());
    for program in ["modpost", "file2alias", "sumversion", "modcheck"] {
        let version = output(Command::new(usr.join("bin").join(program)).arg("--version"))?;
        assert!(String::from_utf8_lossy(&version).contains(VERSION), "{program}");
    }
    let linked = fs::read_link(usr.join("lib/kbuild-rs/modpost"))?;
    for machine in ["aarch64", "s390x"] {
        install(root.path(), &["install-programs", &format!("TARGET={machine}")])?;
        assert!(usr.join("lib/kbuild-rs").join(machine).join("modpost").exists());
    }
    assert_eq!(fs::read_link(usr.join("lib/kbuild-rs/modpost"))?, linked);
    for file in ["lib/kbuild-rs/headers-changed", "lib/kbuild-rs/kbuild-rs-prove"] {
        assert!(usr.join(file).exists(), "{file}");
    }
    Ok(())
}

/// kbuild-rs-swap finds the programs beside it, wherever it is installed.
#[test]
fn what_is_installed_is_swapped_in() -> io::Result<()> {
    let root = tempfile::tempdir()?;
    install(root.path(), &["install-programs", "install-tools"])?;
    let tree = root.path().join("tree");
    fs::create_dir_all(tree.join("scripts/mod"))?;
    fs::copy("/bin/true", tree.join("scripts/mod/modpost"))?;
    let mut swap = Command::new(root.path().join("usr/sbin/kbuild-rs-swap"));
    let said = output(swap.args(["--force", "--state"]).arg(root.path().join("state")).arg(&tree))?;
    let programs = fs::canonicalize(root.path().join("usr/lib/kbuild-rs"))?;
    let uses = format!(": uses kbuild-rs of {}\n", programs.display());
    assert!(String::from_utf8_lossy(&said).ends_with(&uses), "{}", String::from_utf8_lossy(&said));
    Ok(())
}

#[test]
fn recipes_are_of_this_version() -> io::Result<()> {
    let read = |name: &str| fs::read_to_string(top().join(name));
    let recipes = [
        ("rpm/kbuild-rs.spec", format!("Version:        {VERSION}\n")),
        ("arch/PKGBUILD", format!("pkgver={VERSION}\n")),
        ("yocto/kbuild-rs-native.bb", format!("PV = \"{VERSION}\"\n")),
    ];
    for (name, line) in recipes {
        assert!(read(&format!("scripts-compat/recipes/{name}"))?.contains(&line), "{name}: not {line}");
    }
    let changelog = read("CHANGELOG.md")?;
    let newest = changelog.lines().find_map(|line| line.strip_prefix("## "));
    assert_eq!(newest, Some(VERSION));

    let dir = tempfile::tempdir()?;
    let mut make_deb = Command::new(top().join("scripts-compat/make-deb"));
    output(make_deb.arg("--source").arg(dir.path()).env("SOURCE_DATE_EPOCH", "1000000000"))?;
    let changelog = fs::read_to_string(dir.path().join("debian/changelog"))?;
    assert!(changelog.starts_with(&format!("kbuild-rs ({VERSION}-1) unstable; urgency=medium\n\n  * ")));
    assert!(changelog.ends_with("  Sun, 09 Sep 2001 01:46:40 +0000\n"));
    let mut items = changelog.lines().filter(|line| !line.starts_with(" -- "));
    assert!(items.all(|line| line.len() <= 80), "a line of the changelog is too long");
    Ok(())
}

/// `headers-changed` with a kbuild-rs-swap that says what it is told and then fails.
fn headers_changed(setting: &str) -> io::Result<(String, String)> {
    let dir = tempfile::tempdir()?;
    fs::create_dir_all(dir.path().join("etc/default"))?;
    fs::write(dir.path().join("etc/default/kbuild-rs"), setting)?;
    let swap = "#!/bin/sh\necho \"swap $*\"\necho '/a: uses kbuild-rs'\necho '/b: run kbuild-rs-swap again'\nexit 1\n";
    write_executable(&dir.path().join("kbuild-rs-swap"), swap)?;
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(top().join("scripts-compat/headers-changed"));
    let output = command.env("PATH", path).env("DPKG_ROOT", dir.path()).output()?;
    // A kernel is installed, whatever happens here.
    assert!(output.status.success());
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ok((text(&output.stdout), text(&output.stderr)))
}

#[test]
fn changed_headers_are_told_or_swapped() -> io::Result<()> {
    let told = (String::new(), "/b: run kbuild-rs-swap again\n".to_owned());
    for setting in ["", "SWAP_HEADERS=no\n"] {
        assert_eq!(headers_changed(setting)?, told);
    }
    let (stdout, _) = headers_changed("SWAP_HEADERS=yes\n")?;
    assert!(stdout.starts_with("swap --all\n"), "{stdout}");
    Ok(())
}
