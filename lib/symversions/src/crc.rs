//! CRC-32 as in `scripts/genksyms/genksyms.c` (the polynomial of IEEE 802.3, bits
//! reversed), eight bytes at a time.
//!
//! Pieces are short: a few words between two references to types, twelve bytes on
//! average. Libraries are made for long ones, of which they take 16 bytes or more at a
//! time, and the rest byte by byte.

/// The reversed polynomial.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// What is to be added for a byte that so many others follow.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u32, 0);
        while bit < 8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        byte = 0;
        while byte < 256 {
            let crc = tables[table - 1][byte];
            tables[table][byte] = crc >> 8 ^ tables[0][(crc & 0xff) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// Four bytes that so many others follow.
fn four(word: u32, followed_by: usize) -> u32 {
    let [a, b, c, d] = word.to_le_bytes().map(usize::from);
    TABLES[followed_by + 3][a] ^ TABLES[followed_by + 2][b] ^ TABLES[followed_by + 1][c] ^ TABLES[followed_by][d]
}

fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte))
}

/// The checksum of what it was of, and these bytes.
pub(crate) fn update(mut crc: u32, bytes: &[u8]) -> u32 {
    let mut eights = bytes.chunks_exact(8);
    for eight in &mut eights {
        crc = four(word(&eight[..4]) ^ crc, 4) ^ four(word(&eight[4..]), 0);
    }
    let mut rest = eights.remainder();
    if rest.len() >= 4 {
        crc = four(word(&rest[..4]) ^ crc, 0);
        rest = &rest[4..];
    }
    rest.iter().fold(crc, |crc, &byte| crc >> 8 ^ TABLES[0][usize::from(crc as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksums() {
        let of = |bytes: &[u8]| !update(!0, bytes);
        assert_eq!((of(b""), of(b"123456789")), (0, 0xcbf4_3926));
        let text: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for at in 0..64 {
            assert_eq!(update(update(7, &text[..at]), &text[at..]), update(7, &text));
        }
    }
}
