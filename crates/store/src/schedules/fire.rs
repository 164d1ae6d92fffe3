//! Fires schedules whose time has come.

use crate::{
    Result, Store,
    jobs::{EnqueueRequest, NewTask},
    jsonb,
    tx::{Columns, Then, Tx, Work},
};
use domain::{
    CorrelationId, JobId, TenantId, UserId,
    schedule::{self, Timetable},
    trace::TraceContext,
};
use serde_json::Value;
use std::{error::Error as StdError, time::Duration};
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

impl Store {
    /// Fires schedules whose time has come, at most `limit` of them; answers how many jobs that made. A schedule that
    /// cannot be fired is told of, is tried again by the next call, and holds up no other.
    pub async fn fire_schedules(&self, limit: u32) -> Result<u32> {
        let (mut fired, mut left, mut after) = (0, limit, None);
        loop {
            let due = self.run(&Due { after, limit: left }).await?;
            let Some(last) = due.last() else { return Ok(fired) };
            after = Some(*last);
            for (_, schedule) in due {
                match self.run(&Fire { schedule }).await {
                    Ok(jobs) => (fired, left) = (fired + jobs, left - 1),
                    Err(error) if error.kind() == domain::Kind::Unavailable => return Err(error),
                    Err(error) => {
                        tracing::error!(%schedule, error = &error as &dyn StdError, "a schedule cannot be fired");
                    }
                }
            }
            if left == 0 {
                return Ok(fired);
            }
        }
    }
}

/// When a schedule is due, and its name in the database.
type Place = (OffsetDateTime, Uuid);

struct Due {
    after: Option<Place>,
    limit: u32,
}

impl Work for Due {
    type Out = Vec<Place>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- schedule.due
            SELECT next_at, id FROM schedules
            WHERE next_at <= (SELECT clock_timestamp())
              AND ($2::timestamptz IS NULL OR next_at >= $2 AND (next_at, id) > ($2, $3))
            ORDER BY next_at, id LIMIT $1";
        let (at, id) = self.after.unzip();
        let rows = tx.query(sql, &[&i64::from(self.limit), &at, &id]).await?;
        rows.iter().map(|row| Ok((row.column("next_at")?, row.column("id")?))).collect()
    }
}

/// One schedule.
struct Fire {
    schedule: Uuid,
}

impl Work for Fire {
    type Out = u32;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<u32> {
        // Locked by somebody else: it is being fired.
        let sql = "-- schedule.take
            SELECT tenant_id, user_id, cron, time_zone, missed, kind, payload, priority, destination, needs, max_attempts,
                   next_at, clock_timestamp() AS now,
                   EXISTS (SELECT FROM job_kinds
                           WHERE job_kinds.name = schedules.kind
                             AND (job_kinds.tenants IS NULL OR schedules.tenant_id = ANY (job_kinds.tenants))) AS offered
            FROM schedules WHERE id = $1 AND next_at <= clock_timestamp()
            FOR UPDATE SKIP LOCKED";
        let Some(row) = tx.query_opt(sql, &[&self.schedule]).await? else { return Ok(0) };
        let (due, stopped) = due(&row)?;
        if let Some(why) = &stopped {
            tracing::warn!(schedule = %self.schedule, why, "a schedule cannot be fired any more: it stops");
        }
        let request = request(&row)?;
        let mut tasks = Vec::with_capacity(due.slots.len());
        for slot in due.slots {
            let task = task(&row, slot)?;
            if self.note(tx, request.tenant, slot, task.id).await? {
                tasks.push(task);
            }
        }
        let tasks: Vec<&NewTask> = tasks.iter().collect();
        request.insert(tx, &tasks, Then::More).await?;
        let sql =
            "-- schedule.move_on\nUPDATE schedules SET next_at = $2, stopped = left($3, 500) WHERE id = $1";
        tx.execute_one(sql, &[&self.schedule, &due.next, &stopped]).await?;
        // No time is later than its firing, so the key finds all that may go.
        let sql = "-- firing.forget
            DELETE FROM firings
            WHERE schedule_id = $1 AND slot < clock_timestamp() - interval '7 days'
              AND fired_at < clock_timestamp() - interval '7 days'";
        tx.execute(sql, &[&self.schedule]).await?;
        Ok(u32::try_from(tasks.len()).unwrap_or(u32::MAX))
    }
}

/// What is to be fired, and why nothing will be from now on.
fn due(row: &Row) -> Result<(schedule::Due, Option<String>)> {
    let (first, now): (OffsetDateTime, OffsetDateTime) = (row.column("next_at")?, row.column("now")?);
    let (cron, zone): (&str, &str) = (row.column("cron")?, row.column("time_zone")?);
    let stop = |why: String| (schedule::Due { slots: vec![], next: None }, Some(why));
    if !row.column::<bool>("offered")? {
        let kind: &str = row.column("kind")?;
        return Ok(stop(format!("no worker offers jobs of the kind {kind:?} to its organisation any more")));
    }
    // From before its time: an expression that has no other is still good for this one.
    let timetable = match Timetable::parse(cron, zone, first - Duration::from_nanos(1)) {
        Ok(timetable) => timetable,
        Err(refused) => return Ok(stop(refused.to_string())),
    };
    let due = timetable.due(first, now, row.word("missed")?);
    let stopped = due.next.is_none().then(|| "its expression has no other time".to_owned());
    Ok((due, stopped))
}

impl Fire {
    /// `false`: this time was fired for before.
    async fn note(&self, tx: &Tx<'_>, tenant: TenantId, slot: OffsetDateTime, job: JobId) -> Result<bool> {
        let sql = "-- firing.insert
            INSERT INTO firings (schedule_id, slot, tenant_id, job_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        Ok(tx.execute(sql, &[&self.schedule, &slot, &tenant.0, &job.0]).await? == 1)
    }
}

fn request(row: &Row) -> Result<EnqueueRequest> {
    Ok(EnqueueRequest {
        tenant: TenantId(row.column("tenant_id")?),
        user: UserId(row.column("user_id")?),
        tasks: vec![],
        correlation: CorrelationId(Uuid::now_v7()),
        trace: TraceContext::default(),
        idempotency: None,
        answer: |_| Value::Null,
    })
}

fn task(row: &Row, slot: OffsetDateTime) -> Result<NewTask> {
    let max_attempts: i32 = row.column("max_attempts")?;
    let destination: String = row.column("destination")?;
    Ok(NewTask {
        id: JobId(Uuid::now_v7()),
        kind: row.column("kind")?,
        payload: row.column("payload")?,
        priority: row.column("priority")?,
        run_at: Some(slot),
        max_attempts: u32::try_from(max_attempts).unwrap_or(1), // the column is at least 1
        unique_key: None,
        destination: Some(destination).filter(|destination| !destination.is_empty()),
        needs: jsonb::read_needs(row.column("needs")?),
    })
}
