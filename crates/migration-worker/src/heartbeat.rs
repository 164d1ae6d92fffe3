//! Keeps the leases: one statement renews all of them, from the claim to the last write of each job.
//!
//! What the answer does not name is lost, and its work is dropped. No answer at all proves nothing: trust then
//! runs out by itself, the work waits, and the question is put again until it is answered.

use crate::{
    jitter::spread,
    lease,
    outage::{Backoff, Outage},
    worker::Workshop,
};
use service_kit::BoxError;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// While the database is away it is asked more often than a healthy one: trust is running out.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const STATEMENT: &str = "job.heartbeat";

/// Renews until the last job has ended.
pub(crate) async fn keep(shop: Arc<Workshop>) -> Result<(), BoxError> {
    let interval = shop.config.lease.heartbeat;
    let mut outage = Outage::of("renewing leases");
    let mut backoff = Backoff::new(FIRST_RETRY, interval);
    let mut wait = interval;
    while shop.drained.run_until_cancelled(sleep(spread(wait, (shop.dice)()))).await.is_some() {
        wait = match renew(&shop).await {
            Ok(()) => {
                outage.succeeded();
                backoff = Backoff::new(FIRST_RETRY, interval);
                interval
            }
            Err(error) => {
                outage.failed(&error);
                backoff.next()
            }
        };
    }
    Ok(())
}

/// One question for all leases; what the answer does not name is lost.
pub(crate) async fn renew(shop: &Workshop) -> store::Result<()> {
    // One question at a time: two that cross would both be refused for one lost lease, and counted twice.
    let _turn = shop.renewing.lock().await;
    let asked = shop.held.leases();
    if asked.is_empty() {
        return Ok(());
    }
    // Taken before the question: the answer's way back must not lengthen the trust (law 5).
    let asked_at = Instant::now();
    let kept = shop.store.heartbeat(shop.id, &asked, shop.config.lease.ttl).await?;
    let trusted_until = shop.config.lease.trusted_until(asked_at);
    for one in &kept {
        let Some(hold) = shop.held.get(one.job, one.epoch) else { continue };
        hold.trust_until(trusted_until);
        if one.cancel_requested {
            hold.cancelled.cancel();
        }
    }
    for (job, epoch) in lease::not_kept(&asked, &kept) {
        // A job that gives its lease up at this moment hears of it from its own last write.
        let Some(hold) = shop.held.get(job, epoch).filter(|hold| !hold.is_ending()) else { continue };
        shop.metrics.stale_write(STATEMENT);
        tracing::warn!(%job, %epoch, "the lease is lost: its work is dropped");
        hold.lost.cancel();
    }
    Ok(())
}
