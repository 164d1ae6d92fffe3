//! One file for many bodies: to make a file for each would take longer than to fetch it.
//!
//! The file is a row of records: a key (32 bytes), the body's length (8 bytes, little end first), the body. It only grows;
//! a key that comes again takes the new body, and the old one lies there until somebody writes the file anew. Half a
//! record at the end is what a process was writing when it died: it is cut off when the file is opened again. Bodies carry
//! no checksum: keys that are hashes of them tell what is damaged, and others have to be told apart by who reads them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::table::{Key, Table};

/// Bytes of a record before its body.
const HEAD: u64 = 40;

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    at: u64,
    /// Bytes of its body.
    pub length: u64,
}

impl Place {
    /// Bytes that the record takes in the file.
    #[must_use]
    pub fn whole(&self) -> u64 {
        HEAD + self.length
    }
}

/// A file of records, open for this process alone. In memory there is nothing of a record but a share of a [`Table`].
#[derive(Debug)]
pub struct Pack {
    file: File,
    /// Where the latest record of a key begins.
    places: Table<8>,
    /// Behind the last record.
    end: u64,
}

impl Pack {
    /// Opens the file, and makes it if it is not there. Fails with `WouldBlock` while another process has it open.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let note = format!("{} is in use by another process", path.display());
                return Err(io::Error::new(io::ErrorKind::WouldBlock, note));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.map_or_else(|| PathBuf::from("."), Path::to_owned);
        let mut pack = Self { file, places: Table::beside(&folder), end: 0 };
        let mut records = Records { at: 0, size: pack.file.metadata()?.len() };
        while let Some((key, place)) = records.next(&pack.file)? {
            pack.places.insert(short(&key), place.at.to_le_bytes())?;
            pack.end = records.at;
        }
        pack.file.set_len(pack.end)?;
        Ok(pack)
    }

    /// Bytes of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.end
    }

    /// Keeps a body, in place of an earlier one of the same key.
    pub fn put(&mut self, key: &[u8; 32], body: &[u8]) -> io::Result<()> {
        let mut record = Vec::with_capacity(HEAD as usize + body.len());
        record.extend_from_slice(key);
        record.extend_from_slice(&(body.len() as u64).to_le_bytes());
        record.extend_from_slice(body);
        if let Err(error) = (&self.file).write_all(&record) {
            // The disk is full, most likely: half a record must not stay before the next.
            self.file.set_len(self.end)?;
            return Err(error);
        }
        let at = self.end;
        self.end += record.len() as u64;
        self.places.insert(short(key), at.to_le_bytes()).map(drop)
    }

    /// Where the latest body of this key is.
    pub fn find(&self, key: &[u8; 32]) -> io::Result<Option<Place>> {
        let Some(at) = self.places.get(&short(key))? else { return Ok(None) };
        let (there, place) = head(&self.file, u64::from_le_bytes(at))?;
        // Two hashes that share their first half do not happen.
        Ok((there == *key).then_some(place))
    }

    /// The body at a place that this pack told.
    pub fn read(&self, place: Place) -> io::Result<Vec<u8>> {
        let mut body = vec![0; usize::try_from(place.length).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut body, place.at + HEAD)?;
        Ok(body)
    }

    /// All records in the order in which they were put, those that were replaced included.
    #[must_use]
    pub fn records(&self) -> Records {
        Records { at: 0, size: self.end }
    }

    /// The record that `records` are at, if there is one more.
    pub fn next(&self, records: &mut Records) -> io::Result<Option<([u8; 32], Place)>> {
        records.next(&self.file)
    }
}

/// A walk over the records of a [`Pack`]; see [`Pack::next`].
#[derive(Debug)]
pub struct Records {
    at: u64,
    size: u64,
}

impl Records {
    fn next(&mut self, file: &File) -> io::Result<Option<([u8; 32], Place)>> {
        if self.at + HEAD > self.size {
            return Ok(None);
        }
        let (key, place) = head(file, self.at)?;
        let next = (self.at + HEAD).checked_add(place.length).filter(|next| *next <= self.size);
        // A machine that lost its power may have lengthened the file and written nothing there.
        let Some(next) = next.filter(|_| key != [0; 32]) else { return Ok(None) };
        self.at = next;
        Ok(Some((key, place)))
    }
}

fn short(key: &[u8; 32]) -> Key {
    let mut short = Key::default();
    short.copy_from_slice(&key[..16]);
    short
}

/// The key at the beginning of a record, and where its body is.
fn head(file: &File, at: u64) -> io::Result<([u8; 32], Place)> {
    let mut head = [0; HEAD as usize];
    file.read_exact_at(&mut head, at)?;
    let (mut key, mut length) = ([0; 32], [0; 8]);
    key.copy_from_slice(&head[..32]);
    length.copy_from_slice(&head[32..]);
    Ok((key, Place { at, length: u64::from_le_bytes(length) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(pack: &Pack, key: u8) -> Option<Vec<u8>> {
        pack.find(&[key; 32]).expect("found").map(|place| pack.read(place).expect("read"))
    }

    #[test]
    fn a_key_that_comes_again_takes_the_new_body_also_after_a_new_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pack");
        let mut pack = Pack::open(&path).expect("opened");
        for (key, text) in [(1, "one"), (2, ""), (1, "other")] {
            pack.put(&[key; 32], text.as_bytes()).expect("put");
        }
        assert_eq!(Pack::open(&path).expect_err("in use").kind(), io::ErrorKind::WouldBlock);
        for _ in 0..2 {
            assert_eq!(body(&pack, 1).as_deref(), Some(&b"other"[..]));
            assert_eq!(body(&pack, 2).as_deref(), Some(&b""[..]));
            assert_eq!(body(&pack, 3), None);
            assert_eq!(pack.size(), path.metadata().expect("a file").len());
            let mut records = pack.records();
            let mut seen = Vec::new();
            while let Some((key, place)) = pack.next(&mut records).expect("read") {
                seen.push((key[0], place.length));
            }
            assert_eq!(seen, [(1, 3), (2, 0), (1, 5)]);
            drop(pack);
            pack = Pack::open(&path).expect("opened again");
        }
    }

    #[test]
    fn what_was_being_written_at_the_end_is_cut_off_wherever_it_was_torn() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pack");
        let mut pack = Pack::open(&path).expect("opened");
        pack.put(&[1; 32], b"whole").expect("put");
        let whole = pack.size();
        pack.put(&[2; 32], &[7; 100]).expect("put");
        drop(pack);
        let bytes = std::fs::read(&path).expect("read");
        for cut in whole as usize..bytes.len() {
            // Cut short, or lengthened without being written.
            let torn = if cut % 2 == 0 {
                bytes[..cut].to_vec()
            } else {
                [&bytes[..whole as usize], &[0; 90]].concat()
            };
            std::fs::write(&path, torn).expect("written");
            let mut pack = Pack::open(&path).expect("opened");
            assert_eq!((pack.size(), body(&pack, 2)), (whole, None), "cut at {cut}");
            pack.put(&[2; 32], b"again").expect("put");
            assert_eq!(body(&pack, 1).as_deref(), Some(&b"whole"[..]));
            assert_eq!(body(&pack, 2).as_deref(), Some(&b"again"[..]));
        }
    }
}
