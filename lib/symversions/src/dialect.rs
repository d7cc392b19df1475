//! What genksyms does differently from kernel to kernel.

use std::path::PathBuf;

use kernel::{Trees, document};

kernel::dialect! {
    vendors &[], judge |_: &mut Dialect, _: &Trees| Vec::<PathBuf>::new();

    /// `_Static_assert()` is passed over; before, it is taken for a function.
    static_asserts: (5, 11), until None, stable &[], commits &["9ab55d7f240f"];
    /// A version is a line `#SYMVER`, which modpost reads; before, it is one of a linker
    /// script, for which `-R` asks for a place relative to the section.
    symver_lines: (5, 19), until None, stable &[], commits &["7b4537199a4a"];
    /// There is no option `-s`; before, it takes a prefix, and the run ends.
    prefix_option_removed: (6, 8), until None, stable &[], commits &["a19937d829fb"];
    /// Attributes may stand wherever C has them, and types may be shadowed; before, such
    /// declarations are syntax errors, or their attributes are part of a type.
    attributes_placed: (6, 14), until None, stable &[], commits &["3ccda63a3af5", "2966b66c94a2", "ec28bfff83c4"];
    /// Arm's vector types as in `uint8x16_t` are built-in types.
    vector_types: (6, 14), until None, stable &[], commits &["3ccda63a3af5"];
    /// `typeof_unqual` is as `typeof`, and x86's `__seg_gs` and `__seg_fs` qualify types.
    segments: (6, 15), until None, stable &[], commits &["1013f5636fd8"];
    /// Enumerators of a reference don't count; before, the first enumerator that has no
    /// value may follow one of the reference's.
    reference_enumerators_apart: (6, 16), until None, stable &[(6, 15, 3)], commits &["c50a04f8f45c"];
    /// Attributes may stand before a declarator in parentheses.
    declarator_attributes: (7, 0), until None, stable &[], commits &["d2395bb194ef"];
}

/// The table of changes, for people.
#[must_use]
pub fn table() -> String {
    document::section("genksyms", CHANGES)
}
