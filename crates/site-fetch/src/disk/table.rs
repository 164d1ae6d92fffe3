//! A map from hashes to values of one size: in memory while it is small, beyond that in a file without a name.
//!
//! The file is a row of blocks. The first bits of a key, scattered by a number drawn anew for each table, tell its block, and
//! a block that is full hands on to the next; so an entry is found by one read, whatever the size. When four fifths are
//! taken the blocks are doubled, in their order. The file is gone with the process: nothing on disk is ever trusted that
//! another process wrote, so a crash can leave nothing half-done. What has to outlive the process is in a
//! [`Pack`](super::Pack) or a journal, from which a table is made anew.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A hash: every bit of it as likely as not.
pub type Key = [u8; KEY];

const KEY: usize = 16;
/// Entries held in memory before there is a file.
const HELD: usize = 1024;
/// Bytes of a block: what the system reads from a disk at once.
const BLOCK: usize = 4096;
/// Blocks of a new file: room for all that was held and more.
const FIRST_BLOCKS: u64 = 64;
/// No slot is taken by this key; the entry that has it stays in memory.
const FREE: Key = [0; KEY];

/// Values of `V` bytes by their key. Takes the same memory however many there are.
#[derive(Debug)]
pub struct Table<const V: usize> {
    held: HashMap<Key, [u8; V]>,
    file: Option<Blocks<V>>,
    /// Where the file is made; where temporary files are, if nothing is said.
    folder: Option<PathBuf>,
    len: usize,
}

impl<const V: usize> Default for Table<V> {
    fn default() -> Self {
        Self { held: HashMap::new(), file: None, folder: None, len: 0 }
    }
}

impl<const V: usize> Table<V> {
    /// An empty table whose file is made in this folder.
    #[must_use]
    pub fn beside(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..Self::default() }
    }

    /// Entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was ever put in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of this key.
    pub fn get(&self, key: &Key) -> io::Result<Option<[u8; V]>> {
        if let Some(value) = self.held.get(key) {
            return Ok(Some(*value));
        }
        match &self.file {
            Some(file) if *key != FREE => file.get(key),
            _ => Ok(None),
        }
    }

    /// Puts a value in, and hands out the one that it takes the place of.
    pub fn insert(&mut self, key: Key, value: [u8; V]) -> io::Result<Option<[u8; V]>> {
        let before = match &mut self.file {
            Some(file) if key != FREE => file.insert(&key, &value)?,
            _ => self.held.insert(key, value),
        };
        self.len += usize::from(before.is_none());
        match &self.file {
            None if self.held.len() > HELD => self.move_out()?,
            Some(file) if self.len as u64 > file.room() => self.file = Some(file.doubled(self.new_file()?)?),
            _ => {}
        }
        Ok(before)
    }

    fn move_out(&mut self) -> io::Result<()> {
        let mut file = Blocks::new(self.new_file()?, FIRST_BLOCKS, RandomState::new().hash_one(FREE) | 1)?;
        for (key, value) in self.held.iter().filter(|(key, _)| **key != FREE) {
            file.insert(key, value)?;
        }
        // Only now: a disk that is full leaves the table as it was.
        self.held.retain(|key, _| *key == FREE);
        self.held.shrink_to_fit();
        self.file = Some(file);
        Ok(())
    }

    fn new_file(&self) -> io::Result<File> {
        match &self.folder {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        }
    }
}

/// The file, and how keys are spread over it.
#[derive(Debug)]
struct Blocks<const V: usize> {
    file: File,
    /// A power of two.
    count: u64,
    /// Odd, and nobody's to guess: a site cannot name addresses that all fall into one block.
    scatter: u64,
}

impl<const V: usize> Blocks<V> {
    const SLOT: usize = KEY + V;
    const SLOTS: usize = BLOCK / Self::SLOT;

    fn new(file: File, count: u64, scatter: u64) -> io::Result<Self> {
        // What was not written yet reads as zeros, and takes no room.
        file.set_len(count * BLOCK as u64)?;
        Ok(Self { file, count, scatter })
    }

    /// Entries that it takes before it is doubled.
    fn room(&self) -> u64 {
        self.count * Self::SLOTS as u64 / 5 * 4
    }

    /// The block that a key belongs into.
    fn home(&self, key: &Key) -> u64 {
        let (first, _) = key.split_at(8);
        let first = first.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        first.wrapping_mul(self.scatter) >> (u64::BITS - self.count.trailing_zeros())
    }

    fn read(&self, block: u64) -> io::Result<[u8; BLOCK]> {
        let mut bytes = [0; BLOCK];
        self.file.read_exact_at(&mut bytes, block * BLOCK as u64)?;
        Ok(bytes)
    }

    /// The slot of this key and its value, or the first free one that it may take.
    fn find(&self, key: &Key) -> io::Result<(u64, Option<[u8; V]>)> {
        let home = self.home(key);
        for block in (home..self.count).chain(0..home) {
            let bytes = self.read(block)?;
            for (at, slot) in bytes.chunks_exact(Self::SLOT).enumerate() {
                let (there, value) = slot.split_at(KEY);
                let place = block * BLOCK as u64 + (at * Self::SLOT) as u64;
                if there == key {
                    let mut found = [0; V];
                    found.copy_from_slice(value);
                    return Ok((place, Some(found)));
                }
                if there == FREE {
                    return Ok((place, None));
                }
            }
        }
        Err(io::Error::other("a table is full, although it is doubled long before"))
    }

    fn get(&self, key: &Key) -> io::Result<Option<[u8; V]>> {
        self.find(key).map(|(_, value)| value)
    }

    fn insert(&mut self, key: &Key, value: &[u8; V]) -> io::Result<Option<[u8; V]>> {
        let (place, before) = self.find(key)?;
        if before != Some(*value) {
            let mut slot = [0; BLOCK];
            slot[..KEY].copy_from_slice(key);
            slot[KEY..Self::SLOT].copy_from_slice(value);
            self.file.write_all_at(&slot[..Self::SLOT], place)?;
        }
        Ok(before)
    }

    /// The same entries in twice as many blocks: those of one come into two that lie together.
    fn doubled(&self, file: File) -> io::Result<Self> {
        let mut doubled = Self::new(file, self.count * 2, self.scatter)?;
        // Few: what had not found room in its own block.
        let mut strays = Vec::new();
        for block in 0..self.count {
            let bytes = self.read(block)?;
            let mut halves = [0; 2 * BLOCK];
            let mut used = [0; 2];
            for slot in bytes.chunks_exact(Self::SLOT) {
                let mut key = FREE;
                key.copy_from_slice(&slot[..KEY]);
                if key == FREE {
                    break;
                }
                match usize::try_from(doubled.home(&key).wrapping_sub(block * 2)) {
                    Ok(half @ (0 | 1)) => {
                        let at = half * BLOCK + used[half] * Self::SLOT;
                        halves[at..at + Self::SLOT].copy_from_slice(slot);
                        used[half] += 1;
                    }
                    _ => {
                        let mut value = [0; V];
                        value.copy_from_slice(&slot[KEY..]);
                        strays.push((key, value));
                    }
                }
            }
            doubled.file.write_all_at(&halves, block * 2 * BLOCK as u64)?;
        }
        for (key, value) in strays {
            doubled.insert(&key, &value)?;
        }
        Ok(doubled)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn key(number: u64) -> Key {
        let mut key = FREE;
        key.copy_from_slice(&blake3::hash(&number.to_le_bytes()).as_bytes()[..KEY]);
        key
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Keys that come again, keys that all fall into one block, and the one that marks a free slot.
        #[test]
        fn it_does_what_a_map_does(steps in vec((0..60_u64, any::<[u8; 3]>(), any::<bool>()), 0..200), crowded in any::<bool>()) {
            let mut table = Table::<3>::default();
            let mut map = HashMap::new();
            // From the start on disk, in as few blocks as there can be.
            table.file = Some(Blocks::new(tempfile::tempfile().expect("a file"), 2, 1).expect("blocks"));
            for (number, value, put) in steps {
                let mut key = if number == 0 { FREE } else { key(number) };
                if crowded && number > 0 {
                    key[..8].fill(0);
                }
                if put {
                    prop_assert_eq!(table.insert(key, value).expect("put"), map.insert(key, value));
                }
                prop_assert_eq!(table.get(&key).expect("read"), map.get(&key).copied());
                prop_assert_eq!(table.len(), map.len());
            }
            for (key, value) in map {
                prop_assert_eq!(table.get(&key).expect("read"), Some(value));
            }
        }
    }

    #[test]
    fn it_grows_from_memory_to_disk_and_on_and_keeps_everything() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut table = Table::<8>::beside(folder.path());
        let many = 40_000;
        for number in 0..many {
            assert_eq!(table.insert(key(number), number.to_le_bytes()).expect("put"), None);
            assert_eq!(table.file.is_none(), table.len() <= HELD, "{number}");
        }
        let file = table.file.as_ref().expect("on disk");
        assert!(file.count > 2 * FIRST_BLOCKS, "doubled: {}", file.count);
        assert!(table.held.is_empty());
        for number in (0..many).step_by(2) {
            let before = table.insert(key(number), [7; 8]).expect("put");
            assert_eq!(before, Some(number.to_le_bytes()), "replaced");
        }
        for number in 0..many {
            let value = if number % 2 == 0 { [7; 8] } else { number.to_le_bytes() };
            assert_eq!(table.get(&key(number)).expect("read"), Some(value));
        }
        assert_eq!(table.len(), 40_000);
        assert_eq!(table.get(&key(many)).expect("read"), None);
        let left = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 0, "its files have no names: a process that dies leaves none");
    }

    #[test]
    fn full_blocks_hand_on_over_the_end_and_are_sorted_out_when_they_are_doubled() {
        let mut blocks = Blocks::<0>::new(tempfile::tempfile().expect("a file"), 4, 1).expect("blocks");
        let crowd = |number: u16| {
            let mut key = [0xff; KEY];
            key[14..].copy_from_slice(&number.to_le_bytes());
            key
        };
        for number in 0..600 {
            assert_eq!(blocks.insert(&crowd(number), &[]).expect("put"), None);
        }
        let doubled = blocks.doubled(tempfile::tempfile().expect("a file")).expect("doubled");
        for blocks in [&blocks, &doubled] {
            assert!((0..600).all(|number| blocks.get(&crowd(number)).expect("read").is_some()));
            assert_eq!(blocks.get(&crowd(600)).expect("read"), None);
        }
    }

    /// As a full disk is one: the failure is told, and what was there before still is.
    #[test]
    fn a_file_that_cannot_be_made_loses_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut table = Table::<0>::beside(&folder.path().join("missing"));
        let failed =
            (0..=HELD as u64).map(|number| table.insert(key(number), [])).filter(Result::is_err).count();
        assert_eq!(failed, 1, "the one that is too many");
        assert!((0..=HELD as u64).all(|number| table.get(&key(number)).expect("read").is_some()));
    }
}
