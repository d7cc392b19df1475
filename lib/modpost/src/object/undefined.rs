//! Undefined symbols: which of them somebody must define.

use std::borrow::Cow;

use elf::{Symbol, header};
use goblin::elf::sym::STB_WEAK;

use crate::dialect::Dialect;

/// SPARC's symbols that claim a register, not a value.
const STT_SPARC_REGISTER: u8 = 13;

pub(super) fn is_weak(symbol: &Symbol) -> bool {
    symbol.binding() == STB_WEAK
}

/// The name under which another object must define the symbol, or `None` if
/// none has to.
pub(super) fn wanted<'a>(name: &'a [u8], symbol: &Symbol, machine: u16, dialect: &Dialect) -> Option<Cow<'a, [u8]>> {
    if !symbol.is_global() || is_ignored(name, machine, dialect) {
        return None;
    }
    let is_sparc = matches!(machine, header::EM_SPARC | header::EM_SPARCV9);
    if is_sparc && symbol.kind() == STT_SPARC_REGISTER {
        return None;
    }
    let mut name = Cow::Borrowed(name);
    if is_sparc && name.first() == Some(&b'.') {
        // `.urem` is libgcc's name for what the kernel exports as `_Urem`.
        let name = name.to_mut();
        name[0] = b'_';
        if let Some(second) = name.get_mut(1) {
            second.make_ascii_uppercase();
        }
    }
    Some(name)
}

/// Helpers that the compiler calls and the last link of a module brings.
const PPC: &[&str] = &["_restgpr_", "_savegpr_", "_rest32gpr_", "_save32gpr_", "_restvr_", "_savevr_"];
const PPC64: &[&str] = &["_restgpr0_", "_savegpr0_", "_restvr_", "_savevr_"];
const PPC64_OS: &[&str] = &["_restgpr1_", "_savegpr1_", "_restfpr_", "_savefpr_"];
const S390: &[&str] = &["__s390_indirect_jump_r"];

fn is_ignored(name: &[u8], machine: u16, dialect: &Dialect) -> bool {
    if matches!(name, b"__this_module" | b"_GLOBAL_OFFSET_TABLE_") {
        return true;
    }
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix.as_bytes()));
    if dialect.section_bounds_ignored && starts(&["__start_", "__stop_"]) {
        return true;
    }
    match machine {
        header::EM_PPC => starts(PPC),
        header::EM_PPC64 => starts(PPC64) || name == b".TOC." || dialect.ppc64_os_helpers && starts(PPC64_OS),
        header::EM_S390 => dialect.s390_expolines && starts(S390),
        _ => false,
    }
}
