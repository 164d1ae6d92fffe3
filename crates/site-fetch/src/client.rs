//! An HTTP client that can dial nothing but the addresses it was built for.
//!
//! Its resolver answers from the checked list without asking anybody, so there is no second look-up
//! between check and connection, while Host header, SNI and certificate check keep the name.
//! It undoes no content coding: that is done in `coding.rs`, where both sizes are known and bounded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolving};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue};
use tokio::time::Instant;

use crate::coding;
use crate::error::{Error, Result};
use crate::guard::Target;
use crate::options::Options;

/// Most header fields of an answer, and most bytes of them over HTTP/2.
const MAX_HEADERS: usize = 128;
const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// A client and the addresses that it is bound to. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pinned {
    pub(crate) client: reqwest::Client,
    pub(crate) target: Arc<Target>,
    pub(crate) checked_at: Instant,
}

impl Pinned {
    pub(crate) fn new(options: &Options, tls: rustls::ClientConfig, target: Target) -> Result<Self> {
        let target = Arc::new(target);
        Ok(Self { client: build(options, tls, target.clone())?, target, checked_at: Instant::now() })
    }

    pub(crate) fn is_fresh(&self, pin: Duration) -> bool {
        self.checked_at.elapsed() < pin
    }
}

fn build(options: &Options, tls: rustls::ClientConfig, target: Arc<Target>) -> Result<reqwest::Client> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(coding::ACCEPTED));
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(&options.user_agent)
        .default_headers(headers)
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.idle_timeout)
        .pool_max_idle_per_host(options.per_host)
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .dns_resolver(Arc::new(CheckedOnly(target)))
        .build()
        .map_err(Error::Client)
}

struct CheckedOnly(Arc<Target>);

impl reqwest::dns::Resolve for CheckedOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let Target { host, addresses } = self.0.as_ref();
        let answer = if name.as_str().eq_ignore_ascii_case(host) {
            let addresses: Vec<SocketAddr> = addresses.clone();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        } else {
            Err(format!("{} was not checked", name.as_str()).into())
        };
        Box::pin(std::future::ready(answer))
    }
}
