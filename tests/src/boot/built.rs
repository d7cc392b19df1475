//! Kernels that are built here, all of whose modules our programs have made.

use std::fs;
use std::io;
use std::path::Path;

use super::cases::{Case, Edit};
use super::{Files, inserted, modules, outside, root, vfio};
use crate::corpus::working_directory;
use crate::external::{restore, scripts, swap};
use crate::kernel::{Beside, Tree, Way, make};
use crate::tally::Finding;

/// What modcheck reads of a build directory.
const HEADERS: &[&str] = &["Module.symvers", ".config", "include/config/auto.conf", "include/config/kernel.release"];

/// The modules that are built outside of its tree.
const OUTSIDE: &[&str] = &["owner", "user", "free_user", "late_user", "late_heir"];

/// Its files, its modules installed.
fn files(built: &Beside) -> io::Result<Files> {
    let installed = built.dir.path().join("installed");
    let path = format!("INSTALL_MOD_PATH={}", installed.display());
    let arguments: Vec<&str> = built.arguments.iter().map(String::as_str).chain([&*path, "modules_install"]).collect();
    make(&built.source, &arguments)?;
    let headers = built.dir.path().join("headers");
    for name in HEADERS {
        let place = headers.join(name);
        fs::create_dir_all(place.parent().unwrap_or(&headers))?;
        fs::copy(built.out.join(name), place)?;
    }
    let (release, modules) = modules(&installed)?;
    Ok(Files { release, image: built.out.join("arch/x86/boot/bzImage"), modules, installed, headers })
}

/// Builds a kernel with our programs, boots it, inserts every module and removes it, and
/// compares with what modcheck says of it; then the story of VFIO's aliases.
///
/// # Errors
/// If something can't be had, built, run or read.
pub fn compare(tree: &Tree, way: &Way) -> io::Result<Vec<Finding>> {
    let mut before = None;
    let prepare = |source: &Path| {
        before = Some(scripts(source)?);
        swap(source)
    };
    let built = way.built(tree, prepare)?;
    let mut files = files(&built)?;
    let dir = working_directory()?;
    let root = root(&files, dir.path())?;
    let updates = root.join("lib/modules").join(&files.release).join("updates");
    fs::create_dir(&updates)?;
    // Some are not the kernel's own: what a licence allows depends on other modules.
    let outside = outside(&built.source, &built.arguments, "taints")?;
    for name in OUTSIDE {
        let file = outside.path().join(format!("{name}.ko"));
        fs::copy(&file, updates.join(format!("{name}.ko")))?;
        files.modules.insert(format!("updates/{name}"), file);
    }
    let cases: Vec<Case> =
        files.modules.keys().map(|path| Case { name: path, module: path, edit: Edit::None }).collect();
    let mut findings = inserted(&files, &cases, "", &root)?;
    findings.extend(vfio::compare(&files, true, None)?);
    let variant = vfio::variant(&built.source, &built.arguments)?;
    findings.extend(vfio::compare(&files, true, Some(variant))?);
    findings.push(restore(&built.source, &before.unwrap_or_default())?);
    Ok(findings)
}
