//! Fields that originals to 6.12 bring into the host's byte order in
//! place, in a table of an object of the other order. Another table, or the same one
//! by another name, that shares these bytes sees the change.

use std::ops::Range;

use super::layout::Layout;
use super::{Entry, Table, TableSymbol, Target, input};

/// Where in a table they are, in bytes.
#[must_use]
pub(crate) fn swapped_fields(symbol: &TableSymbol, bytes: &[u8], layout: &Layout, target: Target) -> Vec<Range<usize>> {
    let is_hosts = target.encoding.is_big == cfg!(target_endian = "big");
    if is_hosts || target.dialect.alias_list {
        return Vec::new();
    }
    let fields: fn(&Entry) -> Vec<Range<usize>> = match symbol.table_type.name {
        "input" => input::words,
        "pcmcia" => |entry| entry.places("prod_id_hash", 0, 3),
        _ => return Vec::new(),
    };
    let table = Table { module: b"", layout, target, bytes };
    let of_entry = |entry: Entry| {
        let start = bytes.len() - entry.bytes.len();
        fields(&entry).into_iter().map(move |field| start + field.start..start + field.end)
    };
    table.entries().flat_map(of_entry).collect()
}
