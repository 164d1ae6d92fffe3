//! One commit for all who ask within the time of one: while a batch is being written, others queue up, and the next of
//! them writes for all. Nobody waits for company: who comes alone goes at once.
//!
//! Whoever is not told what came of it by the one who wrote (it failed, or its caller went away) says it by itself,
//! which is safe, since what is said again changes nothing.

use super::{Fenced, Lease, batch::MAX_AT_ONCE};
use crate::{Result, Store};
use serde_json::Value;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

type Asked<T, A> = (Lease, T, oneshot::Sender<Fenced<A>>);

/// Who waits to be written, with what, and what each is told.
#[derive(Debug)]
pub(crate) struct Together<T, A> {
    waiting: Mutex<Vec<Asked<T, A>>>,
    turn: tokio::sync::Mutex<()>,
}

impl<T, A> Default for Together<T, A> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }
}

impl<T, A> Together<T, A> {
    /// Waits for a turn, and answers what came of it meanwhile, or else the batch that is to be written now.
    async fn enter(&self, lease: &Lease, what: T) -> (Option<Fenced<A>>, Vec<Asked<T, A>>, Turn<'_>) {
        let (told, mut answer) = oneshot::channel();
        self.waiting().push((lease.clone(), what, told));
        let turn = self.turn.lock().await;
        if let Ok(told) = answer.try_recv() {
            return (Some(told), vec![], turn);
        }
        let mut waiting = self.waiting();
        let batch = waiting.len().min(MAX_AT_ONCE);
        let rest = waiting.split_off(batch);
        (None, std::mem::replace(&mut *waiting, rest), turn)
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Asked<T, A>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Turn<'a> = tokio::sync::MutexGuard<'a, ()>;

/// Tells everybody in a batch; answers what this caller's own lease was told, if it was among them.
fn tell<T, A: Copy>(batch: Vec<Asked<T, A>>, told: Result<Vec<Fenced<A>>>, own: &Lease) -> Option<Fenced<A>> {
    // A failure is told to nobody: each tries by itself, and hears of its own.
    let told = told.ok()?;
    let mut mine = None;
    for ((lease, _, asked), told) in batch.into_iter().zip(told) {
        if lease.job == own.job && lease.epoch == own.epoch {
            mine = Some(told);
        }
        let _ = asked.send(told); // its caller may have gone away
    }
    mine
}

impl Store {
    /// As [`Store::begin_job`], for a job that carries out no migration: whoever sweeps takes it away when it has run for
    /// longer than `limit`. Answers its run: from 1, raised when a person has it tried again. Jobs that begin at the same
    /// moment share a commit.
    pub async fn begin_task(&self, lease: &Lease, limit: Duration) -> Result<Fenced<u32>> {
        let (told, batch, turn) = self.beginning().enter(lease, limit).await;
        let told = match told {
            Some(told) => Some(told),
            None => {
                let tasks: Vec<_> = batch.iter().map(|(lease, limit, _)| (lease, *limit)).collect();
                let written = self.begin_tasks(&tasks).await;
                tell(batch, written, lease)
            }
        };
        drop(turn);
        match told {
            Some(told) => Ok(told),
            None => self.begin_alone(lease, limit).await,
        }
    }

    /// RUNNING → COMPLETED for a job that carries out no migration, with its result. Said again, it changes nothing and
    /// answers the same. Jobs that end at the same moment share a commit.
    pub async fn finish_task(&self, lease: &Lease, result: &Value) -> Result<Fenced<()>> {
        let (told, batch, turn) = self.finishing().enter(lease, result.clone()).await;
        let told = match told {
            Some(told) => Some(told),
            None => {
                let tasks: Vec<_> = batch.iter().map(|(lease, result, _)| (lease, result)).collect();
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
