//! An HTTP client that can dial nothing but the addresses it was built for.
//!
//! Its resolver answers from the checked list without asking anybody, so there is no second look-up
//! between check and connection, while Host header, SNI and certificate check keep the name.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolving};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use tokio::time::Instant;

use crate::error::{Error, Result};
use crate::guard::Target;
use crate::options::Options;

/// How long checked addresses are used before the name is looked up and checked again.
const PIN: Duration = Duration::from_secs(60);
/// Most header fields of an answer, and most bytes of them over HTTP/2.
const MAX_HEADERS: usize = 128;
const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// A client and the addresses that it is bound to.
#[derive(Clone)]
pub(crate) struct Pinned {
    pub(crate) client: reqwest::Client,
    pub(crate) target: Target,
    pub(crate) checked_at: Instant,
}

impl Pinned {
    pub(crate) fn new(options: &Options, target: Target) -> Result<Self> {
        Ok(Self { client: build(options, &target)?, target, checked_at: Instant::now() })
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.checked_at.elapsed() < PIN
    }
}

fn build(options: &Options, target: &Target) -> Result<reqwest::Client> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8"));
    reqwest::Client::builder()
        .user_agent(&options.user_agent)
        .default_headers(headers)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.idle_timeout)
        .pool_max_idle_per_host(options.per_host)
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .dns_resolver(Arc::new(CheckedOnly {
            host: target.host.clone(),
            addresses: target.addresses.clone(),
        }))
        .build()
        .map_err(Error::Client)
}

struct CheckedOnly {
    host: String,
    addresses: Vec<SocketAddr>,
}

impl reqwest::dns::Resolve for CheckedOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let answer = if name.as_str().eq_ignore_ascii_case(&self.host) {
            Ok(Box::new(self.addresses.clone().into_iter()) as Addrs)
        } else {
            Err(format!("{} was not checked", name.as_str()).into())
        };
        Box::pin(std::future::ready(answer))
    }
}
