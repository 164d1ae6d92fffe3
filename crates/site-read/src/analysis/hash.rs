//! Small hashes for likeness, the same on every machine and in every release.
//!
//! Not for addressing content: two different things may meet, which costs a wrong guess and nothing else.

use serde::{Deserialize, Serialize};

/// A 64-bit hash that is fed piece by piece (FNV-1a, with a finishing mix).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hasher(u64);

impl Hasher {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        // So that pieces do not run into one another.
        self.0 = self.0.rotate_left(5) ^ 0xff;
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
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
    weights: [i32; 64],
    window: [u64; 3],
    seen: u64,
}

impl SimHash {
    pub(crate) const fn new() -> Self {
        Self { weights: [0; 64], window: [0; 3], seen: 0 }
    }

    pub(crate) fn word(&mut self, word: u64) {
        self.window.rotate_left(1);
        self.window[2] = word;
        self.seen += 1;
        if self.seen >= 3 {
            let mut run = Hasher::new();
            for word in self.window {
                run.number(word);
            }
            self.add(run.finish());
        }
    }

    fn add(&mut self, hash: u64) {
        for (bit, weight) in self.weights.iter_mut().enumerate() {
            *weight += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    }

    pub(crate) fn finish(&self) -> Hash {
        let mut bits = 0;
        for (bit, weight) in self.weights.iter().enumerate() {
            if *weight > 0 {
                bits |= 1 << bit;
            }
        }
        Hash(bits)
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
        assert_eq!(String::from(Hash(of(b"resettle"))), "1e141984f3a02a46");
        assert_eq!(String::from(print("to be or not to be")), "442112013341cc15");
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
