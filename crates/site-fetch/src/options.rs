//! The fetcher's limits and manners.

use std::net::SocketAddr;
use std::time::Duration;

/// How the fetcher behaves. Built in code or from the command line: it has no way in from the
/// environment, so that no variable can open an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The User-Agent header; its first word is the name that robots.txt groups are matched against.
    pub user_agent: String,
    /// `address:port` pairs that are open although the table or the port rule refuses them.
    pub allow: Vec<SocketAddr>,
    /// Largest body in bytes, counted after decompression.
    pub max_body: u64,
    /// Limit for name, TCP and TLS set-up together.
    pub connect_timeout: Duration,
    /// Longest silence while an answer is awaited or read.
    pub idle_timeout: Duration,
    /// Limit for one exchange from request to last byte.
    pub total_timeout: Duration,
    /// Most redirects that one `get` follows.
    pub max_redirects: u32,
    /// Most requests under way at one host.
    pub per_host: usize,
    /// How often a request that failed for a passing reason is sent again.
    pub retries: u32,
    /// First pause before a second try; it doubles each time.
    pub backoff: Duration,
    /// Longest Retry-After that is waited for; a longer one is handed to the caller as the answer.
    pub max_retry_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: "Resettle/0.1 (+https://resettle.invalid/crawler)".to_owned(),
            allow: Vec::new(),
            max_body: 32 * 1024 * 1024,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(15),
            total_timeout: Duration::from_secs(60),
            max_redirects: 10,
            per_host: 6,
            retries: 2,
            backoff: Duration::from_millis(200),
            max_retry_after: Duration::from_secs(20),
        }
    }
}
