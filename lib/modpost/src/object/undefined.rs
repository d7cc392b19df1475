//! Undefined symbols: which of them somebody must define.

use std::borrow::Cow;

use elf::Symbol;
use elf::arch::{Machine, Provider};
use goblin::elf::sym::STB_WEAK;

use crate::dialect::Dialect;

pub(super) fn is_weak(symbol: &Symbol) -> bool {
    symbol.binding() == STB_WEAK
}

/// The name under which another object must define the symbol, or `None` if
/// none has to.
pub(super) fn wanted<'a>(
    name: &'a [u8],
    symbol: &Symbol,
    machine: &Machine,
    dialect: &Dialect,
) -> Option<Cow<'a, [u8]>> {
    if !symbol.is_global() || is_ignored(name, machine, dialect) {
        return None;
    }
    if machine.register_type == Some(symbol.kind()) {
        return None;
    }
    let mut name = Cow::Borrowed(name);
    if machine.dotted_helpers && name.first() == Some(&b'.') {
        // `.urem` is libgcc's name for what the kernel exports as `_Urem`.
        let name = name.to_mut();
        name[0] = b'_';
        if let Some(second) = name.get_mut(1) {
            second.make_ascii_uppercase();
        }
    }
    Some(name)
}

fn is_ignored(name: &[u8], machine: &Machine, dialect: &Dialect) -> bool {
    if matches!(name, b"__this_module" | b"_GLOBAL_OFFSET_TABLE_") {
        return true;
    }
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix.as_bytes()));
    if dialect.section_bounds_ignored && starts(&["__start_", "__stop_"]) {
        return true;
    }
    machine.provided.iter().any(|provided| {
        let holds = match provided.by {
            Provider::Always => true,
            Provider::SmallCode => dialect.ppc64_os_helpers,
            Provider::Thunks => dialect.s390_expolines,
        };
        holds && (starts(provided.prefixes) || provided.names.iter().any(|known| known.as_bytes() == name))
    })
}
