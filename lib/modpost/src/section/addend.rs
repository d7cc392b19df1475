//! Addends: where in its section a relocation's target lies.

use elf::{Elf, Malformed, Relocation, SectionIndex, header};
use goblin::elf::reloc::{
    R_386_32, R_386_PC32, R_ARM_ABS32, R_ARM_CALL, R_ARM_JUMP24, R_ARM_MOVT_ABS, R_ARM_MOVW_ABS_NC, R_ARM_PC24,
    R_ARM_REL32, R_ARM_THM_MOVT_ABS, R_ARM_THM_MOVW_ABS_NC, R_MIPS_26, R_MIPS_32, R_MIPS_HI16, R_MIPS_LO16,
};

use crate::dialect::Dialect;

/// ARM Thumb's calls and jumps, for which goblin has older names.
const R_ARM_THM_CALL: u32 = 10;
const R_ARM_THM_JUMP24: u32 = 30;
const R_ARM_THM_JUMP19: u32 = 51;
/// goblin has no RISC-V relocations.
const R_RISCV_SUB32: u32 = 39;
/// Nor LoongArch.
const EM_LOONGARCH: u16 = 258;
const R_LARCH_SUB32: u32 = 55;
const R_LARCH_RELAX: u32 = 100;
const R_LARCH_ALIGN: u32 = 102;

/// An addend as the search for a near symbol takes it: truncated to 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addend {
    /// An offset in the target's section.
    Offset(i32),
    /// The original takes a host's address for an offset: nothing is near.
    HostAddress,
}

/// The addend of a relocation that breaks a rule; `None` if its type says
/// that it is to be passed over.
pub(super) fn of(
    elf: &Elf,
    dialect: &Dialect,
    relocated: SectionIndex,
    from: &[u8],
    relocation: &Relocation,
) -> Result<Option<Addend>, Malformed> {
    let machine = elf.header.e_machine;
    if let Some(addend) = relocation.addend {
        let difference = from == b"__ex_table"
            && match (machine, relocation.kind) {
                (header::EM_RISCV, R_RISCV_SUB32) => dialect.riscv_extable,
                (EM_LOONGARCH, R_LARCH_SUB32) => dialect.loongarch_extable,
                _ => false,
            };
        return Ok((!difference).then_some(Addend::Offset(addend as i32)));
    }
    match machine {
        header::EM_386 => i386(elf, relocated, relocation).map(Some),
        header::EM_ARM => arm(elf, dialect, relocated, relocation),
        header::EM_MIPS => mips(elf, relocated, relocation),
        _ => Ok(Some(Addend::Offset(0))),
    }
}

/// What can be said of where a relocation goes, in kernels since 6.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An address in the symbol's section.
    Address(u64),
    /// The relocation is no reference.
    Passed,
    /// It has no addend of its own, and the machine's aren't known.
    UnknownMachine,
}

/// Where a relocation goes, in kernels since 6.5.
pub(super) fn target(
    elf: &Elf,
    dialect: &Dialect,
    relocated: SectionIndex,
    from: &[u8],
    relocation: &Relocation,
) -> Result<Target, Malformed> {
    let symbol = elf.symbol(relocation.symbol)?.value;
    let machine = elf.header.e_machine;
    let in_extable = from == b"__ex_table";
    let address = if let Some(addend) = relocation.addend {
        let passed = match (machine, relocation.kind) {
            (header::EM_RISCV, R_RISCV_SUB32) => in_extable,
            (EM_LOONGARCH, R_LARCH_SUB32) => in_extable && dialect.loongarch_extable,
            (EM_LOONGARCH, R_LARCH_RELAX | R_LARCH_ALIGN) => dialect.loongarch_markers_passed,
            _ => false,
        };
        if passed {
            return Ok(Target::Passed);
        }
        if dialect.addends_from_symbol { symbol.wrapping_add(addend as u64) } else { addend as u64 }
    } else if !dialect.rel_needs_machine {
        let offset = if machine == header::EM_ARM {
            arm_target(elf, relocated, relocation)?.map(Addend::Offset)
        } else {
            of(elf, dialect, relocated, from, relocation)?
        };
        match offset {
            Some(Addend::Offset(offset)) => offset as i64 as u64,
            Some(Addend::HostAddress) => u64::MAX,
            None => return Ok(Target::Passed),
        }
    } else {
        let word = || word(elf, relocated, relocation);
        let nowhere = -1i32 as u32;
        let address = match machine {
            header::EM_386 => match relocation.kind {
                R_386_32 => word()? as u32,
                R_386_PC32 => word()?.wrapping_add(4) as u32,
                _ => nowhere,
            },
            header::EM_ARM => arm_target(elf, relocated, relocation)?.map_or(nowhere, |offset| offset as u32),
            header::EM_MIPS => match relocation.kind {
                R_MIPS_LO16 => word()? as u32 & 0xffff,
                R_MIPS_26 => (word()? as u32 & 0x03ff_ffff) << 2,
                R_MIPS_32 => word()? as u32,
                _ => nowhere,
            },
            _ => return Ok(Target::UnknownMachine),
        };
        // An address of the class's size, of which all bits are set for none.
        if address == nowhere && elf.encoding.is_64 { u64::MAX } else { u64::from(address) }
    };
    Ok(Target::Address(if elf.encoding.is_64 { address } else { u64::from(address as u32) }))
}

/// A number of so many bits with a sign.
const fn signed(value: u32, bits: u32) -> i32 {
    (value << (32 - bits)) as i32 >> (32 - bits)
}

fn arm_target(elf: &Elf, relocated: SectionIndex, relocation: &Relocation) -> Result<Option<i32>, Malformed> {
    let symbol = elf.symbol(relocation.symbol)?.value as i32;
    let word = || Ok(word(elf, relocated, relocation)? as u32);
    let halves = || {
        let bytes = elf.data(relocated, relocation.offset, 4)?;
        Ok((elf.encoding.unsigned(&bytes[..2]) as u32, elf.encoding.unsigned(&bytes[2..]) as u32))
    };
    // Bits `low` to `low + len` of a value, moved to bit `to`.
    let bits = |value: u32, low: u32, len: u32, to: u32| (value >> low & ((1 << len) - 1)) << to;
    let offset = match relocation.kind {
        R_ARM_ABS32 | R_ARM_REL32 => word()? as i32,
        R_ARM_MOVW_ABS_NC | R_ARM_MOVT_ABS => {
            let word = word()?;
            signed(bits(word, 16, 4, 12) | bits(word, 0, 12, 0), 16)
        }
        R_ARM_PC24 | R_ARM_CALL | R_ARM_JUMP24 => signed(bits(word()?, 0, 24, 2), 26).wrapping_add(8),
        R_ARM_THM_MOVW_ABS_NC | R_ARM_THM_MOVT_ABS => {
            let (upper, lower) = halves()?;
            let high = bits(upper, 0, 4, 12) | bits(upper, 10, 1, 11);
            signed(high | bits(lower, 12, 3, 8) | bits(lower, 0, 8, 0), 16)
        }
        R_ARM_THM_JUMP19 => {
            let (upper, lower) = halves()?;
            let high = bits(upper, 10, 1, 20) | bits(lower, 11, 1, 19) | bits(lower, 13, 1, 18);
            signed(high | bits(upper, 0, 6, 12) | bits(lower, 0, 11, 1), 21).wrapping_add(4)
        }
        R_ARM_THM_CALL | R_ARM_THM_JUMP24 => {
            let (upper, lower) = halves()?;
            let sign = bits(upper, 10, 1, 0);
            let (first, second) = (!(bits(lower, 13, 1, 0) ^ sign) & 1, !(bits(lower, 11, 1, 0) ^ sign) & 1);
            let high = sign << 24 | first << 23 | second << 22;
            signed(high | bits(upper, 0, 10, 12) | bits(lower, 0, 11, 1), 25).wrapping_add(4)
        }
        _ => return Ok(None),
    };
    Ok(Some(offset.wrapping_add(symbol)))
}

/// The 32-bit word at the place to be relocated.
fn word(elf: &Elf, relocated: SectionIndex, relocation: &Relocation) -> Result<i32, Malformed> {
    let bytes = elf.data(relocated, relocation.offset, 4)?;
    Ok(elf.encoding.unsigned(&bytes) as i32)
}

fn i386(elf: &Elf, relocated: SectionIndex, relocation: &Relocation) -> Result<Addend, Malformed> {
    let addend = match relocation.kind {
        R_386_32 => word(elf, relocated, relocation)?,
        R_386_PC32 => {
            let addend = word(elf, relocated, relocation)?.wrapping_add(4);
            // Only kernels that take linked objects come here with one.
            let place = if elf.header.e_type == header::ET_EXEC { relocation.offset as i32 } else { 0 };
            addend.wrapping_add(place)
        }
        _ => 0,
    };
    Ok(Addend::Offset(addend))
}

fn arm(
    elf: &Elf,
    dialect: &Dialect,
    relocated: SectionIndex,
    relocation: &Relocation,
) -> Result<Option<Addend>, Malformed> {
    let symbol = || Ok(elf.symbol(relocation.symbol)?.value as i32);
    let offset = |addend: i32| Some(Addend::Offset(addend));
    Ok(match relocation.kind {
        R_ARM_ABS32 | R_ARM_PC24 | R_ARM_CALL | R_ARM_JUMP24 if !dialect.arm_addends => Some(Addend::HostAddress),
        R_ARM_ABS32 => offset(word(elf, relocated, relocation)?.wrapping_add(symbol()?)),
        R_ARM_PC24 | R_ARM_CALL | R_ARM_JUMP24 => {
            // 24 bits of words, with a sign.
            let distance = word(elf, relocated, relocation)? << 8 >> 6;
            offset(distance.wrapping_add(symbol()?).wrapping_add(8))
        }
        R_ARM_THM_CALL | R_ARM_THM_JUMP24 | R_ARM_THM_JUMP19 => Some(Addend::HostAddress),
        _ => None,
    })
}

fn mips(elf: &Elf, relocated: SectionIndex, relocation: &Relocation) -> Result<Option<Addend>, Malformed> {
    if relocation.kind == R_MIPS_HI16 {
        return Ok(None);
    }
    let word = word(elf, relocated, relocation)?;
    Ok(Some(Addend::Offset(match relocation.kind {
        R_MIPS_LO16 => word & 0xffff,
        R_MIPS_26 => (word & 0x03ff_ffff) << 2,
        R_MIPS_32 => word,
        _ => 0,
    })))
}
