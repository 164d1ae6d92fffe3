//! One request and its answer: the client for the host's checked addresses, the wire, the codings.
//!
//! No lock is held while a connection is made or an answer is read.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use tokio::time::Instant;
use url::{Origin, Url};

use crate::body::{self, Broken, Over};
use crate::client::Pinned;
use crate::coding::{self, Fault};
use crate::error::{Error, Refused, Result};
use crate::fetched::{Fetched, value};
use crate::guard::{Guard, Site, Target};
use crate::host::{HostState, Slot};
use crate::options::Options;
use crate::tls::{self, Trust};
use crate::traffic::Counters;

/// Coded bodies over this many bytes are undone on a thread for such work.
const UNDONE_IN_PLACE: usize = 32 * 1024;

/// How one body is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) limit: u64,
    pub(crate) over: Over,
}

/// What every exchange needs.
pub(crate) struct Wire {
    pub(crate) guard: Guard,
    pub(crate) trust: Trust,
    pub(crate) counters: Counters,
    pub(crate) stand_in: Option<StandIn>,
}

/// A server that answers in the place of an origin.
#[derive(Clone)]
pub(crate) struct StandIn {
    pub(crate) origin: Origin,
    /// The same in plain HTTP.
    pub(crate) plain: Origin,
    pub(crate) at: SocketAddr,
}

impl StandIn {
    fn answers(&self, url: &Url) -> bool {
        let origin = url.origin();
        origin == self.origin || origin == self.plain
    }
}

impl Wire {
    /// One exchange, within the total limit, in a place that the host's manners give.
    pub(crate) async fn exchange(
        &self,
        options: &Options,
        host: &Arc<HostState>,
        url: &Url,
        conditions: &HeaderMap,
        reading: Reading,
    ) -> Result<Fetched> {
        let mut slot = host
            .slot(options.max_retry_after)
            .await
            .map_err(|left| Error::Quiet { host: name_of(url), left })?;
        let work = self.request(options, host, &mut slot, url, conditions, reading);
        let outcome = match tokio::time::timeout(options.total_timeout, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::TimedOut { host: name_of(url) }),
        };
        if let Err(Error::TimedOut { .. }) = outcome {
            slot.timed_out();
        }
        outcome
    }

    async fn request(
        &self,
        options: &Options,
        host: &HostState,
        slot: &mut Slot,
        url: &Url,
        conditions: &HeaderMap,
        reading: Reading,
    ) -> Result<Fetched> {
        let mut asked = self.place(url);
        let pinned = self.pinned(options, host, &asked).await?;
        asked.set_fragment(None);
        let mut request = pinned.client.get(asked);
        if !conditions.is_empty() {
            request = request.headers(conditions.clone());
        }
        slot.sent();
        self.counters.request();
        let response = request.send().await.map_err(|error| transport(url, error))?;
        slot.answered(response.status().as_u16());
        let remote_address = response.remote_addr();
        if let Some(stranger) = remote_address.filter(|at| !pinned.target.addresses.contains(at)) {
            // Cannot happen; should it, nothing of the answer is used.
            let rule = "an address that was not checked";
            return Err(Refused::Address { host: name_of(url), address: stranger.ip(), rule }.into());
        }
        let status = response.status().as_u16();
        let headers = headers(response.headers());
        let content_type = value(&headers, CONTENT_TYPE.as_str()).map(str::to_owned);
        let wire = body::read(response, reading.limit, reading.over).await;
        let wire = wire.map_err(|broken| match broken {
            Broken::TooLarge => Error::TooLarge { limit: reading.limit },
            Broken::Transport(error) => transport(url, error),
        })?;
        let encoded_bytes = wire.len() as u64;
        self.counters.body(encoded_bytes);
        let body = undo(&headers, wire, reading).await?;
        Ok(Fetched {
            requested: url.clone(),
            url: url.clone(),
            status,
            content_type,
            headers,
            body,
            encoded_bytes,
            remote_address,
            revalidated: false,
            hops: Vec::new(),
        })
    }

    /// The server that is asked for this address.
    pub(crate) fn site(&self, url: &Url) -> Result<Site> {
        Ok(self.guard.site(&self.place(url))?)
    }

    /// The addresses that may be dialled for this one.
    pub(crate) async fn target(&self, url: &Url) -> Result<Target> {
        self.guard.target(&self.place(url)).await
    }

    /// Where an address is asked for: at itself, unless another server stands in for its origin. That one speaks plain HTTP.
    fn place(&self, url: &Url) -> Url {
        let mut place = url.clone();
        if let Some(stand_in) = self.stand_in.as_ref().filter(|it| it.answers(url)) {
            let moved = place.set_scheme("http").is_ok() && place.set_ip_host(stand_in.at.ip()).is_ok();
            let moved = moved && place.set_port(Some(stand_in.at.port())).is_ok();
            debug_assert!(moved, "an HTTP address can stand at any other");
        }
        place
    }

    /// The client bound to this host's checked addresses; checked anew when the pin is old.
    async fn pinned(&self, options: &Options, host: &HostState, url: &Url) -> Result<Pinned> {
        if let Some(pinned) = host.fresh_pin(options.pin) {
            return Ok(pinned);
        }
        let _one_at_a_time = host.looking.lock().await;
        if let Some(pinned) = host.fresh_pin(options.pin) {
            return Ok(pinned);
        }
        // Taken first: after a refusal nothing may go on using the addresses of before.
        let old = host.take_pin();
        let target = self.guard.target(url).await?;
        let fresh = match old {
            Some(old) if *old.target == target => Pinned { checked_at: Instant::now(), ..old },
            _ => Pinned::new(options, self.trust.config(url.scheme() == "https")?, target)?,
        };
        host.set_pin(fresh.clone());
        Ok(fresh)
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    map.iter().map(pair).collect()
}

/// The body without its content codings.
async fn undo(headers: &[(String, String)], wire: Bytes, reading: Reading) -> Result<Bytes> {
    let named = headers.iter().filter(|(name, _)| name == CONTENT_ENCODING.as_str());
    let named: Vec<&str> = named.map(|(_, value)| value.as_str()).collect();
    if named.is_empty() || wire.is_empty() {
        return Ok(wire);
    }
    let Reading { limit, over } = reading;
    let failed = |fault| match fault {
        Fault::TooLarge => Error::TooLarge { limit },
        Fault::Broken(coding, source) => Error::Encoding { coding, source },
    };
    let codings = coding::codings(&named.join(",")).map_err(failed)?;
    if wire.len() <= UNDONE_IN_PLACE {
        return coding::decode(&codings, wire, limit, over).map_err(failed);
    }
    let work = tokio::task::spawn_blocking(move || coding::decode(&codings, wire, limit, over));
    match work.await {
        Ok(outcome) => outcome.map_err(failed),
        Err(stopped) => {
            Err(Error::Encoding { coding: named.join(","), source: std::io::Error::other(stopped) })
        }
    }
}

fn name_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

fn transport(url: &Url, error: reqwest::Error) -> Error {
    let host = name_of(url);
    if error.is_timeout() {
        return Error::TimedOut { host };
    }
    // The address is already in what the caller logs, and may hold private query strings.
    let source = error.without_url();
    match tls::problem(&source) {
        Some(problem) => Error::Certificate { host, problem, source },
        None => Error::Network { host, source },
    }
}
