//! ISA Plug and Play: devices, cards and their devices, and the old way.

use base::message::Fatal;

use super::{Entry, Output, Table};

/// `PNP_ID_LEN`: seven characters and a NUL.
const ID_LEN: usize = 8;

/// `pnp:dID*`, and `acpi*:ID:*` in upper case, since a device's modalias has
/// one or the other.
fn add_id(table: &Table, id: &[u8], output: &mut Output) -> Result<(), Fatal> {
    if id.len() >= ID_LEN {
        return Err(table.malformed("PNP id without end"));
    }
    output.alias(&[b"pnp:d", id, b"*"]);
    output.alias(&[b"acpi*:", &id.to_ascii_uppercase(), b":*"]);
    Ok(())
}

pub(super) fn device_table(table: &Table, output: &mut Output) -> Result<(), Fatal> {
    table.entries().try_for_each(|entry| add_id(table, entry.string("id"), output))
}

/// The ids of a card's devices: those before the first empty one.
fn card_ids<'a>(entry: &Entry<'a>) -> impl Iterator<Item = &'a [u8]> {
    let devices = entry.table.layout.place("devs");
    let bytes = entry.bytes;
    (0..devices.count)
        .map(move |n| base::bytes::until_nul(bytes.get(devices.offset + n * ID_LEN..).unwrap_or_default()))
        .take_while(|id| !id.is_empty())
}

/// Every device of every card, unless an earlier card has it too.
pub(super) fn card_table(table: &Table, output: &mut Output) -> Result<(), Fatal> {
    let mut earlier = std::collections::HashSet::new();
    for entry in table.entries() {
        // A list without duplicates takes care of them itself.
        let is_new = |id: &&[u8]| table.target.dialect.alias_list || !earlier.contains(id);
        for id in card_ids(&entry).filter(is_new) {
            add_id(table, id, output)?;
        }
        // Equal ids of one card stay, as in the original.
        earlier.extend(card_ids(&entry));
    }
    Ok(())
}

/// `pnp:dVVVFFFF*`: three letters packed into the vendor, four digits.
pub(super) fn isapnp_entry(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    let (vendor, function) = (entry.get("vendor"), entry.get("function"));
    let letter = |number: u64| b'@' + number as u8;
    alias.extend_from_slice(b"pnp:d");
    alias.extend([
        letter(vendor >> 2 & 0x3f),
        letter((vendor & 3) << 3 | vendor >> 13 & 7),
        letter(vendor >> 8 & 0x1f),
    ]);
    for shift in [4, 0, 12, 8] {
        alias.extend_from_slice(format!("{:x}", function >> shift & 0xf).as_bytes());
    }
    alias.push(b'*');
    Ok(true)
}
