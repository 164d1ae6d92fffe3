//! The rules that stand before every connection.
//!
//! [`Guard::target`] is the only way to a [`Target`], and a target is the only thing that a client
//! is built for: what was not checked cannot be dialled.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use crate::error::{Error, Refused, Result};
use crate::names;
use crate::ranges;
use crate::resolve::Resolve;

/// Ports that are open at every public address.
const OPEN_PORTS: [u16; 2] = [80, 443];
/// Addresses of one name that are tried at most.
const MAX_ADDRESSES: usize = 16;

/// Addresses that passed, for one host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) addresses: Vec<SocketAddr>,
}

/// Where a URL points, before any look-up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Site {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Whether the connection is to be encrypted.
    pub(crate) secure: bool,
}

pub(crate) struct Guard {
    allow: Vec<SocketAddr>,
    resolver: Arc<dyn Resolve>,
    look_up_limit: Duration,
}

impl Guard {
    pub(crate) fn new(allow: Vec<SocketAddr>, resolver: Arc<dyn Resolve>, look_up_limit: Duration) -> Self {
        Self { allow, resolver, look_up_limit }
    }

    /// The checks that need no look-up: scheme, credentials, host, port, and an address that is
    /// written as one. The URL standard has already turned octal, hex and decimal forms into dotted ones.
    pub(crate) fn site(&self, url: &Url) -> Result<Site, Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = url.scheme().to_owned();
            return Err(Refused::Scheme { scheme });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        let port = url.port_or_known_default().ok_or(Refused::Host)?;
        let host = url.host_str().ok_or(Refused::Host)?.to_owned();
        if host.trim_end_matches('.').is_empty() {
            return Err(Refused::Host);
        }
        if let Some(rule) = names::rule(&host) {
            return Err(Refused::Name { host, rule });
        }
        if let Some(address) = literal(url) {
            self.address(&host, SocketAddr::new(address, port))?;
        }
        if !OPEN_PORTS.contains(&port) && !self.allow.iter().any(|pair| pair.port() == port) {
            return Err(Refused::Port { port });
        }
        Ok(Site { host, port, secure: url.scheme() == "https" })
    }

    /// Looks the host up once and holds every address against the table; one bad address refuses
    /// the name.
    pub(crate) async fn target(&self, url: &Url) -> Result<Target> {
        let Site { host, port, .. } = self.site(url)?;
        let addresses = match literal(url) {
            Some(address) => vec![address],
            None => self.look_up(&host).await?,
        };
        let mut checked = Vec::with_capacity(addresses.len().min(MAX_ADDRESSES));
        for address in addresses {
            let pair = SocketAddr::new(address, port);
            self.address(&host, pair)?;
            // All of them are checked; more than a few are not needed to reach one.
            if checked.len() < MAX_ADDRESSES && !checked.contains(&pair) {
                checked.push(pair);
            }
        }
        Ok(Target { host, addresses: checked })
    }

    async fn look_up(&self, host: &str) -> Result<Vec<IpAddr>> {
        let answer = tokio::time::timeout(self.look_up_limit, self.resolver.resolve(host)).await;
        let answer = answer.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        let addresses = answer.map_err(|source| Error::Unresolved { host: host.to_owned(), source })?;
        if addresses.is_empty() {
            return Err(Error::Unresolved {
                host: host.to_owned(),
                source: std::io::ErrorKind::NotFound.into(),
            });
        }
        Ok(addresses)
    }

    /// A named pair is open; everything else must be public and at an open port.
    fn address(&self, host: &str, pair: SocketAddr) -> Result<(), Refused> {
        if self.allow.contains(&pair) {
            return Ok(());
        }
        if let Some(rule) = ranges::rule(pair.ip()) {
            return Err(Refused::Address { host: host.to_owned(), address: pair.ip(), rule });
        }
        if OPEN_PORTS.contains(&pair.port()) { Ok(()) } else { Err(Refused::Port { port: pair.port() }) }
    }
}

/// The address of a host that is written as one: the transport asks no resolver for those.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(ip) => Some(ip.into()),
        Host::Ipv6(ip) => Some(ip.into()),
        // A trailing dot on an address is stripped by some transports and then dialled as one.
        Host::Domain(name) => name.trim_end_matches('.').parse().ok(),
    }
}

#[cfg(test)]
mod tests;
