//! A module as JSON.

use std::path::Path;

use base::json::{line, list, text};
use modpost::alias::{EntryDetail, TableDetail, Value};
use modpost::module::Module;
use serde_json::{Map, json};

fn value(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(number) => json!(number),
        Value::Text(bytes) => text(bytes),
        Value::List(items) => items.iter().map(self::value).collect(),
    }
}

fn entry(entry: &EntryDetail) -> serde_json::Value {
    let fields: Map<_, _> = entry.fields.iter().map(|(name, field)| ((*name).to_owned(), value(field))).collect();
    json!({ "number": entry.number, "fields": fields, "aliases": list(&entry.aliases) })
}

fn table(table: &TableDetail) -> serde_json::Value {
    let entries: Vec<_> = table.entries.iter().map(entry).collect();
    json!({ "type": table.table_type, "name": text(&table.name), "entries": entries })
}

/// The line of a module.
pub(crate) fn module(path: &Path, module: &Module) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    let file = path.as_os_str().as_bytes();
    let tables: Vec<_> = module.tables.detail.iter().map(table).collect();
    line(&json!({
        "name": text(&kmod::module_name(file)),
        "file": text(file),
        "aliases": list(&module.modinfo),
        "tables": tables,
    }))
}
