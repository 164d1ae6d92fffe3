//! robots.txt by RFC 9309: which paths may be read, and where the sitemaps are.
//!
//! The file is somebody else's input: it is read up to a bound, and nothing in it can make matching
//! take more than linear time per rule.

mod cache;
mod parse;
mod pattern;

use std::time::Duration;

use url::Url;

pub(crate) use cache::Cache;
use pattern::Pattern;

/// Bytes of the file that are read, after decompression; the standard asks for at least 500 KiB.
pub const MAX_BYTES: u64 = 512 * 1024;

/// The rules for one crawler at one site.
#[derive(Debug, Clone, PartialEq)]
pub struct Robots {
    standing: Standing,
    rules: Vec<Rule>,
    /// Pause that the site asks for between requests.
    pub crawl_delay: Option<Duration>,
    /// Sitemap addresses as written.
    pub sitemaps: Vec<String>,
}

/// Where the rules come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The file was read.
    Read,
    /// There is none (4xx): everything is allowed.
    Absent,
    /// The server could not say (5xx): nothing is allowed.
    ServerError {
        /// The status it answered.
        status: u16,
    },
    /// Nobody answered, or it leads to where nothing may be fetched: nothing is allowed.
    Unreachable,
}

#[derive(Debug, Clone, PartialEq)]
struct Rule {
    pattern: Pattern,
    allow: bool,
}

impl Robots {
    /// Reads a file for the crawler whose User-Agent header is `user_agent`.
    #[must_use]
    pub fn parse(file: &[u8], user_agent: &str) -> Self {
        parse::parse(file, user_agent)
    }

    fn without_rules(standing: Standing) -> Self {
        Self { standing, rules: Vec::new(), crawl_delay: None, sitemaps: Vec::new() }
    }

    /// The same file as if it forbade nothing and asked for no pause.
    pub(crate) fn allowing_all(&self) -> Self {
        Self { sitemaps: self.sitemaps.clone(), ..Self::without_rules(self.standing) }
    }

    /// Where the rules come from.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether the server itself told these rules, or that there are none.
    fn is_told(&self) -> bool {
        matches!(self.standing, Standing::Read | Standing::Absent)
    }

    /// Whether there is nothing that it forbids.
    #[must_use]
    pub fn allows_all(&self) -> bool {
        self.is_told() && self.rules.iter().all(|rule| rule.allow)
    }

    /// Whether the address may be read: the longest matching rule decides, Allow on a tie.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        match self.standing {
            Standing::Absent => return true,
            Standing::ServerError { .. } | Standing::Unreachable => return false,
            Standing::Read => {}
        }
        // The file itself is always readable.
        if url.path() == "/robots.txt" {
            return true;
        }
        let path = pattern::Spelled::of(url);
        let matching = self.rules.iter().filter(|rule| rule.pattern.matches(&path));
        let decisive = matching.max_by_key(|rule| (rule.pattern.weight(), rule.allow));
        decisive.is_none_or(|rule| rule.allow)
    }
}

#[cfg(test)]
mod tests;
