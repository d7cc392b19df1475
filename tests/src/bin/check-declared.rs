//! check-declared: compares genksyms with ours on what the headers of Debian's kernels
//! declare. Arguments are names of sets of headers; without any, it is all.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use kbuild_rs_tests::declared::{self, SETS};
use kbuild_rs_tests::original::{KERNELS, Target, Tool};
use kbuild_rs_tests::tally::Tally;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let tally = Tally::default();
    for kernel in KERNELS {
        for set in SETS.iter().filter(|set| wanted.is_empty() || wanted.iter().any(|name| name == set.name)) {
            let name = format!("declared {}", kernel.version());
            let available = kernel.program(Tool::Genksyms, Target::Lsb64).and_then(|_| Ok(declared::package(kernel)?));
            tally.note_all(&name, available.map(drop), || declared::compare(kernel, set));
        }
    }
    tally.finish()
}
