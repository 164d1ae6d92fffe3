//! Jobs that repeat: written down by the gateway, fired by whichever worker looks first.
//!
//! A firing takes the schedule's row, writes a line per time whose key is that time, and a job for each line that was
//! new, and moves the schedule on, all in one transaction: however many sweep, a time gets one job.

mod fire;
mod read;

pub use read::{Firing, ScheduleRecord};

use crate::{
    Error, Result, Store, jsonb,
    tx::{Columns, Tx, Work},
};
use domain::{
    TenantId, UserId,
    schedule::{Missed, Timetable},
    task::Needs,
};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

/// The most schedules of a tenant.
pub const MAX_SCHEDULES: i64 = 1000;
/// The class of the locks under which a tenant's schedules are counted.
const LOCK_CLASS: i32 = 8;

/// A schedule that is to stand under its name. Whether its kind takes the payload was judged before.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// Whose it is.
    pub tenant: TenantId,
    /// On whose behalf its jobs are enqueued.
    pub user: UserId,
    /// What it is called: 1 to 100 characters, a name of its own in the tenant.
    pub name: String,
    /// The cron expression, see [`domain::schedule`].
    pub cron: String,
    /// The IANA name of the zone that it is meant in.
    pub time_zone: String,
    /// What becomes of times that nobody was there for.
    pub missed: Missed,
    /// The kind of its jobs.
    pub kind: String,
    /// What their work is.
    pub payload: Value,
    /// −100 to 100.
    pub priority: i16,
    /// What they ask of the world outside.
    pub destination: Option<String>,
    /// What they need of their worker's machine, beyond what their kind needs.
    pub needs: Needs,
    /// Attempts at each.
    pub max_attempts: u32,
    /// It does not fire while it is; the times that pass meanwhile are over.
    pub paused: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum ScheduleOutcome {
    /// It stands; there was none of this name before.
    Created(ScheduleRecord),
    /// It stands in the place of the one before.
    Replaced(ScheduleRecord),
    /// Nothing was written: the tenant has [`MAX_SCHEDULES`] others.
    TooMany,
    /// Nothing was written: the expression or the zone has no meaning, or never fires.
    Refused(domain::schedule::Refused),
}

impl Store {
    /// Has a schedule stand under its name. Said again it changes nothing: the time that comes next stays the same as long
    /// as the expression and the zone do.
    pub async fn set_schedule(&self, new: &NewSchedule) -> Result<ScheduleOutcome> {
        self.run(new).await
    }

    /// Removes a schedule; the jobs that it fired stay. `false`: the tenant has none such.
    pub async fn remove_schedule(&self, tenant: TenantId, name: &str) -> Result<bool> {
        self.run(&Remove { tenant, name }).await
    }
}

impl Work for NewSchedule {
    type Out = ScheduleOutcome;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<ScheduleOutcome> {
        // Two that are written at once are counted one after the other.
        let sql = "-- schedule.lock\nSELECT pg_advisory_xact_lock($1, hashtext($2))";
        tx.query(sql, &[&LOCK_CLASS, &self.tenant.to_string()]).await?;
        let sql = "-- schedule.before
            SELECT clock_timestamp() AS now, count(*) FILTER (WHERE name <> $2) AS others,
                   count(*) FILTER (WHERE name = $2) AS same
            FROM schedules WHERE tenant_id = $1";
        let row = tx.query_one(sql, &[&self.tenant.0, &self.name]).await?;
        let (others, same): (i64, i64) = (row.column("others")?, row.column("same")?);
        if others >= MAX_SCHEDULES {
            return Ok(ScheduleOutcome::TooMany);
        }
        let now = row.column("now")?;
        let timetable = match Timetable::parse(&self.cron, &self.time_zone, now) {
            Ok(timetable) => timetable,
            Err(refused) => return Ok(ScheduleOutcome::Refused(refused)),
        };
        let next = timetable
            .next_after(now)
            .ok_or_else(|| Error::corrupt("a timetable that was read never fires"))?;
        let record = self.write(tx, next).await?;
        Ok(if same == 0 { ScheduleOutcome::Created(record) } else { ScheduleOutcome::Replaced(record) })
    }
}

impl NewSchedule {
    async fn write(&self, tx: &Tx<'_>, next: OffsetDateTime) -> Result<ScheduleRecord> {
        let sql = "-- schedule.set
            INSERT INTO schedules AS old (id, tenant_id, user_id, name, cron, time_zone, missed, kind, payload, priority,
                                          destination, max_attempts, paused, next_at, needs)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce($11, ''), $12, $13, $14, $15)
            ON CONFLICT (tenant_id, name) DO UPDATE SET
                user_id = excluded.user_id, cron = excluded.cron, time_zone = excluded.time_zone,
                missed = excluded.missed, kind = excluded.kind, payload = excluded.payload,
                priority = excluded.priority, destination = excluded.destination, needs = excluded.needs,
                max_attempts = excluded.max_attempts, paused = excluded.paused, stopped = NULL,
                changed_at = clock_timestamp(),
                next_at = CASE WHEN NOT excluded.paused AND old.next_at IS NOT NULL AND old.cron = excluded.cron
                                    AND old.time_zone = excluded.time_zone
                               THEN old.next_at ELSE excluded.next_at END
            WHERE (old.cron, old.time_zone, old.missed, old.kind, old.payload, old.priority, old.destination,
                   old.max_attempts, old.paused, old.needs, old.stopped)
                  IS DISTINCT FROM
                  (excluded.cron, excluded.time_zone, excluded.missed, excluded.kind, excluded.payload,
                   excluded.priority, excluded.destination, excluded.max_attempts, excluded.paused,
                   excluded.needs, NULL)";
        let max_attempts = i32::try_from(self.max_attempts).unwrap_or(i32::MAX);
        let next = (!self.paused).then_some(next);
        tx.execute(
            sql,
            &[
                &Uuid::now_v7(),
                &self.tenant.0,
                &self.user.0,
                &self.name,
                &self.cron,
                &self.time_zone,
                &self.missed.as_str(),
                &self.kind,
                &jsonb::storable(&self.payload),
                &self.priority,
                &self.destination,
                &max_attempts,
                &self.paused,
                &next,
                &jsonb::needs(self.needs),
            ],
        )
        .await?;
        let written = read::records(tx, self.tenant, Some(&self.name)).await?.pop();
        written.ok_or_else(|| Error::corrupt("a schedule that was written is not there"))
    }
}

struct Remove<'a> {
    tenant: TenantId,
    name: &'a str,
}

impl Work for Remove<'_> {
    type Out = bool;

    fn tenant(&self) -> Option<TenantId> {
        Some(self.tenant)
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        let sql = "-- schedule.remove\nDELETE FROM schedules WHERE name = $1 AND tenant_id = $2";
        Ok(tx.execute(sql, &[&self.name, &self.tenant.0]).await? == 1)
    }
}
