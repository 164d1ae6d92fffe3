//! The same work for each of many items, on several threads. What comes out has the items' order: how many threads there are
//! shows in nothing but the time it takes.

use std::{
    num::NonZeroUsize,
    panic,
    sync::{Mutex, PoisonError},
    thread,
};

/// As many threads as this machine can run at once.
pub(crate) fn processors() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// What `work` makes of each item. Each thread takes the next one when it has done with one: some pages are a thousand times as
/// long as others.
pub(crate) fn map<T: Send, R: Send>(
    threads: NonZeroUsize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let threads = threads.get().min(items.len());
    if threads < 2 {
        return items.into_iter().map(work).collect();
    }
    let waiting = Mutex::new(items.into_iter().enumerate());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let share = || {
        let mut done = Vec::new();
        while let Some((place, item)) = next() {
            done.push((place, work(item)));
        }
        done
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(share)).collect();
        let ended = |thread: thread::ScopedJoinHandle<'_, Vec<(usize, R)>>| {
            thread.join().unwrap_or_else(|said| panic::resume_unwind(said))
        };
        running.into_iter().flat_map(ended).collect()
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once_and_in_its_place() {
        for count in [0, 1, 2, 7, 64] {
            let items: Vec<usize> = (0..count).collect();
            let wanted: Vec<usize> = items.iter().map(|item| item * item).collect();
            for threads in [1, 2, 3, 8, 100] {
                let threads = NonZeroUsize::new(threads).expect("not zero");
                assert_eq!(map(threads, items.clone(), |item| item * item), wanted, "{count} on {threads}");
            }
        }
    }
}
