//! One round: enqueue, drain, latency.

use crate::{
    Outcome,
    field::{Field, KIND},
    machine::{Cost, Moment},
};
use bus::{Bell, Delivery};
use domain::JobId;
use futures::{StreamExt, TryStreamExt, channel::mpsc, future::try_join_all};
use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use testkit::broker::{Broker, unique_prefix};
use tokio_util::sync::CancellationToken;

/// Callers that enqueue one job at a time.
const CALLERS: usize = 32;
/// Jobs of one bulk, and bulks at once.
const BULK: usize = 500;
const BULKS: usize = 4;
/// Jobs of one claim, and claims at once.
const SLOTS: u32 = 250;
const CLAIMS: usize = 3;
/// For the latency: how many, and how far apart.
const TIMED: usize = 500;
const APART: Duration = Duration::from_millis(10);

pub(crate) async fn run(mode: &str, jobs: &str) -> Outcome {
    let jobs: usize = jobs.parse()?;
    let field = Field::new().await?;
    let broker = if mode == "amqp" { Some(Broker::start().await) } else { None };
    let prefix = unique_prefix();
    let options = match (mode, &broker) {
        ("amqp", Some(broker)) => bus::Options::Amqp { url: broker.url(), prefix },
        ("notify", _) => bus::Options::Notify { url: field.db.url("resettle_worker"), prefix },
        _ => return Err("the mode is notify or amqp".into()),
    };
    let stop = CancellationToken::new();
    let bell = bus::open(&options, stop.clone())?;
    let timed = async {
        while !bell.healthy() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        rounds(&field, bell.as_ref(), mode, jobs).await
    };
    // The relay never ends by itself: whatever comes first is the outcome.
    let outcome = tokio::select! {
        told = timed => told,
        told = field.relay(bell.as_ref()) => told,
    };
    stop.cancel();
    outcome
}

async fn rounds(field: &Field, bell: &dyn Bell, mode: &str, jobs: usize) -> Outcome {
    let few = jobs / 5;
    let cost = spent(field, shared(few, CALLERS, async || field.enqueue(1).await.map(|()| 1))).await?;
    row(mode, "enqueue, one by one", few, &cost);
    let cost =
        spent(field, shared(few, 1, async || field.carry_out_one_by_one(CALLERS as u32).await)).await?;
    row(mode, "drain, one by one", few, &cost);
    field.clear().await?;
    let cost = spent(field, shared(jobs, BULKS, async || field.enqueue(BULK).await.map(|()| BULK))).await?;
    row(mode, "enqueue, bulks of 500", jobs, &cost);
    let cost = spent(field, shared(jobs, CLAIMS, async || field.carry_out(SLOTS).await)).await?;
    row(mode, "drain, batches", jobs, &cost);
    field.clear().await?;
    latency(field, bell, mode).await
}

/// Several at once until so many are done together.
async fn shared(jobs: usize, callers: usize, step: impl AsyncFn() -> Outcome<usize>) -> Outcome {
    let done = AtomicUsize::new(0);
    try_join_all((0..callers).map(async |_| {
        while done.load(Ordering::Relaxed) < jobs {
            let some = step().await?;
            done.fetch_add(some, Ordering::Relaxed);
        }
        Outcome::Ok(())
    }))
    .await
    .map(drop)
}

async fn spent(field: &Field, work: impl Future<Output = Outcome>) -> Outcome<Cost> {
    let before = Moment::now(&field.sql).await?;
    work.await?;
    before.until_now(&field.sql).await
}

fn row(mode: &str, what: &str, jobs: usize, cost: &Cost) {
    let each = jobs as f64;
    println!(
        "| ours, {mode} | {what} | {:.0} | {:.3} | {:.3} | {:.0} |",
        each / cost.seconds,
        cost.server_ms / each,
        cost.own_ms / each,
        cost.log_bytes / each
    );
}

/// From the wish to enqueue a job to its beginning, as its caller's clock sees it: a hundred a second, woken by the bell
/// alone. Jobs end beside the next claim, as in a worker's slots.
async fn latency(field: &Field, bell: &dyn Bell, mode: &str) -> Outcome {
    let mut hints = bell.hints(KIND, 50);
    while !matches!(hints.next().await, Some(Delivery::Resubscribed) | None) {}
    let first = tokio::time::Instant::now();
    let enqueue = try_join_all((0..TIMED as u32).map(async |n| {
        tokio::time::sleep_until(first + APART * n).await;
        let asked_at = Instant::now();
        Outcome::Ok((field.enqueue_one().await?, asked_at))
    }));
    let (claimed, slots) = mpsc::unbounded();
    let claim = async {
        while let Some(delivery) = hints.next().await {
            for job in field.claim(50).await? {
                claimed.unbounded_send((job, Instant::now()))?;
            }
            if let Delivery::Hint(hint) = delivery {
                hint.ack().await?;
            }
        }
        Err("the bell has stopped".into())
    };
    let carry_out = slots
        .map(async |(job, begun_at)| Outcome::Ok((field.finish(job).await?, begun_at)))
        .buffer_unordered(50)
        .take(TIMED)
        .try_collect();
    let work = async {
        tokio::select! {
            begun = carry_out => begun,
            told = claim => told,
        }
    };
    let (asked, begun): (Vec<(JobId, Instant)>, HashMap<JobId, Instant>) = tokio::try_join!(enqueue, work)?;
    let mut waits: Vec<Duration> = asked.iter().map(|(job, asked_at)| begun[job] - *asked_at).collect();
    waits.sort_unstable();
    let told = [0.5, 0.95, 0.99].map(|part| waits[(part * waits.len() as f64) as usize].as_secs_f64() * 1e3);
    let told = told.map(|ms| format!("{ms:.1}")).join(" / ");
    println!("| ours, {mode} | asked until begun, ms at p50 / p95 / p99 | {told} | | | |");
    Ok(())
}
