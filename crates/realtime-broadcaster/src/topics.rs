//! What is shared by all who listen to the same thing, and lives exactly as long as anybody does.
//!
//! Birth and death of a topic both happen under the map's lock, so that nobody subscribes to one that is over. A
//! topic about which nothing is heard has no task and no timer: its reader lies in it until there may be news.

use crate::{noted::Noted, watch::Watch};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// What a reader and its listeners share.
pub(crate) struct Topic<R: Watch> {
    pub(crate) frames: broadcast::Sender<Arc<R::Frame>>,
    /// Nobody listens any more.
    pub(crate) over: CancellationToken,
    pub(crate) noted: Noted,
    desk: Mutex<Desk<R>>,
}

/// Where the reader lies while it has nothing to do.
struct Desk<R> {
    reader: Option<R>,
    /// There may be more than the reader that is under way has seen.
    again: bool,
    /// It was a note that said so.
    told: bool,
}

impl<R: Watch> Topic<R> {
    pub(crate) fn new(reader: R, buffer: usize, over: CancellationToken) -> Self {
        let desk = Mutex::new(Desk { reader: Some(reader), again: false, told: false });
        Self { frames: broadcast::Sender::new(buffer), over, noted: Noted::default(), desk }
    }

    /// There may be news: the reader, if it is not under way already. Give it back with [`Self::lay_down`].
    pub(crate) fn take_up(&self, told: bool) -> Option<R> {
        let mut desk = lock(&self.desk);
        desk.told |= told;
        let reader = desk.reader.take();
        desk.again |= reader.is_none();
        reader
    }

    /// Takes the reader back, unless there may be news again.
    pub(crate) fn lay_down(&self, reader: R) -> Option<R> {
        let mut desk = lock(&self.desk);
        if std::mem::take(&mut desk.again) {
            return Some(reader);
        }
        desk.reader = Some(reader);
        None
    }

    /// Was it a note that said that there are news? Asked once, before they are read.
    pub(crate) fn was_told(&self) -> bool {
        std::mem::take(&mut lock(&self.desk).told)
    }

    /// How far it was read, unless that is just changing.
    fn at(&self) -> Option<i64> {
        lock(&self.desk).reader.as_ref().map(Watch::at)
    }
}

/// All topics of one kind.
pub(crate) struct Topics<K, R: Watch> {
    open: Mutex<HashMap<K, Entry<R>>>,
}

struct Entry<R: Watch> {
    topic: Arc<Topic<R>>,
    subscribers: usize,
}

impl<K: Copy + Eq + Hash + Send + Sync + 'static, R: Watch> Topics<K, R> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { open: Mutex::default() })
    }

    /// A place at the topic, which `create` makes if nobody listens yet.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        key: K,
        create: impl FnOnce() -> Topic<R>,
    ) -> Subscription<K, R> {
        let mut open = lock(&self.open);
        let entry = open.entry(key).or_insert_with(|| Entry { topic: Arc::new(create()), subscribers: 0 });
        entry.subscribers += 1;
        let frames = entry.topic.frames.subscribe();
        Subscription { frames, key, topics: Arc::clone(self) }
    }

    /// The topic, if anybody listens.
    pub(crate) fn get(&self, key: &K) -> Option<Arc<Topic<R>>> {
        lock(&self.open).get(key).map(|entry| Arc::clone(&entry.topic))
    }

    /// Every topic.
    pub(crate) fn all(&self) -> Vec<Arc<Topic<R>>> {
        lock(&self.open).values().map(|entry| Arc::clone(&entry.topic)).collect()
    }

    /// How far each topic was read that is not being read just now.
    pub(crate) fn positions(&self) -> Vec<(K, i64)> {
        let open = lock(&self.open);
        open.iter().filter_map(|(key, entry)| Some((*key, entry.topic.at()?))).collect()
    }

    /// How many topics there are.
    pub(crate) fn len(&self) -> usize {
        lock(&self.open).len()
    }
}

/// One listener's place at a topic, given up when it is dropped.
pub(crate) struct Subscription<K: Copy + Eq + Hash, R: Watch> {
    pub(crate) frames: broadcast::Receiver<Arc<R::Frame>>,
    key: K,
    topics: Arc<Topics<K, R>>,
}

impl<K: Copy + Eq + Hash, R: Watch> Drop for Subscription<K, R> {
    fn drop(&mut self) {
        let mut open = lock(&self.topics.open);
        let Some(entry) = open.get_mut(&self.key) else { return };
        entry.subscribers -= 1;
        if entry.subscribers == 0 {
            entry.topic.over.cancel();
            open.remove(&self.key);
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

    struct Nothing;

    impl Watch for Nothing {
        type Frame = ();

        async fn catch_up(&mut self, _topic: &Topic<Self>) -> Result<usize, store::Error> {
            Ok(0)
        }

        fn at(&self) -> i64 {
            7
        }
    }

    #[test]
    fn a_topic_lives_as_long_as_anybody_listens() {
        let topics: Arc<Topics<u8, Nothing>> = Topics::new();
        let over = CancellationToken::new();
        let first = topics.subscribe(7, || Topic::new(Nothing, 1, over.clone()));
        let second = topics.subscribe(7, || unreachable!("it is there"));
        assert_eq!((topics.len(), topics.positions()), (1, vec![(7, 7)]));
        drop(first);
        assert!(!over.is_cancelled());
        drop(second);
        assert!(over.is_cancelled(), "a reader that is under way is told to stop");
        assert_eq!(topics.len(), 0);
    }

    #[test]
    fn what_is_heard_while_the_reader_is_under_way_sends_it_again() {
        let topic = Topic::new(Nothing, 1, CancellationToken::new());
        let reader = topic.take_up(false).expect("it lies there");
        assert!(!topic.was_told() && topic.at().is_none());
        assert!(topic.take_up(true).is_none(), "it is under way");
        let reader = topic.lay_down(reader).expect("there is more");
        assert!(topic.was_told() && !topic.was_told());
        assert!(topic.lay_down(reader).is_none());
        assert!(topic.take_up(true).is_some());
    }
}
