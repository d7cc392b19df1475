//! HP PA-RISC.

use goblin::elf::header::EM_PARISC;
use goblin::elf::sym::STT_LOPROC;

use super::{Machine, PLAIN};

/// `STT_PARISC_MILLI`, millicode, is the first type that machines have for
/// themselves.
pub(super) const PARISC: Machine = Machine { number: EM_PARISC, function_type_64: Some(STT_LOPROC), ..PLAIN };
