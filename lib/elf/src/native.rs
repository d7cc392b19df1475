//! Objects of the other byte order, as the original has them in memory.
//!
//! It brings headers, symbols and their section numbers into the host's order
//! where they stand. Of a well-formed object nobody sees that; where sections
//! overlap these tables, what is read there is byte-swapped.

use std::ops::{Deref, Range};

use crate::headers::read_section_headers;
use crate::window::Window;
use crate::{Encoding, Header, SectionHeader, Source, section_header, symbol};

/// An object's bytes: its source, or what is made of it.
pub(crate) enum View<'t> {
    /// Unchanged.
    Whole(&'t Source),
    /// As the original has them.
    Native(Source),
}

impl Deref for View<'_> {
    type Target = Source;

    fn deref(&self) -> &Source {
        match self {
            Self::Whole(source) => source,
            Self::Native(image) => image,
        }
    }
}

/// The widths of the fields of a structure, in its order.
type Widths = &'static [usize];

/// After `e_ident`.
const HEADER: (Widths, Widths) = (&[2, 2, 4, 4, 4, 4, 4, 2, 2, 2, 2, 2, 2], &[2, 2, 4, 8, 8, 8, 4, 2, 2, 2, 2, 2, 2]);
const IDENT: u64 = 16;
const SECTION: (Widths, Widths) = (&[4, 4, 4, 4, 4, 4, 4, 4, 4, 4], &[4, 4, 8, 8, 8, 8, 4, 4, 8, 8]);
const SYMBOL: (Widths, Widths) = (&[4, 4, 4, 1, 1, 2], &[4, 1, 1, 2, 8, 8]);
const NUMBER: (Widths, Widths) = (&[4], &[4]);

/// What the original byte-swaps: the ranges of these tables, and whether they
/// overlap each other.
pub(crate) fn swapped(header: &Header, sections: &[SectionHeader], encoding: Encoding) -> (Vec<Range<u64>>, bool) {
    let headers = (sections.len() * encoding.section_header_size()) as u64;
    let mut swapped = vec![0..encoding.header_size() as u64, header.e_shoff..header.e_shoff.saturating_add(headers)];
    let tables = sections.iter().skip(1).filter_map(|section| {
        let entry = entry_size(section.sh_type, encoding)?;
        Some(section.sh_offset..section.sh_offset.saturating_add(whole_size(section, entry, encoding)))
    });
    swapped.extend(tables);
    swapped.sort_unstable_by_key(|range| range.start);
    let overlap = swapped.windows(2).any(|pair| pair[1].start < pair[0].end);
    (swapped, overlap)
}

/// Swaps the bytes of the fields of a table's entries, as far as there are any.
fn swap(bytes: &mut [u8], range: Range<u64>, (of_32, of_64): (Widths, Widths), encoding: Encoding) {
    let widths = if encoding.is_64 { of_64 } else { of_32 };
    let Ok(mut at) = usize::try_from(range.start) else { return };
    while (at as u64) < range.end {
        for width in widths {
            // A table may be said to begin anywhere.
            let field = at.checked_add(*width).and_then(|end| bytes.get_mut(at..end));
            let Some(field) = field else { return };
            field.reverse();
            at += width;
        }
    }
}

/// Swaps the bytes of single fields, `base` being where in the file they are counted
/// from.
pub(crate) fn swap_fields(image: &mut Source, base: u64, fields: &[Range<usize>]) {
    let Source::Memory(bytes) = image else { return };
    for field in fields {
        let at = |place: usize| usize::try_from(base).ok()?.checked_add(place);
        let Some((start, end)) = at(field.start).zip(at(field.end)) else { continue };
        if let Some(field) = bytes.get_mut(start..end) {
            field.reverse();
        }
    }
}

/// What a table of structures has room for. One of a negative size ends before
/// it begins, as pointers are counted.
pub(crate) fn size_of(section: &SectionHeader, encoding: Encoding) -> u64 {
    let is_negative = encoding.is_64 && (-1 << 47..0).contains(&(section.sh_size as i64));
    if is_negative { 0 } else { section.sh_size }
}

/// The size of an entry of the tables that are byte-swapped.
fn entry_size(sh_type: u32, encoding: Encoding) -> Option<u64> {
    match sh_type {
        section_header::SHT_SYMTAB => Some(symbol::size(encoding)),
        section_header::SHT_SYMTAB_SHNDX => Some(4),
        _ => None,
    }
}

/// The size of a table with the whole of its last entry.
fn whole_size(section: &SectionHeader, entry: u64, encoding: Encoding) -> u64 {
    size_of(section, encoding).div_ceil(entry).saturating_mul(entry)
}

/// The file's bytes when the ELF header has been byte-swapped.
pub(crate) fn with_header(source: &Source, encoding: Encoding) -> Option<Source> {
    let mut bytes = Vec::new();
    if !source.read_exact(0, source.size(), &mut bytes) {
        return None;
    }
    swap(&mut bytes, IDENT..encoding.header_size() as u64, HEADER, encoding);
    Some(Source::Memory(bytes))
}

/// The section headers as they are when tables are looked for, and the file's
/// bytes at that time: nothing but headers has been byte-swapped.
pub(crate) fn headers(
    source: &Source,
    header: &Header,
    claimed: u32,
    encoding: Encoding,
) -> Option<(Vec<SectionHeader>, Source)> {
    let Source::Memory(mut bytes) = with_header(source, encoding)? else { return None };
    let headers = u64::from(claimed) * encoding.section_header_size() as u64;
    swap(&mut bytes, header.e_shoff..header.e_shoff.saturating_add(headers), SECTION, encoding);
    let source = Source::Memory(bytes);
    let (_, sections) = read_section_headers(&source, header, encoding.of_host(), &mut Window::default()).ok()?;
    Some((sections, source))
}

/// The section headers as they are when tables are looked for, and the file's
/// bytes when all of these have been byte-swapped.
pub(crate) fn image(
    source: &Source,
    header: &Header,
    claimed: u32,
    encoding: Encoding,
) -> Option<(Vec<SectionHeader>, Source)> {
    let (sections, source) = headers(source, header, claimed, encoding)?;
    let Source::Memory(mut bytes) = source else { return None };
    for (sh_type, widths) in [(section_header::SHT_SYMTAB, SYMBOL), (section_header::SHT_SYMTAB_SHNDX, NUMBER)] {
        if let Some(section) = sections.iter().skip(1).rfind(|section| section.sh_type == sh_type) {
            let entry = entry_size(sh_type, encoding)?;
            let end = section.sh_offset.saturating_add(whole_size(section, entry, encoding));
            swap(&mut bytes, section.sh_offset..end, widths, encoding);
        }
    }
    Some((sections, Source::Memory(bytes)))
}
