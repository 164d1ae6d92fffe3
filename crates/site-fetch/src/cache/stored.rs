//! One kept answer, and what RFC 9111 says about it as far as a crawler needs: no-store, max-age, Expires,
//! Age, validators, Vary.
//!
//! Freshness is never guessed: without max-age or Expires an answer is asked about again, which costs a
//! request but no body. The crawler is one user agent without credentials, so `private` may be kept and
//! `s-maxage` is not for us.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use serde::{Deserialize, Serialize};

use crate::fetched::value;

/// Longest freshness that a server's word is taken for.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An answer as it is kept. Serialised without its body, which caches keep apart under its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// HTTP status.
    pub status: u16,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The User-Agent that was sent: the only header of ours that changes, so the only one Vary can mean.
    pub user_agent: String,
    /// When the answer, or the word that it still stands, came.
    pub stored_at: SystemTime,
    /// The body, its content codings undone.
    #[serde(skip)]
    pub body: Bytes,
}

impl Stored {
    /// BLAKE3 of the body, in lower-case hexadecimal.
    #[must_use]
    pub fn body_hash(&self) -> String {
        blake3::hash(&self.body).to_hex().to_string()
    }

    /// Whether an answer with this status and these headers may be kept, and keeping it can save anything.
    pub(crate) fn may_keep(status: u16, headers: &[(String, String)]) -> bool {
        if !matches!(status, 200 | 203 | 301 | 308 | 404 | 410) || has_directive(headers, "no-store") {
            return false;
        }
        if vary(headers).any(|name| name == "*") {
            return false;
        }
        let has_validator = value(headers, "etag").is_some() || value(headers, "last-modified").is_some();
        has_validator || lifetime(headers).is_some_and(|lifetime| !lifetime.is_zero())
    }

    /// Whether this answer is one for a request with this User-Agent.
    pub(crate) fn is_for(&self, user_agent: &str) -> bool {
        self.user_agent == user_agent || !vary(&self.headers).any(|name| name == "user-agent")
    }

    /// Whether it may be used without asking the server.
    pub(crate) fn is_fresh(&self, now: SystemTime) -> bool {
        if has_directive(&self.headers, "no-cache") {
            return false;
        }
        let age = value(&self.headers, "age").and_then(|age| age.trim().parse().ok());
        let age = Duration::from_secs(age.unwrap_or(0));
        // A clock that was set back makes the answer old, not new.
        let Ok(resident) = now.duration_since(self.stored_at) else {
            return false;
        };
        lifetime(&self.headers).is_some_and(|lifetime| age.saturating_add(resident) < lifetime)
    }

    /// The headers that ask "has it changed since?". Empty when the answer has nothing to ask by.
    pub(crate) fn conditions(&self) -> HeaderMap {
        let mut conditions = HeaderMap::new();
        let mut add = |name: HeaderName, from: &str| {
            if let Some(text) = value(&self.headers, from).and_then(|text| HeaderValue::from_str(text).ok()) {
                conditions.insert(name, text);
            }
        };
        add(IF_NONE_MATCH, "etag");
        add(IF_MODIFIED_SINCE, "last-modified");
        conditions
    }

    /// The same answer after the server said that it still stands: its new headers replace the old ones,
    /// but for those that tell of the body that was not sent again.
    pub(crate) fn revalidated(mut self, headers: &[(String, String)], now: SystemTime) -> Self {
        const OF_THE_BODY: [&str; 4] =
            ["content-encoding", "content-length", "content-range", "transfer-encoding"];
        let newer: Vec<_> =
            headers.iter().filter(|(name, _)| !OF_THE_BODY.contains(&name.as_str())).cloned().collect();
        self.headers.retain(|(name, _)| !newer.iter().any(|(new, _)| new == name));
        self.headers.extend(newer);
        self.stored_at = now;
        self
    }
}

/// How long the answer is fresh, from the moment it was made; `None` without a word about it.
pub(crate) fn lifetime(headers: &[(String, String)]) -> Option<Duration> {
    if let Some(seconds) = directives(headers).find_map(|directive| max_age(&directive)) {
        return Some(seconds.min(LONGEST));
    }
    let expires = value(headers, "expires")?;
    let date = value(headers, "date").and_then(|date| httpdate::parse_http_date(date).ok());
    // Expires that is no date ("0", "-1") means already over.
    let Ok(expires) = httpdate::parse_http_date(expires) else {
        return Some(Duration::ZERO);
    };
    let lifetime = expires.duration_since(date?).unwrap_or(Duration::ZERO);
    Some(lifetime.min(LONGEST))
}

fn max_age(directive: &str) -> Option<Duration> {
    let seconds = directive.strip_prefix("max-age=")?.trim_matches('"');
    // Anything that is no number of seconds is taken as already over.
    let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    Some(if is_number { Duration::from_secs(seconds.parse().unwrap_or(u64::MAX)) } else { Duration::ZERO })
}

fn has_directive(headers: &[(String, String)], name: &str) -> bool {
    // `no-cache="x"` with field names is taken as the whole: the careful reading.
    directives(headers).any(|directive| directive.split('=').next() == Some(name))
}

fn directives(headers: &[(String, String)]) -> impl Iterator<Item = String> {
    list(headers, "cache-control")
}

fn vary(headers: &[(String, String)]) -> impl Iterator<Item = String> {
    list(headers, "vary")
}

/// The items of a header that is a list, in lower case.
fn list(headers: &[(String, String)], name: &'static str) -> impl Iterator<Item = String> {
    let values = headers.iter().filter(move |(key, _)| key == name);
    values.flat_map(|(_, value)| value.split(',')).map(|item| item.trim().to_ascii_lowercase())
}
