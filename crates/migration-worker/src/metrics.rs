//! What this crate measures. Names stand here as Prometheus shows them; `docs/` lists them.

use domain::job::{Cause, JobState};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram, Meter},
};
use std::time::Duration;
use store::{Figures, Forgettable};

/// Waiting and running span seconds to most of an hour.
const SECONDS: [f64; 14] =
    [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0];

/// All instruments of a worker.
pub(crate) struct Metrics {
    wait: Histogram<f64>,
    run: Histogram<f64>,
    rescues: Counter<u64>,
    stale: Counter<u64>,
    claims_failed: Counter<u64>,
    hung: Gauge<u64>,
    forgotten: Counter<u64>,
    outbox_age: Gauge<f64>,
    depth: Gauge<i64>,
    lag: Gauge<f64>,
    horizon_lag: Gauge<f64>,
    pauses: Gauge<i64>,
    machine: Machine,
}

/// What the machine has left, and what that makes of the slots.
struct Machine {
    memory: Gauge<f64>,
    cpu: Gauge<f64>,
    disk: Gauge<u64>,
    slots: Gauge<u64>,
}

impl Machine {
    fn new(meter: &Meter) -> Self {
        let share =
            |name: &'static str, told: &'static str| meter.f64_gauge(name).with_description(told).build();
        let count =
            |name: &'static str, told: &'static str| meter.u64_gauge(name).with_description(told).build();
        Self {
            memory: share(
                "resettle_worker_memory_ratio",
                "The share of the memory that is used: of what the worker's cgroup may, or of the machine's",
            ),
            cpu: share(
                "resettle_worker_cpu_ratio",
                "The share of the processors' time that is used, likewise",
            ),
            disk: count(
                "resettle_worker_disk_free_bytes",
                "Bytes that are free on the disk of the scratch files",
            ),
            slots: count(
                "resettle_worker_slots",
                "Jobs that may be held at once, by queue: fewer where the machine has little left",
            ),
        }
    }
}

impl Metrics {
    pub(crate) fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, told: &'static str| {
            let boundaries = SECONDS.to_vec();
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(told)
                .with_boundaries(boundaries)
                .build()
        };
        let gauge = |name: &'static str, told: &'static str| {
            meter.f64_gauge(name).with_unit("s").with_description(told).build()
        };
        let counter =
            |name: &'static str, told: &'static str| meter.u64_counter(name).with_description(told).build();
        Self {
            wait: seconds("resettle_job_wait_seconds", "How long claimed jobs had been runnable"),
            run: seconds("resettle_job_run_seconds", "How long an attempt held its lease, by how it ended"),
            rescues: counter(
                "resettle_job_rescues_total",
                "Jobs taken from workers that stopped answering or whose work hung, by cause",
            ),
            stale: counter(
                "resettle_stale_writes_refused_total",
                "Writes refused because the lease was no longer the job's, by statement",
            ),
            claims_failed: counter("resettle_claims_failed_total", "Claims that the database did not answer"),
            forgotten: counter(
                "resettle_rows_forgotten_total",
                "Rows that went because they were over and had been kept long enough, by table",
            ),
            hung: meter
                .u64_gauge("resettle_hung_computations")
                .with_description("Places for computing held by work that nobody waits for any more")
                .build(),
            outbox_age: gauge(
                "resettle_outbox_oldest_age_seconds",
                "Age of the oldest unpublished announcement",
            ),
            depth: meter
                .i64_gauge("resettle_job_queue_depth")
                .with_description("Jobs that could run now, by queue, counted up to 10000")
                .build(),
            lag: gauge(
                "resettle_job_queue_lag_seconds",
                "How long the oldest runnable job has waited, by queue",
            ),
            horizon_lag: gauge(
                "resettle_event_horizon_lag_seconds",
                "How long the oldest event has waited to fall below the snapshot horizon",
            ),
            machine: Machine::new(meter),
            pauses: meter
                .i64_gauge("resettle_job_pauses")
                .with_description(
                    "Pauses of everything, a queue, a tenant or a destination that nobody has ended",
                )
                .build(),
        }
    }

    pub(crate) fn claimed(&self, kind: &str, waited: Duration) {
        self.wait.record(waited.as_secs_f64(), &[KeyValue::new("kind", kind.to_owned())]);
    }

    pub(crate) fn claim_failed(&self) {
        self.claims_failed.add(1, &[]);
    }

    pub(crate) fn forgotten(&self, what: Forgettable, rows: u64) {
        self.forgotten.add(rows, &[KeyValue::new("table", what.table())]);
    }

    pub(crate) fn hung(&self, computations: usize) {
        self.hung.record(computations as u64, &[]);
    }

    pub(crate) fn ended(&self, kind: &str, outcome: &'static str, took: Duration) {
        let labels = [KeyValue::new("kind", kind.to_owned()), KeyValue::new("outcome", outcome)];
        self.run.record(took.as_secs_f64(), &labels);
    }

    /// A rescue, by what told of it and by what became of the job.
    pub(crate) fn rescued(&self, cause: Cause, to: JobState) {
        let labels = [KeyValue::new("cause", cause.as_str()), KeyValue::new("to", to.as_str())];
        self.rescues.add(1, &labels);
    }

    /// What the machine has left, as far as it tells.
    pub(crate) fn machine(&self, memory: Option<f64>, cpu: Option<f64>, disk: Option<u64>) {
        memory.into_iter().for_each(|share| self.machine.memory.record(share, &[]));
        cpu.into_iter().for_each(|share| self.machine.cpu.record(share, &[]));
        disk.into_iter().for_each(|free| self.machine.disk.record(free, &[]));
    }

    pub(crate) fn slots(&self, queue: &str, slots: u32) {
        self.machine.slots.record(u64::from(slots), &[KeyValue::new("queue", queue.to_owned())]);
    }

    pub(crate) fn stale_write(&self, statement: &'static str) {
        self.stale.add(1, &[KeyValue::new("statement", statement)]);
    }

    pub(crate) fn sampled(&self, figures: &Figures) {
        for queue in &figures.queues {
            let labels = [KeyValue::new("queue", queue.queue.clone())];
            self.depth.record(queue.depth, &labels);
            self.lag.record(queue.lag_seconds, &labels);
        }
        self.outbox_age.record(figures.outbox_oldest_seconds, &[]);
        self.horizon_lag.record(figures.horizon_lag_seconds, &[]);
        self.pauses.record(figures.pauses, &[]);
    }
}
