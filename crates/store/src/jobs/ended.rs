//! What a command that ends a lease answers when it is said again.
//!
//! After a lost commit answer its caller cannot know that the lease is gone by its own hand. The transition of
//! that epoch knows: written by this worker, for the command's own cause, it is the first call's, and its answer
//! is given again. Anything else is somebody else's doing, and stale.

use super::{Fenced, Lease};
use crate::{
    Result,
    tx::{Columns, Tx},
};
use domain::job::{Cause, JobState};

/// Where the job went when this worker ended this lease for one of these causes; stale, if it never did.
pub(crate) async fn again(tx: &Tx<'_>, lease: &Lease, causes: &[Cause]) -> Result<Fenced<JobState>> {
    let sql = "-- job.ended_by
        SELECT to_state FROM transitions
        WHERE job_id = $1 AND epoch = $2 AND actor = $3 AND cause = ANY($4)
          AND from_state IN ('PREPARING', 'RUNNING')
        ORDER BY id DESC LIMIT 1";
    let causes: Vec<&str> = causes.iter().map(|cause| cause.as_str()).collect();
    let ended =
        tx.query_opt(sql, &[&lease.job.0, &lease.epoch.0, &lease.actor().to_string(), &causes]).await?;
    Ok(match ended {
        Some(row) => Fenced::Done(row.word("to_state")?),
        None => Fenced::Stale,
    })
}
