//! The route to ours that changes nothing in a tree: `MODPOST=` on make's command
//! line.

use std::fs;
use std::io;
use std::path::Path;

/// The value that docs/packaging.md gives a kernel, by its `Makefile.modpost`: one
/// that has the options in `modpost-args`, or one that has them in `MODPOST`.
///
/// # Errors
/// If there is no such file, or no value in the document.
pub fn value(scripts: &Path, modpost: &Path) -> io::Result<String> {
    let document = include_str!("../../docs/packaging.md");
    let mut values = document.lines().filter_map(|line| line.strip_prefix("    $ make 'MODPOST=")?.strip_suffix('\''));
    let has_arguments = fs::read_to_string(scripts.join("Makefile.modpost"))?.contains("modpost-args");
    let value = if has_arguments { values.next() } else { values.nth(1) };
    let value = value.ok_or_else(|| io::Error::other("docs/packaging.md: no value of MODPOST"))?;
    Ok(value.replace("/usr/lib/kbuild-rs/modpost", &modpost.to_string_lossy()))
}
