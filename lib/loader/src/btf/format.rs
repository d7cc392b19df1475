//! The header, strings and types of a `.BTF` section (the kernel's
//! `Documentation/bpf/btf.rst`).

use base::bytes::until_nul;

use super::kinds::KINDS;
use super::{Invalid, Rules};
use crate::finding::Errno;
use crate::view::Native;

const MAGIC: u16 = 0xeb9f;
const VERSION: u8 = 1;
/// The header's size, and that of one that says where layouts are.
const HEADER: usize = 24;
const HEADER_WITH_LAYOUT: usize = 32;
/// The length of a string's place that is taken.
const MOST_STRINGS: u32 = 0x00ff_ffff;
/// The size of a type without what follows it.
pub(super) const TYPE: usize = 12;

/// Types, which may be additions to others: then they are numbered from those on, and so
/// are places of strings.
#[derive(Clone, Debug)]
pub(crate) struct Btf<'a> {
    base: Option<&'a Btf<'a>>,
    strings: &'a [u8],
    types: &'a [u8],
    /// The numbers of the first type and of the first string's place.
    first: u32,
    first_string: u32,
    /// The number after the last type's, once all were read.
    end: u32,
}

/// A type: its words, and what follows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type<'a> {
    pub(super) native: Native,
    /// The place of its name, 0 for none.
    pub(super) name: u32,
    /// The word that holds what follows, as it is.
    pub(super) info: u32,
    pub(super) kind: usize,
    /// How many elements follow it.
    pub(super) count: u32,
    pub(super) flag: bool,
    /// The size, or the number of another type.
    pub(super) size: u32,
    /// All bytes after its three words, also those of other types.
    pub(super) rest: &'a [u8],
}

impl<'a> Type<'a> {
    /// Reads one; `None` if there are less than its three words.
    pub(super) fn read(bytes: &'a [u8], native: Native, is_wide: bool) -> Option<Self> {
        let (words, rest) = bytes.split_at_checked(TYPE)?;
        let word = |at: usize| native.u32(words, at).unwrap_or(0);
        let info = word(4);
        let (kinds, counts) = if is_wide { (0x7f, 0x00ff_ffff) } else { (0x1f, 0xffff) };
        Some(Self {
            native,
            name: word(0),
            info,
            kind: (info >> 24 & kinds) as usize,
            count: info & counts,
            flag: info >> 31 == 1,
            size: word(8),
            rest,
        })
    }

    /// How many bytes after its three words are its own; `None` if it is of no known kind.
    pub(super) fn size_of_rest(&self) -> Option<usize> {
        let kind = KINDS.get(self.kind)?;
        Some((kind.words + kind.element * self.count as usize) * 4)
    }

    /// A word that follows.
    pub(super) fn word(&self, at: usize) -> u32 {
        self.native.u32(self.rest, at * 4).unwrap_or(0)
    }
}

/// A part of the section: where it begins after the header, and its length.
type Part = (u32, u32);

/// Sorts parts as the kernel does, to which a difference is a number with a sign.
fn sort(parts: &mut [Part]) {
    let is_after = |one: Part, other: Part| {
        let offset = one.0.wrapping_sub(other.0) as i32;
        offset > 0 || offset == 0 && one.1.wrapping_sub(other.1) as i32 > 0
    };
    for end in 1..parts.len() {
        let mut place = end;
        while place > 0 && is_after(parts[place - 1], parts[place]) {
            parts.swap(place - 1, place);
            place -= 1;
        }
    }
}

/// Whether parts lie one after another and make up all that there is.
fn check_parts(parts: &mut [Part], expected: u32) -> Result<(), Invalid> {
    sort(parts);
    let mut total: u32 = 0;
    for &mut (offset, length) in parts {
        if expected < offset {
            return Err(Invalid::new("Invalid section offset"));
        } else if total < offset {
            return Err(Invalid::new("Unsupported section found"));
        } else if total > offset {
            return Err(Invalid::new("Section overlap found"));
        } else if expected - total < length {
            return Err(Invalid::new("Total section length too long"));
        }
        total += length;
    }
    if expected == total { Ok(()) } else { Err(Invalid::new("Unsupported section found")) }
}

impl<'a> Btf<'a> {
    /// Finds the parts of a section, and counts its types.
    ///
    /// # Errors
    /// If the kernel refuses them.
    pub(crate) fn read(section: &'a [u8], base: Option<&'a Self>, rules: Rules) -> Result<Self, Invalid> {
        let found = Self::find(section, base, rules)?;
        let count = u32::try_from(found.iter(rules).count()).unwrap_or(0);
        Ok(Self { end: found.first + count, ..found })
    }

    /// Finds the parts of a section whose types were counted before: their numbers' end.
    pub(crate) fn again(section: &'a [u8], end: u32, rules: Rules) -> Option<Self> {
        Self::find(section, None, rules).ok().map(|found| Self { end, ..found })
    }

    fn find(section: &'a [u8], base: Option<&'a Self>, rules: Rules) -> Result<Self, Invalid> {
        let Rules { native, dialect, .. } = rules;
        let known = if dialect.btf_layout { HEADER_WITH_LAYOUT } else { HEADER };
        let size = native.u32(section, 4).ok_or_else(|| Invalid::new("hdr_len not found"))?;
        let header = section.get(..size as usize).ok_or_else(|| Invalid::new("btf_header not found"))?;
        if header.get(known..).is_some_and(|rest| rest.iter().any(|&byte| byte != 0)) {
            return Err(Invalid { errno: Errno::E2BIG, ..Invalid::new("Unsupported btf_header") });
        }
        // What a short one lacks is null.
        let word = |at: usize| native.u32(header, at).unwrap_or(0);
        if native.u16(header, 0) != Some(MAGIC) {
            return Err(Invalid::new("Invalid magic"));
        }
        for (at, expected, message) in [(2, VERSION, "Unsupported version"), (3, 0, "Unsupported flags")] {
            if header.get(at) != Some(&expected) {
                return Err(Invalid { errno: Errno::ENOTSUPP, ..Invalid::new(message) });
            }
        }
        if base.is_none() && section.len() == header.len() {
            return Err(Invalid::new("No data"));
        }
        let (types, strings, layout) = ((word(8), word(12)), (word(16), word(20)), (word(24), word(28)));
        let has_layout = dialect.btf_layout && header.len() >= HEADER_WITH_LAYOUT;
        let mut parts = vec![types, strings];
        parts.extend(Some(layout).filter(|&(_, length)| has_layout && length > 0));
        let rest = &section[header.len()..];
        check_parts(&mut parts, u32::try_from(rest.len()).unwrap_or(u32::MAX))?;

        let part = |(offset, length): Part| rest.get(offset as usize..(offset + length) as usize).unwrap_or_default();
        if !has_layout && (strings.0 + strings.1) as usize != rest.len() {
            return Err(Invalid::new("String section is not at the end"));
        }
        let (length, strings) = (strings.1, part(strings));
        let is_right = match strings {
            [] => base.is_some(),
            [first, .., last] => length - 1 <= MOST_STRINGS && *last == 0 && (base.is_some() || *first == 0),
            [only] => *only == 0,
        };
        if !is_right {
            return Err(Invalid::new("Invalid string section"));
        }
        let (first, first_string) = base.map_or((1, 0), |base| (base.end, base.end_of_strings()));
        Ok(Self { base, strings, types: part(types), first, first_string, end: first })
    }

    fn end_of_strings(&self) -> u32 {
        self.first_string + u32::try_from(self.strings.len()).unwrap_or(0)
    }

    /// The string at a place.
    pub(super) fn string(&self, place: u32) -> Option<&'a [u8]> {
        self.strings_from(place).map(until_nul)
    }

    /// The string at a place, its NUL, and those that follow.
    pub(super) fn strings_from(&self, place: u32) -> Option<&'a [u8]> {
        match place.checked_sub(self.first_string) {
            None => self.base?.strings_from(place),
            Some(at) => self.strings.get(at as usize..).filter(|rest| !rest.is_empty()),
        }
    }

    /// Whether there is a string at a place.
    pub(super) fn has_string(&self, place: u32) -> bool {
        place <= MOST_STRINGS && place < self.end_of_strings()
    }

    /// A name as it stands in messages.
    pub(super) fn called(&self, place: u32) -> &'a [u8] {
        if place == 0 { b"(anon)" } else { self.string(place).unwrap_or(b"(invalid-name-offset)") }
    }

    /// The bytes of its own types.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.types
    }

    /// Whether it adds to others.
    pub(super) fn has_base(&self) -> bool {
        self.base.is_some()
    }

    /// Its own types, as far as they are whole.
    pub(super) fn iter(&self, rules: Rules) -> impl Iterator<Item = Type<'a>> + use<'a> {
        let (native, mut bytes) = (rules.native, self.types);
        let is_wide = rules.dialect.btf_wide;
        std::iter::from_fn(move || {
            let found = Type::read(bytes, native, is_wide)?;
            bytes = found.rest.get(found.size_of_rest()?..)?;
            Some(found)
        })
    }

    /// The number of its first type, and that after its last.
    pub(crate) fn numbers(&self) -> std::ops::Range<u32> {
        self.first..self.end
    }
}
