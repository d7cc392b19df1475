//! Types for BPF: whether a kernel with `CONFIG_DEBUG_INFO_BTF_MODULES` takes those of a
//! module (`btf_parse_module()`), which are additions to its own.

mod format;
mod kinds;
mod meta;
mod relocate;

use base::message::text;
pub(crate) use format::Btf;

use crate::dialect::Dialect;
use crate::finding::Errno;
use crate::view::Native;

/// What a kernel logs, and the error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) lines: Vec<Vec<u8>>,
    pub(crate) errno: Errno,
}

impl Invalid {
    /// A message of the kernel's verifier.
    fn new(message: impl AsRef<[u8]>) -> Self {
        Self { lines: vec![text!("BPF: {}", message.as_ref())], errno: Errno::EINVAL }
    }

    /// A chain of types that has no end.
    fn cycle() -> Self {
        Self { errno: Errno::ELOOP, ..Self::new("Max chain length or cycle detected") }
    }
}

/// How a kernel reads types.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) native: Native,
    pub(crate) dialect: &'a Dialect,
    /// Types that are wrong don't keep a module from being loaded
    /// (`CONFIG_MODULE_ALLOW_BTF_MISMATCH`), and less is logged of them.
    pub(crate) is_lenient: bool,
}

/// Checks a module's types, which are additions to the kernel's or to `base`, a part of
/// them that the module has itself (`.BTF.base`).
///
/// # Errors
/// If the kernel takes them for invalid.
pub(crate) fn check(types: &[u8], base: Option<&[u8]>, kernel: &Btf, rules: Rules) -> Result<(), Invalid> {
    let Some(base) = base.filter(|_| rules.dialect.btf_base) else {
        let types = Btf::read(types, Some(kernel), rules)?;
        return meta::check(&types, rules);
    };
    let base = Btf::read(base, None, rules)?;
    meta::check(&base, rules)?;
    let types = Btf::read(types, Some(&base), rules)?;
    meta::check(&types, rules)?;
    relocate::check(&types, &base, kernel, rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A section of these types and strings.
    fn section(words: &[u32], strings: &[u8]) -> Vec<u8> {
        let (types, strings_length) = (words.len() as u32 * 4, strings.len() as u32);
        let header = [0x0001_eb9f, 24, 0, types, types, strings_length];
        let words = header.iter().chain(words).flat_map(|word| word.to_le_bytes());
        words.chain(strings.iter().copied()).collect()
    }

    const INT: u32 = 1 << 24;
    const STRUCT: u32 = 4 << 24;
    const FUNC: u32 = 12 << 24;
    const DATASEC: u32 = 15 << 24;
    const SIGNED: u32 = 1 << 24 | 32;

    /// What a kernel logs of a module's types; its own are an integer and a structure.
    fn said(types: &[u8], base: Option<&[u8]>) -> String {
        said_by(kernel::Version::new(7, 3, 0), types, base)
    }

    fn said_by(version: kernel::Version, types: &[u8], base: Option<&[u8]>) -> String {
        let dialect = Dialect::new(version);
        let native = Native { is_64: true, is_little: true, machine: 62 };
        let rules = Rules { native, dialect: &dialect, is_lenient: false };
        let own = section(&[1, INT, 4, SIGNED, 5, STRUCT, 16], b"\0int\0list\0");
        let own = Btf::read(&own, None, rules).expect("the kernel's");
        match check(types, base, &own, rules) {
            Ok(()) => String::new(),
            Err(invalid) => String::from_utf8_lossy(&invalid.lines.join(&b"|"[..])).into_owned(),
        }
    }

    #[test]
    fn what_is_added_to_the_kernels_types() {
        let own = b"own\0a b\0";
        for (words, expected) in [
            (&[10, STRUCT | 1, 16, 10, 2, 0][..], ""),
            // `own` of another kernel whose strings end elsewhere.
            (&[13, STRUCT, 16][..], "BPF: [3] STRUCT  |BPF: size=16 vlen=0|BPF:  |BPF: Invalid name|BPF: "),
            (&[14, FUNC, 2], "BPF: [3] FUNC a b |BPF: type_id=2|BPF:  |BPF: Invalid name|BPF: "),
            (&[14, DATASEC, 8], ""),
            (&[99, STRUCT, 16], "BPF: [3] Invalid name_offset:99"),
            (&[10, 20 << 24, 16], "BPF: [3] Invalid kind:20"),
            (&[10, STRUCT | 1, 16], "BPF: [3] STRUCT own|BPF:  |BPF: meta_left:0 meta_needed:12|BPF: "),
            (
                &[10, STRUCT | 1, 16, 10, 2, 136],
                "BPF: \town type_id=2 bits_offset=136|BPF:  |BPF: Member bits_offset exceeds its struct size|BPF: ",
            ),
            (&[10, 8 << 24, 3], "BPF: Max chain length or cycle detected"),
            (&[10], "BPF: [3] meta_left:4 meta_needed:12"),
        ] {
            assert_eq!(said(&section(words, own), None), expected, "{words:x?}");
        }
        assert_eq!(said(b"", None), "BPF: hdr_len not found");
        assert_eq!(said(&section(&[], b"own"), None), "BPF: Invalid string section");
    }

    #[test]
    fn what_names_may_have_in_them() {
        let function = section(&[10, FUNC, 2], b"a.b\0");
        let dotted = section(&[10, DATASEC, 8], b"a.b\0");
        let dashed = section(&[10, DATASEC, 8], b"a-b\0");
        for (types, version, expected) in [
            (&function, (5, 10, 185), false),
            (&function, (5, 10, 186), true),
            (&function, (6, 2, 0), false),
            (&function, (6, 4, 0), true),
            (&dotted, (5, 10, 0), true),
            (&dashed, (6, 8, 0), false),
            (&dashed, (6, 9, 0), true),
        ] {
            let (major, minor, sublevel) = version;
            let said = said_by(kernel::Version::new(major, minor, sublevel), types, None);
            assert_eq!(said.is_empty(), expected, "{version:?}: {said}");
        }
    }

    #[test]
    fn a_base_is_found_in_the_kernels_types() {
        let strings = b"\0list\0none\0";
        let pointer = section(&[0, 2 << 24, 1], b"own\0");
        let member = section(&[11, STRUCT | 1, 24, 11, 1, 0], b"own\0");
        let circle = section(&[11, STRUCT | 1, 24, 11, 3, 0, 0, 3 << 24, 0, 3, 1, 1], b"own\0");
        let lost = |name: &str| format!("distilled base BTF type '{name}' [1] is not mapped to base BTF id");
        for (base, types, expected) in [
            ([1, STRUCT, 16], &pointer, String::new()),
            ([1, STRUCT, 24], &pointer, String::new()),
            ([1, STRUCT, 24], &member, lost("list")),
            ([6, STRUCT, 16], &pointer, lost("none")),
            // An array of itself, at which the kernel never ends.
            ([1, STRUCT, 16], &circle, "BPF: Max chain length or cycle detected".into()),
            ([0, STRUCT, 16], &pointer, "type [1], kind [4] is invalid for distilled base BTF; it is anonymous".into()),
        ] {
            assert_eq!(said(types, Some(&section(&base, strings))), expected, "{base:x?}");
        }
    }
}
