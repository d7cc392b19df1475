//! VFIO's variant drivers: each is found for the devices that it claims, among
//! all other modules of its kernel.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::original;
use crate::tally::Finding;

/// A device that matches a pattern: what is left open is something.
fn device(pattern: &str) -> String {
    let field = |pattern: String, name: &str, digits: usize| {
        pattern.replacen(&format!("{name}*"), &format!("{name}{:01$X}", 1, digits), 1)
    };
    let fields = [("sv", 8), ("sd", 8), ("v", 8), ("d", 8), ("bc", 2), ("sc", 2), ("i", 2)];
    fields.into_iter().fold(pattern.to_owned(), |pattern, (name, digits)| field(pattern, name, digits))
}

/// Asks for a device of each alias of each `*_vfio_pci` in a `modules.alias`.
///
/// # Errors
/// If something can't be run or read.
pub fn compare(aliases: &Path) -> io::Result<Finding> {
    let text = fs::read_to_string(aliases)?;
    let mut modules = Vec::new();
    let mut report = String::new();
    for line in text.lines() {
        let mut words = line.split(' ').skip(1);
        let (Some(pattern), Some(module)) = (words.next(), words.next()) else { continue };
        let Some(pattern) = pattern.strip_prefix("vfio_").filter(|_| module.ends_with("_vfio_pci")) else { continue };
        modules.push(module);
        let device = device(pattern);
        let output = Command::new(original::ours("file2alias")?.program)
            .args(["vfio", &device, "--root", "/nonexistent", "--aliases"])
            .arg(aliases)
            .output()?;
        let found = String::from_utf8_lossy(&output.stdout);
        if found.split(' ').next() != Some(module) {
            report += &format!("  {device}: {found:?}, expected {module}\n");
        }
    }
    let devices = modules.len();
    modules.dedup();
    Ok((format!("{} variant drivers of VFIO, {devices} devices", modules.len()), report))
}
