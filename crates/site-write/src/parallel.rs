//! The same work for each of many items, on several threads. What comes out has the items' order: how many threads there are
//! shows in nothing but the time it takes.

use std::{num::NonZeroUsize, panic, thread};

/// As many threads as this machine can run at once.
pub(crate) fn processors() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// What `work` makes of each item.
pub(crate) fn map<T: Sync, R: Send>(
    threads: NonZeroUsize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let each = items.len().div_ceil(threads.get());
    if each == items.len() {
        return items.iter().map(work).collect();
    }
    thread::scope(|scope| {
        let work = &work;
        let shares = items.chunks(each);
        let running: Vec<_> =
            shares.map(|share| scope.spawn(move || share.iter().map(work).collect::<Vec<R>>())).collect();
        let done = |thread: thread::ScopedJoinHandle<'_, Vec<R>>| {
            thread.join().unwrap_or_else(|said| panic::resume_unwind(said))
        };
        running.into_iter().flat_map(done).collect()
    })
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
                assert_eq!(map(threads, &items, |item| item * item), wanted, "{count} on {threads}");
            }
        }
    }
}
