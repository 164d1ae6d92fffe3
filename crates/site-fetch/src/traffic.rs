//! What a fetcher has asked and got so far, as plain counts. Nothing here knows of whom.

use std::sync::atomic::{AtomicU64, Ordering};

/// What all fetches of a fetcher and its clones came to, robots.txt among them. What a browser asks through
/// [`crate::proxy`] is counted there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Requests that were sent, each try counted.
    pub requests: u64,
    /// Those of them that were answered by "it has not changed", so that the body came from the cache.
    pub unchanged: u64,
    /// Answers that were taken from the cache without a request, since they were still fresh.
    pub unasked: u64,
    /// Bytes of bodies as they came over the wire, of the answers that came whole.
    pub bytes: u64,
}

/// Counts while fetches run at once.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: AtomicU64,
    unchanged: AtomicU64,
    unasked: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn unchanged(&self) {
        self.unchanged.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn unasked(&self) {
        self.unasked.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn body(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn so_far(&self) -> Traffic {
        Traffic {
            requests: self.requests.load(Ordering::Relaxed),
            unchanged: self.unchanged.load(Ordering::Relaxed),
            unasked: self.unasked.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}
