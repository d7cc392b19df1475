//! A device table and its entries, and what aliases are made of.

use std::io::Write;
use std::ops::Range;

use base::bytes::until_nul;
use base::message::{Fatal, text};

use super::Target;
use super::layout::Layout;
use crate::kind;

/// The size of the original's array for one alias, its NUL included.
const ALIAS_SIZE: usize = 500;
/// The same since 6.13, for most types.
pub(super) const SMALL_ALIAS_SIZE: usize = 256;

/// A device table with what it takes to read it.
#[derive(Debug)]
pub(super) struct Table<'a> {
    /// The module, as messages call it.
    pub(super) module: &'a [u8],
    pub(super) layout: &'a Layout,
    pub(super) target: Target<'a>,
    pub(super) bytes: &'a [u8],
}

impl<'a> Table<'a> {
    /// The entries before the terminator. Each can see everything that follows it in
    /// the table: an unterminated string runs on.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.bytes.len() - self.layout.size)
            .step_by(self.layout.size)
            .map(|start| Entry { table: self, bytes: &self.bytes[start..] })
    }

    pub(super) fn malformed(&self, what: &str) -> Fatal {
        Fatal::refusal(kind::DEVICE_ID, text!("{}: {}\n", self.module, what))
    }
}

/// One entry of a device table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) table: &'a Table<'a>,
    pub(super) bytes: &'a [u8],
}

impl<'a> Entry<'a> {
    pub(super) fn module(&self) -> &'a [u8] {
        self.table.module
    }

    /// The bytes at a range that offsets of the kernel build's own may have
    /// moved out of the table.
    fn range(&self, range: Range<usize>) -> &'a [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// An integer field.
    pub(super) fn get(&self, name: &str) -> u64 {
        self.nth(name, 0)
    }

    /// An element of an array of integers.
    pub(super) fn nth(&self, name: &str, n: usize) -> u64 {
        let place = self.table.layout.place(name);
        self.table.target.encoding.unsigned(self.range(place.element(n)))
    }

    /// Where in the entry some elements of an array are.
    pub(super) fn places(&self, name: &str, first: usize, last: usize) -> Vec<Range<usize>> {
        let place = self.table.layout.place(name);
        (first..=last.min(place.count - 1)).map(|n| place.element(n)).collect()
    }

    /// A field's bytes, all of them.
    pub(super) fn bytes(&self, name: &str) -> &'a [u8] {
        let place = self.table.layout.place(name);
        self.range(place.offset..place.offset + place.width * place.count)
    }

    /// The string that begins at a field.
    pub(super) fn string(&self, name: &str) -> &'a [u8] {
        let offset = self.table.layout.place(name).offset;
        until_nul(self.bytes.get(offset..).unwrap_or_default())
    }

    /// The string that begins at a field, or `*` if it is empty.
    pub(super) fn string_or_star(&self, name: &str) -> &'a [u8] {
        match self.string(name) {
            b"" => b"*",
            string => string,
        }
    }

    /// The number of hexadecimal digits of a field.
    pub(super) fn digits(&self, name: &str) -> usize {
        self.table.layout.place(name).width * 2
    }
}

/// Ends an alias in a wildcard, for fields to come, unless it does already.
pub(super) fn add_wildcard(alias: &mut Vec<u8>) {
    if alias.last() != Some(&b'*') {
        alias.push(b'*');
    }
}

/// The separator, then the field in hexadecimal or, if it doesn't matter, a
/// star.
pub(super) fn add_field(alias: &mut Vec<u8>, separator: &str, matters: bool, entry: &Entry, field: &str) {
    alias.extend_from_slice(separator.as_bytes());
    if matters {
        let (value, digits) = (entry.get(field), entry.digits(field));
        // Writing to a vector can't fail.
        let _ = write!(alias, "{value:0digits$X}");
    } else {
        alias.push(b'*');
    }
}

/// Appends to an alias in an array of 256 bytes, of which the first `before`
/// of ours are not in it. Older kernels overflow it, or have more room.
pub(super) fn append(alias: &mut Vec<u8>, before: usize, piece: &[u8], entry: &Entry) -> Result<(), Fatal> {
    let dialect = entry.table.target.dialect;
    let room = SMALL_ALIAS_SIZE.saturating_sub(alias.len() - before);
    if dialect.alias_list && piece.len() >= room {
        return Err(if dialect.alias_bounds {
            let (size, need, have) = (SMALL_ALIAS_SIZE.to_string(), piece.len().to_string(), room.to_string());
            let text = text!("alias buffer ({}) overflow on append (need {}, have {})\n", size, need, have);
            Fatal::new(kind::DEVICE_ID, text)
        } else {
            entry.table.malformed("alias of 256 bytes or more")
        });
    }
    alias.extend_from_slice(piece);
    Ok(())
}

pub(super) fn in_bounds(table: &Table, alias: &[u8]) -> Result<(), Fatal> {
    if alias.len() < ALIAS_SIZE || table.target.dialect.alias_list {
        Ok(())
    } else {
        Err(table.malformed("alias of 500 bytes or more"))
    }
}
