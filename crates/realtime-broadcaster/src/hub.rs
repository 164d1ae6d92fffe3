//! The hub: one reader per migration that anybody listens to, shared by all its listeners.
//!
//! A topic lives exactly as long as it has subscribers. Both its birth and its death happen under the map's
//! lock, so that nobody subscribes to a topic whose reader has been told to stop.

use crate::{
    Options,
    cursor::History,
    frame::Frame,
    metrics::{Metrics, Resync},
    reader::Reader,
};
use bus::{EventNote, NoteDelivery, NoteStream};
use domain::{MigrationId, TenantId, trace::TraceContext};
use futures::StreamExt;
use service_kit::Lifecycle;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use store::Store;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Notes whose trace context is kept until their event is read. A context that is dropped costs a parent in a
/// trace: the row's own is used instead.
const MAX_NOTED: usize = 256;

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
    topics: Mutex<HashMap<Key, Entry>>,
}

struct Entry {
    topic: Arc<Topic>,
    subscribers: usize,
}

/// What a reader and its listeners share.
pub(crate) struct Topic {
    pub(crate) frames: broadcast::Sender<Arc<Frame>>,
    /// Something new may be there.
    pub(crate) bell: Notify,
    /// Nobody listens any more.
    pub(crate) over: CancellationToken,
    noted: Mutex<BTreeMap<i64, TraceContext>>,
}

impl Topic {
    fn new(buffer: usize, over: CancellationToken) -> Self {
        Self { frames: broadcast::Sender::new(buffer), bell: Notify::new(), over, noted: Mutex::default() }
    }

    fn note(&self, seq: i64, trace: TraceContext) {
        let mut noted = lock(&self.noted);
        noted.insert(seq, trace);
        while noted.len() > MAX_NOTED {
            noted.pop_first();
        }
        drop(noted);
        self.bell.notify_one();
    }

    /// The context of the note that told of this event; forgets those of earlier ones.
    pub(crate) fn noted(&self, seq: i64) -> Option<TraceContext> {
        let mut noted = lock(&self.noted);
        let later = noted.split_off(&(seq + 1));
        std::mem::replace(&mut *noted, later).remove(&seq)
    }
}

/// One listener's place at a topic, given up when it is dropped.
pub(crate) struct Subscription {
    pub(crate) frames: broadcast::Receiver<Arc<Frame>>,
    key: Key,
    inner: Arc<Inner>,
}

impl Hub {
    pub(crate) fn new(store: Store, lifecycle: Lifecycle, options: Options, metrics: Arc<Metrics>) -> Self {
        let topics = Mutex::default();
        Self { inner: Arc::new(Inner { store, lifecycle, options, metrics, topics }) }
    }

    /// From now on every event after `last`, or after where the topic's reader is by now if that is later. So
    /// whoever subscribes first and reads the database afterwards has missed nothing in between.
    pub(crate) fn subscribe(&self, key: Key, history: History, last: i64) -> Subscription {
        let mut topics = lock(&self.inner.topics);
        let entry = topics.entry(key).or_insert_with(|| {
            let topic = self.topic();
            self.read(key, history, last, Arc::clone(&topic));
            Entry { topic, subscribers: 0 }
        });
        entry.subscribers += 1;
        Subscription { frames: entry.topic.frames.subscribe(), key, inner: Arc::clone(&self.inner) }
    }

    /// Hears notes and wakes the readers concerned, until the process stops.
    pub(crate) async fn listen(self, mut notes: NoteStream) {
        let stopping = self.inner.lifecycle.stopping();
        while let Some(Some(heard)) = stopping.run_until_cancelled(notes.next()).await {
            match heard {
                NoteDelivery::Note(note) => self.heard(note),
                NoteDelivery::Resubscribed => self.look_everywhere(),
            }
        }
    }

    fn heard(&self, note: EventNote) {
        let topics = lock(&self.inner.topics);
        if let Some(entry) = topics.get(&(note.tenant, note.migration)) {
            entry.topic.note(note.seq, note.trace);
        }
    }

    fn look_everywhere(&self) {
        let topics = lock(&self.inner.topics);
        for entry in topics.values() {
            self.inner.metrics.resync(Resync::Resubscribed);
            entry.topic.bell.notify_one();
        }
    }

    fn topic(&self) -> Arc<Topic> {
        Arc::new(Topic::new(self.inner.options.buffer, self.inner.lifecycle.stopping().child_token()))
    }

    fn read(&self, (tenant, migration): Key, history: History, last: i64, topic: Arc<Topic>) {
        let inner = &self.inner;
        let reader = Reader {
            store: inner.store.clone(),
            tenant,
            migration,
            history,
            at: last,
            topic,
            page: inner.options.page,
            tail_check: inner.options.tail_check,
            metrics: Arc::clone(&inner.metrics),
        };
        // A reader outlives the request that made it, so it must not stand in that request's trace.
        inner.lifecycle.spawn_finite("event reader", reader.run().instrument(tracing::Span::none()));
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut topics = lock(&self.inner.topics);
        let Some(entry) = topics.get_mut(&self.key) else { return };
        entry.subscribers -= 1;
        if entry.subscribers == 0 {
            entry.topic.over.cancel();
            topics.remove(&self.key);
        }
    }
}

/// Nothing panics while it holds one of these locks, and what they guard is whole at each step anyway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notes_context_is_given_once_and_only_the_latest_are_kept() {
        let topic = Topic::new(1, CancellationToken::new());
        let context = |seq: i64| TraceContext { traceparent: Some(seq.to_string()), tracestate: None };
        for seq in [2, 1, 5] {
            topic.note(seq, context(seq));
        }
        assert_eq!(topic.noted(2), Some(context(2)));
        assert_eq!(topic.noted(1), None, "what lies behind is forgotten");
        assert_eq!(topic.noted(4), None);
        assert_eq!(topic.noted(5), Some(context(5)));
        let kept = i64::try_from(MAX_NOTED).expect("small");
        for seq in 0..kept * 2 {
            topic.note(seq, context(seq));
        }
        assert_eq!(lock(&topic.noted).len(), MAX_NOTED);
        assert_eq!(topic.noted(kept * 2 - 1), Some(context(kept * 2 - 1)));
    }
}
