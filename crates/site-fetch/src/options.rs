//! The fetcher's limits and manners.

use std::net::SocketAddr;
use std::time::Duration;

use rustls::pki_types::CertificateDer;

use crate::error::{Error, Result};

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
    /// Whether what a robots.txt forbids is left alone, and its Crawl-delay kept. Without, its sitemaps are still told: for
    /// files that their owner has handed over.
    pub heed_robots: bool,
    /// Whether fewer than `per_host` are sent while the host is slow or says that it has too much to do.
    pub adapt: bool,
    /// Longest Crawl-delay that is kept; a longer one is kept as this one, see
    /// [`Fetcher::crawl_delay`](crate::Fetcher::crawl_delay). Zero ignores them.
    pub max_crawl_delay: Duration,
    /// How long checked addresses are used before the name is looked up and checked again.
    pub pin: Duration,
    /// Certificate authorities to trust beside the system's, for a company with its own: see
    /// [`authorities`].
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// How often a request that failed for a passing reason is sent again.
    pub retries: u32,
    /// First pause before a second try; it doubles each time.
    pub backoff: Duration,
    /// Longest Retry-After that is waited for; a longer one is handed to the caller as the answer, and the
    /// host is asked nothing until it is over.
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
            heed_robots: true,
            adapt: true,
            max_crawl_delay: Duration::from_secs(10),
            pin: Duration::from_secs(60),
            extra_roots: Vec::new(),
            retries: 2,
            backoff: Duration::from_millis(200),
            max_retry_after: Duration::from_secs(20),
        }
    }
}

/// Certificates for [`Options::extra_roots`] from a PEM file's bytes; other things in it are passed over.
/// An error means that it holds no certificate, or a broken one.
pub fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    use rustls::pki_types::pem::PemObject;
    let broken = |text: String| Error::Roots(rustls::Error::General(text));
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| broken(format!("a PEM file cannot be read: {error}")))?;
    if found.is_empty() { Err(broken("a PEM file holds no certificate".to_owned())) } else { Ok(found) }
}
