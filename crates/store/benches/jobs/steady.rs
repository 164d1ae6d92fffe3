//! Enqueued and drained at once for a while: how the rate holds and what is left lying about, without and with a reader
//! that holds a snapshot all the time, so that nothing dead can be removed.

use crate::{Outcome, field::Field};
use std::time::{Duration, Instant};

const SLICES: u32 = 6;
const BULK: usize = 500;
const SLOTS: u32 = 250;

pub(crate) async fn run(seconds: &str) -> Outcome {
    let slice = Duration::from_secs(seconds.parse()?) / SLICES;
    for held in [false, true] {
        let field = Field::new().await?;
        let reader = field.db.sql().await;
        if held {
            reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM jobs").await?;
        }
        println!(
            "snapshot held: {held}; jobs/s in each of {SLICES} slices of {} s, dead jobs rows:",
            slice.as_secs()
        );
        for _ in 0..SLICES {
            let (begun, mut done) = (Instant::now(), 0);
            while begun.elapsed() < slice {
                field.enqueue(BULK).await?;
                let (one, two) = tokio::try_join!(field.carry_out(SLOTS), field.carry_out(SLOTS))?;
                done += one + two;
            }
            let rate = done as f64 / begun.elapsed().as_secs_f64();
            field.sql.batch_execute("SELECT pg_stat_clear_snapshot()").await?;
            let dead = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'jobs'";
            let dead: i64 = field.sql.query_one(dead, &[]).await?.get(0);
            println!("{rate:.0} ({dead})");
        }
    }
    Ok(())
}
