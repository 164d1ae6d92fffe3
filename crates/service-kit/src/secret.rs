//! A value that must never be printed.

use serde::Deserialize;
use std::fmt;

/// A secret from the configuration: it has no `Display` and no `Serialize`, and `Debug` hides it.
///
/// Like every other value it can be given as `{ file = "/run/secrets/…" }` (see [`crate::config`]).
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value: pass it on, never print it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Was none configured?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "Secret(none)" } else { "Secret(…)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_only_whether_there_is_one() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(…)");
        assert_eq!(format!("{:?}", Secret::default()), "Secret(none)");
    }
}
