//! How many jobs fit, by what was seen. Pure arithmetic.

use super::{Memory, Needs, Options, Seen};

/// Jobs that may be held at once, of `concurrency`: all of them below the first share of the memory, none from the second
/// on, and in between as many as lie on the line between the two, but one at least.
pub(super) fn slots(options: &Options, seen: &Seen, concurrency: u32) -> u32 {
    let full = seen.cpu.zip(options.stop_cpu_at).is_some_and(|(share, most)| share >= most);
    if full || seen.disk.is_some_and(|free| free < options.least_disk) {
        return 0;
    }
    let Some(share) = seen.memory.map(Memory::share) else { return concurrency };
    if share >= options.stop_memory_at {
        return 0;
    }
    if share < options.lower_memory_at {
        return concurrency;
    }
    let left = (options.stop_memory_at - share) / (options.stop_memory_at - options.lower_memory_at);
    // Truncation is meant: a part of a slot holds no job. One fewer at least, or nothing would be lowered.
    ((f64::from(concurrency) * left) as u32).min(concurrency.saturating_sub(1)).max(1)
}

/// More jobs with such needs that fit. Counted against what is used and against what was promised, whichever is more: what
/// a job will use, it may not use yet, and what it uses may be more than it said.
pub(super) fn fitting(options: &Options, seen: &Seen, promised: &Needs, needs: Needs) -> usize {
    let memory = seen.memory.map(|memory| {
        let most = (memory.limit as f64 * options.lower_memory_at) as u64;
        most.saturating_sub(memory.used.max(promised.memory))
    });
    // What is written is not free any more, and what was promised may be still to come.
    let disk = seen.disk.map(|free| free.saturating_sub(options.least_disk).saturating_sub(promised.disk));
    let of = |left: Option<u64>, each: u64| match left {
        Some(left) if each > 0 => usize::try_from(left / each).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    of(memory, needs.memory).min(of(disk, needs.disk))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(used: u64) -> Seen {
        Seen { memory: Some(Memory { limit: 1000, used }), cpu: Some(1.0), disk: Some(u64::MAX) }
    }

    #[test]
    fn past_a_share_of_the_memory_fewer_jobs_are_held_and_then_none() {
        let options = Options { lower_memory_at: 0.9, stop_memory_at: 1.0, ..Options::default() };
        for (memory, concurrency, expected) in [
            (0, 8, 8),
            (899, 8, 8),
            (900, 8, 7),
            (950, 8, 4),
            (999, 8, 1),
            (950, 1, 1),
            (900, 2, 1),
            (1000, 8, 0),
            (2000, 8, 0),
        ] {
            assert_eq!(slots(&options, &used(memory), concurrency), expected, "{memory} of {concurrency}");
        }
        assert_eq!(slots(&options, &Seen::default(), 8), 8, "what is not known holds nothing back");
    }

    #[test]
    fn a_full_disk_takes_none_and_a_busy_processor_only_where_that_is_wished() {
        let options = Options { least_disk: 10, ..Options::default() };
        assert_eq!(slots(&options, &Seen { disk: Some(9), ..used(0) }, 4), 0);
        assert_eq!(slots(&options, &Seen { disk: Some(10), ..used(0) }, 4), 4);
        let busy = Options { stop_cpu_at: Some(0.9), ..options };
        assert_eq!(slots(&busy, &used(0), 4), 0);
        assert_eq!(slots(&busy, &Seen { cpu: Some(0.8), ..used(0) }, 4), 4);
    }

    #[test]
    fn a_job_fits_where_its_needs_are_left_of_what_is_used_and_of_what_was_promised() {
        let options = Options { lower_memory_at: 0.9, least_disk: 100, ..Options::default() };
        let disk = |free| Seen { disk: Some(free), ..used(100) };
        let (none, memory) = (Needs::default(), Needs { memory: 200, disk: 0 });
        for (seen, promised, needs, expected) in [
            (used(100), none, none, usize::MAX),
            (used(100), none, memory, 4),
            (used(600), none, memory, 1),
            (used(100), Needs { memory: 600, disk: 0 }, memory, 1),
            (used(950), none, memory, 0),
            (disk(1000), none, Needs { memory: 0, disk: 300 }, 3),
            (disk(1000), Needs { memory: 0, disk: 500 }, Needs { memory: 0, disk: 300 }, 1),
            (disk(50), none, Needs { memory: 0, disk: 1 }, 0),
            (Seen::default(), none, memory, usize::MAX),
        ] {
            assert_eq!(
                fitting(&options, &seen, &promised, needs),
                expected,
                "{seen:?} {promised:?} {needs:?}"
            );
        }
    }
}
