//! The numbers that metrics and scaling read.

use crate::{Result, Store};

/// How full and how late a queue is.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueFigures {
    /// Its name.
    pub queue: String,
    /// Jobs that could run now.
    pub depth: i64,
    /// How long the oldest of them has been runnable.
    pub lag_seconds: f64,
}

/// All figures, of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Per queue; the migration queue is always among them.
    pub queues: Vec<QueueFigures>,
    /// The age of the oldest unpublished announcement; 0 if there is none.
    pub outbox_oldest_seconds: f64,
    /// How long the oldest event has waited to fall below the snapshot horizon.
    pub horizon_lag_seconds: f64,
}

impl Store {
    /// Reads the figures.
    pub async fn figures(&self) -> Result<Figures> {
        todo!()
    }
}
