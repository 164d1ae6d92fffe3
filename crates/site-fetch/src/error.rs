//! What can go wrong with a fetch. A refusal names the rule that it broke; nothing here repeats the
//! text of its source.

use std::net::IpAddr;
use std::time::Duration;

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the guard would not open a connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Only http and https are fetched.
    #[error("the scheme {scheme} is not http or https")]
    Scheme {
        /// The scheme as parsed.
        scheme: String,
    },
    /// A URL with a user name or a password.
    #[error("the URL carries credentials")]
    Credentials,
    /// A URL without a host.
    #[error("the URL names no host")]
    Host,
    /// A port that neither the policy nor a named pair opens.
    #[error("port {port} is not open to fetches")]
    Port {
        /// The port asked for.
        port: u16,
    },
    /// A name that is refused whatever it resolves to.
    #[error("{host} is a name that is not fetched ({rule})")]
    Name {
        /// The host of the URL.
        host: String,
        /// What the name stands for.
        rule: &'static str,
    },
    /// An address inside a special-purpose range.
    #[error("{host} is at {address}, which is not a public address ({rule})")]
    Address {
        /// The host of the URL.
        host: String,
        /// The first of its addresses that is refused.
        address: IpAddr,
        /// The row of the table that refuses it.
        rule: &'static str,
    },
}

impl Refused {
    /// The rule that was broken, in words that stay the same: `scheme`, `credentials`, `host`, `port`, what a
    /// refused name stands for, or the row of [`crate::ranges`] that holds the address.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Scheme { .. } => "scheme",
            Self::Credentials => "credentials",
            Self::Host => "host",
            Self::Port { .. } => "port",
            Self::Name { rule, .. } | Self::Address { rule, .. } => rule,
        }
    }
}

/// Why a fetch has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The guard refused the request before a connection was made.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The name has no address, or nobody could say what it is.
    #[error("the name {host} {}", unresolved(source))]
    Unresolved {
        /// The name that was looked up.
        host: String,
        /// What the resolver said.
        #[source]
        source: std::io::Error,
    },
    /// The connection failed or broke.
    #[error("no answer from {host}")]
    Network {
        /// The host that was asked.
        host: String,
        /// What the transport said.
        #[source]
        source: reqwest::Error,
    },
    /// The server's certificate is not good for this name, now, or at all.
    #[error("the certificate of {host} is not accepted: {problem}")]
    Certificate {
        /// The host that was asked.
        host: String,
        /// What is wrong with it.
        problem: String,
        /// What the transport said.
        #[source]
        source: reqwest::Error,
    },
    /// The host asked for a longer pause than is waited for; nothing was sent to it.
    #[error("{host} asked for a pause, of which {} s are left", left.as_secs())]
    Quiet {
        /// The host.
        host: String,
        /// What is left of the pause.
        left: Duration,
    },
    /// The body is not what its Content-Encoding says, or is in a coding that nobody asked for.
    #[error("the body cannot be decoded as {coding}")]
    Encoding {
        /// The coding as the server names it.
        coding: String,
        /// What the decoder said.
        #[source]
        source: std::io::Error,
    },
    /// The machine's certificate authorities cannot be read, or one that was given in the options.
    #[error("no certificate authorities to trust: install the system's (ca-certificates) or name some")]
    Roots(#[source] rustls::Error),
    /// Connecting, waiting for bytes, or the whole exchange took too long.
    #[error("{host} took too long")]
    TimedOut {
        /// The host that was asked.
        host: String,
    },
    /// The body, counted after decompression, is over the limit.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// More redirects than allowed.
    #[error("more than {limit} redirects")]
    TooManyRedirects {
        /// The limit.
        limit: u32,
    },
    /// A redirect back to an address that was already asked.
    #[error("the redirects run in a circle at {url}")]
    RedirectLoop {
        /// The address seen twice.
        url: String,
    },
    /// A redirect to something that is no URL.
    #[error("a redirect to {location:?}, which is not a URL")]
    BadRedirect {
        /// The Location header as sent.
        location: String,
    },
    /// The HTTP client could not be set up on this machine.
    #[error("the HTTP client cannot be set up")]
    Client(#[source] reqwest::Error),
}

impl Error {
    /// Whether the same request may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unresolved { source, .. } => source.kind() != std::io::ErrorKind::NotFound,
            Self::Network { .. } | Self::TimedOut { .. } | Self::Quiet { .. } => true,
            Self::Refused(_)
            | Self::TooLarge { .. }
            | Self::TooManyRedirects { .. }
            | Self::RedirectLoop { .. }
            | Self::BadRedirect { .. }
            | Self::Certificate { .. }
            | Self::Encoding { .. }
            | Self::Roots(_)
            | Self::Client(_) => false,
        }
    }
}

/// A name that is not there is one thing, a name server that does not answer another.
fn unresolved(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::NotFound => "does not resolve",
        _ => "could not be looked up",
    }
}
