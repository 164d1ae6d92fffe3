//! A set of texts, each held by its fingerprint, on disk when they are many.

use std::io;

use site_fetch::disk::{Key, Table};

/// Texts that were asked about lately are found without the disk: pages of a site mostly link to the same ones.
const RECENT: usize = 1024;

#[derive(Debug, Default)]
pub(crate) struct Fingerprints {
    table: Table<0>,
    /// Each at the place that its own bits name.
    recent: Vec<Key>,
}

impl Fingerprints {
    /// `true` if it is new.
    pub(crate) fn insert(&mut self, text: &str) -> io::Result<bool> {
        let key = fingerprint(text);
        if self.recent.is_empty() {
            self.recent = vec![Key::default(); RECENT];
        }
        let recent = &mut self.recent[usize::from(key[14]) << 8 & (RECENT - 1) | usize::from(key[15])];
        if *recent == key {
            return Ok(false);
        }
        *recent = key;
        self.table.insert(key, []).map(|before| before.is_none())
    }

    pub(crate) fn contains(&self, text: &str) -> io::Result<bool> {
        self.table.get(&fingerprint(text)).map(|found| found.is_some())
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}

/// Half a BLAKE3 hash: two texts of one crawl never share it.
pub(crate) fn fingerprint(text: &str) -> Key {
    let mut half = Key::default();
    half.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    half
}

/// The key of something that is known by a hash of 64 bits already.
pub(crate) fn key(hash: u64) -> Key {
    u128::from(hash).rotate_left(64).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_new_once_however_many_there_are() {
        let mut known = Fingerprints::default();
        for round in 0..2 {
            for number in 0..20_000 {
                let text = number.to_string();
                assert_eq!(known.contains(&text).expect("asked"), round == 1);
                assert_eq!(known.insert(&text).expect("taken"), round == 0, "{number}");
                assert!(!known.insert(&text).expect("taken"), "it was just taken");
            }
        }
        assert_eq!(known.len(), 20_000);
    }
}
