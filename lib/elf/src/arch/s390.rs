//! IBM S/390 and z/Architecture.

use goblin::elf::header::EM_S390;

use super::{Machine, PLAIN, Provided, Provider};

pub(super) const S390: Machine = Machine {
    number: EM_S390,
    provided: &[Provided { by: Provider::Thunks, prefixes: &["__s390_indirect_jump_r"], names: &[] }],
    ..PLAIN
};
