//! Intel 80386 (System V ABI, Intel386 supplement).

use goblin::elf::header::EM_386;
use goblin::elf::reloc::{R_386_32, R_386_PC32};

use super::{Decoder, Machine, PLAIN};

pub(super) const I386: Machine = Machine { number: EM_386, addend: Some(addend), ..PLAIN };

fn addend(kind: u32) -> Option<Decoder> {
    Some(match kind {
        R_386_32 => |field| field.word() as i32,
        // What is relative counts from the end of the field.
        R_386_PC32 => |field| (field.word() as i32).wrapping_add(4),
        _ => return None,
    })
}
