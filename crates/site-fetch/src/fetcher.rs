//! The fetcher itself: guard, manners, retries, redirects and cache put together.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use url::Url;

use crate::body::Over;
use crate::cache::{Cache, Stored};
use crate::error::{Error, Result};
use crate::exchange::{Reading, StandIn, Wire};
use crate::fetched::{Fetched, Hop};
use crate::guard::{Guard, Target};
use crate::host::{HostState, Hosts};
use crate::options::Options;
use crate::resolve::{Resolve, SystemResolver};
use crate::retry_after;
use crate::robots::{self, Robots};
use crate::tls::Trust;
use crate::traffic::{Counters, Traffic};

/// The guarded fetcher. Cheap to clone; clones share connections, pauses and the robots cache.
#[derive(Clone)]
pub struct Fetcher {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    wire: Wire,
    hosts: Hosts,
    robots: robots::Cache,
    cache: Option<Arc<dyn Cache>>,
}

/// What a fetcher is made of. See [`Fetcher::builder`].
pub struct Builder {
    options: Options,
    resolver: Option<Arc<dyn Resolve>>,
    cache: Option<Arc<dyn Cache>>,
    stand_in: Option<StandIn>,
}

impl Builder {
    /// A server that answers, in plain HTTP, whatever is asked of this address's origin, or of the same one without TLS: what
    /// was read from it then is that origin's. The server's own address is checked like any other.
    #[must_use]
    pub fn stand_in(mut self, origin: &Url, at: SocketAddr) -> Self {
        self.stand_in = Some(StandIn { origin: origin.origin(), plain: in_plain(origin).origin(), at });
        self
    }

    /// A resolver of one's own; what it answers is checked all the same.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Keeps answers, so that a later fetch transfers only what changed.
    #[must_use]
    pub fn cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// The fetcher.
    pub fn build(self) -> Result<Fetcher> {
        let Self { options, resolver, cache, stand_in } = self;
        // The HTTP client panics without a process-wide provider; an error means one is set already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let resolver = resolver.unwrap_or_else(|| Arc::new(SystemResolver::new()));
        let guard = Guard::new(options.allow.clone(), resolver, options.connect_timeout);
        let trust = Trust::new(options.extra_roots.clone());
        let wire = Wire { guard, trust, counters: Counters::default(), stand_in };
        let hosts = Hosts::new(&options);
        let robots = robots::Cache::default();
        Ok(Fetcher { inner: Arc::new(Inner { options, wire, hosts, robots, cache }) })
    }
}

/// What a site asks for between two requests, and what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrawlDelay {
    /// The Crawl-delay of its robots.txt.
    pub asked: Duration,
    /// The pause that is kept: shorter than asked where [`Options::max_crawl_delay`] says so.
    pub kept: Duration,
}

impl Fetcher {
    /// A fetcher that resolves names as this machine does and keeps nothing.
    pub fn new(options: Options) -> Result<Self> {
        Self::builder(options).build()
    }

    /// A fetcher with a resolver of one's own; what it answers is checked all the same.
    pub fn with_resolver(options: Options, resolver: Arc<dyn Resolve>) -> Result<Self> {
        Self::builder(options).resolver(resolver).build()
    }

    /// A fetcher with parts of one's own.
    #[must_use]
    pub fn builder(options: Options) -> Builder {
        Builder { options, resolver: None, cache: None, stand_in: None }
    }

    /// The address by which a browser reaches this one, if a server stands in for its origin that cannot answer by TLS.
    #[must_use]
    pub fn plainly(&self, url: &Url) -> Option<Url> {
        let stand_in = self.inner.wire.stand_in.as_ref()?;
        (url.scheme() == "https" && stand_in.origin == url.origin()).then(|| in_plain(url))
    }

    /// The options in force.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// What was asked and what came of it so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.inner.wire.counters.so_far()
    }

    /// Whether this address may be asked at all: scheme, credentials, port, and every address of
    /// its name. Sends nothing to the host.
    pub async fn vet(&self, url: &Url) -> Result<()> {
        self.target(url).await.map(drop)
    }

    /// The addresses that may be dialled for this one.
    pub(crate) async fn target(&self, url: &Url) -> Result<Target> {
        self.inner.wire.target(url).await
    }

    /// Fetches an address and follows its redirects, each checked like the first.
    pub async fn get(&self, url: &Url) -> Result<Fetched> {
        self.follow(url, self.reading(), self.inner.options.max_redirects).await
    }

    /// Fetches an address without following: a redirect is an answer like another, see
    /// [`Fetched::location`].
    pub async fn get_once(&self, url: &Url) -> Result<Fetched> {
        self.ask(url, self.reading()).await
    }

    /// The robots.txt that governs this address: a file that is missing allows everything, one that
    /// the server cannot give forbids everything (RFC 9309). Cached for a day at most. An error means
    /// that the host did not answer; nothing else of it may be fetched then.
    ///
    /// From then on the file's Crawl-delay is kept towards the address's host, see [`Self::crawl_delay`].
    pub async fn robots(&self, url: &Url) -> Result<Arc<Robots>> {
        let mut robots = self.inner.robots.of(self, url).await?;
        if !self.inner.options.heed_robots {
            robots = Arc::new(robots.allowing_all());
        }
        if let Some(delay) = self.crawl_delay(&robots) {
            self.inner.hosts.of(&self.inner.wire.site(url)?).set_delay(delay.kept);
        }
        Ok(robots)
    }

    /// The pause that a robots.txt asks for and the one that is kept; `None` when it asks for none.
    #[must_use]
    pub fn crawl_delay(&self, robots: &Robots) -> Option<CrawlDelay> {
        let asked = robots.crawl_delay?;
        Some(CrawlDelay { asked, kept: asked.min(self.inner.options.max_crawl_delay) })
    }

    fn reading(&self) -> Reading {
        Reading { limit: self.inner.options.max_body, over: Over::Fail }
    }

    pub(crate) async fn follow(&self, url: &Url, reading: Reading, max_redirects: u32) -> Result<Fetched> {
        let mut hops = Vec::new();
        let mut seen = HashSet::new();
        let mut current = url.clone();
        loop {
            let answer = self.ask(&current, reading).await?;
            let Some(to) = answer.location()? else {
                return Ok(Fetched { requested: url.clone(), hops, ..answer });
            };
            let mut key = current.clone();
            key.set_fragment(None);
            seen.insert(key);
            let mut key = to.clone();
            key.set_fragment(None);
            if seen.contains(&key) {
                let url = to.to_string();
                return Err(Error::RedirectLoop { url });
            }
            if hops.len() >= max_redirects as usize {
                return Err(Error::TooManyRedirects { limit: max_redirects });
            }
            hops.push(Hop { from: current, to: to.clone(), status: answer.status });
            current = to;
        }
    }

    /// One address, from the cache where that will do.
    pub(crate) async fn ask(&self, url: &Url, reading: Reading) -> Result<Fetched> {
        let host = self.inner.hosts.of(&self.inner.wire.site(url)?);
        // A body that may be cut is not what others should get.
        let Some(cache) = self.inner.cache.as_deref().filter(|_| reading.over == Over::Fail) else {
            return self.insist(&host, url, &HeaderMap::new(), reading).await;
        };
        let mut key = url.clone();
        key.set_fragment(None);
        let kept = self.recall(cache, &key, reading.limit).await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_fresh(SystemTime::now())) {
            self.inner.wire.counters.unasked();
            return Ok(from_cache(url, kept.clone()));
        }
        let conditions = kept.as_ref().map(Stored::conditions).unwrap_or_default();
        let answer = self.insist(&host, url, &conditions, reading).await?;
        match kept {
            Some(kept) if answer.status == 304 => {
                let kept = kept.revalidated(&answer.headers, SystemTime::now());
                self.inner.wire.counters.unchanged();
                keep(cache, &key, kept.clone()).await;
                let remote_address = answer.remote_address;
                Ok(Fetched { remote_address, revalidated: true, ..from_cache(url, kept) })
            }
            _ => {
                if Stored::may_keep(answer.status, &answer.headers) {
                    keep(cache, &key, self.stored(&answer)).await;
                }
                Ok(answer)
            }
        }
    }

    async fn recall(&self, cache: &dyn Cache, key: &Url, limit: u64) -> Option<Stored> {
        match cache.get(key).await {
            Ok(kept) => kept
                .filter(|kept| kept.is_for(&self.inner.options.user_agent))
                .filter(|kept| kept.body.len() as u64 <= limit),
            Err(error) => {
                tracing::warn!(%error, "the cache cannot be read; the answer is transferred again");
                None
            }
        }
    }

    fn stored(&self, answer: &Fetched) -> Stored {
        Stored {
            status: answer.status,
            headers: answer.headers.clone(),
            user_agent: self.inner.options.user_agent.clone(),
            stored_at: SystemTime::now(),
            body: answer.body.clone(),
        }
    }

    /// One address, tried again while the failure may pass and tries are left.
    async fn insist(
        &self,
        host: &Arc<HostState>,
        url: &Url,
        conditions: &HeaderMap,
        reading: Reading,
    ) -> Result<Fetched> {
        let options = &self.inner.options;
        let mut attempt = 0;
        loop {
            let outcome = self.inner.wire.exchange(options, host, url, conditions, reading).await;
            let last = attempt >= options.retries;
            let pause = retry_after::backoff(options.backoff, attempt);
            match &outcome {
                Ok(answer) if retry_after::may_pass(answer.status) => {
                    let asked = answer.header(RETRY_AFTER.as_str());
                    let asked = asked.and_then(|text| retry_after::pause(text, SystemTime::now()));
                    if let Some(asked) = asked {
                        // The host's word holds for everybody who asks it, this request's tries or not.
                        host.hush(asked);
                    }
                    if last || asked.is_some_and(|asked| asked > options.max_retry_after) {
                        return outcome;
                    }
                    if answer.status == 429 {
                        host.hush(pause);
                    } else {
                        tokio::time::sleep(pause).await;
                    }
                }
                Err(Error::Network { .. }) if !last => tokio::time::sleep(pause).await,
                _ => return outcome,
            }
            attempt += 1;
        }
    }
}

async fn keep(cache: &dyn Cache, key: &Url, answer: Stored) {
    if let Err(error) = cache.put(key, answer).await {
        tracing::warn!(%error, "the cache cannot be written; the answer is not kept");
    }
}

fn from_cache(url: &Url, kept: Stored) -> Fetched {
    let content_type = crate::fetched::value(&kept.headers, "content-type").map(str::to_owned);
    Fetched {
        requested: url.clone(),
        url: url.clone(),
        status: kept.status,
        content_type,
        headers: kept.headers,
        body: kept.body,
        encoded_bytes: 0,
        remote_address: None,
        revalidated: false,
        hops: Vec::new(),
    }
}

/// The same address in plain HTTP.
fn in_plain(url: &Url) -> Url {
    let mut plain = url.clone();
    let changed = plain.set_scheme("http").is_ok();
    debug_assert!(changed, "an HTTP address can have the other scheme");
    plain
}
