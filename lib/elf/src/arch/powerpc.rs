//! PowerPC, 32 and 64 bits. The helpers save and restore registers.

use goblin::elf::header::{EM_PPC, EM_PPC64};

use super::{Machine, PLAIN, Provided, Provider};

pub(super) const PPC: Machine = Machine {
    number: EM_PPC,
    provided: &[Provided {
        by: Provider::Always,
        prefixes: &["_restgpr_", "_savegpr_", "_rest32gpr_", "_save32gpr_", "_restvr_", "_savevr_"],
        names: &[],
    }],
    ..PLAIN
};

pub(super) const PPC64: Machine = Machine {
    number: EM_PPC64,
    provided: &[
        Provided {
            by: Provider::Always,
            prefixes: &["_restgpr0_", "_savegpr0_", "_restvr_", "_savevr_"],
            // The loader sets the table of contents.
            names: &[".TOC."],
        },
        Provided {
            by: Provider::SmallCode,
            prefixes: &["_restgpr1_", "_savegpr1_", "_restfpr_", "_savefpr_"],
            names: &[],
        },
    ],
    ..PLAIN
};
