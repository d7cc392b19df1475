//! What differs between machines, one file each. To add one, write its file
//! and a line in `MACHINES`.

mod arm;
mod cris;
mod i386;
mod loongarch;
mod m68k;
mod mips;
mod parisc;
mod powerpc;
mod riscv;
mod s390;
mod sparc;

pub use arm::{R_ARM_THM_CALL, R_ARM_THM_JUMP19, R_ARM_THM_JUMP24};

use crate::Encoding;

/// A machine: what is peculiar to its psABI and its compiler.
#[derive(Debug)]
pub struct Machine {
    /// Its `e_machine`.
    pub number: u16,
    /// In bytes, the strictest alignment of any type; 0 if that is a word's.
    max_align: usize,
    /// How a relocation of a type stores its addend in the place that it
    /// relocates, where it has none of its own; `None` for unknown types.
    addend: Option<fn(u32) -> Option<Decoder>>,
    /// The types of relocations that subtract their symbol: in an exception
    /// table they are no reference.
    pub differences: &'static [u32],
    /// The types of relocations that mark what the linker may relax, and refer
    /// to nothing.
    pub markers: &'static [u32],
    /// The symbols that may be undefined because the last link of a module, or
    /// the kernel's loader, provides them.
    pub provided: &'static [Provided],
    /// The lowest bit of a function's address says in which of two instruction
    /// sets it is, and is no part of the address.
    pub marked_functions: bool,
    /// The type of symbols that claim a register and have no value.
    pub register_type: Option<u8>,
    /// The type of functions, beside `STT_FUNC`, in 64-bit objects.
    pub function_type_64: Option<u8>,
    /// libgcc's `.name` is what the kernel exports as `_Name`.
    pub dotted_helpers: bool,
    /// In 64-bit objects `r_info` is a structure.
    pub(crate) structured_info: bool,
}

/// Symbols that need no export.
#[derive(Clone, Copy, Debug)]
pub struct Provided {
    /// Who provides them.
    pub by: Provider,
    /// What their names begin with.
    pub prefixes: &'static [&'static str],
    /// Their whole names.
    pub names: &'static [&'static str],
}

/// Who provides symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The compiler, whatever its options.
    Always,
    /// The compiler that optimises for size, and for floating point.
    SmallCode,
    /// The compiler that makes thunks for indirect branches.
    Thunks,
}

/// Reads an addend from four bytes.
pub type Decoder = fn(Field) -> i32;

/// The four bytes that a relocation changes.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Four bytes, as they are in the object.
    pub bytes: &'a [u8],
    /// The object's byte order.
    pub encoding: Encoding,
}

impl Field<'_> {
    /// A number of 32 bits.
    fn word(self) -> u32 {
        self.encoding.unsigned(self.bytes) as u32
    }

    /// Two numbers of 16 bits.
    fn halves(self) -> (u32, u32) {
        let half = |bytes| self.encoding.unsigned(bytes) as u32;
        (half(&self.bytes[..2]), half(&self.bytes[2..]))
    }
}

/// A signed number of so many bits.
const fn signed(value: u32, bits: u32) -> i32 {
    (value << (32 - bits)) as i32 >> (32 - bits)
}

/// A machine with no peculiarities.
const PLAIN: Machine = Machine {
    number: 0,
    max_align: 0,
    addend: None,
    differences: &[],
    markers: &[],
    provided: &[],
    marked_functions: false,
    register_type: None,
    function_type_64: None,
    dotted_helpers: false,
    structured_info: false,
};

/// Every machine with peculiarities.
static MACHINES: &[Machine] = &[
    arm::ARM,
    cris::CRIS,
    i386::I386,
    loongarch::LOONGARCH,
    m68k::M68K,
    mips::MIPS,
    parisc::PARISC,
    powerpc::PPC,
    powerpc::PPC64,
    riscv::RISCV,
    s390::S390,
    sparc::SPARC,
    sparc::SPARCV9,
];

static OTHER: Machine = PLAIN;

impl Machine {
    /// The machine of a number, or one with no peculiarities.
    #[must_use]
    pub fn of(number: u16) -> &'static Self {
        MACHINES.iter().find(|machine| machine.number == number).unwrap_or(&OTHER)
    }

    /// Whether it is known how relocations store their addends.
    #[must_use]
    pub const fn has_implicit_addends(&self) -> bool {
        self.addend.is_some()
    }

    /// What reads the addend of a relocation of a type; `None` if that isn't
    /// known.
    #[must_use]
    pub fn decoder(&self, kind: u32) -> Option<Decoder> {
        self.addend.and_then(|addend| addend(kind))
    }
}

/// How a target lays out structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abi {
    /// The size of `long` and of pointers: 4 or 8.
    pub word: usize,
    /// No type is aligned more strictly than to this.
    pub max_align: usize,
}

impl Abi {
    /// The ABI of a machine in a class.
    #[must_use]
    pub const fn of(encoding: Encoding, machine: &Machine) -> Self {
        let word = encoding.word();
        Self { word, max_align: if machine.max_align == 0 { word } else { machine.max_align } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_found_by_number() {
        for machine in MACHINES {
            assert_eq!(Machine::of(machine.number).number, machine.number);
        }
        assert_eq!(Machine::of(62).number, 0);
    }

    #[test]
    fn signs_are_extended() {
        assert_eq!((signed(0xff, 8), signed(0x7f, 8), signed(0x1ff, 8)), (-1, 127, -1));
    }
}
