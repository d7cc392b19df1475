//! Device tables field by field, for people and programs that want to know what
//! an alias comes from.

use base::bytes::until_nul;

use super::layout::{CType, Layout, Place};
use super::{Contents, Output, TableSymbol, Target, write_table};

/// A field of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An integer. Pointers and what drivers keep beside an id are 0 in an
    /// object: the loader fills them in.
    Number(u64),
    /// The string in an array of bytes.
    Text(Vec<u8>),
    /// An array.
    List(Vec<Value>),
}

/// An entry of a device table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryDetail {
    /// Its number in the table.
    pub number: usize,
    /// Its fields by their C names, in order.
    pub fields: Vec<(&'static str, Value)>,
    /// What it by itself becomes: mostly one alias.
    pub aliases: Vec<Vec<u8>>,
}

/// A device table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDetail {
    /// Its type: the first argument of `MODULE_DEVICE_TABLE()`.
    pub table_type: &'static str,
    /// Its name in the source, as far as the symbol tells.
    pub name: Vec<u8>,
    /// Its entries, without the terminator.
    pub entries: Vec<EntryDetail>,
}

/// Takes a table apart that [`write_table`] found well-formed.
#[must_use]
pub fn detail(symbol: &TableSymbol, module: &[u8], bytes: &[u8], layout: &Layout, target: Target) -> TableDetail {
    let table_type = symbol.table_type;
    let mut entries: Vec<&[u8]> = bytes.chunks_exact(layout.size).collect();
    entries.pop();
    let entry = |(number, entry): (usize, &&[u8])| {
        let alone = [entry, &vec![0; layout.size][..]].concat();
        let mut output = Output::default();
        // What is wrong was said of the whole table.
        let _ = write_table(symbol, module, Contents::Bytes(&alone), layout, target, &mut output);
        EntryDetail {
            number,
            fields: layout.places.iter().map(|place| (place.name, value(entry, place, target))).collect(),
            aliases: output.aliases.iter().map(<[u8]>::to_vec).collect(),
        }
    };
    // Older symbols have the type in the name.
    let prefix = format!("{}__", table_type.name);
    let name = symbol.name.strip_prefix(prefix.as_bytes()).unwrap_or(symbol.name).to_vec();
    TableDetail { table_type: table_type.name, name, entries: entries.iter().enumerate().map(entry).collect() }
}

fn value(entry: &[u8], place: &Place, target: Target) -> Value {
    let bytes = entry.get(place.offset..place.offset + place.width * place.count).unwrap_or_default();
    let number = |element: &[u8]| Value::Number(target.encoding.unsigned(element));
    match place.ctype {
        CType::Int(1) if place.count > 1 => text_or_list(bytes),
        CType::Bytes(_) if place.count == 1 => text_or_list(bytes),
        CType::Bytes(len) => Value::List(bytes.chunks_exact(len).map(text_or_list).collect()),
        CType::Int(_) | CType::Word if place.count == 1 => number(bytes),
        CType::Int(_) | CType::Word => Value::List(bytes.chunks_exact(place.width).map(number).collect()),
    }
}

/// A string, if that is what the bytes are: printable, and then NULs alone.
fn text_or_list(bytes: &[u8]) -> Value {
    let text = until_nul(bytes);
    let is_text = text.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    if is_text && bytes[text.len()..].iter().all(|&byte| byte == 0) {
        Value::Text(text.to_vec())
    } else {
        Value::List(bytes.iter().map(|&byte| Value::Number(u64::from(byte))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alias::table_symbol;
    use crate::dialect::Dialect;
    use elf::Encoding;
    use elf::arch::Abi;
    use kernel::Version;

    #[test]
    fn an_entry_by_its_fields() {
        let dialect = Dialect::new(Version::new(6, 1, 176));
        let target = Target {
            encoding: Encoding { is_64: true, is_big: false },
            abi: Abi { word: 8, max_align: 8 },
            dialect: &dialect,
            offsets: None,
        };
        let mut bytes = [0x8086u32, 0x1533, !0, !0, 0, 0].map(u32::to_le_bytes).concat();
        bytes.resize(80, 0);
        let symbol = table_symbol(b"__mod_pci__igb_pci_tbl_device_table", &dialect).expect("a table");
        let layout = Layout::new(symbol.table_type.structure, target.abi, &dialect, None);
        let table = detail(&symbol, b"igb", &bytes, &layout, target);
        assert_eq!((table.table_type, &table.name[..], table.entries.len()), ("pci", &b"igb_pci_tbl"[..], 1));
        let entry = &table.entries[0];
        assert_eq!(entry.fields[..2], [("vendor", Value::Number(0x8086)), ("device", Value::Number(0x1533))]);
        assert_eq!(entry.aliases, [b"pci:v00008086d00001533sv*sd*bc*sc*i*"]);
    }

    #[test]
    fn strings_and_what_is_none() {
        assert_eq!(text_or_list(b"spidev\0\0"), Value::Text(b"spidev".to_vec()));
        assert_eq!(text_or_list(b"\0\0"), Value::Text(Vec::new()));
        assert_eq!(text_or_list(b"\0a"), Value::List(vec![Value::Number(0), Value::Number(97)]));
    }
}
