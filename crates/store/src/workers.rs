//! Worker processes: one row per start.

use crate::{Result, Store};
use domain::WorkerId;

impl Store {
    /// Writes a worker's row.
    pub async fn register_worker(&self, worker: WorkerId, grpc_address: &str, concurrency: u32) -> Result<()> {
        let _ = (worker, grpc_address, concurrency);
        todo!()
    }

    /// Says that the process lives, also when it holds nothing; `false` if it was never registered.
    pub async fn worker_heartbeat(&self, worker: WorkerId) -> Result<bool> {
        let _ = worker;
        todo!()
    }

    /// Says that the process has stopped.
    pub async fn worker_stopped(&self, worker: WorkerId) -> Result<()> {
        let _ = worker;
        todo!()
    }
}
