//! Schedules of faults against real processes, real Postgres and real RabbitMQ, and a checker that proves from the
//! record that nothing was lost, doubled or left behind.
//!
//! `make chaos SEED=n SCHEDULES=n` plays others than the ones that `make test` plays. What fails names its seed and its
//! schedule; the same seed strikes with the same faults at the same places in the work.

mod arena;
mod history;
mod plan;

use arena::{Arena, WORKERS};
use plan::{Fault, Plan};
use std::collections::BTreeSet;

/// What `make test` plays: a seed whose schedules hold every kind of fault.
const SEED: u64 = 1429;
const SCHEDULES: u64 = 8;
/// More than an hour's worth.
const MOST: u64 = 1000;

fn number(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => {
            text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text:?}"))
        }
        Ok(_) | Err(_) => otherwise,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_each_job_ends_once_and_nothing_happens_twice() {
    let (seed, schedules) = (number("CHAOS_SEED", SEED), number("CHAOS_SCHEDULES", SCHEDULES));
    assert!((1..=MOST).contains(&schedules), "CHAOS_SCHEDULES has to be 1 to {MOST}");
    let plans: Vec<Plan> = (0..schedules).map(|schedule| Plan::draw(seed, schedule, WORKERS)).collect();
    let jobs = |plan: &Plan| {
        let more = plan.strikes.iter().filter(|strike| strike.fault == Fault::KillGateway);
        plan.jobs + more.count()
    };
    let mut arena = Arena::open(plans.iter().map(jobs).sum()).await;
    for (schedule, plan) in plans.iter().enumerate() {
        // Said before it is played: what hangs is named, too.
        println!("seed {seed}, schedule {schedule}: {plan}");
        match arena.play(plan).await {
            Ok(ended) => println!("  {ended}"),
            Err(broken) => panic!("seed {seed}, schedule {schedule} ({plan}): {broken}"),
        }
    }
}

#[test]
fn what_is_played_by_default_holds_every_kind_of_fault() {
    let plans = (0..SCHEDULES).map(|schedule| Plan::draw(SEED, schedule, WORKERS));
    let kinds: BTreeSet<String> = plans
        .flat_map(|plan| plan.strikes)
        .map(|strike| format!("{:?}", strike.fault).chars().filter(char::is_ascii_alphabetic).collect())
        .collect();
    assert_eq!(kinds.len(), Fault::KINDS, "{kinds:?}");
}
