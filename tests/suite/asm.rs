//! Pieces of assembler that modules are made of.

/// `MODULE_LICENSE("GPL")`, `MODULE_DESCRIPTION("x")`, and a symbol, without
/// which there is no symbol table.
pub(crate) const GPL: &str =
    ".section .modinfo,\"a\"\nmodinfo_license: .asciz \"license=GPL\"\n.asciz \"description=x\"\n";

/// A tag in `.modinfo`.
pub(crate) fn modinfo(tag: &str, value: &str) -> String {
    format!(".section .modinfo,\"a\"\n.asciz \"{tag}={value}\"\n")
}

/// A global function.
pub(crate) fn function(name: &str) -> String {
    format!(".text\n.globl {name}\n.type {name},@function\n{name}: .quad 0\n")
}

/// Code that uses a symbol of another module.
pub(crate) fn uses(name: &str) -> String {
    format!(".data\n.quad {name}\n")
}

/// An entry in the table of exports, `___ksymtab+f` for section
/// `___ksymtab`, with its namespace, and the same as kernels since 6.5 have it.
pub(crate) fn export(name: &str, section: &str, namespace: &str) -> String {
    let license = if section.contains("gpl") { "GPL" } else { "" };
    format!(
        ".section {section}+{name},\"a\"\n__ksymtab_{name}: .quad 0\n\
         .section __ksymtab_strings,\"aMS\",@progbits,1\n__kstrtab_{name}: .asciz \"{name}\"\n\
         __kstrtabns_{name}: .asciz \"{namespace}\"\n\
         .section .export_symbol,\"a\"\n__export_symbol_{name}: .asciz \"{license}\"\n.asciz \"{namespace}\"\n\
         .balign 8\n.quad {name}\n"
    )
}

/// A symbol's CRC as kernels to 5.18 have it.
pub(crate) fn crc(name: &str, value: u32) -> String {
    format!(".globl __crc_{name}\n__crc_{name} = {value:#x}\n")
}

/// A module that exports `name` to all.
pub(crate) fn exporter(name: &str) -> String {
    [GPL, &function(name), &export(name, "___ksymtab", ""), &crc(name, 0x1234_5678)].concat()
}
