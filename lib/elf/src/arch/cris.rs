//! Axis CRIS.

use goblin::elf::header::EM_CRIS;

use super::{Machine, PLAIN};

pub(super) const CRIS: Machine = Machine { number: EM_CRIS, max_align: 1, ..PLAIN };
