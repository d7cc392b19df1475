//! x86 processors: `cpu:type:x86,venVVVVfamFFFFmodMMMM:feature:*FEAT*`, all
//! of it numbers.

use std::io::Write;

use base::message::Fatal;

use super::{Entry, Output, add_field};

pub(super) fn x86(entry: &Entry, alias: &mut Vec<u8>, _: &mut Output) -> Result<bool, Fatal> {
    alias.extend_from_slice(b"cpu:type:x86,");
    for (separator, field, any) in [("ven", "vendor", 0xffff), ("fam", "family", 0), ("mod", "model", 0)] {
        add_field(alias, separator, entry.get(field) != any, entry, field);
    }
    alias.extend_from_slice(b":feature:*");
    let feature = entry.get("feature");
    if feature != 0 {
        let _ = write!(alias, "{feature:04X}*");
    }
    Ok(true)
}
