//! What any worker does for all: promotes retries that are due, rescues jobs of lost workers, carries replays of dead
//! letters on, removes published announcements and what is over, reads the gauges, and says that it lives itself.
//!
//! Each is a loop of its own, so that a slow one holds up no other, and none has a span around it.

use crate::{heartbeat, jitter::spread, outage::Outage, retention, worker::Workshop};
use futures::future::BoxFuture;
use std::{sync::Arc, time::Duration};
use store::RescueRequest;
use tokio::time::{sleep, timeout};

/// Rows per statement.
const MOST: u32 = 100;
/// Statements in a row, where each was full.
const TURNS: u32 = 20;
/// Journals removed in one turn, and visits in one transaction.
const JOURNALS: u32 = 10;
const VISITS: u32 = 2000;
const ALIVE: Duration = Duration::from_secs(10);
const PURGE: Duration = Duration::from_secs(60);
/// Far more often than offers are forgotten.
const KINDS: Duration = Duration::from_secs(60 * 60);
/// Published rows stay this long, for whoever looks into what was announced.
const KEPT: Duration = Duration::from_secs(60 * 60);
const FAREWELL: Duration = Duration::from_secs(3);

type Turn = fn(Arc<Workshop>) -> BoxFuture<'static, store::Result<()>>;

/// Starts every loop.
pub(crate) fn start(shop: &Arc<Workshop>) {
    let config = &shop.config;
    // Promoting is part of polling: a due retry must not wait longer than a fresh job.
    spawn(shop, "promote", config.poll, |shop| Box::pin(promote(shop)));
    spawn(shop, "schedules", config.poll, |shop| Box::pin(fire(shop)));
    spawn(shop, "rescue", config.sweep, |shop| Box::pin(rescue(shop)));
    spawn(shop, "purge", PURGE, |shop| Box::pin(purge(shop)));
    spawn(shop, "journals", config.sweep, |shop| Box::pin(remove_journals(shop)));
    spawn(shop, "replay", config.sweep, |shop| Box::pin(replay(shop)));
    spawn(shop, "retention", config.retention.every, |shop| Box::pin(retention::sweep(shop)));
    spawn(shop, "kinds", KINDS, |shop| Box::pin(keep_kinds(shop)));
    spawn(shop, "sample", config.sample, |shop| Box::pin(sample(shop)));
    alive(shop);
}

fn spawn(shop: &Arc<Workshop>, name: &'static str, interval: Duration, turn: Turn) {
    let shop = Arc::clone(shop);
    shop.lifecycle.clone().spawn(name, async move {
        let stopping = shop.lifecycle.stopping();
        let mut outage = Outage::of(name);
        while stopping.run_until_cancelled(sleep(spread(interval, (shop.dice)()))).await.is_some() {
            match turn(Arc::clone(&shop)).await {
                Ok(()) => outage.succeeded(),
                Err(error) => outage.failed(&error),
            }
        }
        Ok(())
    });
}

async fn promote(shop: Arc<Workshop>) -> store::Result<()> {
    // Of many that come due at one moment the next turn takes on from here.
    for _ in 0..TURNS {
        let promoted = shop.store.promote_due(shop.id, MOST).await?;
        if promoted > 0 {
            shop.wake();
        }
        if promoted < MOST {
            break;
        }
    }
    Ok(())
}

/// Schedules whose time has come.
async fn fire(shop: Arc<Workshop>) -> store::Result<()> {
    if shop.store.fire_schedules(MOST).await? > 0 {
        shop.wake();
    }
    Ok(())
}

async fn rescue(shop: Arc<Workshop>) -> store::Result<()> {
    if let Err(error) = may_rescue(&shop).await {
        // Others had no database to renew their leases with either: a whole ttl must pass before anybody counts as
        // lost. Postgres's own start time does not tell of a crash recovery, nor of a standby that took over.
        shop.put_off_rescues();
        return Err(error);
    }
    if !shop.rescues_are_due() {
        return Ok(());
    }
    let policy = shop.config.policy();
    let request = RescueRequest {
        worker: shop.id,
        ttl: shop.config.lease.ttl,
        deadlines: &shop.config.deadlines.into(),
        cancel_grace: shop.config.cancel_grace,
        limit: MOST,
        policy: &policy,
        jitter: (shop.dice)(),
    };
    for rescued in shop.store.rescue_expired(&request).await? {
        tracing::warn!(
            job = %rescued.job, migration = rescued.migration.map(tracing::field::display), to = %rescued.to,
            cause = rescued.cause.as_str(), "a job was taken from its worker"
        );
        shop.metrics.rescued(rescued.cause, rescued.to);
    }
    Ok(())
}

/// Our own leases first: after a pause of this process or machine the sweep may come before the heartbeat, and would take
/// jobs that are alive right here. And the database has to be there now, whether we hold anything or not.
async fn may_rescue(shop: &Workshop) -> store::Result<()> {
    heartbeat::renew(shop).await?;
    shop.store.ping().await
}

async fn purge(shop: Arc<Workshop>) -> store::Result<()> {
    shop.store.purge_published(KEPT, MOST * 100).await?;
    shop.store.forget_circuits(MOST).await.map(drop)
}

/// The journals of crawls whose result is kept, or that nobody goes on with. A few at a time, so that others get their
/// turn at the database.
async fn remove_journals(shop: Arc<Workshop>) -> store::Result<()> {
    for journal in shop.store.old_journals(JOURNALS).await? {
        let mut gone = false;
        while !gone && !shop.lifecycle.stopping().is_cancelled() {
            gone = shop.store.remove_journal(&journal, VISITS).await?;
        }
    }
    Ok(())
}

/// Replays of many dead letters go on by a few.
async fn replay(shop: Arc<Workshop>) -> store::Result<()> {
    let replayed = shop.store.continue_replays(MOST).await?;
    if replayed > 0 {
        tracing::info!(replayed, "dead letters were put back into their queues");
        shop.wake();
    }
    Ok(())
}

/// Says that the kinds that are bound here are still offered.
async fn keep_kinds(shop: Arc<Workshop>) -> store::Result<()> {
    let names: Vec<String> = shop.bindings().map(|binding| binding.name.clone()).collect();
    shop.store.keep_job_kinds(&names).await
}

async fn sample(shop: Arc<Workshop>) -> store::Result<()> {
    shop.metrics.hung(shop.cpu.hung());
    shop.metrics.sampled(&shop.store.figures().await?);
    Ok(())
}

/// Says that the process lives until its last job has ended, then that it stopped.
fn alive(shop: &Arc<Workshop>) {
    let shop = Arc::clone(shop);
    shop.lifecycle.clone().spawn("alive", async move {
        let mut outage = Outage::of("the worker's own heartbeat");
        // The first at once: it says what the registration does not.
        let mut wait = Duration::ZERO;
        while shop.drained.run_until_cancelled(sleep(wait)).await.is_some() {
            wait = spread(ALIVE, (shop.dice)());
            match shop.store.worker_heartbeat(shop.id, resident_bytes()).await {
                Ok(_) => outage.succeeded(),
                Err(error) => outage.failed(&error),
            }
        }
        // A worker that cannot say farewell looks like one that was lost: its row is only told less exactly.
        match timeout(FAREWELL, shop.store.worker_stopped(shop.id)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the worker could not sign off"),
            Err(_) => tracing::warn!("the worker could not sign off in time"),
        }
        Ok(())
    });
}

/// What this process holds in memory, for operators; nothing where the system does not tell.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}
