//! The dialects' complete flag sets, and the document made of their tables.
//!
//! `KBUILD_RS_BLESS=1 cargo test --test dialects` writes all files anew.

use std::fmt::Write;
use std::path::Path;

use kernel::{Flags, Version};

/// The kernels of which an original or a record was compared.
const COMPARED: &[(u16, u16, u16)] =
    &[(5, 10, 262), (5, 15, 100), (6, 1, 176), (6, 6, 87), (6, 12, 107), (6, 18, 2), (7, 2, 12), (7, 3, 4)];

fn check(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("KBUILD_RS_BLESS").is_some() {
        std::fs::write(&path, expected).expect("a writable tree");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{} is not what the table says", path.display());
}

/// Every kernel's flags of a tool.
fn flags<D: Flags>() -> String {
    let mut flags = String::new();
    for &(major, minor, sublevel) in COMPARED {
        let dialect = D::of_version(Version::new(major, minor, sublevel));
        let _ = writeln!(flags, "{}:", dialect.kernel().version);
        dialect.flags().iter().for_each(|flag| {
            let _ = writeln!(flags, "  {flag}");
        });
    }
    flags
}

#[test]
fn every_kernels_flags() {
    check("dialects/modpost.flags", &flags::<modpost::dialect::Dialect>());
    check("dialects/fixdep.flags", &flags::<fixdep::dialect::Dialect>());
    check("dialects/genksyms.flags", &flags::<symversions::dialect::Dialect>());
    check("dialects/modcheck.flags", &flags::<loader::dialect::Dialect>());
}

#[test]
fn the_document() {
    let document =
        [modpost::dialect::table(), fixdep::dialect::table(), symversions::dialect::table(), loader::dialect::table()]
            .join("\n");
    check("../docs/dialects.md", &document);
}
