//! What follows an attempt that failed or was lost: another one, the end, or the cancellation that somebody
//! asked for meanwhile.

use super::{
    Lease, MigrationRun,
    fence::{self, Held},
    moves::{self, Move, failure_json},
};
use crate::{
    Result,
    migrations::advance::{self, End, Record},
    tx::{Columns, Tx},
};
use domain::{
    Failure, TenantId,
    event::{EventType, NewEvent},
    job::{Cause, JobState},
    phase::Phase,
    retry::Verdict,
};
use std::time::Duration;
use uuid::Uuid;

/// A failed or lost attempt.
pub(crate) struct Attempt<'a> {
    pub(crate) lease: &'a Lease,
    pub(crate) held: &'a Held,
    pub(crate) failure: &'a Failure,
    pub(crate) verdict: Verdict,
    /// What ended it: the worker's word, or one of the clocks.
    pub(crate) cause: Cause,
    pub(crate) events: &'a [NewEvent],
}

/// What is to follow.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Wait(Duration),
    GiveUp,
    Cancel,
}

/// Counts the attempt and moves the job on; answers where it went.
pub(crate) async fn settle(tx: &Tx<'_>, attempt: &Attempt<'_>) -> Result<JobState> {
    let held = attempt.held;
    match next(attempt.verdict, held.row.attempts, held.max_attempts, held.cancel_requested) {
        Next::Wait(wait) => retry(tx, attempt, wait).await,
        Next::GiveUp => give_up(tx, attempt).await,
        Next::Cancel => {
            // What tells of a failure for good is not what happened.
            let ends = |event: &&NewEvent| matches!(event.event_type, EventType::Error | EventType::Done);
            let told: Vec<_> = attempt.events.iter().filter(|event| !ends(event)).cloned().collect();
            cancel(tx, attempt.lease, held, Some(attempt.failure), &told).await?;
            Ok(JobState::Cancelled)
        }
    }
}

/// The job's own count has the last word: a verdict that grants one attempt too many gives up.
fn next(verdict: Verdict, attempts: i32, max_attempts: i32, cancel_requested: bool) -> Next {
    match verdict {
        // Whoever asked was told that the job will be cancelled; that it also failed does not change that.
        _ if cancel_requested => Next::Cancel,
        Verdict::GiveUp => Next::GiveUp,
        Verdict::RetryAfter(_) if attempts + 1 >= max_attempts => Next::GiveUp,
        Verdict::RetryAfter(wait) => Next::Wait(wait),
    }
}

async fn retry(tx: &Tx<'_>, attempt: &Attempt<'_>, wait: Duration) -> Result<JobState> {
    let lease = attempt.lease;
    let run_at = leave(tx, attempt, JobState::WaitingRetry, attempt.cause, Some(wait)).await?;
    let Some(record) = lease.record() else { return Ok(JobState::WaitingRetry) };
    advance::await_retry(tx, record, run_at).await?;
    let mut events = attempt.events.to_vec();
    if events.is_empty() {
        let (phase, progress) = position(tx, record).await?;
        let number = u32::try_from(attempt.held.row.attempts + 1).unwrap_or(u32::MAX); // the column is at least 0
        events.push(NewEvent::retrying(attempt.failure, number, wait, phase, progress));
    }
    attempt.held.tell(tx, lease, &events).await?;
    Ok(JobState::WaitingRetry)
}

async fn give_up(tx: &Tx<'_>, attempt: &Attempt<'_>) -> Result<JobState> {
    let lease = attempt.lease;
    // That no attempt is left tells nothing of how the last one was lost.
    let cause = if attempt.cause == Cause::AttemptFailed { Cause::GaveUp } else { attempt.cause };
    leave(tx, attempt, JobState::Failed, cause, None).await?;
    let sql = "-- dead_letter.write
        INSERT INTO dead_letters (id, job_id, tenant_id, epoch, job, failure)
        SELECT $2, id, tenant_id, epoch, to_jsonb(jobs), $3 FROM jobs WHERE id = $1";
    tx.execute_one(sql, &[&lease.job.0, &Uuid::now_v7(), &failure_json(attempt.failure)]).await?;
    let Some(record) = lease.record() else { return Ok(JobState::Failed) };
    advance::end(tx, record, &End::Failed(attempt.failure)).await?;
    let mut events = attempt.events.to_vec();
    if !closes(&events) {
        let (phase, progress) = position(tx, record).await?;
        events.extend(NewEvent::failed(attempt.failure, phase, progress));
    }
    attempt.held.tell(tx, lease, &events).await?;
    Ok(JobState::Failed)
}

async fn leave(
    tx: &Tx<'_>,
    attempt: &Attempt<'_>,
    to: JobState,
    cause: Cause,
    wait: Option<Duration>,
) -> Result<time::OffsetDateTime> {
    let lease = attempt.lease;
    let (actor, trace) = (lease.actor(), &lease.trace);
    let step = Move { to, cause, actor, trace, failure: Some(attempt.failure), wait };
    let run_at = moves::apply(tx, &attempt.held.row, &step).await?;
    fence::release(tx, lease, cause).await?;
    Ok(run_at)
}

/// Cancels a job and the migration that it carries out; the last events are added if there is no `done` among them.
pub(crate) async fn cancel(
    tx: &Tx<'_>,
    lease: &Lease,
    held: &Held,
    failure: Option<&Failure>,
    events: &[NewEvent],
) -> Result<()> {
    let step = Move {
        to: JobState::Cancelled,
        cause: Cause::CancelRequested,
        actor: lease.actor(),
        trace: &lease.trace,
        failure,
        wait: None,
    };
    moves::apply(tx, &held.row, &step).await?;
    fence::release(tx, lease, step.cause).await?;
    let Some(record) = lease.record() else { return Ok(()) };
    advance::end(tx, record, &End::Cancelled).await?;
    let mut events = events.to_vec();
    if !closes(&events) {
        let (phase, progress) = position(tx, record).await?;
        events.extend(NewEvent::cancelled(phase, progress));
    }
    held.tell(tx, lease, &events).await
}

impl Lease {
    /// The record of the migration that the job carries out.
    pub(crate) fn record(&self) -> Option<Record> {
        self.carries.map(|of| of.record(self.tenant))
    }
}

impl MigrationRun {
    pub(crate) const fn record(self, tenant: TenantId) -> Record {
        Record { tenant, id: self.migration }
    }
}

fn closes(events: &[NewEvent]) -> bool {
    events.iter().any(|event| event.event_type == EventType::Done)
}

/// Where the migration stands, for events that we write ourselves.
async fn position(tx: &Tx<'_>, record: Record) -> Result<(Option<Phase>, i16)> {
    let sql =
        "-- migration.position\nSELECT phase, progress FROM migrations WHERE id = $1 AND tenant_id = $2";
    let row = tx.query_one(sql, &[&record.id.0, &record.tenant.0]).await?;
    Ok((row.optional_word("phase")?, row.column("progress")?))
}

#[cfg(test)]
mod tests {
    use super::{Next, next};
    use domain::retry::Verdict;
    use std::time::Duration;

    #[test]
    fn what_follows_a_failed_attempt() {
        let wait = Duration::from_secs(9);
        let again = Verdict::RetryAfter(wait);
        for (verdict, attempts, cancel_requested, expected) in [
            (again, 0, false, Next::Wait(wait)),
            (again, 1, false, Next::Wait(wait)),
            (again, 2, false, Next::GiveUp),
            (again, 0, true, Next::Cancel),
            (again, 2, true, Next::Cancel),
            (Verdict::GiveUp, 0, false, Next::GiveUp),
            (Verdict::GiveUp, 0, true, Next::Cancel),
        ] {
            assert_eq!(
                next(verdict, attempts, 3, cancel_requested),
                expected,
                "{verdict:?} after {attempts}"
            );
        }
    }
}
