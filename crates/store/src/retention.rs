//! Takes away what is over and has been kept long enough, a few rows at a time. What may go at all is decided by the
//! functions of the schema: nothing of a migration that is under way, and no job that somebody could still replay.

use crate::{
    Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::TenantId;
use std::time::Duration;
use tokio_postgres::types::ToSql;

/// How much of what is over is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Jobs per kind that completed, and as many that were cancelled: the newest.
    pub done_jobs: u32,
    /// Jobs per kind that failed: the newest.
    pub failed_jobs: u32,
    /// No job goes that ended less than this ago, however many there are.
    pub jobs_at_least: Duration,
    /// Every job goes that ended longer ago than this, however few there are.
    pub jobs_at_most: Duration,
    /// The events of a migration that ended longer ago than this go, but for the last.
    pub events: Duration,
    /// So long after the last word of a worker its row goes.
    pub workers: Duration,
    /// So long unreadable messages are kept.
    pub poison: Duration,
}

/// A sort of rows that go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgettable {
    /// Jobs that are over, with their transitions and settled dead letters.
    Jobs,
    /// Events of migrations that are over.
    Events,
    /// Answers to requests with an Idempotency-Key, once they have expired.
    Answers,
    /// Workers that were not heard of for long.
    Workers,
    /// Messages that could not be read.
    Poison,
}

impl Forgettable {
    /// Every sort.
    pub const ALL: [Self; 5] = [Self::Jobs, Self::Events, Self::Answers, Self::Workers, Self::Poison];

    /// The table that the rows are in.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Events => "events",
            Self::Answers => "idempotency_records",
            Self::Workers => "workers",
            Self::Poison => "poison",
        }
    }
}

impl Store {
    /// Takes at most `most` rows of one sort away; answers how many there were. As many as `most`: there may be more.
    pub async fn forget(&self, what: Forgettable, policy: &Retention, most: u32) -> Result<u64> {
        self.run(&Forget { what, policy, most }).await
    }
}

struct Forget<'a> {
    what: Forgettable,
    policy: &'a Retention,
    most: u32,
}

impl Work for Forget<'_> {
    type Out = u64;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<u64> {
        let Retention { done_jobs, failed_jobs, jobs_at_least, jobs_at_most, events, workers, poison } =
            self.policy;
        let most = i32::try_from(self.most).unwrap_or(i32::MAX);
        let (done, failed) = (i64::from(*done_jobs), i64::from(*failed_jobs));
        let (least, longest) = (jobs_at_least.as_secs_f64(), jobs_at_most.as_secs_f64());
        let age = match self.what {
            Forgettable::Events => events,
            Forgettable::Workers => workers,
            _ => poison,
        };
        let age = age.as_secs_f64();
        let aged: [&(dyn ToSql + Sync); 2] = [&age, &most];
        let (sql, parameters): (&'static str, &[&(dyn ToSql + Sync)]) = match self.what {
            Forgettable::Jobs => (
                "-- retention.jobs
                SELECT forget_jobs($1, $2, make_interval(secs => $3::float8), make_interval(secs => $4::float8), $5)
                       AS gone",
                &[&done, &failed, &least, &longest, &most],
            ),
            Forgettable::Events => (
                "-- retention.events\nSELECT forget_events(make_interval(secs => $1::float8), $2) AS gone",
                &aged,
            ),
            Forgettable::Answers => ("-- retention.answers\nSELECT forget_answers($1) AS gone", &[&most]),
            Forgettable::Workers => (
                "-- retention.workers\nSELECT forget_workers(make_interval(secs => $1::float8), $2) AS gone",
                &aged,
            ),
            Forgettable::Poison => (
                "-- retention.poison\nSELECT forget_poison(make_interval(secs => $1::float8), $2) AS gone",
                &aged,
            ),
        };
        let gone: i64 = tx.query_one(sql, parameters).await?.column("gone")?;
        Ok(gone.unsigned_abs())
    }
}
