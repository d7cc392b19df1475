//! JSON of bytes, one object a line.

use serde::Serialize;
use serde_json::Value;

/// Bytes as a string. What isn't UTF-8 is `\xNN` for each byte, and a backslash is `\\`, so
/// that the bytes can be had back.
#[must_use]
pub fn text(bytes: &[u8]) -> Value {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text += &chunk.valid().replace('\\', "\\\\");
        for byte in chunk.invalid() {
            text += &format!("\\x{byte:02x}");
        }
    }
    text.into()
}

/// The same of what may not be there: null, if it isn't.
#[must_use]
pub fn optional(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, text)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_can_be_had_back() {
        assert_eq!(text(b"vfio_pci:v*"), "vfio_pci:v*");
        assert_eq!(text(b"a\xffb\xc3"), r"a\xffb\xc3");
        assert_eq!(text(br"\xff"), r"\\xff");
        assert_eq!(text("\u{fc}".as_bytes()), "\u{fc}");
    }
}
