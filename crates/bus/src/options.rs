//! Which bell, where, and under which prefix.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest prefix: Postgres cuts channel names at 63 bytes, and ours add up to 20.
const MAX_PREFIX: usize = 40;

/// Which bell to open. Both forms have the same fields, so that a file can change the kind alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Options {
    /// RabbitMQ, 3.10 or newer.
    Amqp {
        /// `amqp://user:password@host:port/vhost`
        url: String,
        /// What every queue's and exchange's name starts with.
        prefix: String,
    },
    /// Postgres' own NOTIFY.
    Notify {
        /// `postgres://role:password@host/database`
        url: String,
        /// What every channel's name starts with.
        prefix: String,
    },
}

impl Default for Options {
    fn default() -> Self {
        Self::Amqp { url: "amqp://guest:guest@127.0.0.1:5672/%2f".into(), prefix: "resettle".into() }
    }
}

/// Without the URL, which holds a password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, prefix) = match self {
            Self::Amqp { prefix, .. } => ("Amqp", prefix),
            Self::Notify { prefix, .. } => ("Notify", prefix),
        };
        f.debug_struct(name).field("prefix", prefix).finish_non_exhaustive()
    }
}

impl Options {
    /// Are the options usable? The URL is read when the bell is opened.
    pub fn check(&self) -> Result<()> {
        let (Self::Amqp { prefix, .. } | Self::Notify { prefix, .. }) = self;
        let plain =
            prefix.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
        if prefix.is_empty() || prefix.len() > MAX_PREFIX || !plain {
            return Err(Error::Invalid(format!(
                "the prefix has to be 1 to {MAX_PREFIX} lower-case letters, digits, dots, dashes or underscores"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_util::sync::CancellationToken;

    #[test]
    fn both_kinds_read_from_configuration_and_a_typo_is_refused() {
        let read = |text| serde_json::from_str::<Options>(text);
        let url = || "u".to_owned();
        let amqp = read(r#"{"kind":"amqp","url":"u","prefix":"p"}"#).expect("reads");
        assert_eq!(amqp, Options::Amqp { url: url(), prefix: "p".into() });
        let notify = read(r#"{"kind":"notify","url":"u","prefix":"p"}"#).expect("reads");
        assert_eq!(notify, Options::Notify { url: url(), prefix: "p".into() });
        assert!(read(r#"{"kind":"amqp","url":"u","prefix":"p","prefetch":1}"#).is_err());
        assert!(read(r#"{"kind":"kafka","url":"u","prefix":"p"}"#).is_err());
    }

    #[test]
    fn a_password_is_never_printed() {
        let options = Options::Amqp { url: "amqp://user:hunter2@host/".into(), prefix: "p".into() };
        assert!(!format!("{options:?}").contains("hunter2"));
        let unusable =
            Options::Notify { url: "postgres://user:hunter2@host:port/x".into(), prefix: "p".into() };
        let Err(error) = crate::open(&unusable, CancellationToken::new()) else {
            panic!("the port is no number")
        };
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn unusable_options_are_refused_before_anything_is_tried() {
        let long = "p".repeat(MAX_PREFIX + 1);
        for (url, prefix) in [("amqp://h/", ""), ("amqp://h/", "Ü"), ("amqp://h/", &long), ("http://h/", "p")]
        {
            let options = Options::Amqp { url: url.into(), prefix: prefix.into() };
            assert!(crate::open(&options, CancellationToken::new()).is_err(), "{url} {prefix}");
        }
        let tls = Options::Amqp { url: "amqps://h/".into(), prefix: "p".into() };
        assert!(crate::open(&tls, CancellationToken::new()).is_err());
    }
}
