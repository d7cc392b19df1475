//! Motorola 68000.

use goblin::elf::header::EM_68K;

use super::{Machine, PLAIN};

pub(super) const M68K: Machine = Machine { number: EM_68K, max_align: 2, ..PLAIN };
