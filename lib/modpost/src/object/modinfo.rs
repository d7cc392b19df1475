//! What `.modinfo` says to modpost.

use kmod::modinfo::pairs;

/// What modpost wants to know of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Modinfo {
    /// How many licenses are named.
    pub(super) licenses: usize,
    /// All of them let the module use GPL-only symbols.
    pub(super) is_gpl_compatible: bool,
    /// The namespaces that are imported, in order.
    pub(super) imports: Vec<Vec<u8>>,
    /// There is a `description`.
    pub(super) has_description: bool,
    /// There is a `version`.
    pub(super) has_version: bool,
    /// There is a `livepatch`.
    pub(super) is_livepatch: bool,
    /// Where a value begins past the end of the section. The original would
    /// look for more of its kind for ever.
    pub(super) overrun: Option<usize>,
}

/// The licenses that let a module use GPL-only symbols
/// (`include/linux/license.h`).
const GPL_COMPATIBLE: &[&[u8]] =
    &[b"GPL", b"GPL v2", b"GPL and additional rights", b"Dual BSD/GPL", b"Dual MIT/GPL", b"Dual MPL/GPL"];

impl Modinfo {
    /// `bytes` may reach beyond the section's `size`.
    pub(super) fn parse(bytes: &[u8], size: usize) -> Self {
        let mut modinfo = Self {
            licenses: 0,
            is_gpl_compatible: true,
            imports: Vec::new(),
            has_description: false,
            has_version: false,
            is_livepatch: false,
            overrun: None,
        };
        for (tag, value) in pairs(bytes) {
            let start = value.as_ptr() as usize - bytes.as_ptr() as usize;
            let overrun = Some(start).filter(|start| *start > size);
            match tag {
                b"license" => {
                    modinfo.licenses += 1;
                    modinfo.is_gpl_compatible &= GPL_COMPATIBLE.contains(&value);
                    modinfo.overrun = modinfo.overrun.or(overrun.filter(|_| modinfo.is_gpl_compatible));
                }
                b"import_ns" => {
                    modinfo.imports.push(value.to_vec());
                    modinfo.overrun = modinfo.overrun.or(overrun);
                }
                b"description" => modinfo.has_description = true,
                b"version" => modinfo.has_version = true,
                b"livepatch" => modinfo.is_livepatch = true,
                _ => {}
            }
        }
        modinfo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_values() {
        let bytes = b"\0license=GPL\0\0\0licenses=x\0version=\0license=Proprietary\0import_ns=A\0import_ns=";
        let modinfo = Modinfo::parse(bytes, bytes.len());
        let expected = Modinfo {
            licenses: 2,
            is_gpl_compatible: false,
            imports: vec![b"A".to_vec(), Vec::new()],
            has_description: false,
            has_version: true,
            is_livepatch: false,
            overrun: None,
        };
        assert_eq!(modinfo, expected);
        let nothing = Modinfo {
            licenses: 0,
            is_gpl_compatible: true,
            imports: vec![],
            has_description: false,
            has_version: false,
            is_livepatch: false,
            overrun: None,
        };
        assert_eq!(Modinfo::parse(b"", 0), nothing);
        assert_eq!(Modinfo::parse(b"license=GPL\0", 7).overrun, Some(8));
    }
}
