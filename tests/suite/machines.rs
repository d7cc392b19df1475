//! Machines other than x86-64.

use std::io;

use kbuild_rs_tests::case::Case;
use kbuild_rs_tests::machine::{MACHINES, module};
use kbuild_rs_tests::original::kernels;

/// How many entries each device table has.
const ENTRIES: usize = 40;

pub(crate) fn cases() -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for kernel in kernels() {
        for machine in MACHINES {
            let object = module(machine, kernel, ENTRIES)?;
            let case = |name: &str| {
                Case::new(kernel, format!("{} machine: {}{name}", kernel.version(), machine.name))
                    .target(machine.target)
                    .module("m", &object)
                    .file(
                        "in",
                        "0x1\tnothing\tvmlinux\tEXPORT_SYMBOL\t\n0x2\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n",
                    )
            };
            cases.push(case("").args("-w -i in -o symvers m.o"));
            cases.push(case(", with versions").args("-m -w -i in -o symvers m.o"));
        }
    }
    Ok(cases)
}
