//! An archive in which every package of a kernel has a newer version: nothing
//! that is tested depends on the version that the archive has today.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kbuild_rs_debian::Found;
use kbuild_rs_tests::command::copy;
use kbuild_rs_tests::original::{KERNELS, Kernel, Target};
use kbuild_rs_tests::tally;
use kernel::Version;
use sha2::{Digest, Sha256};

/// A local archive and the configuration by which apt takes it for the
/// machine's mirror.
struct Archive {
    dir: tempfile::TempDir,
    /// The index of each suite.
    indexes: BTreeMap<&'static str, String>,
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?}: {said}"))) }
}

/// The next sublevel of a kernel.
fn raised(kernel: &Kernel) -> (String, String) {
    let version = Version::parse(kernel.version().as_bytes()).unwrap_or(Version::DEFAULT);
    let next = Version { sublevel: version.sublevel + 1, ..version };
    (version.to_string(), next.to_string())
}

impl Archive {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Security has an archive of its own.
    fn part(suite: &str) -> &'static str {
        if suite.ends_with("-security") { "debian-security" } else { "debian" }
    }

    /// Lists a package, built anew from what is in it if it is to be fetched.
    fn add(&mut self, package: &Found, version: &str, rename: &dyn Fn(&str) -> String, whole: bool) -> io::Result<()> {
        let name = rename(&package.name);
        let control =
            format!("Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: none\nDescription: x\n");
        let part = Self::part(package.suite.name);
        let file = format!("pool/{name}.deb");
        let target = self.path(part).join(&file);
        let contents = if whole {
            let root = self.path("root");
            copy(&package.unpacked()?, &root)?;
            fs::create_dir(root.join("DEBIAN"))?;
            fs::write(root.join("DEBIAN/control"), &control)?;
            // Where the programs are is named after the version, too.
            let (old, new) = (root.join("usr/lib").join(&package.name), root.join("usr/lib").join(&name));
            if old.exists() && old != new {
                fs::rename(old, new)?;
            }
            fs::create_dir_all(target.parent().unwrap_or(&target))?;
            succeed(Command::new("dpkg-deb").args(["-Znone", "--root-owner-group", "-b"]).args([&root, &target]))?;
            fs::remove_dir_all(root)?;
            fs::read(&target)?
        } else {
            Vec::new()
        };
        let digest: String = Sha256::digest(&contents).iter().map(|byte| format!("{byte:02x}")).collect();
        let index = self.indexes.entry(package.suite.name).or_default();
        let _ = writeln!(index, "{control}Filename: {file}\nSize: {}\nSHA256: {digest}\n", contents.len());
        Ok(())
    }

    /// Writes the indexes, and the configuration; returns its path.
    fn finish(&self) -> io::Result<PathBuf> {
        for (suite, index) in &self.indexes {
            let dir = self.path(Self::part(suite)).join("dists").join(suite);
            fs::create_dir_all(dir.join("main/binary-amd64"))?;
            fs::write(dir.join("main/binary-amd64/Packages"), index)?;
            let digest: String = Sha256::digest(index).iter().map(|byte| format!("{byte:02x}")).collect();
            let release = format!(
                "Codename: {suite}\nDate: Sat, 01 Jan 2000 00:00:00 UTC\nArchitectures: amd64\nComponents: main\n\
                 SHA256:\n {digest} {} main/binary-amd64/Packages\n",
                index.len()
            );
            fs::write(dir.join("Release"), release)?;
        }
        let os = fs::read_to_string("/etc/os-release")?;
        let release = os.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).unwrap_or_default();
        let root = self.dir.path().display();
        let sources =
            format!("deb file:{root}/debian {release} main\ndeb file:{root}/debian-security {release}-security main\n");
        fs::write(self.path("sources.list"), sources)?;
        fs::create_dir(self.path("parts"))?;
        let configuration = format!(
            "Dir::Etc::sourcelist \"{root}/sources.list\";\nDir::Etc::sourceparts \"{root}/parts\";\n\
             Acquire::AllowInsecureRepositories \"true\";\nAcquire::Check-Date \"false\";\n\
             APT::Get::AllowUnauthenticated \"true\";\n"
        );
        fs::write(self.path("apt.conf"), configuration)?;
        Ok(self.path("apt.conf"))
    }
}

fn build() -> io::Result<Archive> {
    let mut archive = Archive { dir: tempfile::tempdir()?, indexes: BTreeMap::new() };
    for kernel in KERNELS {
        let found = kernel.found()?;
        let (old, new) = raised(kernel);
        let rename = |text: &str| text.replace(&old, &new);
        let version = rename(&found.version);
        archive.add(found, &version, &rename, false)?;
        let packages = kernel.packages(Target::Lsb64)?;
        archive.add(&packages[0], &version, &rename, true)?;
        if let (Some(libc), true) = (packages.get(1), kernel.release == "6.12") {
            archive.add(libc, &format!("{}+1", libc.version), &str::to_owned, true)?;
        }
    }
    Ok(archive)
}

/// The last line of what is printed: how many passed, failed, were skipped.
fn counts(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn newer_versions_change_nothing_but_what_is_printed() -> io::Result<()> {
    let Some(archive) = tally::available("an archive whose versions are raised", build())? else { return Ok(()) };
    let configuration = archive.finish()?;
    let cache = archive.path("cache");
    let raise = |command: &mut Command| {
        command.env("APT_CONFIG", &configuration).env("XDG_CACHE_HOME", &cache).env_remove("KBUILD_RS_OFFLINE");
    };
    let run = |command: &mut Command, is_raised: bool| {
        if is_raised {
            raise(command);
        }
        command.output()
    };

    let suite = |is_raised| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["test", "--locked", "--quiet", "-p", "kbuild-rs-tests", "--test", "suite", "command line"]);
        run(cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))), is_raised)
    };
    let (today, tomorrow) = (suite(false)?, suite(true)?);
    let said = String::from_utf8_lossy(&tomorrow.stdout).into_owned();
    assert!(tomorrow.status.success(), "{said}{}", String::from_utf8_lossy(&tomorrow.stderr));
    assert_eq!(counts(&today), counts(&tomorrow), "{}", String::from_utf8_lossy(&tomorrow.stderr));
    for kernel in KERNELS {
        let (old, new) = raised(kernel);
        assert!(said.contains(&new) && !said.contains(&old), "{new}: {said}");
    }

    let mut golden = Command::new(env!("CARGO_BIN_EXE_check-originals"));
    let golden = run(golden.arg("golden"), true)?;
    let said = String::from_utf8_lossy(&golden.stdout).into_owned();
    assert!(golden.status.success() && said.contains("0 passed, 0 failed, 6 skipped"), "{said}");
    assert!(said.contains("recorded on the modules of"), "{said}");
    Ok(())
}
