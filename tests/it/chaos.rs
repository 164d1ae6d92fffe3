//! Schedules of faults against real processes, real Postgres and real RabbitMQ, and a checker that proves from the
//! record that nothing was lost, doubled or left behind.
//!
//! `make chaos SEED=n SCHEDULES=n` plays others than the ones that `make test` plays. What fails names its seed and its
//! schedule; the same seed strikes with the same faults at the same places in the work. `make soak HOURS=n` does the same
//! gently and for long; `make upgrade-test` with every other worker of the release before.

mod arena;
mod history;
mod look;
mod plan;
mod sites;
mod soak;
mod tool;

use arena::{Arena, Load, WORKERS};
use plan::{Fault, Plan};
use std::{collections::BTreeSet, str::FromStr};

/// What `make test` plays: a seed whose schedules hold every kind of fault, those that cost most no more than once.
const SEED: u64 = 172_010;
const SCHEDULES: u64 = 20;
/// More than an hour's worth.
const MOST: u64 = 1000;

fn given<T: FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text:?}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_each_job_ends_once_and_nothing_happens_twice() {
    if let Some(hours) = given("SOAK_HOURS") {
        match soak::run(hours).await {
            Ok(figures) => println!("{figures}"),
            Err(grown) => panic!("a soak of {hours} hours: {grown}"),
        }
        return;
    }
    let (seed, schedules) =
        (given("CHAOS_SEED").unwrap_or(SEED), given("CHAOS_SCHEDULES").unwrap_or(SCHEDULES));
    assert!((1..=MOST).contains(&schedules), "CHAOS_SCHEDULES has to be 1 to {MOST}");
    let plans: Vec<Plan> = (0..schedules).map(|schedule| Plan::draw(seed, schedule, WORKERS)).collect();
    let mut arena = Arena::open(plans.iter().map(Plan::all_sites).sum(), Load::default()).await;
    for (schedule, plan) in plans.iter().enumerate() {
        // Said before it is played: what hangs is named, too.
        println!("seed {seed}, schedule {schedule}: {plan}");
        match arena.play(plan).await {
            Ok(ended) => println!("  {ended}"),
            Err(broken) => panic!("seed {seed}, schedule {schedule} ({plan}): {broken}"),
        }
    }
    // What came later left what came before as it was.
    arena.check().await.unwrap_or_else(|broken| panic!("seed {seed}, after all: {broken}"));
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
