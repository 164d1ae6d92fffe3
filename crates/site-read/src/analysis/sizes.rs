//! The real dimensions of a site's images, found as its pages spell their addresses; of many, on disk.

use std::io;

use site_fetch::disk::{Key, Table};
use url::Url;

use crate::crawl::Gathered;
use crate::fingerprints::fingerprint;
use crate::web_address::normal_form;

/// Width and height.
type Size = (u32, u32);

pub(super) struct ImageSizes {
    /// Of each file: whether it has a size, its width, its height.
    known: Table<9>,
    /// Where redirects and other spellings lead.
    moved: Table<16>,
}

impl ImageSizes {
    /// One pass over the files.
    pub(super) fn of(gathered: &mut Gathered) -> io::Result<Self> {
        let mut sizes = Self { known: Table::default(), moved: Table::default() };
        for asset in gathered.assets()? {
            let (address, asset) = asset?;
            if let Some(key) = key(&address) {
                sizes.known.insert(key, packed(asset.width.zip(asset.height)))?;
            }
        }
        for moved in gathered.head().moved() {
            if let Some((from, to)) = key(&moved.from).zip(key(&moved.to)) {
                sizes.moved.insert(from, to)?;
            }
        }
        Ok(sizes)
    }

    /// The size of the image that this reference names, redirects followed.
    pub(super) fn get(&self, url: &Url) -> io::Result<Option<Size>> {
        let mut key = fingerprint(&normal_form(url));
        // A redirect may lead to another spelling.
        for _ in 0..=2 {
            if let Some(size) = self.known.get(&key)? {
                return Ok(unpacked(size));
            }
            let Some(target) = self.moved.get(&key)? else { break };
            key = target;
        }
        Ok(None)
    }
}

fn key(address: &str) -> Option<Key> {
    Url::parse(address).ok().map(|url| fingerprint(&normal_form(&url)))
}

fn packed(size: Option<Size>) -> [u8; 9] {
    let mut packed = [0; 9];
    if let Some((width, height)) = size {
        packed[0] = 1;
        packed[1..5].copy_from_slice(&width.to_le_bytes());
        packed[5..].copy_from_slice(&height.to_le_bytes());
    }
    packed
}

fn unpacked(packed: [u8; 9]) -> Option<Size> {
    let [known, w0, w1, w2, w3, h0, h1, h2, h3] = packed;
    (known == 1).then(|| (u32::from_le_bytes([w0, w1, w2, w3]), u32::from_le_bytes([h0, h1, h2, h3])))
}
