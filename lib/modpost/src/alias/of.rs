//! Device tree nodes, and PowerPC's virtual I/O devices, whose names are
//! strings in which white space becomes `_`.

use base::bytes::is_space;
use base::message::Fatal;

use super::{Entry, Output, Table, add_wildcard, in_bounds};

fn underscore_spaces(alias: &mut [u8]) {
    for byte in alias.iter_mut().filter(|byte| is_space(**byte)) {
        *byte = b'_';
    }
}

/// `of:NnameTtypeCcompatible`, and the same with `C*` appended for nodes that
/// are compatible with more.
pub(super) fn of_table(table: &Table, output: &mut Output) -> Result<(), Fatal> {
    let mut alias = Vec::new();
    for entry in table.entries() {
        alias.clear();
        alias.extend_from_slice(b"of:N");
        alias.extend_from_slice(entry.string_or_star("name"));
        alias.push(b'T');
        alias.extend_from_slice(entry.string_or_star("type"));
        let compatible = entry.string("compatible");
        if !compatible.is_empty() {
            if !entry.string("type").is_empty() {
                alias.push(b'*');
            }
            alias.push(b'C');
            alias.extend_from_slice(compatible);
        }
        underscore_spaces(&mut alias);
        in_bounds(table, &alias)?;
        output.alias(&[&alias]);
        alias.push(b'C');
        add_wildcard(&mut alias);
        in_bounds(table, &alias)?;
        output.alias(&[&alias]);
    }
    Ok(())
}

/// `vio:TtypeScompat`.
pub(super) fn vio_entry(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    alias.extend_from_slice(b"vio:T");
    alias.extend_from_slice(entry.string_or_star("type"));
    alias.push(b'S');
    alias.extend_from_slice(entry.string_or_star("compat"));
    underscore_spaces(alias);
    add_wildcard(alias);
    Ok(true)
}
