//! DMI: the strings to match, in the order in which the kernel's modalias has
//! them, not in the entry's own.

use base::bytes::until_nul;
use base::message::{Fatal, text};

use super::{Entry, Output, SMALL_ALIAS_SIZE, append};
use crate::kind;

/// `struct dmi_strmatch`: a slot in seven bits and a flag, then the string.
const MATCH_SIZE: usize = 80;

const PREFIX: &[u8] = b"dmi*";

/// Prefixes in modalias order, with the number that `enum dmi_field` gives
/// the slot.
const FIELDS: &[(&str, u8)] = &[
    ("bvn", 1),
    ("bvr", 2),
    ("bd", 3),
    ("br", 4),
    ("efr", 5),
    ("svn", 6),
    ("pn", 7),
    ("pvr", 8),
    ("rvn", 13),
    ("rn", 14),
    ("rvr", 15),
    ("cvn", 18),
    ("ct", 19),
    ("cvr", 20),
];

pub(super) fn entry(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    alias.extend_from_slice(PREFIX);
    let matches = entry.table.layout.place("matches");
    let entry_matches =
        || (0..matches.count).map(|n| entry.bytes.get(matches.offset + n * MATCH_SIZE..).unwrap_or_default());
    for &(prefix, field) in FIELDS {
        for bytes in entry_matches() {
            let Some((&slot, string)) = bytes.split_first() else {
                continue;
            };
            // A bit field begins at the end that is the host's first.
            let slot = if cfg!(target_endian = "big") { slot >> 1 } else { slot & 0x7f };
            if slot == field {
                append(alias, PREFIX.len(), format!(":{prefix}*").as_bytes(), entry)?;
                let is_kept = |byte: &&u8| (b'!'..0x7f).contains(*byte) && **byte != b':';
                let kept: Vec<u8> = until_nul(string).iter().filter(is_kept).copied().collect();
                let dialect = entry.table.target.dialect;
                if dialect.alias_bounds && kept.len() >= SMALL_ALIAS_SIZE - (alias.len() - PREFIX.len()) {
                    let text = text!("dmi_ascii_filter: alias buffer overflow\n");
                    return Err(Fatal::new(kind::DEVICE_ID, text));
                }
                append(alias, PREFIX.len(), &kept, entry)?;
                append(alias, PREFIX.len(), b"*", entry)?;
            }
        }
    }
    alias.push(b':');
    Ok(true)
}
