//! The kernel's digest of sources: MD4 (RFC 1320) with one difference.
//!
//! `scripts/mod/sumversion.c` takes the message's words in network byte
//! order, where RFC 1320 has them little-endian, and the length's two words in
//! the host's. No library computes that, which is why this stands here.

const BLOCK: usize = 64;

/// A digest in the making.
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
    /// Appends one byte.
    pub fn push(&mut self, byte: u8) {
        let at = (self.len % BLOCK as u64) as usize;
        self.block[at] = byte;
        self.len += 1;
        if at == BLOCK - 1 {
            let words = self.words();
            compress(&mut self.state, &words);
        }
    }

    fn words(&self) -> [u32; 16] {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(self.block.chunks_exact(4)) {
            *word = bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
        }
        words
    }

    /// The digest as 32 upper-case hexadecimal digits.
    #[must_use]
    pub fn finish(mut self) -> String {
        let bits = self.len << 3;
        self.push(0x80);
        while self.len % BLOCK as u64 != 56 {
            self.push(0);
        }
        let mut words = self.words();
        (words[14], words[15]) = (bits as u32, (bits >> 32) as u32);
        compress(&mut self.state, &words);
        // In network byte order again, which on a big-endian host is no
        // change: there the original prints other digits.
        self.state.iter().map(|word| format!("{:08X}", word.to_be())).collect()
    }
}

/// The order of a round's words, and its shifts.
const ROUNDS: [([usize; 16], [u32; 4], u32); 3] = [
    ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [3, 7, 11, 19], 0),
    ([0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15], [3, 5, 9, 13], 0x5a82_7999),
    ([0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], [3, 9, 11, 15], 0x6ed9_eba1),
];

fn compress(state: &mut [u32; 4], words: &[u32; 16]) {
    let [mut a, mut b, mut c, mut d] = *state;
    for (round, (order, shifts, constant)) in ROUNDS.into_iter().enumerate() {
        for (step, at) in order.into_iter().enumerate() {
            let mixed = match round {
                0 => (b & c) | (!b & d),
                1 => (b & c) | (b & d) | (c & d),
                _ => b ^ c ^ d,
            };
            let sum = a.wrapping_add(mixed).wrapping_add(words[at]).wrapping_add(constant);
            (a, d, c, b) = (d, c, b, sum.rotate_left(shifts[step % 4]));
        }
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d]) {
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
    fn lengths_around_a_block() {
        for len in [0, 1, 55, 56, 63, 64, 65, 200] {
            let mut md4 = Md4::default();
            (0..len).for_each(|n| md4.push(n as u8));
            assert_eq!(md4.finish().len(), 32, "{len}");
        }
    }
}
