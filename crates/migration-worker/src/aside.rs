//! Unreadable hints on their way to the table where people find them, held while the database is away.
//!
//! Each of them keeps its place in the broker's prefetch window until it is kept, so it must never be forgotten
//! here: enough of them would leave no place for a hint. And it must never be acknowledged before it is kept.

use crate::outage::{Backoff, Outage};
use domain::Kind;
use std::{collections::VecDeque, time::Duration};
use store::{Poison, Store};
use tokio::time::{Instant, sleep_until};

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The largest prefetch window. Only a bell without one (NOTIFY, which hands nothing out again) comes so far.
const MOST: usize = 1000;

/// What waits to be kept, oldest first.
pub(crate) struct Aside {
    waiting: VecDeque<bus::Poison>,
    due: Instant,
    backoff: Backoff,
    outage: Outage,
}

impl Aside {
    pub(crate) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            due: Instant::now(),
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT),
            outage: Outage::of("keeping unreadable hints"),
        }
    }

    /// Takes one in; [`Self::keep`] does the rest.
    pub(crate) fn push(&mut self, poison: bus::Poison) {
        if self.waiting.len() == MOST
            && let Some(oldest) = self.waiting.pop_front()
        {
            tracing::error!(?oldest, "an unreadable hint is dropped: too many wait for the database");
        }
        self.waiting.push_back(poison);
    }

    /// Ends when it is time to try again; never while nothing waits.
    pub(crate) async fn due(&self) {
        if self.waiting.is_empty() {
            std::future::pending().await
        } else {
            sleep_until(self.due).await;
        }
    }

    /// Keeps what waits, if it is time to try.
    pub(crate) async fn keep(&mut self, store: &Store) {
        if Instant::now() < self.due {
            return;
        }
        while let Some(poison) = self.waiting.front() {
            match store.keep_poison(&kept(poison)).await {
                Ok(()) => tracing::error!(?poison, "an unreadable hint was put aside"),
                Err(error) if error.kind() == Kind::Unavailable => {
                    self.outage.failed(&error);
                    self.due = Instant::now() + self.backoff.next();
                    return;
                }
                // The table will never take it, and it must not block the way of those that can be read.
                Err(error) => {
                    let error = service_kit::exit::chain(&error);
                    tracing::error!(?poison, error, "an unreadable hint cannot be kept, and is dropped");
                }
            }
            self.outage.succeeded();
            self.backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
            if let Some(poison) = self.waiting.pop_front() {
                // A failure means that it comes again, and is kept twice: better than not at all.
                let _again_later = poison.ack().await;
            }
        }
    }
}

fn kept(poison: &bus::Poison) -> Poison {
    Poison {
        queue: poison.queue.clone(),
        body: poison.body.clone(),
        headers: poison.headers.clone(),
        error: poison.error.clone(),
    }
}
