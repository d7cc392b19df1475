//! JSON of bytes, one object a line.

use serde::Serialize;
use serde_json::{Value, json};

/// Bytes as a string, or as numbers if they are not UTF-8.
#[must_use]
pub fn text(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| json!(bytes), |text| json!(text))
}

/// Each as [`text`].
#[must_use]
pub fn list(items: &[Vec<u8>]) -> Vec<Value> {
    items.iter().map(|item| text(item)).collect()
}

/// An object's line.
#[must_use]
pub fn line(object: &impl Serialize) -> Vec<u8> {
    // No map has keys that aren't strings, and nothing else can fail.
    let mut line = serde_json::to_vec(object).unwrap_or_default();
    line.push(b'\n');
    line
}
