//! USB: `usb:vNpNdNdcNdscNdpNicNiscNipNinN`, and a range of `bcdDevice` taken
//! apart into patterns, since a glob has ranges of single digits alone.

use std::io::Write;

use base::message::Fatal;

use super::{Entry, Output, Table, add_field, add_wildcard};

const MATCH_DEV_LO: u64 = 0x0004;
const MATCH_DEV_HI: u64 = 0x0008;

/// The fields before and after `bcdDevice`: separator, name, bit in
/// `match_flags`.
const IDS: &[(&str, &str, u64)] = &[("v", "idVendor", 0x0001), ("p", "idProduct", 0x0002)];
const CLASSES: &[(&str, &str, u64)] = &[
    ("dc", "bDeviceClass", 0x0010),
    ("dsc", "bDeviceSubClass", 0x0020),
    ("dp", "bDeviceProtocol", 0x0040),
    ("ic", "bInterfaceClass", 0x0080),
    ("isc", "bInterfaceSubClass", 0x0100),
    ("ip", "bInterfaceProtocol", 0x0200),
    ("in", "bInterfaceNumber", 0x0400),
];

/// `bcdDevice` has four digits.
const DIGITS: usize = 4;

/// A set of values of `bcdDevice`: some leading digits, a range for the next
/// one, and anything after it.
struct Range {
    leading: u32,
    digits: usize,
    low: u8,
    high: u8,
    /// The largest digit: 9 in a table that is binary-coded decimal, as it
    /// should be, else 15.
    max: u8,
}

pub(super) fn table(table: &Table, output: &mut Output) -> Result<(), Fatal> {
    for entry in table.entries() {
        add_entry(&entry, output);
    }
    Ok(())
}

fn add_entry(entry: &Entry, output: &mut Output) {
    let flags = entry.get("match_flags");
    let mut low = if flags & MATCH_DEV_LO != 0 { entry.get("bcdDevice_lo") as u32 } else { 0 };
    let mut high = if flags & MATCH_DEV_HI != 0 { entry.get("bcdDevice_hi") as u32 } else { u32::MAX };

    let has_hex_digit = |value: u32| (0..DIGITS).any(|digit| value >> (4 * digit) & 0xf > 9);
    let max = if has_hex_digit(low) || has_hex_digit(high.min(0x9999)) { 0xf } else { 9 };

    // Some drivers have empty entries to be filled in at run time, which
    // would match everything.
    if ["idVendor", "idProduct", "bDeviceClass", "bInterfaceClass"].iter().all(|field| entry.get(field) == 0) {
        return;
    }

    let mut digits = DIGITS - 1;
    while low <= high {
        let (low_digit, high_digit) = ((low & 0xf) as u8, ((high & 0xf) as u8).min(max));
        low >>= 4;
        high >>= 4;
        if low == high || digits == 0 {
            add_range(entry, &Range { leading: low, digits, low: low_digit, high: high_digit, max }, output);
            break;
        }
        if low_digit > 0 {
            add_range(entry, &Range { leading: low, digits, low: low_digit, high: max, max }, output);
            low = step(low, 1, max);
        }
        if high_digit < max {
            add_range(entry, &Range { leading: high, digits, low: 0, high: high_digit, max }, output);
            high = step(high, -1, max);
        }
        digits -= 1;
    }
}

/// One up or down, in binary-coded decimal of four digits unless the digits
/// are hexadecimal.
fn step(bcd: u32, by: i32, max: u8) -> u32 {
    if max > 9 {
        return bcd.wrapping_add_signed(by);
    }
    let powers = || (0..DIGITS as u32).map(|digit| (digit * 4, 10u64.pow(digit)));
    let decimal: u64 = powers().map(|(shift, power)| u64::from(bcd >> shift & 0xf).min(9) * power).sum();
    let decimal = decimal.wrapping_add_signed(i64::from(by));
    powers().map(|(shift, power)| ((decimal / power % 10) as u32) << shift).sum()
}

fn add_range(entry: &Entry, range: &Range, output: &mut Output) {
    let flags = entry.get("match_flags");
    let mut alias = b"usb:".to_vec();
    let add = |alias: &mut Vec<u8>, fields: &[(&str, &str, u64)]| {
        for &(separator, field, flag) in fields {
            add_field(alias, separator, flags & flag != 0, entry, field);
        }
    };
    add(&mut alias, IDS);
    alias.push(b'd');
    let &Range { leading, digits, low, high, max } = range;
    if digits > 0 {
        let _ = write!(alias, "{leading:0digits$X}");
    }
    if low == high {
        let _ = write!(alias, "{low:X}");
    } else if low > 0 || high < max {
        // A range that crosses from 9 to A is two ranges for fnmatch(3).
        if low > 9 || high < 0xa {
            let _ = write!(alias, "[{low:X}-{high:X}]");
        } else {
            let _ = if low < 9 { write!(alias, "[{low:X}-9") } else { write!(alias, "[{low:X}") };
            let _ = if high > 0xa { write!(alias, "A-{high:X}]") } else { write!(alias, "{high:X}]") };
        }
    }
    if digits < DIGITS - 1 {
        alias.push(b'*');
    }
    add(&mut alias, CLASSES);
    add_wildcard(&mut alias);
    output.alias(&[&alias]);
}
