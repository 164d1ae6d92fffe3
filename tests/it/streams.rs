//! Streams while everything breaks: broadcasters, the broker and Postgres are killed by a seed while migrations write
//! their events and clients come and go; in the end each client's log is what the table holds.
//!
//! `make chaos-stream SEED=n` plays it whole; `make test` plays a small share. The same seed strikes at the same places
//! in the writing.

mod field;
mod listener;

use field::{Field, Strike};
use futures::future::join_all;
use listener::Dice;
use std::time::Duration;

/// Everything that has to happen happens within this, whatever else the machine is doing.
const BOUND: Duration = Duration::from_secs(240);

/// How much is played.
struct Scale {
    seed: u64,
    migrations: usize,
    /// Of each migration, its end included.
    events: i64,
    /// Clients that follow one migration each.
    listeners: usize,
    /// Clients that follow all of them over one connection.
    feeds: usize,
    strikes: usize,
}

impl Scale {
    /// What `make test` plays: each kind of strike once.
    const SHARE: Self =
        Self { seed: 6, migrations: 16, events: 24, listeners: 12, feeds: 3, strikes: Strike::ALL.len() };

    fn chosen() -> Self {
        let share = Self::SHARE;
        let number = |variable: &str, otherwise: u64| match std::env::var(variable) {
            Ok(text) if !text.is_empty() => {
                text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text:?}"))
            }
            Ok(_) | Err(_) => otherwise,
        };
        let size = |variable, otherwise: usize| {
            usize::try_from(number(variable, otherwise as u64).min(10_000)).expect("small")
        };
        Self {
            seed: number("STREAMS_SEED", share.seed),
            migrations: size("STREAMS_MIGRATIONS", share.migrations).max(1),
            listeners: size("STREAMS_LISTENERS", share.listeners),
            feeds: size("STREAMS_FEEDS", share.feeds),
            strikes: size("STREAMS_STRIKES", share.strikes),
            ..share
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_each_clients_log_is_what_the_table_holds() {
    let scale = Scale::chosen();
    println!("seed {}, {} migrations, {} strikes", scale.seed, scale.migrations, scale.strikes);
    let bound = BOUND * u32::try_from(1 + scale.strikes / 10).expect("small");
    tokio::time::timeout(bound, play(&scale))
        .await
        .unwrap_or_else(|_| panic!("seed {}: it hangs", scale.seed));
}

async fn play(scale: &Scale) {
    let mut dice = Dice::new(scale.seed);
    let mut field = Field::open(scale.migrations).await;
    // Each kind once, from a place of the seed's on; then any.
    let (kinds, first) = (Strike::ALL.len(), dice.below(Strike::ALL.len() as u64) as usize);
    let strikes: Vec<Strike> = (0..scale.strikes)
        .map(|number| if number < kinds { number + first } else { dice.below(kinds as u64) as usize })
        .map(|number| Strike::ALL[number % kinds])
        .collect();
    let grounds = field.grounds();
    let feeds =
        join_all((0..scale.feeds).map(|number| grounds.begin_feed(Dice::new(scale.seed + number as u64))))
            .await;
    let feeds = join_all(feeds.into_iter().map(|feed| feed.follow()));
    let listeners = join_all((0..scale.listeners).map(|number| {
        let migration = grounds.migrations[number % grounds.migrations.len()];
        grounds.listen(migration, Dice::new(scale.seed * 1_000 + number as u64))
    }));
    let writing = grounds.write_all(scale.events);
    let total = i64::try_from(scale.migrations).expect("small") * (scale.events - 1);
    let striking = async {
        for (number, strike) in (1_i64..).zip(&strikes) {
            let due = total * number / (i64::try_from(strikes.len()).expect("small") + 1);
            grounds.written(due).await;
            field.strike(*strike, &mut dice).await;
        }
    };
    let (feeds, logs, (), ()) = tokio::join!(feeds, listeners, writing, striking);
    let table = grounds.table().await;
    assert_eq!(table.len(), scale.migrations);
    for (number, log) in logs.into_iter().enumerate() {
        let migration = grounds.migrations[number % grounds.migrations.len()];
        assert_eq!(log, table[&migration], "listener {number}, seed {}", scale.seed);
    }
    for (number, told) in feeds.into_iter().enumerate() {
        for (migration, numbers) in &table {
            // The first was there before the feed began.
            assert_eq!(
                told.get(migration).map(Vec::as_slice),
                Some(&numbers[1..]),
                "feed {number} of {migration}"
            );
        }
    }
}
