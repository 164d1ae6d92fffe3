//! One round: enqueue, drain, latency.

use crate::{
    Outcome,
    field::{Field, KIND},
    machine::{Cost, Moment},
};
use bus::{Bell, Delivery};
use futures::{StreamExt, future::try_join_all};
use std::{
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

/// From before the enqueuing to after the end, a hundred a second, woken by the bell alone.
async fn latency(field: &Field, bell: &dyn Bell, mode: &str) -> Outcome {
    let mut hints = bell.hints(KIND, 50);
    while !matches!(hints.next().await, Some(Delivery::Resubscribed) | None) {}
    let begun = Instant::now();
    let enqueue = async {
        for n in 0..TIMED {
            tokio::time::sleep_until((begun + APART * n as u32).into()).await;
            field.enqueue(1).await?;
        }
        Outcome::Ok(())
    };
    let work = async {
        let mut left = TIMED;
        while left > 0 {
            let Some(delivery) = hints.next().await else { return Err("the bell has stopped".into()) };
            left = left.saturating_sub(field.carry_out(50).await?);
            if let Delivery::Hint(hint) = delivery {
                hint.ack().await?;
            }
        }
        Outcome::Ok(())
    };
    tokio::try_join!(enqueue, work)?;
    let sql = "SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (
                   ORDER BY extract(epoch FROM started.at - jobs.created_at) * 1000)
               FROM jobs JOIN transitions started ON started.job_id = jobs.id AND cause = 'started'";
    let told: Vec<f64> = field.sql.query_one(sql, &[]).await?.get(0);
    let told: Vec<String> = told.iter().map(|ms| format!("{ms:.1}")).collect();
    println!("| ours, {mode} | written until begun, ms at p50 / p95 / p99 | {} | | | |", told.join(" / "));
    Ok(())
}
