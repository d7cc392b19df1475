//! `.modinfo`: strings `tag=value`, each ended by a NUL, with any number of
//! NULs between them.

/// The values of a tag, in order.
pub(super) fn values<'a>(modinfo: &'a [u8], tag: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    modinfo.split(|&byte| byte == 0).filter_map(move |string| string.strip_prefix(tag)?.strip_prefix(b"="))
}

/// The licenses that let a module use GPL-only symbols
/// (`include/linux/license.h`).
const GPL_COMPATIBLE: &[&[u8]] =
    &[b"GPL", b"GPL v2", b"GPL and additional rights", b"Dual BSD/GPL", b"Dual MIT/GPL", b"Dual MPL/GPL"];

pub(super) fn is_gpl_compatible(license: &[u8]) -> bool {
    GPL_COMPATIBLE.contains(&license)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_tag() {
        let modinfo = b"\0license=GPL\0\0\0licenses=x\0version=\0license=Proprietary\0";
        assert_eq!(values(modinfo, b"license").collect::<Vec<_>>(), [&b"GPL"[..], b"Proprietary"]);
        assert_eq!(values(modinfo, b"version").collect::<Vec<_>>(), [b""]);
        assert_eq!(values(b"", b"license").count(), 0);
    }
}
