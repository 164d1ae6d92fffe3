//! The same gently and for long: a hundred jobs and more are under way all the time, small faults come at a steady pace, and
//! nothing may grow: not the memory of a process, not the connections, not the tables.
//!
//! No process is ended here: what is measured is what one of them holds after hours.

use super::{
    arena::{Arena, BOUND, Load, OPEN},
    plan::Dice,
};
use std::time::Duration;
use testkit::wait;
use tokio::time::Instant;

const SEED: u64 = 1429;
/// Jobs that wait or run, at least; each worker holds [`SLOTS`] of them.
const UNDER_WAY: i64 = 150;
const SLOTS: u32 = 64;
/// How many are accepted at once.
const BATCH: usize = 50;
const LOAD: Load = Load {
    at_once: SLOTS,
    pace: Duration::from_secs(15),
    timeout: Duration::from_secs(40),
    ttl: Duration::from_secs(6),
    // A plateau is reached within minutes instead of hours.
    retention: "[retention]\nevery = \"5s\"\ndone_jobs = 300\nfailed_jobs = 100\njobs_at_least = \"5s\"\n",
};
const SAMPLE: Duration = Duration::from_secs(3);
/// Samples between two faults.
const FAULT_EVERY: usize = 10;
const MIB: f64 = 1024.0 * 1024.0;

/// What is measured again and again, and how much it may grow from the second quarter of the time to the last one.
#[derive(Clone, Debug)]
struct Series {
    name: String,
    values: Vec<f64>,
    /// However short the time is: buffers that fill, a page that is begun.
    slack: f64,
    /// In an hour.
    slope: f64,
}

impl Series {
    fn of_process(name: &str) -> Self {
        Self { name: format!("memory of {name}"), values: vec![], slack: 16.0 * MIB, slope: 4.0 * MIB }
    }

    /// What it was, what it came to be, and how much of it is too much.
    fn judge(&self, hours: f64) -> Result<String, String> {
        let quarter = self.values.len() / 4;
        let early = median(&self.values[quarter..quarter * 2]);
        let late = median(&self.values[quarter * 3..]);
        // From the middle of one quarter to that of the other.
        let allowed = self.slack + self.slope * hours / 2.0;
        let told = format!("{}: {early:.0}, then {late:.0}; {allowed:.0} more are allowed", self.name);
        if late - early <= allowed { Ok(told) } else { Err(told) }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Lasts so long; answers the figures.
pub(crate) async fn run(hours: f64) -> Result<String, String> {
    assert!((0.02..=240.0).contains(&hours), "SOAK_HOURS has to be between 0.02 and 240");
    let mut arena = Arena::open(0, LOAD).await;
    let mut series = all_series(&arena);
    let mut dice = Dice::of(SEED, 0);
    let over = Instant::now() + Duration::from_secs_f64(hours * 3600.0);
    let mut next = Instant::now();
    for turn in 1_usize.. {
        while arena.look.number(&arena.stack.database, OPEN).await.is_some_and(|open| open < UNDER_WAY) {
            arena.accept_chores(BATCH).await;
        }
        if turn.is_multiple_of(FAULT_EVERY) {
            fault(&mut arena, &mut dice).await;
        }
        sample(&arena, &mut series).await;
        next += SAMPLE;
        wait::until_true("the next sample", BOUND, || async { Instant::now() >= next }).await;
        if Instant::now() >= over {
            break;
        }
    }
    arena.look.until(&arena.stack.database, OPEN, 0).await;
    arena.check_what_is_left().await?;
    let judged: Result<Vec<String>, String> = series.iter().map(|one| one.judge(hours)).collect();
    judged.map(|told| told.join("\n"))
}

fn all_series(arena: &Arena) -> Vec<Series> {
    let mut series = vec![Series::of_process("api-gateway"), Series::of_process("realtime-broadcaster")];
    series.extend((0..arena.workers.len()).map(|number| Series::of_process(&format!("worker {number}"))));
    let some = |name: &str, slack, slope| Series { name: name.to_owned(), values: vec![], slack, slope };
    series.push(some("connections", 6.0, 0.0));
    series.push(some("bytes in tables", 12.0 * MIB, 4.0 * MIB));
    series
}

async fn sample(arena: &Arena, series: &mut [Series]) {
    let (look, database) = (&arena.look, &arena.stack.database);
    let processes = [&arena.stack.gateway, &arena.stack.broadcaster].into_iter();
    let processes = processes.chain(arena.workers.iter().map(|worker| &worker.process));
    let mut values: Vec<f64> = processes.map(|process| process.memory() as f64).collect();
    for sql in [
        "SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'resettle%'",
        "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    ] {
        values.push(wait::until("a look at the database", BOUND, || look.number(database, sql)).await as f64);
    }
    for (one, value) in series.iter_mut().zip(values) {
        one.values.push(value);
    }
}

/// What does not end a process.
async fn fault(arena: &mut Arena, dice: &mut Dice) {
    match dice.below(5) {
        0 => arena.cut_sessions().await,
        1 => arena.freeze(dice.below(arena.workers.len() as u64) as usize, LOAD.ttl / 3).await,
        2 => arena.accept_while_hints_are_lost().await,
        3 => arena.tool.fail(3),
        _ => arena.tool.hang(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: impl Iterator<Item = f64>) -> Series {
        Series { values: values.collect(), slack: 10.0, slope: 5.0, ..Series::of_process("one") }
    }

    #[test]
    fn what_grows_is_found_and_what_only_warms_up_or_swings_is_not() {
        let warming = series((0..100).map(|n| f64::from(n.min(20)) * 100.0));
        assert!(warming.judge(1.0).is_ok());
        let swinging = series((0..100).map(|n| if n % 7 == 0 { 9000.0 } else { 100.0 }));
        assert!(swinging.judge(1.0).is_ok());
        let leaking = series((0..100).map(|n| 1000.0 + f64::from(n)));
        assert!(leaking.judge(1.0).is_err(), "it grows by 50 from one quarter to the other");
        assert!(leaking.judge(20.0).is_ok(), "and in 20 hours it may");
    }
}
