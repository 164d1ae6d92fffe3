//! Messages whose bytes could not be read, kept for a person to look at.

use crate::{Result, Store};
use serde_json::Value;

/// A message that could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Poison {
    /// Where it came from.
    pub queue: String,
    /// Its bytes; only the first MiB is kept.
    pub body: Vec<u8>,
    /// Its headers.
    pub headers: Value,
    /// Why it could not be read.
    pub error: String,
}

impl Store {
    /// Keeps a message.
    pub async fn keep_poison(&self, poison: &Poison) -> Result<()> {
        let _ = poison;
        todo!()
    }
}
