//! Manners towards one host: how many requests at once, and silence after it asked for some.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::client::Pinned;
use crate::guard::Site;

/// Hosts remembered at most, so that a site that links to thousands of others does not grow memory.
const REMEMBERED: usize = 256;

/// What is known of one host and port.
pub(crate) struct HostState {
    slots: Arc<Semaphore>,
    quiet_until: Mutex<Option<Instant>>,
    pub(crate) pinned: tokio::sync::Mutex<Option<Pinned>>,
}

impl HostState {
    fn new(per_host: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(per_host.max(1))),
            quiet_until: Mutex::new(None),
            pinned: tokio::sync::Mutex::new(None),
        }
    }

    /// Waits for a free slot and for the end of a pause that the host asked for.
    pub(crate) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        let permit = self.slots.clone().acquire_owned().await.ok();
        loop {
            let until = *self.quiet();
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => return permit,
            }
        }
    }

    /// Sends nothing more to this host for a while.
    pub(crate) fn hush(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut quiet = self.quiet();
        *quiet = Some(quiet.map_or(until, |old| old.max(until)));
    }

    fn quiet(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All hosts of one fetcher.
pub(crate) struct Hosts {
    per_host: usize,
    known: Mutex<HashMap<Site, Arc<HostState>>>,
}

impl Hosts {
    pub(crate) fn new(per_host: usize) -> Self {
        Self { per_host, known: Mutex::new(HashMap::new()) }
    }

    pub(crate) fn of(&self, site: &Site) -> Arc<HostState> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED && !known.contains_key(site) {
            known.retain(|_, state| Arc::strong_count(state) > 1);
        }
        known.entry(site.clone()).or_insert_with(|| Arc::new(HostState::new(self.per_host))).clone()
    }
}
