//! Records visits in groups: who comes while a group is being written waits for the next one, so that a
//! slow journal costs one call for many visits and a fast one costs no waiting.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Journal, MAX_BATCH, Purpose, Visit, VisitKey};

/// The crawl's side of a journal, with the crawl's clock.
pub(crate) struct Scribe<'a> {
    journal: &'a dyn Journal,
    waiting: Mutex<Waiting>,
    /// Held while a group is written; how many visits are written by now.
    written: tokio::sync::Mutex<u64>,
    began: Instant,
    /// Time that earlier processes of this crawl took.
    before: Duration,
}

#[derive(Default)]
struct Waiting {
    visits: Vec<(VisitKey, Arc<Visit>)>,
    /// Visits that ever came.
    came: u64,
}

impl<'a> Scribe<'a> {
    /// Opens the journal: the clock goes on where it stopped.
    pub(crate) async fn open(journal: &'a dyn Journal) -> io::Result<Self> {
        let began = Instant::now();
        let found = journal.recall(&[clock()]).await?.pop().flatten();
        let before = match found.as_deref() {
            Some(Visit::Clock { millis }) => Duration::from_millis(*millis),
            _ => Duration::ZERO,
        };
        let waiting = Mutex::new(Waiting::default());
        Ok(Self { journal, waiting, written: tokio::sync::Mutex::new(0), began, before })
    }

    /// When a crawl that may take this long in all has to stop.
    pub(crate) fn deadline(&self, whole: Duration) -> Instant {
        self.began + whole.saturating_sub(self.before)
    }

    pub(crate) async fn recall(&self, keys: &[VisitKey]) -> io::Result<Vec<Option<Arc<Visit>>>> {
        let mut found = Vec::with_capacity(keys.len());
        for batch in keys.chunks(MAX_BATCH) {
            found.extend(self.journal.recall(batch).await?);
        }
        Ok(found)
    }

    /// Returns when the visit is recorded.
    pub(crate) async fn record(&self, key: VisitKey, visit: Arc<Visit>) -> io::Result<()> {
        let mine = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.visits.push((key, visit));
            waiting.came += 1;
            waiting.came
        };
        let mut written = self.written.lock().await;
        while *written < mine {
            let mut group = self.next_group();
            let count = group.len() as u64;
            let millis = (self.before + self.began.elapsed()).as_millis();
            let millis = u64::try_from(millis).unwrap_or(u64::MAX);
            group.push((clock(), Arc::new(Visit::Clock { millis })));
            self.journal.record(&group).await?;
            *written += count;
        }
        Ok(())
    }

    /// The first visits that wait; room is left for the clock.
    fn next_group(&self) -> Vec<(VisitKey, Arc<Visit>)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.visits.len().min(MAX_BATCH - 1);
        waiting.visits.drain(..count).collect()
    }
}

fn clock() -> VisitKey {
    VisitKey { purpose: Purpose::Clock, url: String::new() }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use futures::future::join_all;

    use super::super::MemoryJournal;
    use super::*;

    /// Counts calls and lets others come while it writes.
    #[derive(Default)]
    struct Slow {
        inner: MemoryJournal,
        calls: AtomicUsize,
        largest: AtomicUsize,
    }

    #[async_trait]
    impl Journal for Slow {
        async fn recall(&self, keys: &[VisitKey]) -> io::Result<Vec<Option<Arc<Visit>>>> {
            self.inner.recall(keys).await
        }

        async fn record(&self, visits: &[(VisitKey, Arc<Visit>)]) -> io::Result<()> {
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.largest.fetch_max(visits.len(), Ordering::Relaxed);
            tokio::task::yield_now().await;
            self.inner.record(visits).await
        }
    }

    fn key(n: usize) -> VisitKey {
        VisitKey { purpose: Purpose::Page, url: format!("http://e.com/{n}") }
    }

    #[tokio::test]
    async fn visits_that_come_together_are_written_together() {
        let journal = Slow::default();
        let scribe = Scribe::open(&journal).await.expect("opened");
        let visit = || Arc::new(Visit::Left { code: "x".into(), note: String::new() });
        let all = join_all((0..200).map(|n| scribe.record(key(n), visit()))).await;
        assert!(all.iter().all(Result::is_ok));
        let keys: Vec<_> = (0..200).map(key).collect();
        let found = scribe.recall(&keys).await.expect("recalled");
        assert_eq!(found.iter().flatten().count(), 200);
        assert!(journal.calls.load(Ordering::Relaxed) <= 5, "{journal:?}", journal = journal.calls);
        assert!(journal.largest.load(Ordering::Relaxed) <= MAX_BATCH);
    }

    #[tokio::test]
    async fn the_clock_counts_all_processes_and_not_the_time_between() {
        let journal = MemoryJournal::new();
        let whole = Duration::from_secs(100);
        let taken = Arc::new(Visit::Clock { millis: 30_000 });
        journal.record(&[(clock(), taken)]).await.expect("recorded");
        let before = Instant::now();
        let scribe = Scribe::open(&journal).await.expect("opened");
        let deadline = scribe.deadline(whole);
        let left = Duration::from_secs(70);
        assert!(before + left <= deadline && deadline <= Instant::now() + left);
        assert!(scribe.deadline(Duration::from_secs(20)) <= Instant::now(), "nothing is left of 20 s");

        let visit = Arc::new(Visit::Left { code: "x".into(), note: String::new() });
        scribe.record(key(1), visit).await.expect("recorded");
        let longest = Duration::from_secs(30) + before.elapsed();
        let found = journal.recall(&[clock()]).await.expect("recalled").pop().flatten();
        let Some(Visit::Clock { millis }) = found.as_deref() else { panic!("no clock: {found:?}") };
        assert!((30_000..=longest.as_millis()).contains(&u128::from(*millis)), "{millis}");
    }
}
