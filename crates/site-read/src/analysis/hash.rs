//! Small hashes for likeness, the same on every machine and in every release.
//!
//! Not for addressing content: two different things may meet, which costs a wrong guess and nothing else.

use serde::{Deserialize, Serialize};

/// A 64-bit hash that is fed piece by piece: eight bytes at a time by a folded multiplication (as wyhash does), with a
/// finishing mix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hasher(u64);

/// Odd, with bits spread evenly: the fraction of the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks::<8>();
        for eight in eights {
            self.number(u64::from_le_bytes(*eight));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        // The length, so that pieces do not run into one another.
        self.number(u64::from_le_bytes(last) ^ (bytes.len() as u64).rotate_right(8));
    }

    #[inline]
    pub(crate) const fn number(&mut self, number: u64) {
        let product = (self.0 ^ number) as u128 * FACTOR as u128;
        self.0 = (product as u64 ^ (product >> 64) as u64).wrapping_add(FACTOR);
    }

    pub(crate) const fn finish(self) -> u64 {
        // The finaliser of SplitMix64: spreads the last bytes over all bits.
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The hash of one piece.
pub(crate) fn of(bytes: &[u8]) -> u64 {
    let mut hasher = Hasher::new();
    hasher.bytes(bytes);
    hasher.finish()
}

/// A hash as 16 hex digits: JSON's numbers do not hold 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hash(pub u64);

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        format!("{:016x}", hash.0)
    }
}

impl TryFrom<String> for Hash {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u64::from_str_radix(&text, 16).map(Self)
    }
}

impl Hash {
    /// How many bits differ.
    pub(crate) const fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

/// A fingerprint under which like texts differ in few bits (Charikar's SimHash, over runs of three words).
#[derive(Debug, Clone)]
pub(crate) struct SimHash {
    /// How often each bit was set, of the runs before the last ones.
    set: [u32; 64],
    /// The same of the last ones: eight counts of eight bits in each number, for the bits of one byte.
    recent: [u64; 8],
    recent_runs: u32,
    window: [u64; 2],
    words: u32,
    runs: u32,
}

/// A byte's bits, each in a byte of its own.
const SPREAD: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            table[byte] |= ((byte >> bit & 1) as u64) << (8 * bit);
            bit += 1;
        }
        byte += 1;
    }
    table
};

impl SimHash {
    pub(crate) const fn new() -> Self {
        Self { set: [0; 64], recent: [0; 8], recent_runs: 0, window: [0; 2], words: 0, runs: 0 }
    }

    pub(crate) fn word(&mut self, word: u64) {
        let [first, second] = self.window;
        self.window = [second, word];
        self.words = self.words.saturating_add(1);
        if self.words >= 3 {
            let mut run = Hasher::new();
            run.number(first);
            run.number(second);
            run.number(word);
            self.add(run.finish());
        }
    }

    fn add(&mut self, hash: u64) {
        for (counts, byte) in self.recent.iter_mut().zip(hash.to_le_bytes()) {
            *counts += SPREAD[usize::from(byte)];
        }
        self.runs = self.runs.saturating_add(1);
        self.recent_runs += 1;
        // One more would not fit eight bits.
        if self.recent_runs == 255 {
            self.gather();
        }
    }

    fn gather(&mut self) {
        for (set, counts) in self.set.chunks_mut(8).zip(self.recent) {
            for (set, count) in set.iter_mut().zip(counts.to_le_bytes()) {
                *set = set.saturating_add(u32::from(count));
            }
        }
        (self.recent, self.recent_runs) = ([0; 8], 0);
    }

    /// The bits that more than half of the runs have.
    pub(crate) fn finish(mut self) -> Hash {
        self.gather();
        let runs = self.runs;
        let bits = self.set.iter().enumerate().filter(|(_, set)| **set > runs / 2);
        Hash(bits.fold(0, |bits, (bit, _)| bits | 1 << bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(text: &str) -> Hash {
        let mut hash = SimHash::new();
        for word in text.split_whitespace() {
            hash.word(of(word.as_bytes()));
        }
        hash.finish()
    }

    #[test]
    fn hashes_are_stable_and_pieces_do_not_run_together() {
        // Stored facts are compared with later ones: these numbers must never change.
        assert_eq!(String::from(Hash(of(b"resettle"))), "49aeefc36b241ec7");
        assert_eq!(String::from(print("to be or not to be")), "62acc8028360a0a6");
        let pair = |one: &str, two: &str| {
            let mut hasher = Hasher::new();
            hasher.bytes(one.as_bytes());
            hasher.bytes(two.as_bytes());
            hasher.finish()
        };
        assert_ne!(pair("ab", "c"), pair("a", "bc"));
        assert_eq!(Hash::try_from(String::from(Hash(u64::MAX))), Ok(Hash(u64::MAX)));
    }

    #[test]
    fn like_texts_are_near_and_others_far() {
        let long: String = (0..200).map(|n| format!("word{} ", n * 7 % 90)).collect();
        let edited = long.replacen("word7 ", "other ", 1);
        let other: String = (0..200).map(|n| format!("thing{} ", n * 11 % 80)).collect();
        assert!(print(&long).distance(print(&edited)) <= 6, "{}", print(&long).distance(print(&edited)));
        assert!(print(&long).distance(print(&other)) > 16);
    }
}
