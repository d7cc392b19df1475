//! `.modinfo`: strings `tag=value`, each ended by a NUL, with any number of
//! NULs between them.

use memchr::memchr;

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
}

/// The licenses that let a module use GPL-only symbols
/// (`include/linux/license.h`).
const GPL_COMPATIBLE: &[&[u8]] =
    &[b"GPL", b"GPL v2", b"GPL and additional rights", b"Dual BSD/GPL", b"Dual MIT/GPL", b"Dual MPL/GPL"];

impl Modinfo {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let mut modinfo = Self {
            licenses: 0,
            is_gpl_compatible: true,
            imports: Vec::new(),
            has_description: false,
            has_version: false,
        };
        let mut rest = bytes;
        while let Some(len) = memchr(0, rest) {
            modinfo.take(&rest[..len]);
            rest = &rest[len + 1..];
        }
        modinfo.take(rest);
        modinfo
    }

    fn take(&mut self, string: &[u8]) {
        if let Some(license) = string.strip_prefix(b"license=") {
            self.licenses += 1;
            self.is_gpl_compatible &= GPL_COMPATIBLE.contains(&license);
        } else if let Some(namespace) = string.strip_prefix(b"import_ns=") {
            self.imports.push(namespace.to_vec());
        } else {
            self.has_description |= string.starts_with(b"description=");
            self.has_version |= string.starts_with(b"version=");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_values() {
        let modinfo =
            Modinfo::parse(b"\0license=GPL\0\0\0licenses=x\0version=\0license=Proprietary\0import_ns=A\0import_ns=");
        let expected = Modinfo {
            licenses: 2,
            is_gpl_compatible: false,
            imports: vec![b"A".to_vec(), Vec::new()],
            has_description: false,
            has_version: true,
        };
        assert_eq!(modinfo, expected);
        let nothing = Modinfo {
            licenses: 0,
            is_gpl_compatible: true,
            imports: vec![],
            has_description: false,
            has_version: false,
        };
        assert_eq!(Modinfo::parse(b""), nothing);
    }
}
