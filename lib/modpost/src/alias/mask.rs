//! Numbers under a mask, digit by digit: amba in hexadecimal, mdio in binary.

use std::io::Write;

use base::message::{Fatal, text};

use super::{Entry, Output};
use crate::kind;

/// `amba:dN`, N being eight digits, each a digit, `?`, or a set of digits.
pub(super) fn amba(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    let (id, mask) = (entry.get("id"), entry.get("mask"));
    if id & mask != id {
        let text = text!(
            "{}: Masked-off bit(s) of AMBA device ID are non-zero: id={}, mask={}.  Please fix this driver.\n",
            entry.module(),
            format!("0x{id:08X}"),
            format!("0x{mask:08X}")
        );
        return Err(Fatal::new(kind::DEVICE_ID, text));
    }
    alias.extend_from_slice(b"amba:d");
    for shift in (0..32).step_by(4).rev() {
        let (digit, mask) = (id >> shift & 0xf, mask >> shift & 0xf);
        match mask {
            0x0 => alias.push(b'?'),
            0xf => {
                let _ = write!(alias, "{digit:X}");
            }
            _ => {
                alias.push(b'[');
                for candidate in (0..16).filter(|candidate| candidate & mask == digit) {
                    let _ = write!(alias, "{candidate:X}");
                }
                alias.push(b']');
            }
        }
    }
    Ok(true)
}

/// `mdio:` and 32 digits, each `0`, `1` or `?`.
pub(super) fn mdio(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    let (id, mask) = (entry.get("phy_id"), entry.get("phy_id_mask"));
    alias.extend_from_slice(b"mdio:");
    alias.extend((0..32).rev().map(|bit| match (mask >> bit & 1, id >> bit & 1) {
        (0, _) => b'?',
        (_, 1) => b'1',
        _ => b'0',
    }));
    Ok(true)
}
