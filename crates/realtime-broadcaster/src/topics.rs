//! What is shared by all who listen to the same thing, and lives exactly as long as anybody does.
//!
//! Birth and death of a topic both happen under the map's lock, so that nobody subscribes to one whose reader has
//! been told to stop.

use crate::noted::Noted;
use bus::EventNote;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

/// What a reader and its listeners share.
pub(crate) struct Topic<F> {
    pub(crate) frames: broadcast::Sender<Arc<F>>,
    /// Something new may be there.
    pub(crate) bell: Notify,
    /// Nobody listens any more.
    pub(crate) over: CancellationToken,
    pub(crate) noted: Noted,
}

impl<F> Topic<F> {
    pub(crate) fn new(buffer: usize, over: CancellationToken) -> Self {
        Self { frames: broadcast::Sender::new(buffer), bell: Notify::new(), over, noted: Noted::default() }
    }
}

/// All topics of one kind.
pub(crate) struct Topics<K, F> {
    open: Mutex<HashMap<K, Entry<F>>>,
}

struct Entry<F> {
    topic: Arc<Topic<F>>,
    subscribers: usize,
}

impl<K: Copy + Eq + Hash + Send + 'static, F: Send + Sync + 'static> Topics<K, F> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { open: Mutex::default() })
    }

    /// A place at the topic, which `create` makes, with its reader, if nobody listens yet.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        key: K,
        create: impl FnOnce() -> Arc<Topic<F>>,
    ) -> Subscription<F> {
        let mut open = lock(&self.open);
        let entry = open.entry(key).or_insert_with(|| Entry { topic: create(), subscribers: 0 });
        entry.subscribers += 1;
        let frames = entry.topic.frames.subscribe();
        let topics = Arc::clone(self);
        Subscription { frames, _seat: Seat(Some(Box::new(move || topics.leave(key)))) }
    }

    /// Wakes the topic's reader, if anybody listens.
    pub(crate) fn heard(&self, key: &K, note: &EventNote) {
        if let Some(entry) = lock(&self.open).get(key) {
            entry.topic.noted.keep(note.migration, note.seq, note.trace.clone());
            entry.topic.bell.notify_one();
        }
    }

    /// Wakes every reader; how many.
    pub(crate) fn ring_all(&self) -> usize {
        let open = lock(&self.open);
        for entry in open.values() {
            entry.topic.bell.notify_one();
        }
        open.len()
    }

    fn leave(&self, key: K) {
        let mut open = lock(&self.open);
        let Some(entry) = open.get_mut(&key) else { return };
        entry.subscribers -= 1;
        if entry.subscribers == 0 {
            entry.topic.over.cancel();
            open.remove(&key);
        }
    }
}

/// One listener's place at a topic, given up when it is dropped.
pub(crate) struct Subscription<F> {
    pub(crate) frames: broadcast::Receiver<Arc<F>>,
    _seat: Seat,
}

struct Seat(Option<Box<dyn FnOnce() + Send>>);

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(leave) = self.0.take() {
            leave();
        }
    }
}

/// Nothing panics while it holds one of these locks, and what they guard is whole at each step anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_lives_as_long_as_anybody_listens() {
        let topics: Arc<Topics<u8, ()>> = Topics::new();
        let over = CancellationToken::new();
        let create = || Arc::new(Topic::new(1, over.clone()));
        let first = topics.subscribe(7, create);
        let second = topics.subscribe(7, || unreachable!("it is there"));
        assert_eq!(topics.ring_all(), 1);
        drop(first);
        assert!(!over.is_cancelled());
        drop(second);
        assert!(over.is_cancelled(), "the reader is told to stop");
        assert_eq!(topics.ring_all(), 0);
    }
}
