//! Circuits: what all workers know of a host that fails (`domain::circuit`). A hint and no truth: whoever cannot ask
//! for it goes on without, and nothing here belongs to a tenant.

use crate::{
    Error, Result, Store,
    tx::{Columns, Tx, Work},
};
use domain::{
    TenantId,
    circuit::{FORGOTTEN_AFTER, PROBE, open_for},
};
use std::time::Duration;

impl Store {
    /// May the host be asked now? If not, how long nobody may. Of those who come when its circuit has been open long
    /// enough, the first may, and the others wait for what comes of it.
    pub async fn enter_circuit(&self, host: &str) -> Result<Option<Duration>> {
        self.run(&Enter { host }).await
    }

    /// The host failed; answers how long its circuit is open now, if it is.
    pub async fn circuit_failed(&self, host: &str) -> Result<Option<Duration>> {
        self.run(&Failed { host }).await
    }

    /// The host answered: its circuit is closed, and nothing is remembered.
    pub async fn circuit_passed(&self, host: &str) -> Result<()> {
        self.run(&Passed { host }).await
    }

    /// Forgets failures that lie far back.
    pub async fn forget_circuits(&self, limit: u32) -> Result<u64> {
        self.run(&Forget { limit }).await
    }
}

struct Enter<'a> {
    host: &'a str,
}

impl Work for Enter<'_> {
    type Out = Option<Duration>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- circuit.probe
            UPDATE circuits SET probed_until = clock_timestamp() + make_interval(secs => $2::float8)
            WHERE host = $1 AND open_until <= clock_timestamp()
              AND (probed_until IS NULL OR probed_until <= clock_timestamp())";
        if tx.execute(sql, &[&self.host, &PROBE.as_secs_f64()]).await? == 1 {
            return Ok(None);
        }
        let sql = "-- circuit.wait
            SELECT extract(epoch FROM greatest(open_until, probed_until) - clock_timestamp())::double precision AS wait
            FROM circuits WHERE host = $1 AND open_until IS NOT NULL";
        let Some(row) = tx.query_opt(sql, &[&self.host]).await? else { return Ok(None) };
        let wait: f64 = row.column("wait")?;
        Ok((wait > 0.0).then(|| Duration::from_secs_f64(wait)))
    }
}

struct Failed<'a> {
    host: &'a str,
}

impl Work for Failed<'_> {
    type Out = Option<Duration>;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Out> {
        let sql = "-- circuit.fail
            INSERT INTO circuits (host, failures) VALUES ($1, 1)
            ON CONFLICT (host) DO UPDATE SET
                failures = CASE
                    WHEN circuits.updated_at <= clock_timestamp() - make_interval(secs => $2::float8) THEN 1
                    ELSE least(circuits.failures + 1, 1000) END,
                updated_at = clock_timestamp()
            RETURNING failures";
        let failures: i32 =
            tx.query_one(sql, &[&self.host, &FORGOTTEN_AFTER.as_secs_f64()]).await?.column("failures")?;
        let failures = u32::try_from(failures)
            .map_err(|_| Error::corrupt(format!("the circuit of a host has {failures} failures")))?;
        let open = open_for(failures);
        let sql = "-- circuit.open
            UPDATE circuits SET open_until = clock_timestamp() + make_interval(secs => $2::float8), probed_until = NULL
            WHERE host = $1";
        tx.execute(sql, &[&self.host, &open.map(|open| open.as_secs_f64())]).await?;
        Ok(open)
    }
}

struct Passed<'a> {
    host: &'a str,
}

impl Work for Passed<'_> {
    type Out = ();

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<()> {
        tx.execute("-- circuit.pass\nDELETE FROM circuits WHERE host = $1", &[&self.host]).await.map(drop)
    }
}

struct Forget {
    limit: u32,
}

impl Work for Forget {
    type Out = u64;

    fn tenant(&self) -> Option<TenantId> {
        None
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<u64> {
        let sql = "-- circuit.forget
            DELETE FROM circuits WHERE host = ANY (ARRAY(
                SELECT host FROM circuits
                WHERE updated_at <= (SELECT clock_timestamp()) - make_interval(secs => $1::float8)
                ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED))";
        tx.execute(sql, &[&FORGOTTEN_AFTER.as_secs_f64(), &i64::from(self.limit)]).await
    }
}
