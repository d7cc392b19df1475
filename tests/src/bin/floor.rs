//! floor: the least that modpost's reading can cost.
//!
//! Reads every byte of the symbol tables, string tables and relocations of the
//! objects that a file lists, once, by pread(2) into a buffer that is reused,
//! and does nothing with them but add them up. Arguments: the list and the
//! number of threads. Objects of 64 bits, little-endian.
//!
//! With a list alone: the least that fixdep's reading can cost. Each file is read once,
//! whole.

#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A 64-bit section header, and in it `sh_type`, `sh_offset` and `sh_size`.
const HEADER: usize = 64;
const SH_TYPE: usize = 4;
const SH_OFFSET: usize = 24;
const SH_SIZE: usize = 32;
/// `SHT_SYMTAB`, `SHT_STRTAB`, `SHT_RELA` and `SHT_REL`.
const TABLES: [u64; 4] = [2, 3, 4, 9];

fn number(bytes: &[u8], at: usize, size: usize) -> u64 {
    bytes[at..at + size].iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn read(file: &File, offset: u64, len: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    buffer.resize(len as usize, 0);
    file.read_exact_at(buffer, offset)
}

/// The sum of an object's tables.
fn sum(path: &str, headers: &mut Vec<u8>, table: &mut Vec<u8>) -> io::Result<u64> {
    let file = File::open(path)?;
    read(&file, 0, HEADER as u64, headers)?;
    if !headers.starts_with(b"\x7fELF\x02\x01") {
        return Err(io::Error::new(ErrorKind::InvalidData, "not a 64-bit little-endian object"));
    }
    let (offset, count) = (number(headers, 40, 8), number(headers, 60, 2));
    read(&file, offset, HEADER as u64, headers)?;
    // With more than 65,279 sections the number is in the first header.
    let count = if count == 0 { number(headers, SH_SIZE, 8) } else { count };
    read(&file, offset, count * HEADER as u64, headers)?;
    let mut total = 0u64;
    for header in headers.chunks_exact(HEADER) {
        if TABLES.contains(&number(header, SH_TYPE, 4)) {
            read(&file, number(header, SH_OFFSET, 8), number(header, SH_SIZE, 8), table)?;
            total += table.iter().map(|&byte| u64::from(byte)).sum::<u64>();
        }
    }
    Ok(total)
}

fn sum_all(paths: &[&str], next: &AtomicUsize, total: &AtomicU64) -> io::Result<()> {
    let (mut headers, mut table) = (Vec::new(), Vec::new());
    while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
        total.fetch_add(sum(path, &mut headers, &mut table)?, Ordering::Relaxed);
    }
    Ok(())
}

fn floor(list: &str, threads: usize) -> io::Result<u64> {
    let list = fs::read_to_string(list)?;
    let paths: Vec<_> = list.lines().collect();
    let (next, total) = (AtomicUsize::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| sum_all(&paths, &next, &total))).collect();
        let own = sum_all(&paths, &next, &total);
        others.into_iter().filter_map(|thread| thread.join().ok()).fold(own, Result::and)
    })?;
    Ok(total.into_inner())
}

/// Reads each file once, by one read(2) into memory that is kept.
fn read_all(list: &str) -> io::Result<u64> {
    let (mut buffer, mut total) = (Vec::new(), 0);
    for path in fs::read_to_string(list)?.lines() {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len() as usize;
        if buffer.len() < size {
            buffer.resize(size.next_power_of_two(), 0);
        }
        total += file.read(&mut buffer[..size])? as u64;
    }
    Ok(total)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let total = match &arguments[..] {
        [list] => read_all(list),
        [list, threads] => floor(list, threads.parse().unwrap_or(1)),
        _ => {
            eprintln!("usage: floor LIST [THREADS]");
            return ExitCode::from(2);
        }
    };
    match total {
        Ok(total) => {
            println!("{total}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::FAILURE
        }
    }
}
