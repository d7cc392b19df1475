//! Modules on disk, as depmod(8) and modprobe(8) know them. The source of each
//! fact is kmod's own (`libkmod`, `tools/depmod.c`).
//!
//! | module | what it does |
//! | --- | --- |
//! | [`limits`] | the largest size of each kind of file |
//! | [`archive`] | compressed modules |
//! | [`modinfo`] | `.modinfo`, and the kernel that a module was built for |
//! | [`alias`] | `modules.alias`, and which aliases a modalias matches |
//! | [`installed`] | the kernels whose modules are installed |
//! | [`pci`] | the machine's PCI devices, and the names of their classes |
//! | [`in_use`] | PCI devices that the machine needs for its disks |
//! | [`handover`] | handing a device over to a driver, and giving it back |
//! | [`vfio`] | which driver takes a device for a virtual machine |

#![forbid(unsafe_code)]

pub mod alias;
pub mod archive;
pub mod handover;
pub mod in_use;
pub mod installed;
pub mod limits;
pub mod modinfo;
pub mod pci;
pub mod vfio;

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use base::bytes::base_name;

/// A module's name: its file's, up to the first dot, with underscores for
/// dashes (`path_to_modname()`).
#[must_use]
pub fn module_name(path: &[u8]) -> Vec<u8> {
    let base = base_name(path);
    let end = memchr::memchr(b'.', base).unwrap_or(base.len());
    base[..end].iter().map(|&byte| if byte == b'-' { b'_' } else { byte }).collect()
}

/// Whether a file's name is that of a module, compressed or not.
#[must_use]
pub fn is_named_as_module(path: &Path) -> bool {
    let name = path.as_os_str().as_bytes();
    [&b".ko"[..], b".ko.gz", b".ko.xz", b".ko.zst"].iter().any(|end| name.ends_with(end))
}

/// An alias with underscores for dashes, but in brackets (`alias_normalize()`).
#[must_use]
pub(crate) fn normalized(alias: &[u8]) -> Vec<u8> {
    let mut in_brackets = false;
    let normalize = |&byte: &u8| {
        match byte {
            b'[' => in_brackets = true,
            b']' => in_brackets = false,
            _ => {}
        }
        if byte == b'-' && !in_brackets { b'_' } else { byte }
    };
    alias.iter().map(normalize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_kmod_has_them() {
        assert_eq!(module_name(b"/lib/modules/6.1/kernel/drivers/vfio/pci/vfio-pci.ko.xz"), b"vfio_pci");
        assert_eq!(module_name(b"a.b.ko"), b"a");
        assert_eq!(normalized(b"platform:a-b[0-9]c-"), b"platform:a_b[0-9]c_");
    }
}
