//! One worker: what its loops share, and how they are started and ended.

use crate::{
    Config,
    compare::Inspector,
    cpu::Cpu,
    heartbeat,
    held::Held,
    housekeeping,
    jitter::{self, Dice},
    metrics::Metrics,
    objects::Objects,
    relay,
    resources::{Meter as Machine, Needs, Room},
    status, tasks,
    toolchain::Checker,
};
use bus::Bell;
use domain::WorkerId;
use opentelemetry::{global, metrics::Meter};
use service_kit::Lifecycle;
use site_fetch::Fetcher;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use store::{JobKind, Store};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Why a worker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The values do not fit together.
    #[error("the worker's configuration cannot be used")]
    Config(#[source] service_kit::config::Error),
    /// The object store cannot be opened.
    #[error("the worker has no place for its results")]
    Objects(#[source] service_kit::objects::Error),
    /// Comparing is demanded and cannot be had.
    #[error("the worker cannot compare projects with their sites (compare.when = \"always\")")]
    Compare(#[source] site_read::render::Unavailable),
    /// A kind of job cannot be carried out on this machine.
    #[error("the worker cannot carry out every kind that it is bound to")]
    Tasks(#[source] tasks::Error),
    /// The fetcher cannot be set up.
    #[error("the worker cannot fetch")]
    Fetcher(#[source] site_fetch::Error),
    /// The status service's address cannot be bound.
    #[error("the status service cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The status service cannot be set up.
    #[error("the status service cannot be set up")]
    Status(#[source] service_kit::BoxError),
    /// The worker's row cannot be written.
    #[error("the worker cannot be registered")]
    Register(#[source] store::Error),
}

/// What all loops of a worker share.
pub(crate) struct Workshop {
    pub(crate) id: WorkerId,
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) bell: Arc<dyn Bell>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) objects: Objects,
    pub(crate) fetcher: Fetcher,
    pub(crate) checker: Checker,
    pub(crate) inspector: Inspector,
    pub(crate) cpu: Cpu,
    /// What the machine has left for jobs.
    pub(crate) room: Room,
    pub(crate) metrics: Metrics,
    pub(crate) dice: Dice,
    pub(crate) held: Held,
    /// The classes of work that it takes: sites' moves, then each kind that is bound.
    pub(crate) lanes: Vec<Arc<Lane>>,
    /// Held while claims are under way, and alone by whoever looks for leases that no claim told of.
    pub(crate) claiming: tokio::sync::RwLock<()>,
    /// Running jobs are to be given back.
    pub(crate) leave: CancellationToken,
    /// The last job has ended: heartbeats, relay and status service may end, too.
    pub(crate) drained: CancellationToken,
    /// Held while the leases are renewed.
    pub(crate) renewing: tokio::sync::Mutex<()>,
    /// No job is taken from another worker before this moment: one ttl after the start, since nobody here knows how
    /// long the database had been away, and one ttl after it was away for us.
    pub(crate) rescues_from: Mutex<Instant>,
}

/// A class of work: one queue, with slots of its own.
pub(crate) struct Lane {
    pub(crate) queue: String,
    /// Jobs at a time.
    pub(crate) concurrency: u32,
    /// One permit per job at a time. Only the lane's claim loop takes them.
    pub(crate) slots: Arc<Semaphore>,
    /// What one job of it needs.
    pub(crate) needs: Needs,
    /// Jobs became runnable: the claim loop need not wait.
    pub(crate) runnable: Notify,
    /// What does the work; none: it is a site's move.
    pub(crate) binding: Option<Arc<tasks::Binding>>,
}

impl Lane {
    fn new(queue: &str, concurrency: u32, needs: Needs, binding: Option<Arc<tasks::Binding>>) -> Arc<Self> {
        let slots = Arc::new(Semaphore::new(concurrency as usize));
        Arc::new(Self {
            queue: queue.to_owned(),
            concurrency,
            slots,
            needs,
            runnable: Notify::new(),
            binding,
        })
    }
}

impl Workshop {
    /// Jobs became runnable in some queue.
    pub(crate) fn wake(&self) {
        self.lanes.iter().for_each(|lane| lane.runnable.notify_one());
    }

    /// What this worker offers beside sites' moves.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = &Arc<tasks::Binding>> {
        self.lanes.iter().filter_map(|lane| lane.binding.as_ref())
    }

    /// Has the database been there long enough, as this process saw it, for every holder to have renewed?
    pub(crate) fn rescues_are_due(&self) -> bool {
        Instant::now() >= *self.rescues_from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database was away for us: everybody gets a ttl to renew.
    pub(crate) fn put_off_rescues(&self) {
        let later = Instant::now() + self.config.lease.ttl;
        *self.rescues_from.lock().unwrap_or_else(PoisonError::into_inner) = later;
    }
}

/// A running worker.
pub struct Worker {
    id: WorkerId,
    grpc: SocketAddr,
    cpu: Cpu,
}

impl Worker {
    /// Starts every loop of a worker as tasks of the lifecycle. After the lifecycle was asked to stop, running
    /// jobs finish or are given back within `finish_within`, then the rest ends.
    pub async fn start(
        config: Config,
        store: Store,
        bell: Arc<dyn Bell>,
        lifecycle: &Lifecycle,
    ) -> Result<Self, Error> {
        Self::start_metered(config, store, bell, lifecycle, &global::meter(crate::SERVICE)).await
    }

    /// Like [`Self::start`], with a meter of the caller's: for a process with several workers that are to be
    /// measured apart.
    pub async fn start_metered(
        config: Config,
        store: Store,
        bell: Arc<dyn Bell>,
        lifecycle: &Lifecycle,
        meter: &Meter,
    ) -> Result<Self, Error> {
        config.check().map_err(Error::Config)?;
        let (listener, grpc) = bind(config.grpc_listen).await?;
        let advertised = config.grpc_advertise.clone().unwrap_or_else(|| format!("http://{grpc}"));
        let (shop, machine) = workshop(config, store, bell, lifecycle, meter)?;
        let shop = Arc::new(shop);
        shop.store
            .register_worker(shop.id, &advertised, shop.config.concurrency)
            .await
            .map_err(Error::Register)?;
        let kinds: Vec<JobKind> = shop.bindings().map(|binding| binding.offered()).collect();
        shop.store.offer_job_kinds(shop.id, &kinds).await.map_err(Error::Register)?;
        status::serve(&shop, listener).map_err(Error::Status)?;
        let every = Arc::clone;
        lifecycle.spawn("heartbeat", heartbeat::keep(every(&shop)));
        lifecycle.spawn("claim", crate::claim::take(every(&shop)));
        lifecycle.spawn("resources", look_about(every(&shop), machine));
        lifecycle.spawn("relay", relay::publish(every(&shop)));
        lifecycle.spawn("announcements", relay::hear(every(&shop)));
        lifecycle.spawn("computing", shop.cpu.clone().watch(shop.config.hung_patience, lifecycle.stopping()));
        housekeeping::start(&shop);
        tracing::info!(worker = %shop.id, grpc = advertised, "the worker takes jobs");
        Ok(Self { id: shop.id, grpc, cpu: shop.cpu.clone() })
    }

    /// This start's id.
    pub fn id(&self) -> WorkerId {
        self.id
    }

    /// Could a job come to its end here? Not while hung computations have all the places; see
    /// `resettle_hung_computations`.
    pub fn can_compute(&self) -> bool {
        self.cpu.is_usable()
    }

    /// Where the status service listens.
    pub fn grpc_address(&self) -> SocketAddr {
        self.grpc
    }
}

/// Measures the machine until the process is asked to stop.
async fn look_about(shop: Arc<Workshop>, machine: Machine) -> Result<(), service_kit::BoxError> {
    shop.room.watch(machine, &shop.lanes, &shop.metrics, shop.lifecycle.stopping()).await
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
    let bound = listener.local_addr().map_err(|source| Error::Listen { address, source })?;
    Ok((listener, bound))
}

fn workshop(
    config: Config,
    store: Store,
    bell: Arc<dyn Bell>,
    lifecycle: &Lifecycle,
    meter: &Meter,
) -> Result<(Workshop, Machine), Error> {
    let bound = tasks::bind(&config.jobs).map_err(Error::Tasks)?;
    let kinds = bound.iter().map(|bound| {
        Lane::new(&bound.name, bound.kind.concurrency, bound.kind.needs, Some(Arc::clone(bound)))
    });
    let moves = Lane::new(&config.queue, config.concurrency, config.needs, None);
    let lanes = std::iter::once(moves).chain(kinds).collect();
    let scratch = config.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let (room, machine) = Room::new(config.resources.clone(), &scratch);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let shop = Workshop {
        // Fresh per start: a worker that comes back is another one (law 3).
        id: WorkerId(Uuid::now_v7()),
        objects: Objects::new(config.objects.open().map_err(Error::Objects)?),
        fetcher: Fetcher::new(config.fetcher()).map_err(Error::Fetcher)?,
        checker: Checker::new(config.toolchain.clone()),
        inspector: Inspector::new(config.compare.clone(), machine.memory()).map_err(Error::Compare)?,
        cpu: Cpu::new(cores.min(config.concurrency as usize)),
        room,
        metrics: Metrics::new(meter),
        dice: jitter::dice(),
        held: Held::default(),
        lanes,
        claiming: tokio::sync::RwLock::new(()),
        leave: CancellationToken::new(),
        drained: CancellationToken::new(),
        renewing: tokio::sync::Mutex::new(()),
        rescues_from: Mutex::new(Instant::now() + config.lease.ttl),
        lifecycle: lifecycle.clone(),
        config,
        store,
        bell,
    };
    Ok((shop, machine))
}
