//! Writes jobs of kinds that workers offer: one or many, all or none.

use crate::{
    Error, IdempotentWrite, Result, Store, StoredAnswer, idempotency,
    jobs::moves::Actor,
    jsonb,
    tx::{Columns, Then, Tx, Work},
};
use domain::{
    CorrelationId, JobId, TenantId, UserId, idempotency::Verdict, job::Cause, task::Needs,
    trace::TraceContext,
};
use serde_json::Value;
use std::{collections::HashSet, time::Duration};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// The most jobs of one wish.
pub const MAX_BATCH: usize = 1000;
/// A job may be due at most this long ago: further back it is a mistake.
pub const LATEST: Duration = Duration::from_secs(24 * 3600);
/// And at most this far ahead.
pub const EARLIEST: Duration = Duration::from_secs(366 * 24 * 3600);
/// Hints of one wish per queue. They wake workers; polling and full claims find the rest.
const HINTS: i64 = 20;
/// How often a job that stood in the way and was over when it was looked for is tried to be passed.
const TRIES: u32 = 3;

/// A job that is to be written. Whether its kind takes it was judged before.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Its id, of version 7: ids are in the order of time.
    pub id: JobId,
    /// Its kind, which is also its queue.
    pub kind: String,
    /// What the work is.
    pub payload: Value,
    /// −100 to 100; higher goes first.
    pub priority: i16,
    /// When it may run; none: at once.
    pub run_at: Option<OffsetDateTime>,
    /// Attempts in all.
    pub max_attempts: u32,
    /// While a job of the kind with this key is not over, no second one is written; 1 to 200 characters.
    pub unique_key: Option<String>,
    /// What it asks of the world outside, such as a host or a model; 1 to 300 bytes. Gates count by it.
    pub destination: Option<String>,
    /// What it needs of its worker's machine, beyond what its kind needs.
    pub needs: Needs,
}

/// A wish for jobs: at most [`MAX_BATCH`].
#[derive(Clone, Debug)]
pub struct EnqueueRequest {
    /// Whose.
    pub tenant: TenantId,
    /// Who asks.
    pub user: UserId,
    /// What is to be done.
    pub tasks: Vec<NewTask>,
    /// What ties the request's traces together.
    pub correlation: CorrelationId,
    /// The request's trace context.
    pub trace: TraceContext,
    /// What to keep if the request carried an Idempotency-Key; its `answer` is made by the function below.
    pub idempotency: Option<IdempotentWrite>,
    /// The answer to keep, made of what came of it.
    pub answer: fn(&[Enqueued]) -> Value,
}

/// What came of one job of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// The job that was written, or the one that was there.
    pub job: JobId,
    /// Was it there before, under the same unique key?
    pub existing: bool,
}

/// What came of a wish.
#[derive(Clone, Debug, PartialEq)]
pub enum EnqueueOutcome {
    /// Written, in the order in which they were given.
    Enqueued(Vec<Enqueued>),
    /// Nothing was written: this request was answered before.
    Replayed(StoredAnswer),
    /// Nothing was written: the key was used with another body.
    KeyMismatch,
    /// Nothing was written: another request with this key is being carried out right now.
    KeyInFlight,
    /// Nothing was written: the time of the job at this place is too long ago or too far ahead.
    OutOfTime(usize),
}

impl Store {
    /// Writes jobs, transitions, announcements and the answer in one transaction, or nothing.
    pub async fn enqueue_tasks(&self, request: &EnqueueRequest) -> Result<EnqueueOutcome> {
        self.run(request).await
    }
}

impl Work for EnqueueRequest {
    type Out = EnqueueOutcome;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<EnqueueOutcome> {
        if let Some(write) = &self.idempotency {
            match idempotency::enter(tx, self.tenant, write).await? {
                Verdict::Fresh => {}
                Verdict::Replay(answer) => return Ok(EnqueueOutcome::Replayed(answer)),
                Verdict::Mismatch => return Ok(EnqueueOutcome::KeyMismatch),
                Verdict::InFlight => return Ok(EnqueueOutcome::KeyInFlight),
            }
        }
        if let Some(place) = self.out_of_time(tx).await? {
            return Ok(EnqueueOutcome::OutOfTime(place));
        }
        let mut left: Vec<&NewTask> = self.tasks.iter().collect();
        let mut came: Vec<(JobId, Enqueued)> = Vec::with_capacity(left.len());
        // Nothing can be in the way, and nothing is kept besides.
        let last = self.idempotency.is_none() && left.iter().all(|task| task.unique_key.is_none());
        for _ in 0..TRIES {
            let written = self.insert(tx, &left, if last { Then::Commit } else { Then::More }).await?;
            let (new, refused) = left.into_iter().partition(|task| written.contains(&task.id.0));
            left = refused;
            let new: Vec<&NewTask> = new;
            came.extend(new.iter().map(|task| (task.id, Enqueued { job: task.id, existing: false })));
            if left.is_empty() {
                break;
            }
            let there = self.existing(tx, &left).await?;
            left.retain(|task| {
                let found = there.iter().find(|(kind, key, _)| {
                    *kind == task.kind && Some(key.as_str()) == task.unique_key.as_deref()
                });
                came.extend(found.map(|(_, _, job)| (task.id, Enqueued { job: *job, existing: true })));
                found.is_none()
            });
        }
        if !left.is_empty() {
            return Err(Error::corrupt("the job that is in the way can neither be found nor passed"));
        }
        let in_order = |task: &NewTask| came.iter().find(|(id, _)| *id == task.id).map(|(_, came)| *came);
        let enqueued: Vec<Enqueued> = self.tasks.iter().filter_map(in_order).collect();
        if let Some(write) = &self.idempotency {
            let write = IdempotentWrite { answer: (self.answer)(&enqueued), ..write.clone() };
            idempotency::keep(tx, self.tenant, &write).await?;
        }
        Ok(EnqueueOutcome::Enqueued(enqueued))
    }
}

/// One statement for all of them. A job that is due is announced; one that is not is found by polling when it is.
const INSERT: &str = "-- job.enqueue_many
    WITH written AS (
        INSERT INTO jobs (id, tenant_id, queue, kind, payload, state, priority, run_at, max_attempts, unique_key,
                          destination, needs, correlation_id, trace)
        SELECT new.id, $1, new.kind, new.kind, new.payload, 'PENDING', new.priority,
               coalesce(new.run_at, clock_timestamp()), new.max_attempts, new.unique_key,
               coalesce(new.destination, ''), new.needs, $2, $3
        FROM unnest($4::uuid[], $5::text[], $6::jsonb[], $7::smallint[], $8::timestamptz[], $9::integer[],
                    $10::text[], $15::text[], $16::jsonb[]) WITH ORDINALITY
             AS new (id, kind, payload, priority, run_at, max_attempts, unique_key, destination, needs, place)
        ORDER BY new.place
        ON CONFLICT (tenant_id, kind, unique_key)
            WHERE unique_key IS NOT NULL AND state IN ('PENDING', 'PREPARING', 'RUNNING', 'WAITING_RETRY') DO NOTHING
        RETURNING id, queue, run_at
    ), logged AS (
        INSERT INTO transitions (job_id, tenant_id, to_state, cause, actor, epoch, attempt, trace_id)
        SELECT id, $1, 'PENDING', $11, $12, 0, 0, $13 FROM written
    ), announced AS (
        INSERT INTO outbox (tenant_id, topic, body, trace)
        SELECT $1, 'job', jsonb_build_object('queue', queue, 'job', id), $3
        FROM (SELECT id, queue, row_number() OVER (PARTITION BY queue ORDER BY id) AS place FROM written
              WHERE run_at <= clock_timestamp()) AS due
        WHERE place <= $14
    )
    SELECT id FROM written";

impl EnqueueRequest {
    /// Writes them; answers which: the others have a unique key that is taken.
    pub(crate) async fn insert(&self, tx: &Tx<'_>, tasks: &[&NewTask], then: Then) -> Result<HashSet<Uuid>> {
        let ids: Vec<Uuid> = tasks.iter().map(|task| task.id.0).collect();
        let kinds: Vec<&str> = tasks.iter().map(|task| task.kind.as_str()).collect();
        let payloads: Vec<Value> = tasks.iter().map(|task| jsonb::storable(&task.payload)).collect();
        let priorities: Vec<i16> = tasks.iter().map(|task| task.priority).collect();
        let times: Vec<Option<OffsetDateTime>> = tasks.iter().map(|task| task.run_at).collect();
        let attempts: Vec<i32> =
            tasks.iter().map(|task| i32::try_from(task.max_attempts).unwrap_or(i32::MAX)).collect();
        let keys: Vec<Option<&str>> = tasks.iter().map(|task| task.unique_key.as_deref()).collect();
        let destinations: Vec<Option<&str>> = tasks.iter().map(|task| task.destination.as_deref()).collect();
        let needs: Vec<Option<Value>> = tasks.iter().map(|task| jsonb::needs(task.needs)).collect();
        let (trace, cause, actor) =
            (jsonb::trace(&self.trace), Cause::Enqueued.as_str(), Actor::User(self.user).to_string());
        let trace_id = self.trace.trace_id();
        let parameters: [&(dyn ToSql + Sync); 16] = [
            &self.tenant.0,
            &self.correlation.0,
            &trace,
            &ids,
            &kinds,
            &payloads,
            &priorities,
            &times,
            &attempts,
            &keys,
            &cause,
            &actor,
            &trace_id,
            &HINTS,
            &destinations,
            &needs,
        ];
        let rows = tx.query_then(then, INSERT, &parameters).await?;
        if !rows.is_empty() {
            tx.announces();
        }
        rows.iter().map(|row| row.column("id")).collect()
    }

    /// The first job whose time no one can mean, by the database's clock.
    async fn out_of_time(&self, tx: &Tx<'_>) -> Result<Option<usize>> {
        let times: Vec<Option<OffsetDateTime>> = self.tasks.iter().map(|task| task.run_at).collect();
        if times.iter().all(Option::is_none) {
            return Ok(None);
        }
        let sql = "-- job.out_of_time
            SELECT place FROM unnest($1::timestamptz[]) WITH ORDINALITY AS new (run_at, place)
            WHERE run_at < clock_timestamp() - make_interval(secs => $2::float8)
               OR run_at > clock_timestamp() + make_interval(secs => $3::float8)
            ORDER BY place LIMIT 1";
        let row = tx.query_opt(sql, &[&times, &LATEST.as_secs_f64(), &EARLIEST.as_secs_f64()]).await?;
        let place: Option<i64> = row.map(|row| row.column("place")).transpose()?;
        Ok(place.and_then(|place| usize::try_from(place - 1).ok()))
    }

    /// The jobs that stand in the way, by kind and key.
    async fn existing(&self, tx: &Tx<'_>, tasks: &[&NewTask]) -> Result<Vec<(String, String, JobId)>> {
        let kinds: Vec<&str> = tasks.iter().map(|task| task.kind.as_str()).collect();
        let keys: Vec<Option<&str>> = tasks.iter().map(|task| task.unique_key.as_deref()).collect();
        let sql = "-- job.with_unique_key
            SELECT jobs.id, jobs.kind, jobs.unique_key
            FROM jobs JOIN unnest($2::text[], $3::text[]) AS wanted (kind, unique_key) USING (kind, unique_key)
            WHERE jobs.tenant_id = $1 AND jobs.unique_key IS NOT NULL
              AND jobs.state IN ('PENDING', 'PREPARING', 'RUNNING', 'WAITING_RETRY')";
        let rows = tx.query(sql, &[&self.tenant.0, &kinds, &keys]).await?;
        let read = |row: &tokio_postgres::Row| {
            Ok((row.column("kind")?, row.column("unique_key")?, JobId(row.column("id")?)))
        };
        rows.iter().map(read).collect()
    }
}
