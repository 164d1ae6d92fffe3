//! What this worker may use of its machine, how much of that is used, and how many jobs it takes with that: all while there
//! is room, fewer past a share of the memory, none where a job would not fit.
//!
//! Measured by a clock of its own ([`measure`]); what cannot be measured holds nothing back and is told once. It never
//! ends a job that runs: the kernel's limits do that, and this is here so that they need not.

mod measure;
mod share;

pub(crate) use measure::Meter;

use crate::{metrics::Metrics, worker::Lane};
pub use domain::task::Needs;
use serde::Deserialize;
use service_kit::BoxError;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

/// When jobs are taken, by what the machine has left.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where the process's cgroup (version 2) tells its limits; found by itself if absent.
    pub cgroup: Option<PathBuf>,
    /// How often to look.
    #[serde(with = "humantime_serde")]
    pub every: Duration,
    /// From this share of the memory on, fewer jobs are held at once than `concurrency` says. Above 0, below the next.
    pub lower_memory_at: f64,
    /// From this share on, none is taken. At most 1.
    pub stop_memory_at: f64,
    /// From this share of the processors on, none is taken; a busy processor only makes work slower, so there is no such
    /// share if absent.
    pub stop_cpu_at: Option<f64>,
    /// Bytes that stay free on the disk of the scratch files.
    pub least_disk: u64,
    /// How long a job waits that was claimed and needs more than is left: for another worker, or for another time.
    #[serde(with = "humantime_serde")]
    pub put_off: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cgroup: None,
            every: Duration::from_secs(1),
            lower_memory_at: 0.9,
            stop_memory_at: 0.97,
            stop_cpu_at: None,
            least_disk: 256 * 1024 * 1024,
            put_off: Duration::from_secs(15),
        }
    }
}

impl Options {
    /// Can all values be meant?
    pub(crate) fn check(&self) -> Result<(), String> {
        let refuse = |wrong: bool, told: &str| if wrong { Err(told.to_owned()) } else { Ok(()) };
        // Written so that what is no number is refused, too.
        let memory = self.lower_memory_at > 0.0
            && self.lower_memory_at < self.stop_memory_at
            && self.stop_memory_at <= 1.0;
        refuse(
            !memory,
            "resources.lower_memory_at and resources.stop_memory_at have to be shares, such as 0.9 and 0.97, the first \
             below the second",
        )?;
        let cpu = self.stop_cpu_at.is_none_or(|share| share > 0.0 && share <= 1.0);
        refuse(!cpu, "resources.stop_cpu_at has to be a share, such as 0.95")?;
        refuse(self.every < Duration::from_millis(10), "resources.every has to be at least 10 ms")
    }
}

/// What was seen last; nothing where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    memory: Option<Memory>,
    /// The share of the processors' time that was used since the look before.
    cpu: Option<f64>,
    /// Bytes that are free.
    disk: Option<u64>,
}

impl Seen {
    /// The same machine with nothing else on it, as far as one can know.
    fn idle(self) -> Self {
        Self { memory: self.memory.map(|memory| Memory { used: 0, ..memory }), cpu: None, ..self }
    }
}

/// The memory that may be used, and that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Memory {
    limit: u64,
    used: u64,
}

impl Memory {
    fn share(self) -> f64 {
        self.used as f64 / (self.limit as f64).max(1.0)
    }
}

/// How much room there is for jobs.
pub(crate) struct Room {
    options: Options,
    scratch: PathBuf,
    seen: watch::Sender<Seen>,
    /// What the jobs that run were promised, whether or not they use it already.
    promised: Arc<Mutex<Needs>>,
}

/// A job's part of the room, given back when it ends.
pub(crate) struct Promise {
    needs: Needs,
    all: Arc<Mutex<Needs>>,
}

impl Drop for Promise {
    fn drop(&mut self) {
        let mut all = lock(&self.all);
        all.memory = all.memory.saturating_sub(self.needs.memory);
        all.disk = all.disk.saturating_sub(self.needs.disk);
    }
}

fn lock(all: &Mutex<Needs>) -> MutexGuard<'_, Needs> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Room {
    /// Looks for the first time: what is not known yet must not let jobs in.
    pub(crate) fn new(options: Options, scratch: &Path) -> (Self, Meter) {
        let mut meter = Meter::new(options.cgroup.as_deref(), scratch);
        let seen = watch::Sender::new(meter.look());
        (Self { options, scratch: scratch.to_owned(), seen, promised: Arc::default() }, meter)
    }

    /// Looks again and again, and says so when the machine holds jobs back and when it does not any more.
    pub(crate) async fn watch(
        &self,
        mut meter: Meter,
        lanes: &[Arc<Lane>],
        metrics: &Metrics,
        stopping: CancellationToken,
    ) -> Result<(), BoxError> {
        let mut short = false;
        loop {
            let seen = meter.look();
            self.seen.send_replace(seen);
            metrics.machine(seen.memory.map(Memory::share), seen.cpu, seen.disk);
            for lane in lanes {
                metrics.slots(&lane.queue, share::slots(&self.options, &seen, lane.concurrency));
            }
            let was = std::mem::replace(&mut short, share::slots(&self.options, &seen, u32::MAX) < u32::MAX);
            match (was, short) {
                (false, true) => tracing::warn!(
                    memory = seen.memory.map(Memory::share),
                    cpu = seen.cpu,
                    disk_free_bytes = seen.disk,
                    scratch = %self.scratch.display(),
                    "the machine has little room left: fewer jobs are taken, or none"
                ),
                (true, false) => tracing::info!("there is room for jobs again"),
                _ => {}
            }
            if stopping.run_until_cancelled(sleep(self.options.every)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Takes room for jobs of a lane, at most `most` of them; as many as were promised it may take.
    pub(crate) fn promise(&self, lane: &Lane, most: usize) -> Vec<Promise> {
        let seen = *self.seen.borrow();
        let mut all = lock(&self.promised);
        let granted = self.granted(&seen, &all, lane).min(most);
        let needs = lane.needs;
        all.memory = all.memory.saturating_add(needs.memory.saturating_mul(granted as u64));
        all.disk = all.disk.saturating_add(needs.disk.saturating_mul(granted as u64));
        (0..granted).map(|_| Promise { needs, all: Arc::clone(&self.promised) }).collect()
    }

    /// Makes a job's promise as large as the job itself says, where that is left. A job that needs more than this machine
    /// ever has is told of: no other word says why it waits.
    pub(crate) fn widen(&self, promise: &mut Promise, needs: Needs) -> bool {
        let needs = needs.or_more(promise.needs);
        if needs == promise.needs {
            return true;
        }
        let seen = *self.seen.borrow();
        let mut all = lock(&self.promised);
        let others = Needs {
            memory: all.memory.saturating_sub(promise.needs.memory),
            disk: all.disk.saturating_sub(promise.needs.disk),
        };
        if share::fitting(&self.options, &seen, &others, needs) == 0 {
            let ever = share::fitting(&self.options, &seen.idle(), &Needs::default(), needs) > 0;
            tracing::warn!(?needs, ever, "a job needs more than this machine has left");
            return false;
        }
        all.memory = others.memory.saturating_add(needs.memory);
        all.disk = others.disk.saturating_add(needs.disk);
        promise.needs = needs;
        true
    }

    /// How long a job waits that does not fit.
    pub(crate) fn put_off(&self) -> Duration {
        self.options.put_off
    }

    fn granted(&self, seen: &Seen, promised: &Needs, lane: &Lane) -> usize {
        let slots = share::slots(&self.options, seen, lane.concurrency);
        let running = (lane.concurrency as usize).saturating_sub(lane.slots.available_permits());
        let free = (slots as usize).saturating_sub(running);
        free.min(share::fitting(&self.options, seen, promised, lane.needs))
    }

    /// Ends when there is room for one more job of a lane. Room that a job leaves behind is seen at the next look.
    pub(crate) async fn enough(&self, lane: &Lane) {
        let mut seen = self.seen.subscribe();
        loop {
            let now = *seen.borrow_and_update();
            if self.granted(&now, &lock(&self.promised), lane) > 0 {
                return;
            }
            // An error would mean that the sender is gone, and it is this value's own.
            let _present = seen.changed().await;
        }
    }
}
