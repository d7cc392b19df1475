//! MIPS (System V ABI, MIPS supplement; the 64-bit ABI of SGI).

use goblin::elf::header::EM_MIPS;
use goblin::elf::reloc::{R_MIPS_26, R_MIPS_32, R_MIPS_LO16};

use super::{Decoder, Machine, PLAIN};

pub(super) const MIPS: Machine = Machine { number: EM_MIPS, addend: Some(addend), structured_info: true, ..PLAIN };

fn addend(kind: u32) -> Option<Decoder> {
    Some(match kind {
        R_MIPS_LO16 => |field| (field.word() & 0xffff) as i32,
        R_MIPS_26 => |field| ((field.word() & 0x03ff_ffff) << 2) as i32,
        R_MIPS_32 => |field| field.word() as i32,
        _ => return None,
    })
}
