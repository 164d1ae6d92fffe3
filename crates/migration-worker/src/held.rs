//! The leases that this process holds right now, and what each job's work has to know about its own.
//!
//! In memory only: it may never decide what Postgres has not granted. A [`Hold`] is made when a claim's commit
//! is known and is gone when the job's last write is.

use crate::Stop;
use domain::{Epoch, JobId};
use proto::status::LiveStatus;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering},
    },
};
use store::Lease;
use time::OffsetDateTime;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// Every hold of a worker. Two epochs of one job can be here for a moment: the lost one, which winds up, and
/// the one that this worker claimed afterwards.
#[derive(Default)]
pub(crate) struct Held(Mutex<HashMap<(JobId, Epoch), Arc<Hold>>>);

impl Held {
    pub(crate) fn insert(&self, hold: Arc<Hold>) {
        lock(&self.0).insert(hold.key(), hold);
    }

    pub(crate) fn remove(&self, hold: &Hold) {
        lock(&self.0).remove(&hold.key());
    }

    /// What a heartbeat has to renew.
    pub(crate) fn leases(&self) -> Vec<(JobId, Epoch)> {
        lock(&self.0).values().filter(|hold| !hold.lost.is_cancelled()).map(|hold| hold.key()).collect()
    }

    pub(crate) fn get(&self, job: JobId, epoch: Epoch) -> Option<Arc<Hold>> {
        lock(&self.0).get(&(job, epoch)).cloned()
    }

    /// What is being done for a job, if this worker holds it.
    pub(crate) fn live(&self, job: JobId) -> Option<LiveStatus> {
        let held = lock(&self.0);
        let mine = held.values().filter(|hold| hold.lease.job == job && !hold.lost.is_cancelled());
        mine.max_by_key(|hold| hold.lease.epoch).map(|hold| hold.live())
    }
}

/// One lease, as the work under it sees it.
pub(crate) struct Hold {
    pub(crate) lease: Lease,
    /// The lease is no longer ours: drop the work, write nothing more.
    pub(crate) lost: CancellationToken,
    /// A person called the job off.
    pub(crate) cancelled: CancellationToken,
    /// The process stops and the job shall be given back.
    leave: CancellationToken,
    trusted_until: watch::Sender<Instant>,
    ending: AtomicBool,
    pauses: AtomicU32,
    batches: AtomicI64,
    live: Mutex<LiveStatus>,
}

impl Hold {
    pub(crate) fn new(lease: Lease, trusted_until: Instant, leave: CancellationToken) -> Self {
        let live = LiveStatus {
            job: lease.job,
            epoch: lease.epoch,
            phase: None,
            progress: 0,
            step: "preparing".to_owned(),
            step_since: OffsetDateTime::now_utc(),
        };
        Self {
            lease,
            lost: CancellationToken::new(),
            cancelled: CancellationToken::new(),
            leave,
            trusted_until: watch::Sender::new(trusted_until),
            ending: AtomicBool::new(false),
            pauses: AtomicU32::new(0),
            batches: AtomicI64::new(0),
            live: Mutex::new(live),
        }
    }

    fn key(&self) -> (JobId, Epoch) {
        (self.lease.job, self.lease.epoch)
    }

    /// A heartbeat renewed the lease.
    pub(crate) fn trust_until(&self, until: Instant) {
        self.trusted_until.send_replace(until);
    }

    /// The write that gives the lease up is on its way: from here a heartbeat that misses the lease proves
    /// nothing, the write's own answer does.
    pub(crate) fn begin_ending(&self) {
        self.ending.store(true, Ordering::Release);
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Did the work ever wait because the lease could not be trusted?
    pub(crate) fn was_paused(&self) -> bool {
        self.pauses.load(Ordering::Relaxed) > 0
    }

    /// The number of the next batch of events under this lease.
    pub(crate) fn next_batch(&self) -> i64 {
        self.batches.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn live(&self) -> LiveStatus {
        lock(&self.live).clone()
    }

    /// Says what is being done; a new step starts its clock.
    pub(crate) fn show(&self, change: impl FnOnce(&mut LiveStatus)) {
        let mut live = lock(&self.live);
        let before = live.step.clone();
        change(&mut live);
        if live.step != before {
            live.step_since = OffsetDateTime::now_utc();
        }
    }

    /// Why the work has to end, if it has to.
    pub(crate) fn check(&self) -> Result<(), Stop> {
        if self.lost.is_cancelled() {
            return Err(Stop::Lost);
        }
        if self.cancelled.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        if self.leave.is_cancelled() { Err(Stop::HandBack) } else { Ok(()) }
    }

    /// Drives work that may be dropped at any await, never a write: it ends when the job has to, and is not
    /// polled while the lease cannot be trusted, so that nothing leaves this process meanwhile.
    pub(crate) async fn interruptible<T>(&self, work: impl Future<Output = T>) -> Result<T, Stop> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                stop = self.interrupted() => return Err(stop),
                () = self.expired() => {
                    self.pauses.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(job = %self.lease.job, "the lease cannot be renewed: the work waits");
                    tokio::select! {
                        biased;
                        stop = self.interrupted() => return Err(stop),
                        () = self.trusted() => tracing::info!(job = %self.lease.job, "the lease is proved again"),
                    }
                }
                done = &mut work => return Ok(done),
            }
        }
    }

    async fn interrupted(&self) -> Stop {
        tokio::select! {
            biased;
            () = self.lost.cancelled() => Stop::Lost,
            () = self.cancelled.cancelled() => Stop::Cancelled,
            () = self.leave.cancelled() => Stop::HandBack,
        }
    }

    /// Ends when trust has run out.
    async fn expired(&self) {
        let mut until = self.trusted_until.subscribe();
        loop {
            let deadline = *until.borrow_and_update();
            // Not left to the timer, which is a millisecond late: the work would be polled once more.
            if deadline <= Instant::now() {
                return;
            }
            tokio::select! {
                () = sleep_until(deadline) => return,
                // The sender is this value's own: it cannot be gone.
                _ = until.changed() => {}
            }
        }
    }

    /// Ends when the lease is trusted, again or still.
    async fn trusted(&self) {
        let mut until = self.trusted_until.subscribe();
        // An error would mean that the sender is gone, and it is this value's own.
        let _present = until.wait_for(|until| Instant::now() < *until).await;
    }
}

/// Nothing panics while it holds one of these locks, and what they guard is whole at each step anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{TenantId, WorkerId, trace::TraceContext};
    use std::time::Duration;
    use uuid::Uuid;

    fn hold(trusted_for: Duration) -> Hold {
        let lease = Lease {
            job: JobId(Uuid::now_v7()),
            epoch: Epoch(1),
            worker: WorkerId(Uuid::now_v7()),
            tenant: TenantId(Uuid::now_v7()),
            carries: None,
            trace: TraceContext::default(),
        };
        Hold::new(lease, Instant::now() + trusted_for, CancellationToken::new())
    }

    #[tokio::test]
    async fn work_is_not_polled_while_the_lease_is_not_trusted() {
        let hold = hold(Duration::ZERO);
        let polls = AtomicU32::new(0);
        let work = async { polls.fetch_add(1, Ordering::Relaxed) };
        let renewal = async {
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
            assert!(hold.was_paused());
            let polled_before = polls.load(Ordering::Relaxed);
            hold.trust_until(Instant::now() + Duration::from_secs(60));
            polled_before
        };
        let (done, polled_before) = tokio::join!(hold.interruptible(work), renewal);
        assert_eq!((done, polled_before), (Ok(0), 0));
        assert_eq!(polls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_trusted_lease_pauses_nothing() {
        let hold = hold(Duration::from_secs(60));
        assert_eq!(hold.interruptible(async { 7 }).await, Ok(7));
        assert!(!hold.was_paused());
    }

    #[tokio::test]
    async fn every_reason_ends_the_work_also_in_a_pause() {
        for (trusted_for, end) in [(0, 0), (0, 1), (0, 2), (60, 0), (60, 1), (60, 2)] {
            let hold = hold(Duration::from_secs(trusted_for));
            let ending = async {
                tokio::task::yield_now().await;
                [&hold.lost, &hold.cancelled, &hold.leave][end].cancel();
            };
            let (ended, ()) = tokio::join!(hold.interruptible(std::future::pending::<()>()), ending);
            assert_eq!(ended, Err([Stop::Lost, Stop::Cancelled, Stop::HandBack][end].clone()));
        }
    }

    #[test]
    fn only_the_newest_lease_of_a_job_is_shown_and_lost_ones_are_not_renewed() {
        let held = Held::default();
        let old = Arc::new(hold(Duration::from_secs(1)));
        let mut lease = old.lease.clone();
        lease.epoch = Epoch(2);
        let new = Arc::new(Hold::new(lease, Instant::now(), CancellationToken::new()));
        held.insert(Arc::clone(&old));
        held.insert(Arc::clone(&new));
        old.lost.cancel();
        assert_eq!(held.leases(), [(new.lease.job, Epoch(2))]);
        assert_eq!(held.live(new.lease.job).map(|live| live.epoch), Some(Epoch(2)));
        held.remove(&new);
        assert_eq!(held.live(new.lease.job), None);
    }
}
