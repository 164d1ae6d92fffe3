//! Worker processes: one row per start.

use crate::{
    Result, Store,
    tx::{Tx, Work},
};
use domain::{TenantId, WorkerId};

impl Store {
    /// Writes a worker's row.
    pub async fn register_worker(
        &self,
        worker: WorkerId,
        grpc_address: &str,
        concurrency: u32,
    ) -> Result<()> {
        self.run(&Register { worker, grpc_address, concurrency }).await
    }

    /// Says that the process lives, also when it holds nothing, and what it holds in memory; `false` if it was never
    /// registered.
    pub async fn worker_heartbeat(&self, worker: WorkerId, memory_bytes: Option<u64>) -> Result<bool> {
        let memory_bytes = memory_bytes.and_then(|bytes| i64::try_from(bytes).ok());
        self.run(&Heartbeat { worker, memory_bytes }).await
    }

    /// Says that the process has stopped.
    pub async fn worker_stopped(&self, worker: WorkerId) -> Result<()> {
        self.run(&Stopped { worker }).await
    }
}

struct Register<'a> {
    worker: WorkerId,
    grpc_address: &'a str,
    concurrency: u32,
}

impl Work for Register<'_> {
    type Out = ();

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        // Said again after a lost answer, it is the same row.
        let sql = "-- worker.register
            INSERT INTO workers (id, grpc_address, concurrency) VALUES ($1, $2, $3)
            ON CONFLICT (id) DO UPDATE SET
                grpc_address = excluded.grpc_address, concurrency = excluded.concurrency,
                heartbeat_at = clock_timestamp()";
        let concurrency = i32::try_from(self.concurrency).unwrap_or(i32::MAX); // the CHECK has the bound
        tx.execute_one(sql, &[&self.worker.0, &self.grpc_address, &concurrency]).await
    }
}

struct Heartbeat {
    worker: WorkerId,
    memory_bytes: Option<i64>,
}

impl Work for Heartbeat {
    type Out = bool;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        let sql = "-- worker.heartbeat
            UPDATE workers SET heartbeat_at = clock_timestamp(), memory_bytes = $2 WHERE id = $1";
        Ok(tx.execute(sql, &[&self.worker.0, &self.memory_bytes]).await? == 1)
    }
}

struct Stopped {
    worker: WorkerId,
}

impl Work for Stopped {
    type Out = ();

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let sql = "-- worker.stopped
            UPDATE workers SET stopped_at = clock_timestamp() WHERE id = $1 AND stopped_at IS NULL";
        tx.execute(sql, &[&self.worker.0]).await.map(drop)
    }
}
