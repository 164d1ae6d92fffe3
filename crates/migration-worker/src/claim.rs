//! Takes jobs: woken by a hint, by its own poll, or by a slot that came free; claims those whose turn it is in
//! one batch, at most as many as there are free slots.
//!
//! A hint is acknowledged after the claim's commit, and never asked for while there is no slot: it stays with
//! the broker for whoever has one. Without a broker, polling alone finds every job (law 1).

use crate::{
    aside::Aside,
    held::Hold,
    jitter::spread,
    outage::{Backoff, Outage},
    resources::Promise,
    run::Run,
    worker::{Lane, Workshop},
};
use bus::{Delivery, Hint, HintStream};
use domain::{JobId, trace::TraceContext};
use futures::{StreamExt, future::join_all};
use service_kit::BoxError;
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use store::{ClaimRequest, Claimed};
use tokio::time::{Instant, sleep, timeout};

/// No statement locks more rows than this.
const MOST_PER_CLAIM: usize = 50;
/// How long a stopping worker tries to find out what its last claim took: as long as `grace` has beyond
/// `finish_within`.
const DOUBT_PATIENCE: Duration = Duration::from_secs(5);
const DOUBT_RETRY: Duration = Duration::from_millis(100);

/// Takes jobs of every class until the process is asked to stop, then sees the running ones to their end.
pub(crate) async fn take(shop: Arc<Workshop>) -> Result<(), BoxError> {
    let in_doubt = join_all(shop.lanes.iter().map(|lane| take_of(&shop, lane))).await;
    let settle = async {
        if in_doubt.contains(&true) {
            settle_doubt(&shop).await;
        }
    };
    tokio::join!(settle, drain(&shop));
    shop.drained.cancel();
    Ok(())
}

/// Takes jobs of one class until the process is asked to stop; answers whether its last claim is in doubt.
async fn take_of(shop: &Arc<Workshop>, lane: &Arc<Lane>) -> bool {
    let prefetch = u16::try_from(lane.concurrency).unwrap_or(u16::MAX);
    let mut taker = Taker {
        hints: shop.bell.hints(&lane.queue, prefetch),
        // The first look needs no reason: the last process may have left work.
        look_at_once: true,
        outage: Outage::of("claiming jobs"),
        in_doubt: false,
        held_back: Arc::default(),
        unacknowledged: VecDeque::new(),
        aside: Aside::new(),
        shop: Arc::clone(shop),
        lane: Arc::clone(lane),
    };
    let stopping = shop.lifecycle.stopping();
    // Only the waiting is cancelled, never a claim on its way: its answer is the only word of what it took.
    while let Some(reason) = stopping.run_until_cancelled(taker.reason()).await {
        taker.heed(reason).await;
        taker.claim().await;
    }
    taker.in_doubt
}

/// The last claim was cut off: what it took is given back now, or never by us. Tried again for a few seconds.
async fn settle_doubt(shop: &Workshop) {
    let mut backoff = Backoff::new(DOUBT_RETRY, DOUBT_RETRY * 8);
    let settled = async {
        while let Err(error) = give_back_unknown(shop).await {
            tracing::info!(error = service_kit::exit::chain(&error), "the last claim is still in doubt");
            sleep(backoff.next()).await;
        }
    };
    let killed = shop.lifecycle.killed();
    let bounded = timeout(DOUBT_PATIENCE, settled);
    if !matches!(killed.run_until_cancelled(bounded).await, Some(Ok(()))) {
        tracing::warn!("what the last claim took, if anything, is left until its leases run out");
    }
}

/// Waits for the running jobs; gives them back when their time is up.
async fn drain(shop: &Workshop) {
    // The semaphores are never closed: an error cannot come.
    let all = join_all(shop.lanes.iter().map(|lane| lane.slots.acquire_many(lane.concurrency)));
    let killed = shop.lifecycle.killed();
    let patience = async {
        tokio::select! {
            () = sleep(shop.config.finish_within) => {}
            () = killed.cancelled() => {}
        }
        tracing::info!("running jobs are given back");
        shop.leave.cancel();
        std::future::pending::<()>().await
    };
    tokio::select! {
        biased;
        _ = all => {}
        () = patience => {}
    }
}

/// Why to look for work.
enum Reason {
    /// Something came from the bell, or it has stopped.
    Bell(Option<Delivery>),
    /// It is time, or there is reason to think that there is work.
    Time,
}

/// What came of looking for work.
enum Looked {
    /// The database was asked.
    Claimed,
    /// The room went to another class of work meanwhile.
    NoRoom,
}

struct Taker {
    shop: Arc<Workshop>,
    lane: Arc<Lane>,
    hints: HintStream,
    look_at_once: bool,
    outage: Outage,
    /// A claim was cut off before its answer: the database may hold leases for this worker that it knows
    /// nothing of.
    in_doubt: bool,
    /// Something waits for room under a limit: a job that ends here may make it.
    held_back: Arc<AtomicBool>,
    /// Hints that wait for a claim's commit; never more than the broker hands out unacknowledged.
    unacknowledged: VecDeque<Hint>,
    /// What came as a hint, cannot be read, and is not kept yet.
    aside: Aside,
}

impl Taker {
    /// Waits for a free slot, for a machine that can compute and for room on it, then for a reason to look.
    async fn reason(&mut self) -> Reason {
        drop(self.lane.slots.acquire().await);
        self.shop.cpu.usable().await;
        self.shop.room.enough(&self.lane).await;
        if std::mem::take(&mut self.look_at_once) {
            return Reason::Time;
        }
        let poll = sleep(spread(self.shop.config.poll, (self.shop.dice)()));
        tokio::select! {
            biased;
            delivery = self.hints.next() => Reason::Bell(delivery),
            () = self.lane.runnable.notified() => Reason::Time,
            () = self.aside.due() => Reason::Time,
            () = poll => Reason::Time,
        }
    }

    async fn heed(&mut self, reason: Reason) {
        match reason {
            Reason::Bell(Some(Delivery::Hint(hint))) => self.unacknowledged.push_back(hint),
            Reason::Bell(Some(Delivery::Poison(poison))) => self.aside.push(poison),
            Reason::Bell(Some(Delivery::Resubscribed)) | Reason::Time => {}
            // The bell has stopped: from here on by polling alone.
            Reason::Bell(None) => self.hints = futures::stream::pending().boxed(),
        }
        self.aside.keep(&self.shop.store).await;
    }

    async fn claim(&mut self) {
        match self.try_claim().await {
            // Hints that woke it in vain wait for the next claim: other workers may have room.
            Ok(Looked::NoRoom) => self.look_at_once = true,
            Ok(Looked::Claimed) => {
                self.outage.succeeded();
                self.acknowledge().await;
            }
            Err(error) => {
                self.in_doubt = true;
                self.shop.metrics.claim_failed();
                self.outage.failed(&error);
            }
        }
    }

    async fn try_claim(&mut self) -> store::Result<Looked> {
        if self.in_doubt {
            // Nobody else's claim may be on its way: what it takes would look as if no claim had told of it.
            let _alone = self.shop.claiming.write().await;
            give_back_unknown(&self.shop).await?;
            self.in_doubt = false;
        }
        let _among_others = self.shop.claiming.read().await;
        let mut promises = self.shop.room.promise(&self.lane, wanted(self.lane.slots.available_permits()));
        let slots = promises.len();
        if slots == 0 {
            return Ok(Looked::NoRoom);
        }
        let request = ClaimRequest {
            queue: &self.lane.queue,
            worker: self.shop.id,
            slots: slots as u32,
            ttl: self.shop.config.lease.ttl,
            begin: self.lane.binding.as_ref().map(|binding| binding.swept_after()),
        };
        let asked_at = Instant::now();
        let taken = self.shop.store.take(&request).await?;
        // A full answer: there may be more where that came from.
        self.look_at_once = taken.jobs.len() == slots;
        self.held_back.store(taken.held_back, Ordering::Relaxed);
        self.in_doubt = taken.in_doubt;
        for job in taken.jobs {
            let hint = self.unacknowledged.iter().find(|hint| hint.body.job == job.lease.job);
            let trace = hint.map(|hint| hint.body.trace.clone());
            let promise = promises.pop().expect("no more jobs are claimed than were asked for");
            self.begin(job, asked_at, trace, promise);
        }
        Ok(Looked::Claimed)
    }

    async fn acknowledge(&mut self) {
        for hint in self.unacknowledged.drain(..) {
            let job: JobId = hint.body.job;
            if let Err(error) = hint.ack().await {
                tracing::debug!(%job, %error, "a hint was not acknowledged and comes again");
            }
        }
    }

    /// From here the lease guards the job: the hold is there before anything is awaited.
    fn begin(&self, claimed: Claimed, asked_at: Instant, hint: Option<TraceContext>, mut promise: Promise) {
        let shop = &self.shop;
        let slot = Arc::clone(&self.lane.slots)
            .try_acquire_owned()
            .expect("only this loop takes slots, and it counted");
        let trusted_until = shop.config.lease.trusted_until(asked_at);
        let hold = Arc::new(Hold::new(claimed.lease.clone(), trusted_until, shop.leave.clone()));
        shop.held.insert(Arc::clone(&hold));
        shop.metrics.claimed(&claimed.kind, claimed.waited);
        let fits = shop.room.widen(&mut promise, claimed.needs);
        let run =
            Run::new(Arc::clone(shop), Arc::clone(&hold), claimed, hint, self.lane.binding.clone(), fits);
        let (shop, lane, held_back) = (Arc::clone(shop), Arc::clone(&self.lane), Arc::clone(&self.held_back));
        shop.lifecycle.clone().spawn_finite("job", async move {
            run.carry_out().await;
            shop.held.remove(&hold);
            drop((promise, slot));
            if held_back.load(Ordering::Relaxed) {
                lane.runnable.notify_one();
            }
        });
    }
}

/// Without this, jobs of a claim that was cut off would wait for their leases to run out, and lose an
/// attempt.
async fn give_back_unknown(shop: &Workshop) -> store::Result<()> {
    for lease in shop.store.leases_of(shop.id).await? {
        if shop.held.get(lease.job, lease.epoch).is_none() {
            let given_back = shop.store.hand_back(&lease).await?;
            tracing::warn!(job = %lease.job, ?given_back, "the answer of its claim was lost");
        }
    }
    Ok(())
}

/// How many jobs to ask for.
fn wanted(free: usize) -> usize {
    free.min(MOST_PER_CLAIM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_asked_for_than_there_are_slots_and_no_batch_is_too_large() {
        for (free, expected) in [(0, 0), (1, 1), (2, 2), (50, 50), (1000, 50)] {
            assert_eq!(wanted(free), expected);
        }
    }
}
