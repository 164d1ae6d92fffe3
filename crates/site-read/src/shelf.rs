//! Values by the hash of their name: the latest in memory, the others in a file without a name.
//!
//! For what differs in size; what does not is in a `Table`. A value that is put again takes the place of the earlier one,
//! whose bytes stay in the file, so this is for values that seldom change.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use site_fetch::disk::{Key, Table};

/// Bytes held in memory before they are written.
const MAX_HELD: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Shelf<T> {
    held: HashMap<Key, T>,
    held_bytes: usize,
    file: Option<File>,
    end: u64,
    /// Where each value is in the file, and its length.
    places: Table<12>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { held: HashMap::new(), held_bytes: 0, file: None, end: 0, places: Table::default() }
    }
}

impl<T: Clone + Serialize + DeserializeOwned> Shelf<T> {
    pub(crate) fn get(&self, key: &Key) -> io::Result<Option<T>> {
        if let Some(value) = self.held.get(key) {
            return Ok(Some(value.clone()));
        }
        let (Some(file), Some(place)) = (&self.file, self.places.get(key)?) else { return Ok(None) };
        let (at, length) = parted(place);
        let mut json = vec![0; length as usize];
        file.read_exact_at(&mut json, at)?;
        serde_json::from_slice(&json).map(Some).map_err(io::Error::from)
    }

    /// Puts a value of about so many bytes.
    pub(crate) fn insert(&mut self, key: Key, value: T, bytes: usize) -> io::Result<()> {
        self.held.insert(key, value);
        self.held_bytes += bytes + 64;
        if self.held_bytes > MAX_HELD { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile()?);
        }
        let Some(file) = &self.file else { return Ok(()) };
        let mut bytes = Vec::with_capacity(self.held_bytes);
        let mut written = Vec::with_capacity(self.held.len());
        for (key, value) in &self.held {
            let at = bytes.len();
            serde_json::to_writer(&mut bytes, value)?;
            let length = u32::try_from(bytes.len() - at).map_err(io::Error::other)?;
            written.push((*key, joined(self.end + at as u64, length)));
        }
        file.write_all_at(&bytes, self.end)?;
        self.end += bytes.len() as u64;
        for (key, place) in written {
            self.places.insert(key, place)?;
        }
        self.held.clear();
        self.held_bytes = 0;
        Ok(())
    }
}

/// An offset and a length in one value of a table.
pub(crate) fn joined(at: u64, length: u32) -> [u8; 12] {
    let mut place = [0; 12];
    place[..8].copy_from_slice(&at.to_le_bytes());
    place[8..].copy_from_slice(&length.to_le_bytes());
    place
}

/// The offset and the length.
pub(crate) fn parted(place: [u8; 12]) -> (u64, u32) {
    let (mut at, mut length) = ([0; 8], [0; 4]);
    at.copy_from_slice(&place[..8]);
    length.copy_from_slice(&place[8..]);
    (u64::from_le_bytes(at), u32::from_le_bytes(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprints::fingerprint;

    #[test]
    fn the_latest_value_of_a_name_is_found_in_memory_and_on_disk() {
        let mut shelf = Shelf::default();
        let name = |number: usize| fingerprint(&number.to_string());
        for round in 0..3 {
            for number in 0..3000 {
                shelf.insert(name(number), format!("{number} {round}"), 10).expect("put");
                assert_eq!(shelf.get(&name(number)).expect("read"), Some(format!("{number} {round}")));
            }
        }
        assert!(shelf.file.is_some() && shelf.held_bytes <= MAX_HELD);
        for number in 0..3000 {
            assert_eq!(shelf.get(&name(number)).expect("read"), Some(format!("{number} 2")));
        }
        assert_eq!(shelf.get(&name(3000)).expect("read"), None);
    }
}
