//! The section headers.

use goblin::elf::header::Header;
use goblin::elf::section_header::SectionHeader;

use crate::window::Window;
use crate::{Encoding, Error, HEADERS, Result, Source};

/// Section names mostly lie before the headers, and are read with them.
const BEFORE_HEADERS: u64 = 4096;

/// How many section headers there are said to be, and those that the file has.
pub(crate) fn read_section_headers(
    source: &Source,
    header: &Header,
    encoding: Encoding,
    window: &mut Window,
) -> Result<(u32, Vec<SectionHeader>)> {
    let size = encoding.section_header_size();
    let start = header.e_shoff.saturating_sub(BEFORE_HEADERS);
    let room = source.size().saturating_sub(header.e_shoff);
    // The last two fields of the last header are never looked at.
    let unread = if encoding == encoding.of_host() { 2 * encoding.word() as u64 } else { 0 };
    let most = (room + unread) / size as u64;
    let mut read = |count: u32| {
        let count = most.min(u64::from(count));
        let len = room.min(count * size as u64);
        let end = header.e_shoff + len;
        let loaded = window.load(source, start, end - start, end);
        let bytes = window.get(header.e_shoff, len).filter(|_| loaded && count > 0).unwrap_or_default();
        let mut padded;
        let bytes = if bytes.len() % size == 0 {
            bytes
        } else {
            padded = bytes.to_vec();
            padded.resize(count as usize * size, 0);
            &padded
        };
        SectionHeader::parse_from(bytes, 0, bytes.len() / size, encoding.context()).unwrap_or_default()
    };
    // With more than 65,279 sections the number is in the first header.
    let count = match u32::from(header.e_shnum) {
        0 => {
            let first = read(1).pop();
            let what = "section headers reach beyond the end of the file";
            first.ok_or_else(|| Error::malformed(what, HEADERS, header.e_shoff))?.sh_size as u32
        }
        count => count,
    };
    Ok((count, read(count)))
}
