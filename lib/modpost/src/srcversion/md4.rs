//! The kernel's digest of sources: MD4 (RFC 1320) with one difference.
//!
//! `scripts/mod/sumversion.c` takes the message's words in network byte
//! order, where RFC 1320 has them little-endian, and the length's two words in
//! the host's. No library computes that, which is why this is here.

const BLOCK: usize = 64;

/// A digest in progress.
#[derive(Clone, Debug)]
pub struct Md4 {
    state: [u32; 4],
    block: [u8; BLOCK],
    /// The number of bytes so far.
    len: u64,
}

impl Default for Md4 {
    fn default() -> Self {
        Self { state: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476], block: [0; BLOCK], len: 0 }
    }
}

impl Md4 {
    /// Appends bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        let at = (self.len % BLOCK as u64) as usize;
        self.len += bytes.len() as u64;
        if at > 0 {
            let (first, rest) = bytes.split_at(bytes.len().min(BLOCK - at));
            self.block[at..at + first.len()].copy_from_slice(first);
            if at + first.len() < BLOCK {
                return;
            }
            compress(&mut self.state, &words(&self.block));
            bytes = rest;
        }
        let mut blocks = bytes.chunks_exact(BLOCK);
        for block in &mut blocks {
            compress(&mut self.state, &words(block));
        }
        let rest = blocks.remainder();
        self.block[..rest.len()].copy_from_slice(rest);
    }

    /// The digest as 32 upper-case hexadecimal digits.
    #[must_use]
    pub fn finish(mut self) -> String {
        let bits = self.len << 3;
        let at = (self.len % BLOCK as u64) as usize;
        // A one, then zeros to where the length stands, in this block or in
        // the next.
        let zeros = [&[0x80][..], &[0; BLOCK]].concat();
        self.update(&zeros[..if at < 56 { 56 - at } else { 120 - at }]);
        let mut words = words(&self.block);
        (words[14], words[15]) = (bits as u32, (bits >> 32) as u32);
        compress(&mut self.state, &words);
        // In network byte order again, which on a big-endian host is no
        // change: there the original prints other digits.
        self.state.iter().map(|word| format!("{:08X}", word.to_be())).collect()
    }
}

fn words(block: &[u8]) -> [u32; 16] {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
    }
    words
}

/// One round: 16 steps, each of which mixes a word into one of the four.
#[inline(always)]
fn round(
    state: [u32; 4],
    words: &[u32; 16],
    order: [usize; 16],
    shifts: [u32; 4],
    constant: u32,
    mix: impl Fn(u32, u32, u32) -> u32,
) -> [u32; 4] {
    let [mut a, mut b, mut c, mut d] = state;
    // What a step waits for is the mixture alone: it is added last.
    let step = |a: u32, mixed: u32, word: u32, shift: u32| {
        a.wrapping_add(word).wrapping_add(constant).wrapping_add(mixed).rotate_left(shift)
    };
    for at in order.chunks_exact(4) {
        a = step(a, mix(b, c, d), words[at[0]], shifts[0]);
        d = step(d, mix(a, b, c), words[at[1]], shifts[1]);
        c = step(c, mix(d, a, b), words[at[2]], shifts[2]);
        b = step(b, mix(c, d, a), words[at[3]], shifts[3]);
    }
    [a, b, c, d]
}

const FIRST: [usize; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const SECOND: [usize; 16] = [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15];
const THIRD: [usize; 16] = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];

fn compress(state: &mut [u32; 4], words: &[u32; 16]) {
    let mixed = round(*state, words, FIRST, [3, 7, 11, 19], 0, |x, y, z| z ^ (x & (y ^ z)));
    let mixed = round(mixed, words, SECOND, [3, 5, 9, 13], 0x5a82_7999, |x, y, z| (x & (y | z)) | (y & z));
    let mixed = round(mixed, words, THIRD, [3, 9, 11, 15], 0x6ed9_eba1, |x, y, z| x ^ (y ^ z));
    for (word, add) in state.iter_mut().zip(mixed) {
        *word = word.wrapping_add(add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1320's own test vectors, through its own order of bytes: the
    /// rounds are right. What is the kernel's own is compared with modpost's
    /// output in the suite.
    #[test]
    fn rounds_are_rfc_1320s() {
        let mut state = Md4::default().state;
        let mut words = [0u32; 16];
        words[0] = u32::from_le_bytes(*b"abc\x80");
        words[14] = 24;
        compress(&mut state, &words);
        let digest: String = state.iter().flat_map(|word| word.to_le_bytes()).map(|b| format!("{b:02x}")).collect();
        assert_eq!(digest, "a448017aaf21d8525fc10ae87aa6729d");
    }

    #[test]
    fn pieces_make_no_difference() {
        let bytes: Vec<u8> = (0..=255).collect();
        for len in [0, 1, 55, 56, 63, 64, 65, 200] {
            let mut whole = Md4::default();
            whole.update(&bytes[..len]);
            let mut pieces = Md4::default();
            bytes[..len].chunks(7).for_each(|piece| pieces.update(piece));
            assert_eq!(whole.finish(), pieces.finish(), "{len}");
        }
    }
}
