//! What was read, as data: the same site gives the same bytes of JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::ContentHash;

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
    /// What was left out or looked wrong, in canonical order.
    pub findings: Vec<Finding>,
    /// Which limit cut the crawl, if one did.
    pub truncated: Option<String>,
}

impl Snapshot {
    /// The shape written by this build.
    pub const VERSION: u32 = 1;
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
