//! What a kernel's loader does differently from kernel to kernel.

use std::path::PathBuf;

use kernel::{Trees, document};

kernel::dialect! {
    vendors &[], judge |_: &mut Dialect, _: &Trees| Vec::<PathBuf>::new();

    /// Names have up to 512 bytes, before 128 (`KSYM_NAME_LEN`).
    long_names: (6, 1), until None, stable &[], commits &["b8a94bfb3395"];
    /// Names of types for BPF may have dots; before, only those of sections.
    btf_dots: (6, 4), until None, stable &[(5, 10, 186), (5, 15, 119), (6, 1, 36), (6, 3, 10)], commits &["9724160b3942"];
    /// Types for BPF that describe a section may be called anything that can be printed.
    btf_sections: (6, 9), until None, stable &[], commits &["bd70a8fb7ca4"];
    /// A module may have what it needs of the kernel's types for BPF in `.BTF.base`.
    btf_base: (6, 11), until None, stable &[], commits &["8646db238997"];
    /// Tags among types for BPF may have a flag.
    btf_flags_of_tags: (6, 15), until None, stable &[], commits &["53ee0d66d7a6"];
    /// Tags among types for BPF come before other modifiers.
    btf_tags_first: (5, 19), until Some((7, 2)), stable &[], commits &["eb596b090558", "39799c63578e"];
    /// A section of types for BPF may say how each kind is laid out.
    btf_layout: (7, 1), until None, stable &[], commits &["626e88c070ee"];
    /// The number of a kind of types for BPF has seven bits, that of its elements 24; before,
    /// five and 16.
    btf_wide: (7, 2), until None, stable &[], commits &["f7a6b9eaff3e"];
    /// What is wrong with an ELF header or a section is logged; before, most of it is
    /// one line, that the module has invalid ELF structures.
    form_is_logged: (5, 17), until None, stable &[], commits &["7fd982f394c4"];
    /// A symbol's section has to exist.
    symbol_sections_checked: (7, 0), until None, stable &[(5, 15, 203), (6, 1, 168), (6, 6, 131), (6, 12, 80), (6, 18, 21), (6, 19, 11)], commits &["f9d69d5e7bde"];
    /// A module that contains tests taints.
    tests_taint: (6, 0), until None, stable &[], commits &["74829ddf5977"];
    /// A module has one symbol table, and one section each of `.modinfo` and of the
    /// kernel's own structure, whose size is checked.
    sections_unique: (6, 4), until None, stable &[], commits &["46752820f9ab"];
    /// A module is refused before it taints; before, version magic, taints and licence
    /// are looked at in turn.
    taints_late: (6, 4), until None, stable &[], commits &["02da2cbab452"];
    /// Which symbol of a proprietary module a module uses is logged.
    taint_names_symbol: (5, 19), until None, stable &[], commits &["8eac910a4934"];
    /// Exports have flags in `__kflagstab`.
    exports_flagged: (7, 1), until None, stable &[], commits &["55fcb926b6d8"];
    /// Sections are checked one kind after the other, each with a message of its own.
    sections_checked_apart: (6, 13), until None, stable &[(6, 12, 117)], commits &["90f8f312db72"];
    /// String tables have to be of the type of one.
    string_tables_checked: (7, 3), until None, stable &[(6, 12, 117), (6, 18, 49), (7, 2, 5)], commits &["9a5ff4568932"];
    /// Names of symbols have to lie in the string table.
    symbol_names_checked: (6, 13), until None, stable &[], commits &["d979e3dffa93"];
    /// Versions of symbols may be in `__version_ext_crcs` and `__version_ext_names`.
    extended_versions: (6, 14), until None, stable &[], commits &["54ac1ac8edeb"];
    /// A namespace that begins with `module:` lists who may use it.
    module_namespaces: (6, 16), until None, stable &[], commits &["520b1a147d91"];
}

/// The table of changes, for people.
#[must_use]
pub fn table() -> String {
    document::section("modcheck", CHANGES)
}
