//! Addends: where in its section a relocation's target lies.

use goblin::elf::reloc::{
    R_386_32, R_386_PC32, R_ARM_ABS32, R_ARM_CALL, R_ARM_JUMP24, R_ARM_PC24, R_MIPS_26, R_MIPS_32, R_MIPS_HI16,
    R_MIPS_LO16,
};

use crate::dialect::Dialect;
use crate::elf::{Elf, Malformed, Relocation, SectionIndex, header};

/// ARM Thumb's calls and jumps, for which goblin has older names.
const R_ARM_THM_CALL: u32 = 10;
const R_ARM_THM_JUMP24: u32 = 30;
const R_ARM_THM_JUMP19: u32 = 51;
/// goblin has no RISC-V relocations.
const R_RISCV_SUB32: u32 = 39;

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
        let difference = dialect.riscv_extable
            && machine == header::EM_RISCV
            && from == b"__ex_table"
            && relocation.kind == R_RISCV_SUB32;
        return Ok((!difference).then_some(Addend::Offset(addend as i32)));
    }
    match machine {
        header::EM_386 => i386(elf, relocated, relocation).map(Some),
        header::EM_ARM => arm(elf, dialect, relocated, relocation),
        header::EM_MIPS => mips(elf, relocated, relocation),
        _ => Ok(Some(Addend::Offset(0))),
    }
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
    let symbol = || elf.symbols()[relocation.symbol as usize].value as i32;
    let offset = |addend: i32| Some(Addend::Offset(addend));
    Ok(match relocation.kind {
        R_ARM_ABS32 | R_ARM_PC24 | R_ARM_CALL | R_ARM_JUMP24 if !dialect.arm_addends => Some(Addend::HostAddress),
        R_ARM_ABS32 => offset(word(elf, relocated, relocation)?.wrapping_add(symbol())),
        R_ARM_PC24 | R_ARM_CALL | R_ARM_JUMP24 => {
            // 24 bits of words, with a sign.
            let distance = word(elf, relocated, relocation)? << 8 >> 6;
            offset(distance.wrapping_add(symbol()).wrapping_add(8))
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
