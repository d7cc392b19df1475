//! What the part of a kernel that is for one machine does with a module's symbols before
//! they are resolved (`module_frob_arch_sections()` in `arch/*/kernel/module*.c`).

use goblin::elf::header::{EM_PPC64, EM_S390, EM_SPARC, EM_SPARC32PLUS, EM_SPARCV9};
use goblin::elf::sym::{STT_LOPROC, Sym};

/// The type of a symbol that names one of SPARC's registers.
const STT_REGISTER: u8 = STT_LOPROC;

/// The name of a symbol that is undefined, or that a version is of. PowerPC's begin with a
/// dot if they are those of code.
pub(crate) fn plain(machine: u16, name: &[u8]) -> &[u8] {
    match name {
        [b'.', plain @ ..] if machine == EM_PPC64 => plain,
        _ => name,
    }
}

/// The name by which an undefined symbol is looked for; `None` if the kernel defines it
/// itself.
pub(crate) fn wanted<'a>(machine: u16, symbol: &Sym, name: &'a [u8]) -> Option<&'a [u8]> {
    let is_defined = match machine {
        EM_PPC64 => name == b".TOC.",
        EM_S390 => name == b"_GLOBAL_OFFSET_TABLE_",
        EM_SPARC | EM_SPARC32PLUS | EM_SPARCV9 => symbol.st_type() == STT_REGISTER,
        _ => false,
    };
    (!is_defined).then(|| plain(machine, name))
}

#[cfg(test)]
mod tests {
    use goblin::elf::header::EM_X86_64;

    use super::*;

    #[test]
    fn what_a_machine_defines() {
        let of = |machine, st_info, name: &'static str| {
            let symbol = Sym { st_name: 1, st_info, st_other: 0, st_shndx: 0, st_value: 0, st_size: 0 };
            wanted(machine, &symbol, name.as_bytes()).map(String::from_utf8_lossy)
        };
        for (machine, st_info, name, expected) in [
            (EM_PPC64, 0x10, ".TOC.", None),
            (EM_PPC64, 0x10, ".printk", Some("printk")),
            (EM_PPC64, 0x10, "printk", Some("printk")),
            (EM_S390, 0x10, "_GLOBAL_OFFSET_TABLE_", None),
            (EM_S390, 0x10, ".TOC.", Some(".TOC.")),
            (EM_SPARCV9, 0x1d, "", None),
            (EM_SPARCV9, 0x10, "printk", Some("printk")),
            (EM_X86_64, 0x1d, ".printk", Some(".printk")),
        ] {
            assert_eq!(of(machine, st_info, name).as_deref(), expected, "{machine} {name}");
        }
    }
}
