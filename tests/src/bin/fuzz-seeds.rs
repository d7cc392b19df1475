//! fuzz-seeds: writes what fuzzing begins with into directories named after the
//! targets of `tests/fuzz`, below the directory that is the argument.

#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use elf::arch::Abi;
use kbuild_rs_tests::declarations::{HEADER, REFERENCES, SOURCES, exports};
use kbuild_rs_tests::fixture::compile_c;
use kbuild_rs_tests::machine::{MACHINES, module};
use kbuild_rs_tests::original::{KERNELS, V6_1};
use kbuild_rs_tests::synthetic;
use kbuild_rs_tests::tables::{Numbers, entries};
use modpost::alias::TABLES;
use modpost::alias::layout::Layout;

/// The kernels that the first byte selects.
const DIALECTS: u8 = 7;

fn write(dir: &Path, target: &str, seeds: impl IntoIterator<Item = Vec<u8>>) -> io::Result<()> {
    let directory = dir.join(target);
    fs::create_dir_all(&directory)?;
    for (number, seed) in seeds.into_iter().enumerate() {
        fs::write(directory.join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}

fn seeds(dir: &Path) -> io::Result<()> {
    let with = |bytes: &[u8], rest: &[u8]| [bytes, rest].concat();
    let mut objects = vec![compile_c("driver.c", &["-DOVERRIDE_ONLY"])?];
    for kernel in KERNELS {
        for machine in MACHINES.iter().take(8) {
            objects.push(module(machine, kernel, 1)?);
        }
    }
    let objects = objects.iter().enumerate().map(|(n, object)| with(&[n as u8 % DIALECTS, n as u8], object));
    write(dir, "object", objects)?;

    let symvers = synthetic::symvers(20) + "0x1\tf\tvmlinux\tEXPORT_SYMBOL_GPL\tSPACE\n";
    write(dir, "symvers", (0..DIALECTS).map(|kernel| with(&[kernel], symvers.as_bytes())))?;

    let sources = b"a.o\n\0source_a.o := a.c\n\ndeps_a.o := \\\n  a.h \\\n  other/b.h \\\n\n#SYMVER f 0x12345678\n\0\
                    int a; /* note */ // end\nchar *s = \"x\\\"y\";\n\0#define A 1\n";
    write(dir, "sources", (0..DIALECTS).map(|kernel| with(&[kernel], sources)))?;

    let mut numbers = Numbers::new(5);
    let abi = Abi { word: 8, max_align: 8 };
    let tables = TABLES.iter().enumerate().map(|(number, table)| {
        let layout = Layout::new(table.structure, abi, &V6_1.dialect(), None);
        let bytes = entries(2, table, &layout, &V6_1.dialect(), &mut numbers);
        [&[2, number as u8, 1], &bytes[..], &vec![0; layout.size]].concat()
    });
    write(dir, "tables", tables)?;

    let texts = SOURCES.iter().enumerate().map(|(number, (_, text))| {
        let (_, reference, _) = REFERENCES[number % REFERENCES.len()];
        let source = format!("{reference}\0{HEADER}{text}\n{}", exports());
        with(&[number as u8 % DIALECTS, number as u8], source.as_bytes())
    });
    write(dir, "genksyms", texts)?;

    let lines = ["-m -a -i in -o out a.o", "-M -b -x -T - -d nsdeps -N -w", "--help", "-e -E -n -s -W -t -u keep"];
    let lines = lines.map(|line| with(&[4, 0], line.replace(' ', "\0").as_bytes()));
    write(dir, "command_line", lines)
}

fn main() -> ExitCode {
    let Some(dir) = std::env::args_os().nth(1) else {
        eprintln!("fuzz-seeds: no directory given");
        return ExitCode::from(2);
    };
    match seeds(Path::new(&dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fuzz-seeds: {error}");
            ExitCode::FAILURE
        }
    }
}
