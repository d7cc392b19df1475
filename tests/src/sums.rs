//! sumversion on a kernel that was built: the srcversion of each module, and
//! the list of what went into it.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use base::bytes::until_nul;
use elf::Source;
use kmod::modinfo;
use modpost::srcversion::{Md4, strip};

use crate::kernel::{self, Tree};
use crate::original;
use crate::tally::Finding;

/// How many digits a srcversion has.
const DIGITS: usize = 23;

/// The srcversion that the original gave a module, by the finished module.
fn given(dir: &Path, stem: &str) -> io::Result<String> {
    let source = Source::open(&dir.join(format!("{stem}.ko")))?;
    let sum = modinfo::value(&source, b"srcversion").map_err(|_| io::Error::other("malformed module"))?;
    Ok(sum.map_or("no srcversion".to_owned(), |sum| String::from_utf8_lossy(&sum).into_owned()))
}

/// Sums the files again that lines of `--explain` name.
fn summed_again(dir: &Path, lines: &[&str]) -> io::Result<String> {
    let (mut md4, mut kept) = (Md4::default(), Vec::new());
    for line in lines {
        let Some(rest) = line.strip_prefix("    source ").or(line.strip_prefix("    header ")) else { continue };
        let path = rest.rsplitn(4, ' ').nth(3).unwrap_or_default();
        strip(until_nul(&fs::read(dir.join(path))?), &mut kept);
        md4.update(&kept);
    }
    let mut sum = md4.finish();
    sum.truncate(DIGITS);
    Ok(sum)
}

/// Compares all modules' sums, and sums their lists again.
///
/// # Errors
/// If something can't be run or read.
pub fn compare(tree: &Tree, dir: &Path) -> io::Result<Finding> {
    let stems = kernel::stems(dir)?;
    let output = Command::new(original::ours("sumversion")?.program)
        .arg("--explain")
        .args(&stems)
        .env("KERNELVERSION", tree.kernel.version())
        .current_dir(dir)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    let mut modules = lines.chunk_by(|_, next| next.starts_with(' '));
    let mut report = String::new();
    for stem in &stems {
        let (expected, block) = (given(dir, stem)?, modules.next().unwrap_or_default());
        let head = format!("{stem}: {expected}");
        if block.first() != Some(&&head[..]) {
            report += &format!("  modpost: {head}; sumversion: {:?}\n", block.first());
        } else if expected != summed_again(dir, block)? {
            report += &format!("  {head} is not the sum of what --explain lists\n");
        }
    }
    Ok((format!("sumversion of {} modules", stems.len()), report))
}
