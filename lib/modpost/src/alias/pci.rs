//! PCI: `pci:vNdNsvNsdNbcNscNiN`, or `vfio_pci:…` for an entry that its
//! driver takes only when told so by `driver_override`; and CDX, which is
//! alike.

use base::message::{Fatal, text};

use super::{Entry, Output, add_field, add_wildcard};

/// `PCI_ID_F_VFIO_DRIVER_OVERRIDE`: for VFIO variant drivers.
const VFIO: u64 = 1;
/// `PCI_ANY_ID`.
const ANY: u64 = 0xffff_ffff;

pub(super) fn entry(entry: &Entry, alias: &mut Vec<u8>, output: &mut Output) -> Result<bool, Fatal> {
    let overridden = entry.table.target.dialect.pci_override_only;
    match if overridden { entry.get("override_only") } else { 0 } {
        0 => alias.extend_from_slice(b"pci:"),
        VFIO => alias.extend_from_slice(b"vfio_pci:"),
        other => {
            if entry.table.target.dialect.pci_override_undefined {
                return Err(entry.table.malformed("unknown override_only in a PCI device table"));
            }
            output.warn(text!("Unknown PCI driver_override alias {}\n", format!("{other:08X}")));
            return Ok(false);
        }
    }
    for (separator, field) in [("v", "vendor"), ("d", "device"), ("sv", "subvendor"), ("sd", "subdevice")] {
        add_field(alias, separator, entry.get(field) != ANY, entry, field);
    }

    // The class is base class, subclass and interface in a byte each, of
    // which an alias can have one or leave it open, but not a part of it.
    let (class, mask) = (entry.get("class"), entry.get("class_mask"));
    let parts = [("bc", 16), ("sc", 8), ("i", 0)]
        .map(|(separator, shift)| (separator, class >> shift & 0xff, mask >> shift & 0xff));
    if parts.iter().any(|&(_, _, mask)| mask != 0 && mask != 0xff) {
        output.warn(text!("Can't handle masks in {}:{}\n", entry.module(), format!("{mask:04X}")));
        return Ok(false);
    }
    for (separator, value, mask) in parts {
        alias.extend_from_slice(separator.as_bytes());
        if mask == 0 {
            alias.push(b'*');
        } else {
            alias.extend_from_slice(format!("{value:02X}").as_bytes());
        }
    }
    add_wildcard(alias);
    Ok(true)
}

/// CDX: `cdx:vNdNsvNsdNcN`, or `vfio_cdx:…`, or without subsystem and class.
pub(super) fn cdx_entry(entry: &Entry, alias: &mut Vec<u8>, output: &mut Output) -> Result<bool, Fatal> {
    let dialect = entry.table.target.dialect;
    if !dialect.cdx_override {
        // The last letter is a slip of the original's.
        let (vendor, device) = (entry.get("vendor"), entry.get("device"));
        alias.extend_from_slice(format!("cdx:v{vendor:08X}d{device:08X}d").as_bytes());
        return Ok(true);
    }
    match entry.get("override_only") {
        0 => alias.extend_from_slice(b"cdx:"),
        VFIO => alias.extend_from_slice(b"vfio_cdx:"),
        other => {
            output.warn(text!("Unknown CDX driver_override alias {}\n", format!("{other:08X}")));
            return Ok(false);
        }
    }
    let fields = [("v", "vendor"), ("d", "device"), ("sv", "subvendor"), ("sd", "subdevice")];
    for (separator, field) in fields.into_iter().take(if dialect.cdx_class { 4 } else { 2 }) {
        add_field(alias, separator, entry.get(field) != 0xffff, entry, field);
    }
    if !dialect.cdx_class {
        return Ok(true);
    }
    add_field(alias, "c", entry.get("class_mask") == 0xff_ffff, entry, "class");
    Ok(true)
}
