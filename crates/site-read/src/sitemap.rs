//! Lists of addresses that a site gives to machines: sitemaps and their indexes in XML or plain text,
//! and feeds in RSS, Atom and JSON. All may be compressed.
//!
//! Lenient: what was read before an error counts. Bounded: a file after decompression, the number of
//! addresses, and by the caller the number of files. What the bounds cut is said.

mod json;
mod xml;

use std::io::Read;

/// Largest file after decompression: the protocol's own bound.
const MAX_BYTES: u64 = 50 * 1024 * 1024;
/// Most addresses of one file: the protocol's own bound.
const MAX_URLS: usize = 50_000;
/// A longer address is left out; the protocol ends at 2,048.
const MAX_ADDRESS: usize = 8192;

/// What a list names, as written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// Pages.
    pub(crate) pages: Vec<String>,
    /// Pictures, films and sounds.
    pub(crate) assets: Vec<String>,
    /// Further sitemaps.
    pub(crate) sitemaps: Vec<String>,
    /// Whether there is more than was taken.
    pub(crate) cut: bool,
}

/// Which list an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Pages,
    Assets,
    Sitemaps,
}

impl Named {
    /// `false` when no more is taken.
    fn add(&mut self, list: List, address: &str) -> bool {
        if self.pages.len() + self.assets.len() + self.sitemaps.len() >= MAX_URLS {
            self.cut = true;
            return false;
        }
        let address = address.trim();
        if address.is_empty() || address.len() > MAX_ADDRESS {
            return true;
        }
        let list = match list {
            List::Pages => &mut self.pages,
            List::Assets => &mut self.assets,
            List::Sitemaps => &mut self.sitemaps,
        };
        list.push(address.to_owned());
        true
    }
}

/// Reads a list of any of these kinds; what is none of them names nothing.
pub(crate) fn read(body: &[u8]) -> Named {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return read_plain(body);
    }
    let mut plain = Vec::new();
    let decoder = flate2::read::MultiGzDecoder::new(body);
    // A broken end leaves what came before it.
    let _ = decoder.take(MAX_BYTES + 1).read_to_end(&mut plain);
    let over = plain.len() as u64 > MAX_BYTES;
    plain.truncate(usize::try_from(MAX_BYTES).unwrap_or(usize::MAX));
    let mut found = read_plain(&plain);
    found.cut |= over;
    found
}

/// Whether a body of this media type may be such a list. A feed is often sent as plain XML.
pub(crate) fn may_be(content_type: &str) -> bool {
    matches!(
        content_type,
        "application/rss+xml"
            | "application/atom+xml"
            | "application/rdf+xml"
            | "application/feed+json"
            | "application/xml"
            | "text/xml"
            | "application/gzip"
            | "application/x-gzip"
    )
}

fn read_plain(body: &[u8]) -> Named {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('<') {
        return xml::read(text);
    }
    if text.starts_with('{') {
        return json::read(text);
    }
    let mut found = Named::default();
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| line.starts_with("http://") || line.starts_with("https://")) {
        if !found.add(List::Pages, line) {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests;
