//! The hub: one reader per migration, and per tenant, that anybody listens to; shared by all its listeners.
//!
//! A reader works when a note says that there is something for it. What a lost note hid is found by the tail check:
//! for migrations one question about all of them, since thousands may be followed in which nothing happens.

use crate::{
    Options,
    cursor::{History, Mark},
    feed,
    metrics::{Metrics, Resync},
    reader::Reader,
    topics::{Subscription, Topic, Topics},
    watch::{self, Watch},
};
use bus::{EventNote, NoteDelivery, NoteStream};
use domain::{MigrationId, TenantId};
use futures::StreamExt;
use service_kit::Lifecycle;
use std::{collections::HashMap, sync::Arc, time::Duration};
use store::{Horizon, Store};
use tokio::{
    sync::{Notify, Semaphore},
    time::timeout,
};
use tracing::{Instrument, Span};

/// Readers that ask the database at once: more would only wait for each other's connections.
const READERS: usize = 8;
/// Migrations asked for in one question.
const ASKED_AT_ONCE: usize = 5_000;
/// The first wait after a tail check that failed.
const SOON: Duration = Duration::from_millis(200);

/// Whose history.
pub(crate) type Key = (TenantId, MigrationId);

/// A listener's place at a migration, and at a feed.
pub(crate) type Seat = Subscription<Key, Reader>;
pub(crate) type FeedSeat = Subscription<TenantId, feed::Reader>;

/// See the file's head.
#[derive(Clone)]
pub(crate) struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    lifecycle: Lifecycle,
    options: Arc<Options>,
    metrics: Arc<Metrics>,
    migrations: Arc<Topics<Key, Reader>>,
    tenants: Arc<Topics<TenantId, feed::Reader>>,
    turns: Arc<Semaphore>,
    /// A tail check should be made at once.
    unsure: Notify,
}

impl Hub {
    pub(crate) fn new(
        store: Store,
        lifecycle: Lifecycle,
        options: Arc<Options>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (migrations, tenants) = (Topics::new(), Topics::new());
        let (turns, unsure) = (Arc::new(Semaphore::new(READERS)), Notify::new());
        let inner = Inner { store, lifecycle, options, metrics, migrations, tenants, turns, unsure };
        Self { inner: Arc::new(inner) }
    }

    /// From now on every event after `last`, or after where the topic's reader is by now if that is later. So
    /// whoever subscribes first and reads the database afterwards has missed nothing in between.
    pub(crate) fn subscribe(&self, key: Key, history: History, last: i64) -> Seat {
        let inner = &self.inner;
        inner.migrations.subscribe(key, || {
            let (tenant, migration) = key;
            let reader = Reader {
                store: inner.store.clone(),
                tenant,
                migration,
                history,
                at: last,
                page: inner.options.page,
                metrics: Arc::clone(&inner.metrics),
            };
            self.topic(reader)
        })
    }

    /// The same for all of a tenant's migrations, from a horizon on.
    pub(crate) fn follow(&self, tenant: TenantId, history: History, at: Horizon) -> FeedSeat {
        let inner = &self.inner;
        inner.tenants.subscribe(tenant, || {
            let sweep = feed::Sweep::new(inner.store.clone(), tenant, Mark::at(at), inner.options.page);
            self.topic(feed::Reader { sweep, history, metrics: Arc::clone(&inner.metrics) })
        })
    }

    /// How many migrations and how many feeds are listened to.
    pub(crate) fn followed(&self) -> (usize, usize) {
        (self.inner.migrations.len(), self.inner.tenants.len())
    }

    /// Hears notes and wakes the readers concerned, until the process stops.
    pub(crate) async fn listen(self, mut notes: NoteStream) {
        let stopping = self.inner.lifecycle.stopping();
        while let Some(Some(heard)) = stopping.run_until_cancelled(notes.next()).await {
            match heard {
                NoteDelivery::Note(note) => {
                    self.heard(self.inner.migrations.get(&(note.tenant, note.migration)), &note);
                    self.heard(self.inner.tenants.get(&note.tenant), &note);
                }
                NoteDelivery::Resubscribed => {
                    self.inner.metrics.resync(Resync::Resubscribed);
                    self.inner.unsure.notify_one();
                }
            }
        }
    }

    fn heard<R: Watch>(&self, topic: Option<Arc<Topic<R>>>, note: &EventNote) {
        if let Some(topic) = topic {
            topic.noted.keep(note.migration, note.seq, note.trace.clone());
            self.wake(topic, true);
        }
    }

    /// Looks now and then for what no note told of, until the process stops.
    pub(crate) async fn check_tails(self) {
        let stopping = self.inner.lifecycle.stopping();
        let mut wait = self.inner.options.tail_check;
        while stopping.run_until_cancelled(timeout(wait, self.inner.unsure.notified())).await.is_some() {
            for topic in self.inner.tenants.all() {
                self.wake(topic, false);
            }
            wait = match self.wake_grown().await {
                Ok(()) => self.inner.options.tail_check,
                Err(error) => {
                    let error = service_kit::exit::chain(&error);
                    tracing::warn!(error, "it cannot be seen which histories have grown; trying again");
                    SOON.min(self.inner.options.tail_check)
                }
            };
        }
    }

    async fn wake_grown(&self) -> Result<(), store::Error> {
        let positions = self.inner.migrations.positions();
        for some in positions.chunks(ASKED_AT_ONCE) {
            let tenants: HashMap<MigrationId, TenantId> =
                some.iter().map(|((tenant, migration), _)| (*migration, *tenant)).collect();
            let asked: Vec<(MigrationId, i64)> =
                some.iter().map(|((_, migration), at)| (*migration, *at)).collect();
            for migration in self.inner.store.grown_histories(&asked).await? {
                let key = tenants.get(&migration).map(|tenant| (*tenant, migration));
                if let Some(topic) = key.and_then(|key| self.inner.migrations.get(&key)) {
                    self.wake(topic, false);
                }
            }
        }
        Ok(())
    }

    fn wake<R: Watch>(&self, topic: Arc<Topic<R>>, told: bool) {
        if let Some(reader) = topic.take_up(told) {
            let (turns, metrics) = (Arc::clone(&self.inner.turns), Arc::clone(&self.inner.metrics));
            let reading = watch::read(topic, reader, turns, metrics);
            // It must not stand in the trace of whoever happened to wake it.
            self.inner.lifecycle.spawn_finite("event reader", Box::pin(reading).instrument(Span::none()));
        }
    }

    fn topic<R: Watch>(&self, reader: R) -> Topic<R> {
        Topic::new(reader, self.inner.options.buffer, self.inner.lifecycle.stopping().child_token())
    }
}
