//! 32-bit ARM ("ELF for the Arm Architecture").

use goblin::elf::header::EM_ARM;
use goblin::elf::reloc::{
    R_ARM_ABS32, R_ARM_CALL, R_ARM_JUMP24, R_ARM_MOVT_ABS, R_ARM_MOVW_ABS_NC, R_ARM_PC24, R_ARM_REL32,
    R_ARM_THM_MOVT_ABS, R_ARM_THM_MOVW_ABS_NC,
};

use super::{Decoder, Machine, PLAIN, signed};

/// A call or jump of Thumb code, for which goblin has an older name.
pub const R_ARM_THM_CALL: u32 = 10;
/// See [`R_ARM_THM_CALL`].
pub const R_ARM_THM_JUMP24: u32 = 30;
/// See [`R_ARM_THM_CALL`].
pub const R_ARM_THM_JUMP19: u32 = 51;

pub(super) const ARM: Machine = Machine { number: EM_ARM, addend: Some(addend), marked_functions: true, ..PLAIN };

/// Bits `low` to `low + len` of a value, moved to bit `to`.
const fn bits(value: u32, low: u32, len: u32, to: u32) -> u32 {
    (value >> low & ((1 << len) - 1)) << to
}

fn addend(kind: u32) -> Option<Decoder> {
    Some(match kind {
        R_ARM_ABS32 | R_ARM_REL32 => |field| field.word() as i32,
        R_ARM_MOVW_ABS_NC | R_ARM_MOVT_ABS => |field| {
            let word = field.word();
            signed(bits(word, 16, 4, 12) | bits(word, 0, 12, 0), 16)
        },
        // 24 bits of words, relative to two instructions on.
        R_ARM_PC24 | R_ARM_CALL | R_ARM_JUMP24 => |field| signed(bits(field.word(), 0, 24, 2), 26).wrapping_add(8),
        R_ARM_THM_MOVW_ABS_NC | R_ARM_THM_MOVT_ABS => |field| {
            let (upper, lower) = field.halves();
            let high = bits(upper, 0, 4, 12) | bits(upper, 10, 1, 11);
            signed(high | bits(lower, 12, 3, 8) | bits(lower, 0, 8, 0), 16)
        },
        R_ARM_THM_JUMP19 => |field| {
            let (upper, lower) = field.halves();
            let high = bits(upper, 10, 1, 20) | bits(lower, 11, 1, 19) | bits(lower, 13, 1, 18);
            signed(high | bits(upper, 0, 6, 12) | bits(lower, 0, 11, 1), 21).wrapping_add(4)
        },
        R_ARM_THM_CALL | R_ARM_THM_JUMP24 => |field| {
            let (upper, lower) = field.halves();
            let sign = bits(upper, 10, 1, 0);
            let (first, second) = (!(bits(lower, 13, 1, 0) ^ sign) & 1, !(bits(lower, 11, 1, 0) ^ sign) & 1);
            let high = sign << 24 | first << 23 | second << 22;
            signed(high | bits(upper, 0, 10, 12) | bits(lower, 0, 11, 1), 25).wrapping_add(4)
        },
        _ => return None,
    })
}
