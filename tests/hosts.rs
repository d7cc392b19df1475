//! The programs on a machine of 32 bits. `make check-hosts` has all machines.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use kbuild_rs_tests::command::output;
use kbuild_rs_tests::{needs, tally};

const TARGET: &str = "armv7-unknown-linux-gnueabihf";
const COMPILER: &str = "arm-linux-gnueabihf-gcc";

/// Compiles the programs; returns where they are.
fn programs() -> io::Result<PathBuf> {
    needs::program(COMPILER, "gcc-arm-linux-gnueabihf")?;
    needs::program("qemu-arm", "qemu-user")?;
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot).trim_end());
    if !sysroot.join("lib/rustlib").join(TARGET).join("lib").exists() {
        return Err(io::Error::other(format!("Rust's standard library for {TARGET} is not installed")));
    }
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--locked", "--target", TARGET, "-p", "modpost", "-p", "mk_elfconfig"]);
    build.current_dir(&top).env("RUSTFLAGS", "-C target-feature=+crt-static");
    output(build.env("CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER", COMPILER))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top.join("target"), PathBuf::from);
    Ok(target.join(TARGET).join("debug"))
}

#[test]
fn recorded_cases_on_a_machine_of_32_bits() -> io::Result<()> {
    let Some(programs) = tally::available("hosts", programs())? else { return Ok(()) };
    let mut check = Command::new(env!("CARGO_BIN_EXE_check-recorded"));
    let said = output(check.arg("rhel/10.0").env("KBUILD_RS_BIN", programs).env("KBUILD_RS_HOST", "armhf"))?;
    let said = String::from_utf8_lossy(&said);
    // Its counts are those of this test alone.
    assert!(said.ends_with(" passed, 0 failed, 0 skipped\n") && !said.ends_with("\n0 passed, 0 failed, 0 skipped\n"));
    Ok(())
}
