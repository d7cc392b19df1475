//! What whoever makes a mistake is told: `table` has a command, its exit status, and what
//! it says, for each.
//!
//! `KBUILD_RS_BLESS=1 cargo test --test mistakes` writes what is said now. Read it: does it
//! name the file once, what was expected, and what to do?

#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use kbuild_rs_tests::fixture::assemble;
use kbuild_rs_tests::original::ours;
use tempfile::TempDir;

const MODULE: &str = r#"
    .section .modinfo, "a"
    .asciz "license=GPL"
    .asciz "srcversion=0123456789ABCDEF0123456"
    .asciz "alias=pci:v00008086d000010D3sv*sd*bc*sc*i*"
    .asciz "vermagic=6.12.0 SMP"
    .text
    .globl init_module
    init_module: ret
"#;

/// The header of an object whose section headers would be where the file has ended.
fn truncated() -> Vec<u8> {
    let mut header = vec![0; 64];
    header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    // ET_REL for x86-64, of version 1, with three section headers of 64 bytes at 4096.
    header[16..24].copy_from_slice(&[1, 0, 62, 0, 1, 0, 0, 0]);
    header[40..48].copy_from_slice(&4096_u64.to_le_bytes());
    header[52..64].copy_from_slice(&[64, 0, 0, 0, 0, 0, 64, 0, 3, 0, 1, 0]);
    header
}

/// A compressed file, cut off and altered.
fn damaged(dir: &Path, name: &str, compressed: &[u8]) -> io::Result<()> {
    fs::write(dir.join(name), compressed)?;
    fs::write(dir.join(format!("cut-{name}")), &compressed[..compressed.len() / 2])?;
    let mut altered = compressed.to_vec();
    let middle = altered.len() / 2;
    altered[middle..middle + 8].iter_mut().for_each(|byte| *byte ^= 0x5a);
    fs::write(dir.join(format!("bad-{name}")), altered)
}

/// Where the commands are run: modules, and files that are none; a kernel and its sysfs.
fn place() -> io::Result<TempDir> {
    let dir = tempfile::tempdir()?;
    let path = dir.path();
    let module = assemble(MODULE)?;
    fs::write(path.join("m.ko"), &module)?;
    fs::write(path.join("empty.ko"), "")?;
    fs::write(path.join("text.ko"), "no module\n")?;
    fs::write(path.join("cut.ko"), truncated())?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&module)?;
    damaged(path, "m.ko.gz", &gzip.finish()?)?;
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 6);
    xz.write_all(&module)?;
    damaged(path, "m.ko.xz", &xz.finish()?)?;
    let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 3)?;
    zstd.include_checksum(true)?;
    zstd.write_all(&module)?;
    damaged(path, "m.ko.zst", &zstd.finish()?)?;
    fs::write(path.join("text.ko.gz"), {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(b"no module\n")?;
        gzip.finish()?
    })?;
    for dir in [
        "directory",
        "modules",
        "root/lib/modules/6.12.0",
        "two/lib/modules/6.1.0-1-amd64",
        "two/lib/modules/6.1.0-2-amd64",
        "sys/bus/pci/devices/0000:01:00.0",
        "tree/scripts/mod",
    ] {
        fs::create_dir_all(path.join(dir))?;
    }
    for name in ["m.ko", "empty.ko", "text.ko", "cut.ko", "cut-m.ko.xz"] {
        fs::copy(path.join(name), path.join("modules").join(name))?;
    }
    fs::write(path.join("modules/README"), "")?;
    fs::write(path.join("root/lib/modules/6.12.0/modules.alias"), "alias pci:v00008086d* e1000e\n")?;
    let modalias = "pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00\n";
    fs::write(path.join("sys/bus/pci/devices/0000:01:00.0/modalias"), modalias)?;
    Ok(dir)
}

/// What a command does: its exit status, and the lines that it writes, marked with the
/// stream that they come from.
fn done(command: &str, place: &Path) -> io::Result<String> {
    let programs = ours("modpost")?.program;
    let programs = programs.parent().unwrap_or(&programs).to_owned();
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(place).env_clear().env("PATH", path).env("LC_ALL", "C");
    // The terminal of whoever runs the tests is none of theirs.
    let output = shell.env("HOME", place).stdin(Stdio::null()).output()?;
    let mut text = format!("$ {command}\n");
    for (mark, stream) in [(">", &output.stdout), ("!", &output.stderr)] {
        for line in String::from_utf8_lossy(stream).lines() {
            text += format!("{mark} {line}").trim_end();
            text += "\n";
        }
    }
    Ok(text + &format!("= {}\n\n", output.status.code().unwrap_or(-1)))
}

#[test]
fn mistakes() -> io::Result<()> {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("mistakes/table");
    let expected = fs::read_to_string(&table)?;
    let commands: Vec<_> = expected.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(commands.len() >= 100, "{} mistakes", commands.len());
    let mut said = String::new();
    for command in commands {
        // What one has changed is not the next one's.
        let place = place()?;
        said += &done(command, place.path())?;
    }
    if kernel::is_on("KBUILD_RS_BLESS") {
        return fs::write(table, said);
    }
    let differing: Vec<_> = said.split("\n\n").zip(expected.split("\n\n")).filter(|(is, was)| is != was).collect();
    assert!(said == expected, "{differing:#?}");
    Ok(())
}
