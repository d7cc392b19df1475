//! Input devices: `input:b0v0p0e0-eXkXrXaXmXlXsXfXwX`, each X the bits set in
//! a bitmap, as `%X,*`.

use std::ops::Range;

use base::message::Fatal;

use super::{Entry, Output, add_field, append};

const PREFIX: &[u8] = b"input:";

/// The integer fields: separator, name, bit in `flags`.
const FIELDS: &[(&str, &str, u64)] =
    &[("b", "bustype", 1), ("v", "vendor", 2), ("p", "product", 4), ("e", "version", 8)];

/// The bitmaps: separator, name, bit in `flags`, first bit, last bit.
const BITMAPS: &[(&str, &str, u64, usize, usize)] = &[
    ("-e*", "evbit", 0x0010, 0, 0x1f),
    ("k*", "keybit", 0x0020, 0x71, 0x2ff),
    ("r*", "relbit", 0x0040, 0, 0x0f),
    ("a*", "absbit", 0x0080, 0, 0x3f),
    ("m*", "mscbit", 0x0100, 0, 0x07),
    ("l*", "ledbit", 0x0200, 0, 0x0f),
    ("s*", "sndbit", 0x0400, 0, 0x07),
    ("f*", "ffbit", 0x0800, 0, 0x7f),
    ("w*", "swbit", 0x1000, 0, 0x10),
];

/// The words of the bitmaps that are looked at: see [`super::swapped_fields()`].
pub(super) fn words(entry: &Entry) -> Vec<Range<usize>> {
    let (flags, bits) = (entry.get("flags"), entry.table.target.encoding.word() * 8);
    let wanted = BITMAPS.iter().filter(|(_, _, flag, ..)| flags & flag != 0);
    wanted.flat_map(|&(_, field, _, first, last)| entry.places(field, first / bits, last / bits)).collect()
}

pub(super) fn entry(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    let flags = entry.get("flags");
    let target = entry.table.target;
    let bits_per_long = target.encoding.word() * 8;
    alias.extend_from_slice(PREFIX);
    for &(separator, field, flag) in FIELDS {
        add_field(alias, separator, flags & flag != 0, entry, field);
    }
    for &(separator, field, flag, first, last) in BITMAPS {
        append(alias, PREFIX.len(), separator.as_bytes(), entry)?;
        if flags & flag == 0 {
            continue;
        }
        let last = if field == "swbit" && target.dialect.input_switch_17 { last + 1 } else { last };
        let end = if target.dialect.input_bits_inclusive { last + 1 } else { last };
        for bit in first..end {
            if entry.nth(field, bit / bits_per_long) >> (bit % bits_per_long) & 1 == 1 {
                append(alias, PREFIX.len(), format!("{bit:X},*").as_bytes(), entry)?;
            }
        }
    }
    Ok(true)
}
