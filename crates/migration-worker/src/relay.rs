//! Announces what was committed: takes outbox rows, rings the bell for each, and marks those that the broker
//! confirmed in a second transaction (law 2; no network call stands inside a transaction).
//!
//! It looks when something was committed here or, as far as that is heard, elsewhere; and from time to time in any case.
//!
//! A row that was not confirmed stays, and is taken again when its hold is over: an announcement may be doubled,
//! never lost. While the bell is away nothing is taken at all, so that nothing is held when it comes back.

use crate::{
    jitter::spread,
    outage::{Backoff, Outage},
    worker::Workshop,
};
use bus::{EventNote, JobHint};
use domain::trace::TraceContext;
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use service_kit::BoxError;
use std::{sync::Arc, time::Duration};
use store::{OutboxRow, OutboxTopic};
use tokio::time::{sleep, timeout};
use tracing::Instrument;

/// How long the last announcements may take when the process stops; others publish what is left.
const FLUSH: Duration = Duration::from_secs(3);
/// The longest wait before a lost ear is opened again.
const LONGEST_DEAF: Duration = Duration::from_secs(5);
/// How long a relay that came too late leaves others' announcements alone: longer each time.
const LEAST_PATIENCE: Duration = Duration::from_millis(2);
const MOST_PATIENCE: Duration = Duration::from_millis(50);

/// How announcements are relayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// How often to look when there was nothing, and no word of any.
    #[serde(with = "humantime_serde")]
    pub poll: Duration,
    /// Rows taken at once.
    pub batch: u32,
    /// Rows published at once.
    pub concurrency: usize,
    /// How long other relays leave taken rows alone.
    #[serde(with = "humantime_serde")]
    pub hold: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { poll: Duration::from_millis(150), batch: 100, concurrency: 16, hold: Duration::from_secs(10) }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), String> {
        if !(1..=10_000).contains(&self.batch) || !(1..=1000).contains(&self.concurrency) {
            return Err("relay.batch has to be 1 to 10000, relay.concurrency 1 to 1000".into());
        }
        if self.poll.is_zero() || self.hold < Duration::from_secs(1) {
            return Err("relay.poll has to be more than nothing, relay.hold at least 1 s".into());
        }
        Ok(())
    }
}

/// What a turn found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing.
    Empty,
    /// Less than there was room for.
    Idle,
    /// A full batch, published: there is more.
    Full,
    /// The bell did not take all of it.
    Refused,
}

/// Relays until the last job of this worker has ended, and what that left.
pub(crate) async fn publish(shop: Arc<Workshop>) -> Result<(), BoxError> {
    let options = shop.config.relay;
    let mut outage = Outage::of("relaying announcements");
    let (mut turn, mut patience) = (Turn::Idle, Duration::ZERO);
    while let Some(woken) = shop.drained.run_until_cancelled(pause(&shop, turn, patience)).await {
        turn = match relay(&shop, &options).await {
            Ok(turn) => {
                outage.succeeded();
                turn
            }
            Err(error) => {
                outage.failed(&error);
                Turn::Refused
            }
        };
        patience = match (turn, woken) {
            (Turn::Empty, Woken::ByOthers) => (patience * 2).clamp(LEAST_PATIENCE, MOST_PATIENCE),
            (Turn::Empty, _) => patience,
            _ => Duration::ZERO,
        };
    }
    let rest = async { while let Ok(Turn::Full) = relay(&shop, &options).await {} };
    if timeout(FLUSH, rest).await.is_err() {
        tracing::warn!("the last announcements are left to another worker");
    }
    Ok(())
}

/// Hears of what other processes have committed, until the last job of this worker has ended. Where that cannot be, the
/// relay's own looks find it, later.
pub(crate) async fn hear(shop: Arc<Workshop>) -> Result<(), BoxError> {
    let first = || Backoff::new(Duration::from_millis(100), LONGEST_DEAF);
    let (mut outage, mut backoff) = (Outage::of("hearing of announcements"), first());
    loop {
        let listening = || {
            outage.succeeded();
            backoff = first();
        };
        let Some(error) = shop.drained.run_until_cancelled(shop.store.hear_announced(listening)).await else {
            return Ok(());
        };
        outage.failed(&error);
        if shop.drained.run_until_cancelled(sleep(backoff.next())).await.is_none() {
            return Ok(());
        }
    }
}

/// What ended a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    /// Word that another process has committed something, which every relay hears.
    ByOthers,
    /// Something was committed here, or it is time to look.
    Otherwise,
}

/// `patience`: how long others' announcements are left to other relays, since they had been faster.
async fn pause(shop: &Workshop, last: Turn, patience: Duration) -> Woken {
    let poll = spread(shop.config.relay.poll, (shop.dice)());
    match last {
        Turn::Full => Woken::Otherwise,
        Turn::Empty | Turn::Idle => {
            let elsewhere = async {
                if !patience.is_zero() {
                    sleep(spread(patience, (shop.dice)())).await;
                }
                shop.store.announced_elsewhere().await;
            };
            tokio::select! {
                () = shop.store.announced() => Woken::Otherwise,
                () = elsewhere => Woken::ByOthers,
                () = sleep(poll) => Woken::Otherwise,
            }
        }
        // No hammering on a bell or a database that has just refused.
        Turn::Refused => {
            sleep(poll.max(Duration::from_millis(500))).await;
            Woken::Otherwise
        }
    }
}

async fn relay(shop: &Workshop, options: &Options) -> store::Result<Turn> {
    if !shop.bell.healthy() {
        return Ok(Turn::Idle);
    }
    let rows = shop.store.claim_outbox(shop.id, options.batch, options.hold).await?;
    if rows.is_empty() {
        return Ok(Turn::Empty);
    }
    let taken = rows.len();
    let confirmed: Vec<i64> = stream::iter(rows)
        .map(|row| say(shop, row))
        .buffer_unordered(options.concurrency)
        .filter_map(std::future::ready)
        .collect()
        .await;
    if !confirmed.is_empty() {
        shop.store.mark_published(shop.id, &confirmed).await?;
    }
    Ok(match confirmed.len() {
        some if some < taken => Turn::Refused,
        all if all == options.batch as usize => Turn::Full,
        _ => Turn::Idle,
    })
}

/// Says one row under a span that continues the trace of whoever wrote it; its id, if it was confirmed.
async fn say(shop: &Workshop, row: OutboxRow) -> Option<i64> {
    let (system, exchange) = match (&shop.config.bus, &row.topic) {
        (bus::Options::Amqp { .. }, OutboxTopic::Job { .. }) => ("amqp", "jobs"),
        (bus::Options::Amqp { .. }, OutboxTopic::Event { .. }) => ("amqp", "events"),
        (bus::Options::Notify { .. }, OutboxTopic::Job { .. }) => ("notify", "jobs"),
        (bus::Options::Notify { .. }, OutboxTopic::Event { .. }) => ("notify", "events"),
    };
    let span = tracing::info_span!(
        parent: None,
        "publish",
        otel.name = format_args!("{system}.{exchange}.publish"),
        otel.kind = "producer",
        messaging.destination.name = exchange,
        service = crate::SERVICE,
    );
    telemetry::set_parent(&span, row.trace.traceparent.as_deref(), row.trace.tracestate.as_deref());
    let said = async {
        let (traceparent, tracestate) = telemetry::current_context();
        let trace = TraceContext { traceparent, tracestate };
        match row.topic {
            OutboxTopic::Job { queue, job } => shop.bell.ring(&JobHint { queue, job, trace }).await,
            OutboxTopic::Event { migration, tenant, seq } => {
                shop.bell.announce(&EventNote { tenant, migration, seq, trace }).await
            }
        }
    };
    match said.instrument(span).await {
        Ok(()) => Some(row.id),
        Err(error) => {
            tracing::debug!(row = row.id, error = %service_kit::exit::chain(&error), "not confirmed, stays");
            None
        }
    }
}
