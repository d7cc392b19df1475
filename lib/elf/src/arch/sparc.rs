//! SPARC, 32 and 64 bits.

use goblin::elf::header::{EM_SPARC, EM_SPARCV9};

use super::{Machine, PLAIN};

/// A symbol that claims a global register, not a value.
const STT_SPARC_REGISTER: u8 = 13;

pub(super) const SPARC: Machine =
    Machine { number: EM_SPARC, register_type: Some(STT_SPARC_REGISTER), dotted_helpers: true, ..PLAIN };

pub(super) const SPARCV9: Machine = Machine { number: EM_SPARCV9, ..SPARC };
