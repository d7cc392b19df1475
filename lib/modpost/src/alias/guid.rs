//! Buses whose devices are told apart by a GUID or UUID: vmbus, mei, tee,
//! wmi, ishtp.

use std::io::Write;

use base::message::{Fatal, text};

use super::{Entry, Output, add_field, add_wildcard};

/// The order in which a GUID's bytes are written: its first three groups are
/// little-endian numbers.
const MIXED_ENDIAN: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
const IN_ORDER: [usize; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/// The length of a GUID as text.
const STRING_LEN: usize = 36;

fn add_groups(alias: &mut Vec<u8>, bytes: &[u8], order: [usize; 16], upper: bool) {
    for (n, at) in order.into_iter().enumerate() {
        if matches!(n, 4 | 6 | 8 | 10) {
            alias.push(b'-');
        }
        let byte = bytes.get(at).copied().unwrap_or(0);
        let _ = if upper { write!(alias, "{byte:02X}") } else { write!(alias, "{byte:02x}") };
    }
}

pub(super) fn vmbus(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    alias.extend_from_slice(b"vmbus:");
    for byte in entry.bytes("guid") {
        let _ = write!(alias, "{byte:02x}");
    }
    Ok(true)
}

pub(super) fn mei(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    alias.extend_from_slice(b"mei:");
    alias.extend_from_slice(entry.string_or_star("name"));
    alias.push(b':');
    add_groups(alias, entry.bytes("uuid"), MIXED_ENDIAN, false);
    add_field(alias, ":", entry.get("version") != 0xff, entry, "version");
    alias.extend_from_slice(b":*");
    Ok(true)
}

/// A UUID that older originals read as one number, and so byte-swap when the
/// target's byte order is not the host's (docs/quirks.md).
fn swapped(entry: &Entry, field: &str) -> Vec<u8> {
    let mut bytes = entry.bytes(field).to_vec();
    let target = entry.table.target;
    if !target.dialect.guids_in_order && target.encoding.is_big != cfg!(target_endian = "big") {
        bytes.reverse();
    }
    bytes
}

pub(super) fn tee(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    alias.extend_from_slice(b"tee:");
    add_groups(alias, &swapped(entry, "uuid"), IN_ORDER, false);
    add_wildcard(alias);
    Ok(true)
}

pub(super) fn ishtp(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    alias.extend_from_slice(b"ishtp:{");
    add_groups(alias, &swapped(entry, "guid"), MIXED_ENDIAN, true);
    alias.push(b'}');
    Ok(true)
}

pub(super) fn wmi(entry: &Entry, alias: &mut Vec<u8>, output: &mut Output) -> Result<bool, Fatal> {
    let guid = entry.string("guid_string");
    if guid.len() != STRING_LEN {
        output.warn(text!("Invalid WMI device id 'wmi:{}' in '{}'\n", guid, entry.module()));
        return Ok(false);
    }
    alias.extend_from_slice(b"wmi:");
    if !entry.table.target.dialect.wmi_checked {
        alias.extend_from_slice(guid);
        return Ok(true);
    }
    let valid = |(n, byte): (usize, &u8)| {
        if matches!(n, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() }
    };
    if let Some(bad) = guid.iter().enumerate().position(|at| !valid(at)) {
        let (bad, module) = (&guid[bad..=bad], entry.module());
        output.warn(text!("Invalid character {} inside WMI GUID string '{}' in '{}'\n", bad, guid, module));
        return Ok(false);
    }
    alias.extend(guid.to_ascii_uppercase());
    Ok(true)
}
