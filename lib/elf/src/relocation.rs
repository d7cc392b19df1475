//! Relocations.

use crate::Encoding;

/// How a section's relocations are laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    pub(crate) encoding: Encoding,
    /// With an addend of their own: `SHT_RELA`.
    pub(crate) rela: bool,
    /// As in the 64-bit MIPS ABI, `r_info` is a structure: the symbol in four
    /// bytes, then a special symbol and three types in one byte each.
    pub(crate) structured_info: bool,
}

impl Format {
    pub(crate) const fn entry_size(self) -> usize {
        self.encoding.word() * if self.rela { 3 } else { 2 }
    }
}

/// One relocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// `r_offset`: where in the relocated section.
    pub offset: u64,
    /// The symbol's number, from `r_info`.
    pub symbol: u32,
    /// The type, from `r_info`.
    pub kind: u32,
    /// `r_addend`; `None` in a section of type `SHT_REL`, where it is in
    /// the place to be relocated.
    pub addend: Option<i64>,
}

/// Relocations of one section, some or all.
#[derive(Clone, Copy, Debug)]
pub struct Relocations<'a> {
    pub(crate) format: Format,
    /// The number of the first.
    pub(crate) first: usize,
    pub(crate) bytes: &'a [u8],
}

impl Relocations<'_> {
    /// The number of the first.
    #[must_use]
    pub const fn first(&self) -> usize {
        self.first
    }

    /// The number of the one that follows the last.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.first + self.bytes.len() / self.format.entry_size()
    }

    /// Whether they have addends of their own.
    #[must_use]
    pub const fn has_addends(&self) -> bool {
        self.format.rela
    }

    /// Where in its section the relocation with a number stands, in bytes.
    #[must_use]
    pub const fn offset_of(&self, number: usize) -> u64 {
        (number * self.format.entry_size()) as u64
    }

    /// The relocation with a number that [`Relocations::find`] gave.
    ///
    /// # Panics
    /// If there is none of that number.
    #[must_use]
    pub fn get(&self, number: usize) -> Relocation {
        let Format { encoding, rela, structured_info } = self.format;
        let word = encoding.word();
        let field = |n: usize| {
            let start = (number - self.first) * self.format.entry_size() + n * word;
            &self.bytes[start..start + word]
        };
        let (offset, info) = (encoding.unsigned(field(0)), field(1));
        let (symbol, kind) = if structured_info {
            (encoding.unsigned(&info[..4]) as u32, u32::from(info[7]))
        } else {
            let info = encoding.unsigned(info);
            if encoding.is_64 { ((info >> 32) as u32, info as u32) } else { ((info >> 8) as u32, (info & 0xff) as u32) }
        };
        let addend = rela.then(|| {
            let addend = encoding.unsigned(field(2));
            if encoding.is_64 { addend as i64 } else { i64::from(addend as i32) }
        });
        Relocation { offset, symbol, kind, addend }
    }

    /// The number of the first relocation, from number `from` on, whose
    /// `r_offset` is greater than `most`, or the first at all if that is
    /// `None`.
    #[must_use]
    pub(crate) fn first_after(&self, most: Option<u64>, from: usize) -> Option<usize> {
        let (size, word) = (self.format.entry_size(), self.format.encoding.word());
        let mut entries = self.bytes[(from - self.first) * size..].chunks_exact(size);
        let is_after = |entry: &[u8]| most.is_none_or(|most| self.format.encoding.unsigned(&entry[..word]) > most);
        entries.position(is_after).map(|place| from + place)
    }

    /// The number of the first relocation, from `number` on, whose symbol's
    /// number is `wanted`, and that. This is the hottest loop of all, so that
    /// it is compiled once for each way to lay out a symbol's number.
    ///
    /// # Panics
    /// If there are fewer than `number` relocations.
    #[inline]
    pub fn find(&self, number: usize, wanted: impl Fn(u32) -> bool) -> Option<(usize, u32)> {
        let Format { encoding, structured_info, .. } = self.format;
        let size = self.format.entry_size();
        let bytes = &self.bytes[(number - self.first) * size..];
        let found = match (encoding.is_64, encoding.is_big, size, structured_info) {
            (true, false, 24, false) => scan::<24>(bytes, |e| u32_le(e, 12), wanted),
            (true, false, _, false) => scan::<16>(bytes, |e| u32_le(e, 12), wanted),
            (true, false, 24, true) => scan::<24>(bytes, |e| u32_le(e, 8), wanted),
            (true, false, _, true) => scan::<16>(bytes, |e| u32_le(e, 8), wanted),
            (true, true, 24, _) => scan::<24>(bytes, |e| u32_be(e, 8), wanted),
            (true, true, _, _) => scan::<16>(bytes, |e| u32_be(e, 8), wanted),
            (false, false, 12, _) => scan::<12>(bytes, |e| u32_le(e, 4) >> 8, wanted),
            (false, false, _, _) => scan::<8>(bytes, |e| u32_le(e, 4) >> 8, wanted),
            (false, true, 12, _) => scan::<12>(bytes, |e| u32_be(e, 4) >> 8, wanted),
            (false, true, _, _) => scan::<8>(bytes, |e| u32_be(e, 4) >> 8, wanted),
        };
        found.map(|(place, symbol)| (number + place, symbol))
    }
}

#[inline]
fn u32_le(entry: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]])
}

#[inline]
fn u32_be(entry: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]])
}

#[inline]
fn scan<const SIZE: usize>(
    bytes: &[u8],
    symbol: impl Fn(&[u8]) -> u32,
    wanted: impl Fn(u32) -> bool,
) -> Option<(usize, u32)> {
    let place = bytes.chunks_exact(SIZE).position(|entry| wanted(symbol(entry)))?;
    Some((place, symbol(&bytes[place * SIZE..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One relocation in each layout: at 0x10, symbol 5, type 2, addend -4.
    #[test]
    fn every_layout_gives_the_same_relocation() {
        for is_64 in [false, true] {
            for is_big in [false, true] {
                for rela in [false, true] {
                    for structured_info in [false, is_64] {
                        let encoding = Encoding { is_64, is_big };
                        let word = |value: u64| {
                            let bytes = if is_big { value.to_be_bytes() } else { value.to_le_bytes() };
                            match (is_64, is_big) {
                                (true, _) => bytes.to_vec(),
                                (false, true) => bytes[4..].to_vec(),
                                (false, false) => bytes[..4].to_vec(),
                            }
                        };
                        let info = if structured_info {
                            let symbol = if is_big { 5u32.to_be_bytes() } else { 5u32.to_le_bytes() };
                            [&symbol[..], &[0, 0, 0, 2]].concat()
                        } else if is_64 {
                            word(5 << 32 | 2)
                        } else {
                            word(5 << 8 | 2)
                        };
                        let mut bytes = [word(0x10), info].concat();
                        if rela {
                            bytes.extend(word(-4i64 as u64));
                        }
                        let format = Format { encoding, rela, structured_info };
                        let relocations = Relocations { format, first: 0, bytes: &bytes };
                        let expected = Relocation { offset: 0x10, symbol: 5, kind: 2, addend: rela.then_some(-4) };
                        assert_eq!(relocations.get(0), expected, "{format:?}");
                        assert_eq!(relocations.find(0, |symbol| symbol == 5), Some((0, 5)), "{format:?}");
                        assert_eq!(relocations.find(0, |symbol| symbol != 5), None, "{format:?}");
                        assert_eq!(relocations.find(1, |_| true), None, "{format:?}");
                    }
                }
            }
        }
    }
}
