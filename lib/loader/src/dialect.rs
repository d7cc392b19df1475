//! What a kernel's loader does differently from kernel to kernel.

use std::path::PathBuf;

use kernel::{Trees, document};

kernel::dialect! {
    vendors &[], judge |_: &mut Dialect, _: &Trees| Vec::<PathBuf>::new();

    /// Names have up to 512 bytes, before 128 (`KSYM_NAME_LEN`).
    long_names: (6, 1), until None, stable &[], commits &["b8a94bfb3395"];
    /// Types for BPF that describe a section may be called anything that can be printed.
    btf_sections: (6, 11), until None, stable &[], commits &[];
    /// A module may have what it needs of the kernel's types for BPF in `.BTF.base`.
    btf_base: (6, 11), until None, stable &[], commits &["8646db238997"];
    /// Tags among types for BPF may have a flag.
    btf_flags_of_tags: (6, 15), until None, stable &[], commits &["53ee0d66d7a6"];
    /// Tags among types for BPF come before other modifiers.
    btf_tags_first: (5, 17), until Some((7, 1)), stable &[], commits &[];
    /// A section of types for BPF may say how each kind is laid out.
    btf_layout: (7, 1), until None, stable &[], commits &[];
    /// The number of a kind of types for BPF has seven bits, that of its elements 24; before,
    /// five and 16.
    btf_wide: (7, 1), until None, stable &[], commits &[];
    /// What is wrong with an ELF header or a section is logged; before, most of it is
    /// one line, that the module has invalid ELF structures.
    form_is_logged: (5, 17), until None, stable &[], commits &[];
    /// A symbol's section has to exist.
    symbol_sections_checked: (6, 1), until None, stable &[], commits &[];
    /// A module that contains tests taints.
    tests_taint: (6, 0), until None, stable &[], commits &[];
    /// A module has one symbol table, and one section each of `.modinfo` and of the
    /// kernel's own structure, whose size is checked.
    sections_unique: (6, 4), until None, stable &[], commits &[];
    /// A module is refused before it taints; before, version magic, taints and licence
    /// are looked at in turn.
    taints_late: (6, 4), until None, stable &[], commits &[];
    /// Which symbol of a proprietary module a module uses is logged.
    taint_names_symbol: (6, 0), until None, stable &[], commits &[];
    /// Exports have flags in `__kflagstab`.
    exports_flagged: (7, 1), until None, stable &[], commits &[];
    /// Sections are checked one kind after the other, each with a message of its own.
    sections_checked_apart: (6, 12), until None, stable &[], commits &[];
    /// Names of symbols have to lie in the string table.
    symbol_names_checked: (6, 13), until None, stable &[], commits &[];
    /// Versions of symbols may be in `__version_ext_crcs` and `__version_ext_names`.
    extended_versions: (6, 14), until None, stable &[], commits &[];
    /// A namespace that begins with `module:` lists who may use it.
    module_namespaces: (6, 16), until None, stable &[], commits &[];
}

/// The table of changes, for people.
#[must_use]
pub fn table() -> String {
    document::section("modcheck", CHANGES)
}
