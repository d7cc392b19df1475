//! LoongArch ("ELF for the LoongArch Architecture").

use super::{Machine, PLAIN};

/// goblin has neither the machine nor its relocations.
const EM_LOONGARCH: u16 = 258;
const R_LARCH_SUB32: u32 = 55;
const R_LARCH_RELAX: u32 = 100;
const R_LARCH_ALIGN: u32 = 102;

pub(super) const LOONGARCH: Machine =
    Machine { number: EM_LOONGARCH, differences: &[R_LARCH_SUB32], markers: &[R_LARCH_RELAX, R_LARCH_ALIGN], ..PLAIN };
