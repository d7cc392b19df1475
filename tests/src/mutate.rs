//! Corrupting objects: what a broken toolchain, a bad disk or malice may do to
//! an ELF file, in ways that a number decides.

use crate::tables::Numbers;

/// A structure's field: where it is and how wide, by class, in bytes.
struct Field {
    of_32: (usize, usize),
    of_64: (usize, usize),
}

const fn field(of_32: (usize, usize), of_64: (usize, usize)) -> Field {
    Field { of_32, of_64 }
}

/// `Elf32_Ehdr` and `Elf64_Ehdr` after `e_ident` (gABI, "ELF Header").
const HEADER: &[Field] = &[
    field((16, 2), (16, 2)),
    field((18, 2), (18, 2)),
    field((20, 4), (20, 4)),
    field((24, 4), (24, 8)),
    field((28, 4), (32, 8)),
    SHOFF,
    field((36, 4), (48, 4)),
    field((40, 2), (52, 2)),
    field((42, 2), (54, 2)),
    field((44, 2), (56, 2)),
    field((46, 2), (58, 2)),
    SHNUM,
    SHSTRNDX,
];
const SHOFF: Field = field((32, 4), (40, 8));
const SHNUM: Field = field((48, 2), (60, 2));
const SHSTRNDX: Field = field((50, 2), (62, 2));

/// `Elf32_Shdr` and `Elf64_Shdr` (gABI, "Section Header").
const SECTION: &[Field] =
    &[field((0, 4), (0, 4)), TYPE, FLAGS, field((12, 4), (16, 8)), OFFSET, SIZE, LINK, INFO, ALIGN, ENTSIZE];
const TYPE: Field = field((4, 4), (4, 4));
const FLAGS: Field = field((8, 4), (8, 8));
const OFFSET: Field = field((16, 4), (24, 8));
const SIZE: Field = field((20, 4), (32, 8));
const LINK: Field = field((24, 4), (40, 4));
const INFO: Field = field((28, 4), (44, 4));
const ALIGN: Field = field((32, 4), (48, 8));
const ENTSIZE: Field = field((36, 4), (56, 8));
const SECTION_SIZE: (usize, usize) = (40, 64);

/// `Elf32_Sym` and `Elf64_Sym` (gABI, "Symbol Table").
const SYMBOL: &[Field] = &[
    field((0, 4), (0, 4)),
    field((4, 4), (8, 8)),
    field((8, 4), (16, 8)),
    field((12, 1), (4, 1)),
    field((13, 1), (5, 1)),
    SHNDX,
];
const SHNDX: Field = field((14, 2), (6, 2));
const SYMBOL_SIZE: (usize, usize) = (16, 24);

/// `Elf32_Rela` and `Elf64_Rela` (gABI, "Relocation").
const RELOCATION: &[Field] = &[field((0, 4), (0, 8)), field((4, 4), (8, 8)), field((8, 4), (16, 8))];

const SHT_SYMTAB: u64 = 2;
const SHT_STRTAB: u64 = 3;
const SHT_RELA: u64 = 4;
const SHT_REL: u64 = 9;
const SHT_SYMTAB_SHNDX: u64 = 18;
const SHF_COMPRESSED: u64 = 0x800;
const SHN_XINDEX: u64 = 0xffff;

/// A file that is corrupted bit by bit.
struct Image<'n> {
    bytes: Vec<u8>,
    is_64: bool,
    is_big: bool,
    numbers: &'n mut Numbers,
}

/// A way to corrupt.
type Way = fn(&mut Image);

/// How many ways there are.
pub const COUNT: usize = WAYS.len();

/// What a way is called; the one after the last is several of them.
#[must_use]
pub fn name(way: usize) -> &'static str {
    WAYS.get(way).map_or("several ways", |(name, _)| *name)
}

/// All ways, by name.
const WAYS: &[(&str, Way)] = &[
    ("header word", header_word),
    ("identification", identification),
    ("section header", section_header),
    ("section type", section_type),
    ("symbol", symbol),
    ("relocation", relocation),
    ("truncation", truncation),
    ("string table without end", endless_strings),
    ("overlapping sections", overlap),
    ("huge size", huge_size),
    ("wrong link", wrong_link),
    ("SHN_XINDEX", extended_index),
    ("sh_entsize", entry_size),
    ("compressed section", compressed),
    ("odd alignment", odd_alignment),
    ("bytes of a section", section_bytes),
];

/// Corrupts an object in one way, or in up to three; returns the way's number,
/// or how many ways there are if it was several, and the object.
#[must_use]
pub fn mutant(object: &[u8], number: u64) -> (usize, Vec<u8>) {
    // Neighbouring numbers are to make sequences that have nothing in common.
    let mut numbers = Numbers::new(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..8 {
        numbers.next();
    }
    let ways = if numbers.next() % 10 < 7 { 1 } else { 2 + numbers.next() % 2 };
    let mut image =
        Image { is_64: object[4] == 2, is_big: object[5] == 2, bytes: object.to_vec(), numbers: &mut numbers };
    let mut last = 0;
    for _ in 0..ways {
        last = image.below(WAYS.len());
        (WAYS[last].1)(&mut image);
    }
    (if ways == 1 { last } else { WAYS.len() }, image.bytes)
}

impl Image<'_> {
    fn below(&mut self, bound: usize) -> usize {
        (self.numbers.next() >> 8) as usize % bound.max(1)
    }

    fn place(&self, base: usize, field: &Field) -> (usize, usize) {
        let (offset, width) = if self.is_64 { field.of_64 } else { field.of_32 };
        (base.saturating_add(offset), width)
    }

    fn size(&self, (of_32, of_64): (usize, usize)) -> usize {
        if self.is_64 { of_64 } else { of_32 }
    }

    fn get(&self, base: usize, field: &Field) -> u64 {
        let (offset, width) = self.place(base, field);
        let Some(bytes) = self.bytes.get(offset..offset.saturating_add(width)) else { return 0 };
        let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        if self.is_big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }

    fn set(&mut self, base: usize, field: &Field, value: u64) {
        let (offset, width) = self.place(base, field);
        let mut new = value.to_le_bytes()[..width].to_vec();
        if self.is_big {
            new.reverse();
        }
        if let Some(bytes) = self.bytes.get_mut(offset..offset.saturating_add(width)) {
            bytes.copy_from_slice(&new);
        }
    }

    fn sections(&self) -> usize {
        self.get(0, &SHNUM) as usize
    }

    fn section(&self, number: usize) -> usize {
        (self.get(0, &SHOFF) as usize).saturating_add(number * self.size(SECTION_SIZE))
    }

    fn any_section(&mut self) -> usize {
        let number = self.below(self.sections());
        self.section(number)
    }

    /// A section of one of these types, or any if there is none.
    fn section_of(&mut self, types: &[u64]) -> usize {
        let all = (0..self.sections()).map(|number| self.section(number));
        let fitting: Vec<_> = all.filter(|base| types.contains(&self.get(*base, &TYPE))).collect();
        if fitting.is_empty() { self.any_section() } else { fitting[self.below(fitting.len())] }
    }

    /// An entry of a section that is a table.
    fn entry(&mut self, base: usize, size: usize) -> usize {
        let (offset, len) = (self.get(base, &OFFSET) as usize, self.get(base, &SIZE) as usize);
        let number = self.below(len / size);
        offset.saturating_add(number * size)
    }

    /// What a number may become: an edge, a neighbour, or anything.
    fn value(&mut self, old: u64) -> u64 {
        let len = self.bytes.len() as u64;
        match self.below(16) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => 0x7fff_ffff,
            4 => 0x8000_0000,
            5 => 0xffff_ffff,
            6 => len,
            7 => len.wrapping_sub(1),
            8 => old.wrapping_add(1),
            9 => old.wrapping_sub(1),
            10 => old ^ 1 << self.below(64),
            11 => self.numbers.next() % len.max(1),
            12 => self.sections() as u64,
            13 => 0xff00 | self.numbers.next() & 0xff,
            14 => self.numbers.next() & 0xff,
            _ => self.numbers.next(),
        }
    }

    fn corrupt(&mut self, base: usize, field: &Field) {
        let value = self.get(base, field);
        let value = self.value(value);
        self.set(base, field, value);
    }

    fn corrupt_one(&mut self, base: usize, fields: &[Field]) {
        let field = &fields[self.below(fields.len())];
        self.corrupt(base, field);
    }
}

fn header_word(image: &mut Image) {
    image.corrupt_one(0, HEADER);
}

fn identification(image: &mut Image) {
    let at = image.below(16);
    let values = [0, 1, 2, 3, 0xff, image.numbers.next() as u8];
    let value = values[image.below(values.len())];
    if let Some(byte) = image.bytes.get_mut(at) {
        *byte = value;
    }
}

fn section_header(image: &mut Image) {
    let base = image.any_section();
    image.corrupt_one(base, SECTION);
}

fn section_type(image: &mut Image) {
    let base = image.any_section();
    let value = image.below(20) as u64;
    image.set(base, &TYPE, value);
}

fn symbol(image: &mut Image) {
    let table = image.section_of(&[SHT_SYMTAB]);
    for _ in 0..=image.below(4) {
        let base = image.entry(table, image.size(SYMBOL_SIZE));
        image.corrupt_one(base, SYMBOL);
    }
}

fn relocation(image: &mut Image) {
    let table = image.section_of(&[SHT_RELA, SHT_REL]);
    let words = if image.get(table, &TYPE) == SHT_REL { 2 } else { 3 };
    let size = words * if image.is_64 { 8 } else { 4 };
    for _ in 0..=image.below(4) {
        let base = image.entry(table, size);
        image.corrupt_one(base, &RELOCATION[..words]);
    }
}

fn truncation(image: &mut Image) {
    let len = match image.below(3) {
        0 => image.below(image.bytes.len()),
        1 => image.below(80),
        _ => {
            let base = image.any_section();
            (image.get(base, &OFFSET) as usize).saturating_add(image.below(9)).saturating_sub(4)
        }
    };
    image.bytes.truncate(len);
    // What is left can be asked for its class and order.
    image.bytes.resize(image.bytes.len().max(6), 0);
}

fn endless_strings(image: &mut Image) {
    let base = image.section_of(&[SHT_STRTAB]);
    let (offset, len) = (image.get(base, &OFFSET) as usize, image.get(base, &SIZE) as usize);
    if image.below(2) == 0 {
        let less = 1 + image.below(16);
        image.set(base, &SIZE, len.saturating_sub(less) as u64);
    } else if let Some(last) = offset.saturating_add(len).checked_sub(1).and_then(|last| image.bytes.get_mut(last)) {
        *last = b'x';
    }
}

fn overlap(image: &mut Image) {
    let (one, other) = (image.any_section(), image.any_section());
    let add = image.below(3) as u64 * 4;
    let offset = image.get(other, &OFFSET).wrapping_add(add);
    image.set(one, &OFFSET, offset);
    if image.below(2) == 0 {
        let size = image.get(other, &SIZE);
        image.set(one, &SIZE, size);
    }
}

fn huge_size(image: &mut Image) {
    let base = image.any_section();
    let len = image.bytes.len() as u64;
    let sizes = [len, len + 1, len * 2, 1 << 20, 1 << 30, 1 << 31, 1 << 32, 1 << 40, 1 << 63, u64::MAX, u64::MAX - 7];
    let size = sizes[image.below(sizes.len())];
    image.set(base, &SIZE, size);
}

fn wrong_link(image: &mut Image) {
    let base = image.any_section();
    let number = match image.below(3) {
        0 => image.numbers.next(),
        _ => image.below(image.sections() + 2) as u64,
    };
    let field = if image.below(2) == 0 { &LINK } else { &INFO };
    image.set(base, field, number);
}

fn extended_index(image: &mut Image) {
    match image.below(4) {
        // The name table's number, or how many sections there are, is in the
        // first section header.
        0 => {
            let number = image.get(0, &SHSTRNDX);
            let number = if image.below(2) == 0 { number } else { image.value(number) };
            let first = image.section(0);
            image.set(0, &SHSTRNDX, SHN_XINDEX);
            image.set(first, &LINK, number);
        }
        1 => {
            let number = image.get(0, &SHNUM);
            let number = if image.below(2) == 0 { number } else { image.value(number) };
            let first = image.section(0);
            image.set(first, &SIZE, number);
            image.set(0, &SHNUM, 0);
        }
        // Symbols' numbers are in a section that is or isn't one for that.
        choice => {
            let table = image.section_of(&[SHT_SYMTAB]);
            for _ in 0..=image.below(3) {
                let base = image.entry(table, image.size(SYMBOL_SIZE));
                image.set(base, &SHNDX, SHN_XINDEX);
            }
            if choice == 2 {
                let numbers = image.any_section();
                image.set(numbers, &TYPE, SHT_SYMTAB_SHNDX);
                let at = table.wrapping_sub(image.section(0)) / image.size(SECTION_SIZE);
                image.set(numbers, &LINK, at as u64);
                let (offset, size) = (image.get(table, &OFFSET), image.get(table, &SIZE));
                if image.below(2) == 0 {
                    image.set(numbers, &OFFSET, offset);
                    image.set(numbers, &SIZE, size / 4);
                }
            }
        }
    }
}

fn entry_size(image: &mut Image) {
    let base = image.any_section();
    let values = [0, 1, 3, 7, 8, 12, 16, 24, 1 << 31, u64::MAX];
    let value = values[image.below(values.len())];
    image.set(base, &ENTSIZE, value);
}

fn compressed(image: &mut Image) {
    let base = image.any_section();
    let flags = image.get(base, &FLAGS) | SHF_COMPRESSED;
    image.set(base, &FLAGS, flags);
}

fn odd_alignment(image: &mut Image) {
    let base = image.any_section();
    if image.below(2) == 0 {
        image.corrupt(base, &ALIGN);
        return;
    }
    // The section's bytes move, and what it says of them with them.
    let (offset, len) = (image.get(base, &OFFSET) as usize, image.get(base, &SIZE) as usize);
    let Some(contents) = image.bytes.get(offset..offset.saturating_add(len)).map(<[u8]>::to_vec) else { return };
    let odd = 1 + image.below(7);
    let end = image.bytes.len() + odd;
    image.bytes.resize(end, 0);
    image.bytes.extend(contents);
    image.set(base, &OFFSET, end as u64);
}

fn section_bytes(image: &mut Image) {
    let base = image.any_section();
    let (offset, len) = (image.get(base, &OFFSET) as usize, image.get(base, &SIZE) as usize);
    for _ in 0..=image.below(12) {
        let (at, new) = (offset.saturating_add(image.below(len)), image.numbers.next() as u8);
        if let Some(byte) = image.bytes.get_mut(at) {
            *byte = new;
        }
    }
}
