//! The machine that a program is for.

use std::io::{self, Read};
use std::path::Path;

use base::regular;

/// A machine that runs programs, by the class, byte order and machine of its ELF headers
/// (gABI, `e_ident[EI_CLASS]`, `e_ident[EI_DATA]`, `e_machine`).
#[derive(Debug, PartialEq, Eq)]
pub struct Machine {
    /// What it is called: the name of our directory of programs for it.
    pub name: &'static str,
    /// The option of a kernel for it.
    pub option: &'static str,
    header: [u8; 4],
}

const fn machine(name: &'static str, option: &'static str, header: [u8; 4]) -> Machine {
    Machine { name, option, header }
}

/// Every machine for which there are programs of ours.
pub static MACHINES: [Machine; 7] = [
    machine("x86_64", "CONFIG_X86_64", [2, 1, 0x3e, 0]),
    machine("i686", "CONFIG_X86_32", [1, 1, 0x03, 0]),
    machine("aarch64", "CONFIG_ARM64", [2, 1, 0xb7, 0]),
    machine("armhf", "CONFIG_ARM", [1, 1, 0x28, 0]),
    machine("riscv64", "CONFIG_RISCV", [2, 1, 0xf3, 0]),
    machine("ppc64el", "CONFIG_PPC64", [2, 1, 0x15, 0]),
    machine("s390x", "CONFIG_S390", [2, 2, 0, 0x16]),
];

/// Any other machine.
static ANOTHER: Machine = machine("another", "", [0; 4]);

/// The size of the part of an ELF header that tells the machine, in bytes.
pub(crate) const HEADER: usize = 20;

/// The machine of a program that begins with these bytes; `None` if it isn't an ELF file.
pub(crate) fn of_header(header: &[u8]) -> Option<&'static Machine> {
    let header: &[u8; HEADER] = header.first_chunk()?;
    let [0x7f, b'E', b'L', b'F', class, data, .., low, high] = *header else { return None };
    let is_it = |machine: &&Machine| machine.header == [class, data, low, high];
    Some(MACHINES.iter().find(is_it).unwrap_or(&ANOTHER))
}

/// The machine that a program is for; `None` if it isn't an ELF file.
///
/// # Errors
/// It returns the system's error, and refuses anything but a regular file.
pub fn of(program: &Path) -> io::Result<Option<&'static Machine>> {
    let mut header = Vec::new();
    regular::open(program)?.take(HEADER as u64).read_to_end(&mut header)?;
    Ok(of_header(&header))
}

/// The machine of a name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Machine> {
    MACHINES.iter().find(|machine| machine.name == name)
}
