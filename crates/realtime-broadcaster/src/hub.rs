//! The hub: one reader per migration, and per tenant, that anybody listens to; shared by all its listeners.

use crate::{
    Options,
    cursor::History,
    feed::{self, Told},
    frame::Frame,
    metrics::{Metrics, Resync},
    reader::Reader,
    topics::{Subscription, Topic, Topics},
    watch::watch,
};
use bus::{EventNote, NoteDelivery, NoteStream};
use domain::{MigrationId, TenantId};
use futures::StreamExt;
use service_kit::Lifecycle;
use std::sync::Arc;
use store::{Horizon, Store};
use tracing::{Instrument, Span};

/// Whose history.
pub(crate) type Key = (TenantId, MigrationId);

/// See the file's head.
#[derive(Clone)]
pub(crate) struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    lifecycle: Lifecycle,
    options: Options,
    metrics: Arc<Metrics>,
    migrations: Arc<Topics<Key, Frame>>,
    tenants: Arc<Topics<TenantId, Told>>,
}

impl Hub {
    pub(crate) fn new(store: Store, lifecycle: Lifecycle, options: Options, metrics: Arc<Metrics>) -> Self {
        let (migrations, tenants) = (Topics::new(), Topics::new());
        Self { inner: Arc::new(Inner { store, lifecycle, options, metrics, migrations, tenants }) }
    }

    /// From now on every event after `last`, or after where the topic's reader is by now if that is later. So
    /// whoever subscribes first and reads the database afterwards has missed nothing in between.
    pub(crate) fn subscribe(&self, key: Key, history: History, last: i64) -> Subscription<Frame> {
        self.inner.migrations.subscribe(key, || {
            let topic = self.topic();
            let reader = self.reader(key, history, last, Arc::clone(&topic));
            // A reader outlives the request that made it, so it must not stand in that request's trace.
            let watching = watch(reader, self.inner.options.tail_check).instrument(Span::none());
            self.inner.lifecycle.spawn_finite("event reader", watching);
            topic
        })
    }

    /// The same for all of a tenant's migrations, from a horizon on.
    pub(crate) fn follow(&self, tenant: TenantId, history: History, at: Horizon) -> Subscription<Told> {
        self.inner.tenants.subscribe(tenant, || {
            let topic = self.topic();
            let reader = feed::Reader {
                sweep: feed::Sweep::new(self.inner.store.clone(), tenant, at, self.inner.options.page),
                history,
                topic: Arc::clone(&topic),
                metrics: Arc::clone(&self.inner.metrics),
            };
            let watching = watch(reader, self.inner.options.tail_check).instrument(Span::none());
            self.inner.lifecycle.spawn_finite("feed reader", watching);
            topic
        })
    }

    /// Hears notes and wakes the readers concerned, until the process stops.
    pub(crate) async fn listen(self, mut notes: NoteStream) {
        let stopping = self.inner.lifecycle.stopping();
        while let Some(Some(heard)) = stopping.run_until_cancelled(notes.next()).await {
            match heard {
                NoteDelivery::Note(note) => self.heard(&note),
                NoteDelivery::Resubscribed => self.look_everywhere(),
            }
        }
    }

    fn heard(&self, note: &EventNote) {
        self.inner.migrations.heard(&(note.tenant, note.migration), note);
        self.inner.tenants.heard(&note.tenant, note);
    }

    fn look_everywhere(&self) {
        let woken = self.inner.migrations.ring_all() + self.inner.tenants.ring_all();
        for _ in 0..woken {
            self.inner.metrics.resync(Resync::Resubscribed);
        }
    }

    fn topic<F>(&self) -> Arc<Topic<F>> {
        Arc::new(Topic::new(self.inner.options.buffer, self.inner.lifecycle.stopping().child_token()))
    }

    fn reader(
        &self,
        (tenant, migration): Key,
        history: History,
        last: i64,
        topic: Arc<Topic<Frame>>,
    ) -> Reader {
        let inner = &self.inner;
        Reader {
            store: inner.store.clone(),
            tenant,
            migration,
            history,
            at: last,
            topic,
            page: inner.options.page,
            metrics: Arc::clone(&inner.metrics),
        }
    }
}
