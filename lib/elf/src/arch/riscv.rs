//! RISC-V ("RISC-V ABIs Specification").

use goblin::elf::header::EM_RISCV;

use super::{Machine, PLAIN};

/// goblin has no RISC-V relocations.
const R_RISCV_SUB32: u32 = 39;

pub(super) const RISCV: Machine = Machine { number: EM_RISCV, differences: &[R_RISCV_SUB32], ..PLAIN };
