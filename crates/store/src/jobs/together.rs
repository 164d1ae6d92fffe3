//! One commit for all who end within the time of one: while a batch is being written, others queue up, and the next of
//! them writes for all. Nobody waits for company: who comes alone goes at once.
//!
//! Whoever is not told what came of it by the one who wrote (it failed, or its caller went away) says it by itself,
//! which is safe, since what is said again changes nothing.

use super::{Fenced, Lease, batch::MAX_AT_ONCE};
use crate::{Result, Store};
use serde_json::Value;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// A job's end that waits to be written.
#[derive(Debug)]
struct Ending {
    lease: Lease,
    result: Value,
    asked: oneshot::Sender<Fenced<()>>,
}

/// Who waits to be written, and whose turn it is to write.
#[derive(Debug, Default)]
pub(crate) struct Together {
    waiting: Mutex<Vec<Ending>>,
    turn: tokio::sync::Mutex<()>,
}

impl Together {
    /// Waits for a turn, and answers what came of it meanwhile, or else the batch that is to be written now.
    async fn enter(&self, lease: &Lease, result: &Value) -> (Option<Fenced<()>>, Vec<Ending>, Turn<'_>) {
        let (asked, mut answer) = oneshot::channel();
        self.waiting().push(Ending { lease: lease.clone(), result: result.clone(), asked });
        let turn = self.turn.lock().await;
        if let Ok(told) = answer.try_recv() {
            return (Some(told), vec![], turn);
        }
        let mut waiting = self.waiting();
        let batch = waiting.len().min(MAX_AT_ONCE);
        let rest = waiting.split_off(batch);
        (None, std::mem::replace(&mut *waiting, rest), turn)
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Ending>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Turn<'a> = tokio::sync::MutexGuard<'a, ()>;

/// Tells everybody in a batch; answers what this caller's own lease was told, if it was among them.
fn tell(batch: Vec<Ending>, told: Result<Vec<Fenced<()>>>, own: &Lease) -> Option<Fenced<()>> {
    // A failure is told to nobody: each tries by itself, and hears of its own.
    let told = told.ok()?;
    let mut mine = None;
    for (Ending { lease, asked, .. }, told) in batch.into_iter().zip(told) {
        if lease.job == own.job && lease.epoch == own.epoch {
            mine = Some(told);
        }
        let _ = asked.send(told); // its caller may have gone away
    }
    mine
}

impl Store {
    /// RUNNING → COMPLETED for a job that carries out no migration, with its result. Said again, it changes nothing and
    /// answers the same. Jobs that end at the same moment share a commit.
    pub async fn finish_task(&self, lease: &Lease, result: &Value) -> Result<Fenced<()>> {
        let (told, batch, turn) = self.finishing().enter(lease, result).await;
        let told = match told {
            Some(told) => Some(told),
            None => {
                let tasks: Vec<_> = batch.iter().map(|one| (&one.lease, &one.result)).collect();
                let written = self.finish_tasks(&tasks).await;
                tell(batch, written, lease)
            }
        };
        drop(turn);
        match told {
            Some(told) => Ok(told),
            None => self.finish_alone(lease, result).await,
        }
    }
}
