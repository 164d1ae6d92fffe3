//! What a fetch has for a result.

use std::net::SocketAddr;

use bytes::Bytes;
use reqwest::header::LOCATION;
use url::Url;

use crate::error::{Error, Result};

/// An answer.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The address that was asked for.
    pub requested: Url,
    /// The address that answered, after redirects.
    pub url: Url,
    /// HTTP status.
    pub status: u16,
    /// The Content-Type header as sent.
    pub content_type: Option<String>,
    /// All headers as sent, names in lower case. Content-Encoding and Content-Length tell of the body on
    /// the wire, not of `body`.
    pub headers: Vec<(String, String)>,
    /// The body, its content codings undone.
    pub body: Bytes,
    /// Bytes of the body on the wire, before its content codings were undone; 0 when it came from the cache.
    pub encoded_bytes: u64,
    /// The address that was dialled: one of those that were checked. `None` when nothing was sent, since
    /// the cache had a fresh answer.
    pub remote_address: Option<SocketAddr>,
    /// Whether the server was asked and said that the answer in the cache still stands.
    pub revalidated: bool,
    /// The redirects on the way.
    pub hops: Vec<Hop>,
}

impl Fetched {
    /// The first value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        value(&self.headers, name)
    }

    /// Whether the body came from the cache, asked again or not.
    #[must_use]
    pub fn from_cache(&self) -> bool {
        self.revalidated || self.remote_address.is_none()
    }

    /// Where this answer redirects to, if it does.
    pub fn location(&self) -> Result<Option<Url>> {
        if !matches!(self.status, 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(location) = self.header(LOCATION.as_str()) else {
            return Ok(None);
        };
        let mut to = self
            .url
            .join(location)
            .map_err(|_| Error::BadRedirect { location: location.chars().take(200).collect() })?;
        if to.fragment().is_none() {
            to.set_fragment(self.url.fragment());
        }
        Ok(Some(to))
    }
}

/// One redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The address that redirected.
    pub from: Url,
    /// Where it sent us.
    pub to: Url,
    /// Its status.
    pub status: u16,
}

/// The first value of a header, by its lower-case name.
pub(crate) fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
