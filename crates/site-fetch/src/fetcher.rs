//! The fetcher itself: guard, client, manners, retries and redirects put together.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use time::OffsetDateTime;
use url::Url;

use crate::body::{self, Broken, Over};
use crate::client::Pinned;
use crate::error::{Error, Result};
use crate::guard::Guard;
use crate::host::{HostState, Hosts};
use crate::options::Options;
use crate::resolve::{Resolve, SystemResolver};
use crate::retry_after;
use crate::robots::{self, Robots};

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
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Bytes,
    /// The redirects on the way.
    pub hops: Vec<Hop>,
}

impl Fetched {
    /// The first value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
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

/// The guarded fetcher. Cheap to clone; clones share connections, pauses and the robots cache.
#[derive(Clone)]
pub struct Fetcher {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    guard: Guard,
    hosts: Hosts,
    robots: robots::Cache,
}

/// How one body is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) limit: u64,
    pub(crate) over: Over,
}

impl Fetcher {
    /// A fetcher that resolves names as this machine does.
    pub fn new(options: Options) -> Result<Self> {
        Self::with_resolver(options, Arc::new(SystemResolver::new()))
    }

    /// A fetcher with a resolver of one's own; what it answers is checked all the same.
    pub fn with_resolver(options: Options, resolver: Arc<dyn Resolve>) -> Result<Self> {
        // The HTTP client panics without a process-wide provider; an error means one is set already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = Guard::new(options.allow.clone(), resolver, options.connect_timeout);
        Ok(Self {
            inner: Arc::new(Inner {
                hosts: Hosts::new(options.per_host),
                robots: robots::Cache::default(),
                guard,
                options,
            }),
        })
    }

    /// The options in force.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Whether this address may be asked at all: scheme, credentials, port, and every address of
    /// its name. Sends nothing to the host.
    pub async fn vet(&self, url: &Url) -> Result<()> {
        self.inner.guard.target(url).await.map(drop)
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
    pub async fn robots(&self, url: &Url) -> Result<Arc<Robots>> {
        self.inner.robots.of(self, url).await
    }

    fn reading(&self) -> Reading {
        Reading { limit: self.inner.options.max_body, over: Over::Fail }
    }

    pub(crate) async fn follow(&self, url: &Url, reading: Reading, max_redirects: u32) -> Result<Fetched> {
        let mut hops = Vec::new();
        let mut seen = HashSet::new();
        let mut current = url.clone();
        loop {
            let mut key = current.clone();
            key.set_fragment(None);
            if !seen.insert(key) {
                let url = current.to_string();
                return Err(Error::RedirectLoop { url });
            }
            let answer = self.ask(&current, reading).await?;
            let Some(to) = answer.location()? else {
                return Ok(Fetched { requested: url.clone(), hops, ..answer });
            };
            if hops.len() >= max_redirects as usize {
                return Err(Error::TooManyRedirects { limit: max_redirects });
            }
            hops.push(Hop { from: current, to: to.clone(), status: answer.status });
            current = to;
        }
    }

    /// One address, tried again while the failure may pass and tries are left.
    async fn ask(&self, url: &Url, reading: Reading) -> Result<Fetched> {
        let options = &self.inner.options;
        let host = self.inner.hosts.of(&self.inner.guard.site(url)?);
        let mut attempt = 0;
        loop {
            let outcome = self.exchange(&host, url, reading).await;
            let last = attempt >= options.retries;
            let pause = retry_after::backoff(options.backoff, attempt);
            match &outcome {
                Ok(answer) if retry_after::may_pass(answer.status) && !last => {
                    let asked = answer.header(RETRY_AFTER.as_str());
                    let asked = asked.and_then(|text| retry_after::pause(text, OffsetDateTime::now_utc()));
                    match asked {
                        Some(asked) if asked > options.max_retry_after => return outcome,
                        Some(asked) => host.hush(asked.max(pause)),
                        None if answer.status == 429 => host.hush(pause),
                        None => tokio::time::sleep(pause).await,
                    }
                }
                Err(Error::Network { .. }) if !last => tokio::time::sleep(pause).await,
                _ => return outcome,
            }
            attempt += 1;
        }
    }

    async fn exchange(&self, host: &HostState, url: &Url, reading: Reading) -> Result<Fetched> {
        let _slot = host.slot().await;
        let limit = self.inner.options.total_timeout;
        match tokio::time::timeout(limit, self.request(host, url, reading)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::TimedOut { host: url.host_str().unwrap_or_default().to_owned() }),
        }
    }

    async fn request(&self, host: &HostState, url: &Url, reading: Reading) -> Result<Fetched> {
        let client = self.client(host, url).await?;
        let mut asked = url.clone();
        asked.set_fragment(None);
        let response = client.get(asked).send().await;
        let response = response.map_err(|error| transport(url, error))?;
        let status = response.status().as_u16();
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        let content_type =
            headers.iter().find(|(name, _)| name == CONTENT_TYPE.as_str()).map(|(_, value)| value.clone());
        let body =
            body::read(response, reading.limit, reading.over).await.map_err(|broken| match broken {
                Broken::TooLarge => Error::TooLarge { limit: reading.limit },
                Broken::Transport(error) => transport(url, error),
            })?;
        Ok(Fetched {
            requested: url.clone(),
            url: url.clone(),
            status,
            content_type,
            headers,
            body,
            hops: Vec::new(),
        })
    }

    /// The client bound to this host's checked addresses; checked anew when the pin is old.
    async fn client(&self, host: &HostState, url: &Url) -> Result<reqwest::Client> {
        let mut pinned = host.pinned.lock().await;
        if let Some(pin) = pinned.as_ref().filter(|pin| pin.is_fresh()) {
            return Ok(pin.client.clone());
        }
        // Cleared first: after a refusal nothing may go on using the addresses of before.
        let old = pinned.take();
        let target = self.inner.guard.target(url).await?;
        let fresh = match old {
            Some(old) if old.target == target => Pinned { checked_at: tokio::time::Instant::now(), ..old },
            _ => Pinned::new(&self.inner.options, target)?,
        };
        let client = fresh.client.clone();
        *pinned = Some(fresh);
        Ok(client)
    }
}

fn transport(url: &Url, error: reqwest::Error) -> Error {
    let host = url.host_str().unwrap_or_default().to_owned();
    if error.is_timeout() {
        Error::TimedOut { host }
    } else {
        Error::Network {
            host,
            // The address is already in what the caller logs, and may hold private query strings.
            source: error.without_url(),
        }
    }
}
