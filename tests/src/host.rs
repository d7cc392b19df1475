//! Machines that build kernels, other than this one: programs for them are
//! cross-compiled, and run by an emulator.

use std::io;

/// A machine.
#[derive(Debug)]
pub struct Host {
    /// What the Makefile calls it.
    pub name: &'static str,
    /// What GNU's tools call it.
    pub gnu: &'static str,
    /// What runs its programs here.
    pub emulator: &'static str,
    /// It has 64 bits.
    pub is_64: bool,
    /// It is big-endian.
    pub is_big: bool,
}

impl Host {
    const fn little(name: &'static str, gnu: &'static str, emulator: &'static str, is_64: bool) -> Self {
        Self { name, gnu, emulator, is_64, is_big: false }
    }
}

/// Those for which programs can be made.
static HOSTS: &[Host] = &[
    Host::little("aarch64", "aarch64-linux-gnu", "qemu-aarch64", true),
    Host::little("armhf", "arm-linux-gnueabihf", "qemu-arm", false),
    Host::little("i686", "i686-linux-gnu", "qemu-i386", false),
    Host::little("ppc64el", "powerpc64le-linux-gnu", "qemu-ppc64le", true),
    Host::little("riscv64", "riscv64-linux-gnu", "qemu-riscv64", true),
    Host { is_big: true, ..Host::little("s390x", "s390x-linux-gnu", "qemu-s390x", true) },
];

/// The machine that `KBUILD_RS_HOST` names; `None` is this one.
///
/// # Errors
/// If it names no machine.
pub fn current() -> io::Result<Option<&'static Host>> {
    let Some(name) = std::env::var_os("KBUILD_RS_HOST").filter(|name| !name.is_empty()) else { return Ok(None) };
    let host = HOSTS.iter().find(|host| name == host.name);
    host.map(Some).ok_or_else(|| io::Error::other(format!("{}: not a machine", name.to_string_lossy())))
}

/// Whether the machine that is tested is big-endian.
///
/// # Errors
/// If `KBUILD_RS_HOST` names no machine.
pub fn is_big() -> io::Result<bool> {
    Ok(current()?.map_or(cfg!(target_endian = "big"), |host| host.is_big))
}
