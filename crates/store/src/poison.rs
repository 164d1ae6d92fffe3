//! Messages whose bytes could not be read, kept for a person to look at.

use crate::{
    Result, Store, jsonb,
    tx::{Tx, Work},
};
use domain::TenantId;
use serde_json::Value;

/// The table takes no more of a message.
const KEPT_BYTES: usize = 1024 * 1024;

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
        self.run(poison).await
    }
}

impl Work for Poison {
    type Out = ();

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let sql = "-- poison.keep\nINSERT INTO poison (queue, body, headers, error) VALUES ($1, $2, $3, $4)";
        let body = self.body.get(..KEPT_BYTES).unwrap_or(&self.body);
        let (queue, error) = (jsonb::text_storable(&self.queue), jsonb::text_storable(&self.error));
        tx.execute_one(sql, &[&queue, &body, &jsonb::storable(&self.headers), &error]).await
    }
}
