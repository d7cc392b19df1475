//! A distribution's modules on its own kernel: its users load them, and modcheck has to say
//! that they can, for every machine.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::corpus::working_directory;
use crate::original;

/// What modcheck reads of a kernel's headers.
const HEADERS: &[&str] = &[
    "Module.symvers",
    "include/config/auto.conf",
    "include/config/kernel.release",
    "include/generated/uapi/linux/version.h",
    "include/generated/utsrelease.h",
    "vmlinux",
];
/// How much of what it says otherwise is shown.
const SHOWN: usize = 20;

/// Installs a kernel's modules, as a corpus has them, and headers below a root and asks
/// about all of them; says what is wrong, "" if nothing is.
///
/// # Errors
/// If something can't be linked, or modcheck can't be run.
pub fn report(modules: &[(PathBuf, PathBuf)], headers: &Path) -> io::Result<String> {
    let release = modules.first().and_then(|(file, _)| file.iter().skip_while(|part| *part != "modules").nth(1));
    let release = release.ok_or_else(|| io::Error::other("the package has no modules"))?.to_string_lossy();
    let root = working_directory()?;
    let installed = root.path().join("lib/modules").join(&*release);
    let build = installed.join("build");
    let kernel = modules.iter().map(|(file, below)| (file.clone(), installed.join("kernel").join(below)));
    let headers = HEADERS.iter().map(|name| (headers.join(name), build.join(name)));
    for (from, to) in kernel.chain(headers.filter(|(from, _)| from.exists())) {
        fs::create_dir_all(to.parent().unwrap_or(&installed))?;
        fs::hard_link(from, to)?;
    }
    let kernel = installed.join("kernel");
    let mut report = String::new();
    // With what one of its modules says of it, and with its headers alone.
    let of_modules: [&OsStr; 5] =
        ["--all".as_ref(), "--kernel".as_ref(), (*release).as_ref(), "--root".as_ref(), root.path().as_ref()];
    let of_headers: [&OsStr; 4] = ["--recursive".as_ref(), kernel.as_ref(), "--headers".as_ref(), build.as_ref()];
    for arguments in [&of_modules[..], &of_headers] {
        let output = Command::new(original::ours("modcheck")?.program).args(arguments).output()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        if said != format!("{0} of {0} modules would load on {release}\n", modules.len()) || !output.status.success() {
            report += &format!("  modcheck {}:\n", arguments.join(" ".as_ref()).to_string_lossy());
            report.extend(said.lines().take(SHOWN).chain(said.lines().last()).map(|line| format!("  {line}\n")));
        }
    }
    Ok(report)
}
