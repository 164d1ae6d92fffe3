//! How to reach the database, and the bounds on waiting for it. Never prints the URL: it may hold a password.

use crate::{Result, TlsMode, pool};
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf, time::Duration};

/// Where the database is and how long to wait for it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// `postgres://role[:password]@host[:port]/database`; a unix socket's folder is a percent-encoded host.
    pub url: String,
    /// Whether the way there is encrypted, and whom it has to lead to.
    pub tls: TlsMode,
    /// The certificates, as PEM, that [`TlsMode::VerifyFull`] trusts in place of the machine's.
    pub tls_ca_file: Option<PathBuf>,
    /// Connections in the pool.
    pub max_connections: usize,
    /// How long to wait for a new connection.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How long to wait for a free connection of the pool.
    #[serde(with = "humantime_serde")]
    pub acquire_timeout: Duration,
    /// No statement runs longer; a transaction as a whole gets four times as much.
    #[serde(with = "humantime_serde")]
    pub statement_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            url: String::new(),
            tls: TlsMode::Disable,
            tls_ca_file: None,
            max_connections: 8,
            connect_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
        }
    }
}

impl Options {
    /// Can they be used? Asks no server, but reads `tls_ca_file`.
    pub fn check(&self) -> Result<()> {
        pool::check(self)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &"…")
            .field("tls", &self.tls)
            .field("tls_ca_file", &self.tls_ca_file)
            .field("max_connections", &self.max_connections)
            .field("connect_timeout", &self.connect_timeout)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_people_do_and_unknown_names_are_refused() {
        let options: Options = serde_json::from_str(r#"{"url": "postgres://x", "statement_timeout": "2m"}"#)
            .expect("it is valid");
        assert_eq!(options.statement_timeout, Duration::from_secs(120));
        assert_eq!(options.max_connections, Options::default().max_connections);
        let refused = serde_json::from_str::<Options>(r#"{"uri": "postgres://x"}"#).expect_err("a typo");
        assert!(refused.to_string().contains("uri"), "{refused}");
    }

    #[test]
    fn what_cannot_be_used_is_named_without_the_password() {
        let usable = || Options { url: "postgres://one:hunter2@db/resettle".into(), ..Options::default() };
        assert!(usable().check().is_ok());
        let refused = |change: fn(&mut Options)| {
            let mut options = usable();
            change(&mut options);
            let told = options.check().expect_err("must be refused").to_string();
            assert!(!told.contains("hunter2"), "{told}");
            told
        };
        assert!(refused(|o| o.url.clear()).contains("store.url is missing"));
        assert!(refused(|o| o.url = "postgres://one:hunter2@db:port/x".into()).contains("port"));
        assert!(refused(|o| o.url += "?sslmode=require").contains("store.tls"));
        assert!(refused(|o| o.max_connections = 0).contains("store.max_connections"));
        assert!(refused(|o| o.statement_timeout = Duration::ZERO).contains("store.statement_timeout"));
        assert!(refused(|o| o.tls_ca_file = Some("/ca.pem".into())).contains("verify-full"));
        let missing =
            |o: &mut Options| (o.tls, o.tls_ca_file) = (TlsMode::VerifyFull, Some("/no/ca.pem".into()));
        assert!(refused(missing).contains("/no/ca.pem"));
        // The manifest is no certificate.
        let empty =
            |o: &mut Options| (o.tls, o.tls_ca_file) = (TlsMode::VerifyFull, Some("Cargo.toml".into()));
        assert!(refused(empty).contains("holds no certificate"));
        let contradiction = |o: &mut Options| {
            o.tls = TlsMode::Require;
            o.url += "?sslmode=disable";
        };
        assert!(refused(contradiction).contains("sslmode"));
    }
}
