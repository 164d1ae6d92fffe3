//! What the rounds stand on: a database of their own, the stores of gateway and worker, and the worker's way with a job.

use crate::Outcome;
use bus::{Bell, JobHint};
use domain::{CorrelationId, JobId, WorkerId, task::Needs, trace::TraceContext};
use futures::{StreamExt, future::try_join_all, stream};
use serde_json::{Value, json};
use std::time::Duration;
use store::{
    ClaimRequest, Claimed, EnqueueOutcome, EnqueueRequest, Fenced, Lease, Member, NewTask, Options,
    OutboxTopic, Store,
};
use testkit::postgres::Database;
use tokio::time::timeout;
use tokio_postgres::Client;
use uuid::Uuid;

pub(crate) const KIND: &str = "noop";
pub(crate) const TTL: Duration = Duration::from_secs(60);

pub(crate) struct Field {
    pub(crate) gateway: Store,
    pub(crate) worker: Store,
    pub(crate) id: WorkerId,
    pub(crate) member: Member,
    pub(crate) sql: Client,
    pub(crate) db: Database,
}

impl Field {
    pub(crate) async fn new() -> Outcome<Self> {
        let db = Database::create().await;
        let many = |options: Options| Options { max_connections: 40, ..options };
        let owner = Store::connect(&db.owner()).await?;
        Ok(Self {
            gateway: Store::connect(&many(db.gateway())).await?,
            worker: Store::connect(&many(db.worker())).await?,
            id: WorkerId(Uuid::now_v7()),
            member: owner.create_personal_tenant("bench@example.com").await?,
            sql: db.sql().await,
            db,
        })
    }

    pub(crate) async fn enqueue(&self, jobs: usize) -> Outcome {
        self.enqueue_many(jobs).await.map(drop)
    }

    pub(crate) async fn enqueue_one(&self) -> Outcome<JobId> {
        self.enqueue_many(1).await?.pop().ok_or_else(|| "nothing was enqueued".into())
    }

    async fn enqueue_many(&self, jobs: usize) -> Outcome<Vec<JobId>> {
        let task = |n| NewTask {
            id: JobId(Uuid::now_v7()),
            kind: KIND.to_owned(),
            payload: json!({ "n": n }),
            priority: 0,
            run_at: None,
            max_attempts: 3,
            unique_key: None,
            destination: None,
            needs: Needs::default(),
        };
        let request = EnqueueRequest {
            tenant: self.member.tenant,
            user: self.member.user,
            tasks: (0..jobs).map(task).collect(),
            correlation: CorrelationId(Uuid::now_v7()),
            trace: TraceContext::default(),
            idempotency: None,
            answer: |_| Value::Null,
        };
        match self.gateway.enqueue_tasks(&request).await? {
            EnqueueOutcome::Enqueued(jobs) => Ok(jobs.iter().map(|new| new.job).collect()),
            other => Err(format!("{other:?}").into()),
        }
    }

    pub(crate) async fn claim(&self, slots: u32) -> Outcome<Vec<Claimed>> {
        let (worker, begin) = (self.id, Some(TTL));
        Ok(self.worker.claim(&ClaimRequest { queue: KIND, worker, slots, ttl: TTL, begin }).await?)
    }

    /// The whole life of a batch: claimed and begun, and done, each with a commit of its own. Answers how many.
    pub(crate) async fn carry_out(&self, slots: u32) -> Outcome<usize> {
        let claimed = self.claim(slots).await?;
        if claimed.is_empty() {
            return Ok(0);
        }
        let results: Vec<(&Lease, &Value)> = claimed.iter().map(|job| (&job.lease, &job.payload)).collect();
        proved(&self.worker.finish_tasks(&results).await?)?;
        Ok(claimed.len())
    }

    /// The end of one that was begun; answers which.
    pub(crate) async fn finish(&self, job: Claimed) -> Outcome<JobId> {
        proved(&[self.worker.finish_task(&job.lease, &job.payload).await?])?;
        Ok(job.lease.job)
    }

    /// The same, where each job ends when it likes, as under the worker's slots: who does so at one moment shares a
    /// commit.
    pub(crate) async fn carry_out_one_by_one(&self, slots: u32) -> Outcome<usize> {
        let claimed = self.claim(slots).await?;
        try_join_all(
            claimed
                .iter()
                .map(async |job| proved(&[self.worker.finish_task(&job.lease, &job.payload).await?])),
        )
        .await?;
        Ok(claimed.len())
    }

    /// Publishes what is to be announced, as the worker's relay does, until it is dropped: woken by who has committed it.
    pub(crate) async fn relay(&self, bell: &dyn Bell) -> Outcome {
        let publishing = async {
            loop {
                let rows = self.worker.claim_outbox(self.id, 100, TTL).await?;
                let full = rows.len() == 100;
                let said: Vec<Option<i64>> = stream::iter(rows)
                    .map(|row| async move {
                        let OutboxTopic::Job { queue, job } = row.topic else { return Some(row.id) };
                        let hint = JobHint { queue, job, trace: row.trace };
                        bell.ring(&hint).await.is_ok().then_some(row.id)
                    })
                    .buffer_unordered(16)
                    .collect()
                    .await;
                let said: Vec<i64> = said.into_iter().flatten().collect();
                self.worker.mark_published(self.id, &said).await?;
                if !full {
                    // As the worker's: not all is heard, and what was refused is tried again.
                    let _heard = timeout(Duration::from_millis(150), self.worker.announced_elsewhere()).await;
                }
            }
        };
        tokio::select! {
            told = publishing => told,
            error = self.worker.hear_announced(|| ()) => Err(error.into()),
        }
    }

    pub(crate) async fn clear(&self) -> Outcome {
        self.sql.batch_execute("TRUNCATE jobs, leases, transitions, outbox CASCADE").await?;
        self.sql.batch_execute("CHECKPOINT").await?;
        Ok(())
    }
}

/// Every write was accepted.
fn proved<T>(told: &[Fenced<T>]) -> Outcome {
    match told.iter().all(|told| matches!(told, Fenced::Done(_))) {
        true => Ok(()),
        false => Err("a write was refused as stale".into()),
    }
}
