//! Manners towards one host: how many requests at once, how long between two, and silence after it
//! asked for some.

mod pace;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::client::Pinned;
use crate::guard::Site;
use crate::options::Options;
use pace::Pace;

/// Hosts remembered at most, so that a site that links to thousands of others does not grow memory.
const REMEMBERED: usize = 256;
/// A host that was asked within this time is remembered, with its pace and the pause that it asks for, as long as
/// there are not many times more.
const RECENT: Duration = Duration::from_secs(10 * 60);
/// Longest pause that a host's word is believed for.
const LONGEST_QUIET: Duration = Duration::from_secs(24 * 60 * 60);

/// What is known of one host and port.
pub(crate) struct HostState {
    lane: Mutex<Lane>,
    freed: Notify,
    pinned: Mutex<Option<Pinned>>,
    /// Held while the name is looked up, so that many requests cause one look-up; never while connecting.
    pub(crate) looking: tokio::sync::Mutex<()>,
    /// When somebody last wanted to ask it.
    wanted: Mutex<Instant>,
}

struct Lane {
    pace: Pace,
    busy: usize,
    delay: Duration,
    next_start: Option<Instant>,
    quiet_until: Option<Instant>,
}

/// What a request that wants to start has to do.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Go,
    WaitForFree,
    WaitUntil(Instant),
    TooLong(Duration),
}

impl Lane {
    fn new(options: &Options) -> Self {
        let pace = Pace::new(options.per_host, options.adapt);
        Self { pace, busy: 0, delay: Duration::ZERO, next_start: None, quiet_until: None }
    }

    fn hush(&mut self, pause: Duration, now: Instant) {
        let until = now + pause.min(LONGEST_QUIET);
        self.quiet_until = Some(self.quiet_until.map_or(until, |old| old.max(until)));
    }

    fn turn(&mut self, now: Instant, patience: Duration) -> Turn {
        if let Some(until) = self.quiet_until.filter(|until| *until > now) {
            let left = until - now;
            return if left > patience { Turn::TooLong(left) } else { Turn::WaitUntil(until) };
        }
        if self.busy >= self.pace.allowed() {
            return Turn::WaitForFree;
        }
        if let Some(next) = self.next_start.filter(|next| *next > now) {
            return Turn::WaitUntil(next);
        }
        self.busy += 1;
        self.next_start = (!self.delay.is_zero()).then(|| now + self.delay);
        Turn::Go
    }
}

impl HostState {
    fn new(options: &Options) -> Self {
        Self {
            lane: Mutex::new(Lane::new(options)),
            freed: Notify::new(),
            pinned: Mutex::new(None),
            looking: tokio::sync::Mutex::default(),
            wanted: Mutex::new(Instant::now()),
        }
    }

    fn want(&self, now: Instant) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Whether forgetting it now would be rude: it asked for silence, or its pace is still needed.
    fn is_recent(&self, now: Instant) -> bool {
        let wanted = *self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_quiet() || now.saturating_duration_since(wanted) < RECENT
    }

    /// Waits for a free place, for the pause between two requests, and for the end of a pause that the
    /// host asked for. An error is what is left of one that is longer than `patience`.
    pub(crate) async fn slot(self: &Arc<Self>, patience: Duration) -> Result<Slot, Duration> {
        loop {
            // Listening before looking: a place that is freed in between is not missed.
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            let turn = self.lane().turn(Instant::now(), patience);
            match turn {
                Turn::Go => return Ok(Slot { host: self.clone(), sent: Instant::now() }),
                Turn::WaitForFree => freed.await,
                Turn::WaitUntil(until) => tokio::time::sleep_until(until).await,
                Turn::TooLong(left) => return Err(left),
            }
        }
    }

    /// Sends nothing more to this host for a while.
    pub(crate) fn hush(&self, pause: Duration) {
        self.lane().hush(pause, Instant::now());
    }

    fn is_quiet(&self) -> bool {
        self.lane().quiet_until.is_some_and(|until| until > Instant::now())
    }

    /// Leaves at least this much time between the starts of two requests.
    pub(crate) fn set_delay(&self, delay: Duration) {
        self.lane().delay = delay;
    }

    /// The client and its addresses, unless they were checked too long ago.
    pub(crate) fn fresh_pin(&self, pin: Duration) -> Option<Pinned> {
        self.pin().as_ref().filter(|pinned| pinned.is_fresh(pin)).cloned()
    }

    pub(crate) fn take_pin(&self) -> Option<Pinned> {
        self.pin().take()
    }

    pub(crate) fn set_pin(&self, pinned: Pinned) {
        *self.pin() = Some(pinned);
    }

    fn pin(&self) -> MutexGuard<'_, Option<Pinned>> {
        self.pinned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lane(&self) -> MutexGuard<'_, Lane> {
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the requests under way at a host, given back when dropped.
pub(crate) struct Slot {
    host: Arc<HostState>,
    sent: Instant,
}

impl Slot {
    /// The request goes out now: waiting for a name is not the host's slowness.
    pub(crate) fn sent(&mut self) {
        self.sent = Instant::now();
    }

    /// The head of an answer came.
    pub(crate) fn answered(&self, status: u16) {
        let (mut lane, now) = (self.host.lane(), Instant::now());
        if matches!(status, 429 | 503) {
            lane.pace.overloaded(self.sent, now);
        } else {
            lane.pace.answered(self.sent, now);
        }
    }

    /// No answer came in time.
    pub(crate) fn timed_out(&self) {
        self.host.lane().pace.overloaded(self.sent, Instant::now());
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let free = {
            let mut lane = self.host.lane();
            lane.busy -= 1;
            lane.pace.allowed().saturating_sub(lane.busy)
        };
        // More than one place can be free now: the host may have earned another.
        for _ in 0..free {
            self.host.freed.notify_one();
        }
    }
}

/// All hosts of one fetcher.
pub(crate) struct Hosts {
    options: Options,
    known: Mutex<HashMap<Site, Arc<HostState>>>,
}

impl Hosts {
    pub(crate) fn new(options: &Options) -> Self {
        Self { options: options.clone(), known: Mutex::new(HashMap::new()) }
    }

    pub(crate) fn of(&self, site: &Site) -> Arc<HostState> {
        self.wanted(site, Instant::now())
    }

    fn wanted(&self, site: &Site, now: Instant) -> Arc<HostState> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = known.get(site) {
            host.want(now);
            return host.clone();
        }
        if known.len() >= REMEMBERED {
            known.retain(|_, state| Arc::strong_count(state) > 1 || state.is_recent(now));
        }
        if known.len() >= 4 * REMEMBERED {
            known.retain(|_, state| Arc::strong_count(state) > 1 || state.is_quiet());
        }
        if known.len() >= 4 * REMEMBERED {
            known.retain(|_, state| Arc::strong_count(state) > 1);
        }
        let host = Arc::new(HostState::new(&self.options));
        host.want(now);
        known.insert(site.clone(), host.clone());
        host
    }
}

#[cfg(test)]
mod tests;
