//! What a stretch of work took of the machine: time, processor time of the server and of this process, and log.

use crate::Outcome;
use std::{fs, time::Instant};
use tokio_postgres::Client;

/// Ticks of processor time in a second, as Linux shows them to programs.
const TICKS: f64 = 100.0;

/// A moment.
pub(crate) struct Moment {
    at: Instant,
    server: f64,
    own: f64,
    log: f64,
}

/// What lay between two.
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    pub(crate) server_ms: f64,
    pub(crate) own_ms: f64,
    pub(crate) log_bytes: f64,
}

impl Moment {
    pub(crate) async fn now(sql: &Client) -> Outcome<Self> {
        let log = "SELECT (pg_current_wal_lsn() - '0/0')::double precision";
        let log = sql.query_one(log, &[]).await?.get(0);
        Ok(Self {
            server: server_seconds()?,
            own: ticks("/proc/self/stat", &[11, 12])?,
            log,
            at: Instant::now(),
        })
    }

    pub(crate) async fn until_now(&self, sql: &Client) -> Outcome<Cost> {
        let seconds = self.at.elapsed().as_secs_f64();
        let now = Self::now(sql).await?;
        Ok(Cost {
            seconds,
            server_ms: (now.server - self.server) * 1e3,
            own_ms: (now.own - self.own) * 1e3,
            log_bytes: now.log - self.log,
        })
    }
}

/// The postmaster with the children that are over, and those that are not.
fn server_seconds() -> Outcome<f64> {
    let postmaster: u32 = std::env::var("BENCH_POSTMASTER")?.parse()?;
    let mut sum = ticks(&format!("/proc/{postmaster}/stat"), &[11, 12, 13, 14])?;
    for entry in fs::read_dir("/proc")?.flatten() {
        let stat = entry.path().join("stat");
        let Ok(text) = fs::read_to_string(&stat) else { continue };
        if fields(&text).get(1) == Some(&postmaster.to_string().as_str()) {
            sum += ticks(&stat.to_string_lossy(), &[11, 12]).unwrap_or(0.0);
        }
    }
    Ok(sum)
}

/// What stands behind the name, which may hold anything but ends with the last parenthesis.
fn fields(stat: &str) -> Vec<&str> {
    stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect()
}

fn ticks(path: &str, at: &[usize]) -> Outcome<f64> {
    let text = fs::read_to_string(path)?;
    let fields = fields(&text);
    let mut sum = 0.0;
    for at in at {
        sum += fields.get(*at).ok_or("no such field")?.parse::<f64>()?;
    }
    Ok(sum / TICKS)
}
