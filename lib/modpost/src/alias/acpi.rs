//! ACPI: by `_HID` or `_CID` as `acpi*:ACPI0003:*`, else by class as
//! `acpi*:bbsspp:*` with `??` for a byte that the mask leaves open.

use std::io::Write;

use base::message::Fatal;

use super::{Entry, Output};

pub(super) fn entry(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    alias.extend_from_slice(b"acpi*:");
    match entry.string("id") {
        b"" => class(entry, alias),
        id => alias.extend_from_slice(id),
    }
    alias.extend_from_slice(b":*");
    Ok(true)
}

fn class(entry: &Entry, alias: &mut Vec<u8>) {
    // Older originals read these two fields without regard to the target's
    // byte order (docs/quirks.md).
    let host = |field| entry.bytes(field).try_into().map_or(0, u32::from_ne_bytes);
    let (class, mask) = if entry.table.target.dialect.acpi_class_order {
        (entry.get("cls") as u32, entry.get("cls_msk") as u32)
    } else {
        (host("cls"), host("cls_msk"))
    };
    for shift in [16, 8, 0] {
        if mask >> shift & 0xff == 0 {
            alias.extend_from_slice(b"??");
        } else {
            let _ = write!(alias, "{:02x}", class >> shift & 0xff);
        }
    }
}
