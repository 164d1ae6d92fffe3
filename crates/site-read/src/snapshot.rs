//! What was read, as data: the same site gives the same bytes of JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::ContentHash;
use crate::render::Reason;

/// Everything that a crawl found. Bodies are in the archive, by their hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The shape of this document; see [`Snapshot::VERSION`].
    pub version: u32,
    /// The address that was asked for.
    pub start: Url,
    /// Where the start address led after redirects: its origin is the site.
    pub home: Url,
    /// Pages by absolute address without fragment, redirects followed.
    pub pages: BTreeMap<String, Page>,
    /// Everything else that was stored, by the address that refers to it.
    pub assets: BTreeMap<String, Asset>,
    /// Redirects by their source, chains collapsed to the last target.
    pub redirects: Vec<Redirect>,
    /// Addresses that answer with the very bytes of a page under another spelling, by their source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Alias>,
    /// What the site answers for an address that does not exist; its status may be 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_found: Option<Page>,
    /// What was left out or looked wrong, in canonical order; the first of them, if they are very many.
    pub findings: Vec<Finding>,
    /// All that was left out, by the reason's code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, LeftOut>,
    /// Which limit cut the crawl, if one did.
    pub truncated: Option<String>,
}

impl Snapshot {
    /// The shape written by this build.
    pub const VERSION: u32 = 1;

    /// The snapshot of nothing yet.
    #[must_use]
    pub fn empty(start: Url, home: Url) -> Self {
        Self {
            version: Self::VERSION,
            start,
            home,
            pages: BTreeMap::new(),
            assets: BTreeMap::new(),
            redirects: Vec::new(),
            aliases: Vec::new(),
            not_found: None,
            findings: Vec::new(),
            left_out: BTreeMap::new(),
            truncated: None,
        }
    }

    /// All addresses that lead to others: by a redirect of the site, or as another spelling of a page.
    pub fn moved(&self) -> impl Iterator<Item = Redirect> {
        let aliases = self.aliases.iter().map(|alias| Redirect {
            from: alias.from.clone(),
            to: alias.to.clone(),
            status: 301,
            steps: 1,
        });
        self.redirects.iter().cloned().chain(aliases)
    }
}

/// One HTML page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Media type without parameters, as sent or as found out.
    pub content_type: String,
    /// Name of the encoding that the body was decoded from.
    pub charset: String,
    /// Text of the title element, white space collapsed.
    pub title: String,
    /// The body as it was sent.
    pub body: ContentHash,
    /// The body as UTF-8 without a byte order mark.
    pub html: ContentHash,
    /// Links followed from the start page.
    pub depth: u32,
    /// How a browser showed it, if one did: `html` is then what it showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered: Option<Rendering>,
}

impl Page {
    /// The page as it was sent, as UTF-8 without a byte order mark, whatever a browser made of it.
    #[must_use]
    pub fn sent(&self) -> &ContentHash {
        self.rendered.as_ref().map_or(&self.html, |rendering| &rendering.sent)
    }
}

/// What a browser made of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendering {
    /// Why it was asked.
    pub reason: Reason,
    /// The page as it was sent, as UTF-8 without a byte order mark.
    pub sent: ContentHash,
    /// How it looked.
    pub pictures: Vec<Picture>,
    /// JSON: `url`, `status`, `console`, `requests`, `refused`, `walls`, as in [`crate::render::Rendered`].
    pub report: ContentHash,
}

/// A picture of a whole page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// The picture.
    pub png: ContentHash,
}

/// One file that is not a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Media type without parameters, as sent or as found out.
    pub content_type: String,
    /// The body as it was sent.
    pub body: ContentHash,
    /// Its length.
    pub bytes: u64,
    /// Width of an image in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height of an image in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

/// An address that leads to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Redirect {
    /// The address asked for.
    pub from: String,
    /// Where its chain of redirects ends.
    pub to: String,
    /// Status of the first redirect of the chain.
    pub status: u16,
    /// Redirects in the chain.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub steps: u32,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
const fn is_one(steps: &u32) -> bool {
    *steps == 1
}

/// Another spelling of a page's address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Alias {
    /// The spelling.
    pub from: String,
    /// The page's address in [`Snapshot::pages`].
    pub to: String,
}

/// What one reason left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Different addresses.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<String>,
}

impl LeftOut {
    /// Most examples kept of one reason.
    pub const MAX_EXAMPLES: usize = 10;
}

/// Something that was left out or looked wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// Stable name of the kind, as `broken-page` or `third-party`.
    pub code: String,
    /// The address that it is about.
    pub url: String,
    /// What a person should know.
    pub note: String,
}
