//! How to reach the database, and the bounds on waiting for it. Never prints the URL: it may hold a password.

use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// Where the database is and how long to wait for it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// `postgres://role[:password]@host[:port]/database`; a unix socket's folder is a percent-encoded host.
    pub url: String,
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
            max_connections: 8,
            connect_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("url", &"…")
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
}
