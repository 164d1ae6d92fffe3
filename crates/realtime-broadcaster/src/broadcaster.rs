//! The broadcaster as a part of a process: what a service of its own and the all-in-one both mount.

use crate::{
    Code, Config, Options, SERVICE,
    access::Credentials,
    address,
    cursor::{History, Mark, Verdict},
    feed,
    grpc::{self, Grpc},
    hub::Hub,
    limits::{Limits, Most, Sort},
    line::{Line, Opening},
    metrics::Metrics,
    pipe,
    problem::Problem,
    route,
    session::Session,
    visitors::{Name, Visitor, Visitors},
    wire::{Hello, Sse, Wire},
};
use actix_web::web::ServiceConfig;
use auth::{Caller, Origins, Sent};
use bus::Bell;
use bytes::Bytes;
use domain::{MigrationId, TenantId};
use proto::stream::Watch;
use service_kit::{BoxError, Lifecycle, cors::Cors};
use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use store::Store;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

/// How often the horizon's lag is measured.
const SAMPLE: Duration = Duration::from_secs(10);

/// Serves streams; a cheap clone is the same broadcaster.
#[derive(Clone)]
pub struct Broadcaster {
    store: Store,
    pub(crate) hub: Hub,
    pub(crate) limits: Limits,
    pub(crate) visitors: Visitors,
    credentials: Credentials,
    origins: Origins,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) options: Arc<Options>,
    pub(crate) metrics: Arc<Metrics>,
}

/// What a request for a stream leads to.
pub(crate) enum Opened {
    /// The frames, as they come.
    Stream(pipe::Receiver<Bytes>),
    /// The history is over and was read to its end: do not come again.
    Over,
}

impl Broadcaster {
    /// Begins to listen to the bell; `origins` is where pages are served. Call it on the runtime that all its tasks
    /// shall live on, after telemetry was set up.
    pub fn new(
        store: Store,
        bell: &dyn Bell,
        options: &Options,
        origins: Origins,
        lifecycle: &Lifecycle,
    ) -> Self {
        let limits = Limits::new(Most {
            process: options.max_streams,
            tenant: options.max_streams_per_tenant,
            user: options.max_streams_per_user,
            address: options.max_streams_per_address,
        });
        let (visitors, options) = (Visitors::default(), Arc::new(options.clone()));
        let meter = opentelemetry::global::meter("realtime_broadcaster");
        let metrics = Arc::new(Metrics::new(&meter, &limits, &visitors));
        let hub = Hub::new(store.clone(), lifecycle.clone(), Arc::clone(&options), Arc::clone(&metrics));
        let (listening, checking, notes) = (hub.clone(), hub.clone(), bell.notes());
        lifecycle.spawn("event notes", async move {
            listening.listen(notes).await;
            Ok(())
        });
        lifecycle.spawn("event tails", async move {
            checking.check_tails().await;
            Ok(())
        });
        let sampling = sample(store.clone(), Arc::clone(&metrics), lifecycle.stopping());
        lifecycle.spawn("event horizon", async move {
            sampling.await;
            Ok(())
        });
        let credentials = Credentials::default();
        let watching = credentials.clone().watch(store.clone(), options.tail_check, lifecycle.stopping());
        lifecycle.spawn("ended credentials", async move {
            watching.await;
            Ok(())
        });
        let lifecycle = lifecycle.clone();
        Self { store, hub, limits, visitors, credentials, origins, lifecycle, options, metrics }
    }

    /// Mounts the streams. Mount them before anything that takes all of `/api`.
    pub fn routes(&self, cors: Cors) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
        route::routes(self.clone(), cors)
    }

    /// Serves gRPC, if the configuration names an address for it, and returns that.
    pub async fn serve_grpc(&self, config: &Config) -> Result<Option<SocketAddr>, BoxError> {
        match config.grpc_listen {
            Some(listen) => grpc::serve(self, listen, config.grpc_token.expose()).await.map(Some),
            None => Ok(None),
        }
    }

    /// Judges a request and begins its stream, on the process's own runtime: what serves requests is a thread
    /// with a runtime that ends before the process does, and connections to the database must not live there.
    pub(crate) async fn open(&self, ask: Ask) -> Result<Opened, Problem> {
        let this = self.clone();
        let opening = async move { this.judge(ask).await }.in_current_span();
        let opened = self.lifecycle.spawn_finite("stream request", opening).await;
        opened.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "The request was cut off.")))
    }

    async fn judge(&self, ask: Ask) -> Result<Opened, Problem> {
        let sent = Sent {
            authorization: ask.authorization.as_deref(),
            cookie: ask.cookie.as_deref(),
            host: ask.host.as_deref(),
            origin: ask.origin.as_deref(),
            fetch_site: ask.fetch_site.as_deref(),
        };
        let caller = auth::identify(&self.store, &self.origins, &sent).await?;
        let what = ask.what?;
        let spread = die();
        let address = address::of(ask.peer, &ask.forwarded, &self.options.proxies);
        let (sort, stream) = match &what {
            What::Migration(migration) => (Sort::Migration, migration.0),
            What::Feed(_) => (Sort::Feed, caller.tenant.0),
        };
        let place = self.limits.enter(sort, caller.tenant, caller.user, address);
        let place = place.map_err(|full| Problem::full(full, spread))?;
        if let Some(client) = ask.client {
            self.visitors.came(Visitor { user: caller.user.0, client, stream }, Instant::now());
        }
        let opening = Opening {
            stopping: self.lifecycle.stopping(),
            key_ends: ends(&caller),
            held: Some(self.credentials.hold(&caller)),
            spread,
            metrics: Arc::clone(&self.metrics),
            place,
        };
        match what {
            What::Migration(migration) => {
                let wanted = Wanted { tenant: caller.tenant, migration, cursor: ask.cursor };
                let frames = self.migration::<Sse>(wanted, opening).await?;
                Ok(frames.map_or(Opened::Over, Opened::Stream))
            }
            What::Feed(chosen) => self.feed(&caller, chosen, ask.cursor, opening).await,
        }
    }

    /// The same for a service, which is trusted to say for which tenant it asks.
    pub(crate) async fn watch(&self, watch: Watch) -> Result<pipe::Receiver<<Grpc as Wire>::Frame>, Problem> {
        let spread = die();
        let place = self.limits.enter_service(Sort::Watch, watch.tenant);
        let opening = Opening {
            stopping: self.lifecycle.stopping(),
            key_ends: None,
            held: None,
            spread,
            metrics: Arc::clone(&self.metrics),
            place: place.map_err(|full| Problem::full(full, spread))?,
        };
        let wanted = Wanted { tenant: watch.tenant, migration: watch.migration, cursor: watch.cursor };
        if let Some(frames) = self.migration::<Grpc>(wanted, opening).await? {
            return Ok(frames);
        }
        let history = self.history(watch.migration.0).await?;
        let tail = self.store.event_tail(watch.tenant, watch.migration).await?.ok_or_else(no_such)?;
        let (only, frames) = pipe::pipe(0);
        only.finish(Grpc::hello(&Hello {
            verdict: Verdict::Over,
            cursor: history.cursor(tail.last_seq),
            range: Some((tail.last_seq, tail.last_seq)),
            heartbeat: self.options.heartbeat,
            retry: self.options.retry,
        }));
        Ok(frames)
    }

    async fn history(&self, whose: Uuid) -> Result<History, Problem> {
        Ok(History::new(self.store.log_incarnation().await?, whose))
    }

    /// Begins a stream of one migration; `None` if the cursor is the end of a history that is over.
    async fn migration<W: Wire>(
        &self,
        wanted: Wanted,
        opening: Opening,
    ) -> Result<Option<pipe::Receiver<W::Frame>>, Problem> {
        let Wanted { tenant, migration, cursor } = wanted;
        let tail = self.store.event_tail(tenant, migration).await?.ok_or_else(no_such)?;
        let history = self.history(migration.0).await?;
        let verdict = Verdict::of(cursor.as_deref(), history, tail);
        if verdict == Verdict::Over {
            return Ok(None);
        }
        let session = Session {
            store: self.store.clone(),
            tenant,
            migration,
            history,
            verdict,
            last: tail.last_seq,
            subscription: self.hub.subscribe((tenant, migration), history, tail.last_seq),
            heartbeat: self.options.heartbeat,
            page: self.options.page,
            metrics: Arc::clone(&self.metrics),
        };
        let (line, frames) = Line::<W>::open(opening, &self.options);
        self.begin(session.run(line));
        Ok(Some(frames))
    }

    async fn feed(
        &self,
        caller: &Caller,
        chosen: Option<HashSet<MigrationId>>,
        cursor: Option<String>,
        opening: Opening,
    ) -> Result<Opened, Problem> {
        let tenant = caller.tenant;
        if let Some(chosen) = &chosen {
            let asked: Vec<MigrationId> = chosen.iter().copied().collect();
            if self.store.migrations_with_events(tenant, &asked).await?.len() < asked.len() {
                return Err(no_such());
            }
        }
        let history = self.history(tenant.0).await?;
        let tip = self.store.event_tip().await?;
        let (mut verdict, mut mark) = Verdict::across(cursor.as_deref(), history, tip);
        if matches!(verdict, Verdict::Resumed(_)) {
            let most = self.options.max_backlog;
            if self.store.events_since(tenant, mark.below, most.saturating_add(1)).await? > most {
                (verdict, mark) = (Verdict::Gap("too_old"), Mark::at(tip.horizon));
            }
        }
        let session = feed::Session {
            sweep: feed::Sweep::new(self.store.clone(), tenant, mark, self.options.page),
            history,
            verdict,
            mark,
            chosen,
            subscription: self.hub.follow(tenant, history, tip.horizon),
            heartbeat: self.options.heartbeat,
            metrics: Arc::clone(&self.metrics),
        };
        let (line, frames) = Line::<Sse>::open(opening, &self.options);
        self.begin(session.run(line));
        Ok(Opened::Stream(frames))
    }

    /// The stream outlives the request's span, which ends with the answer's head.
    fn begin(&self, session: impl Future<Output = ()> + Send + 'static) {
        // Boxed before it is wrapped: each wrapper would hold room for it twice.
        self.lifecycle.spawn_finite("stream", Box::pin(session).instrument(tracing::Span::none()));
    }
}

/// What a client asks for, and the headers that tell who it is.
pub(crate) struct Ask {
    pub(crate) authorization: Option<String>,
    pub(crate) cookie: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) origin: Option<String>,
    pub(crate) fetch_site: Option<String>,
    pub(crate) peer: IpAddr,
    pub(crate) forwarded: String,
    /// What the client calls itself.
    pub(crate) client: Option<Name>,
    pub(crate) what: Result<What, Problem>,
    pub(crate) cursor: Option<String>,
}

/// One migration's history, from a cursor on.
struct Wanted {
    tenant: TenantId,
    migration: MigrationId,
    cursor: Option<String>,
}

/// Whose events.
pub(crate) enum What {
    /// One migration's.
    Migration(MigrationId),
    /// Those of all of the caller's organisation's migrations, or of these.
    Feed(Option<HashSet<MigrationId>>),
}

fn no_such() -> Problem {
    Problem::new(Code::MigrationNotFound, "Check the id, and which organisation your key is of.")
}

/// When the key ends, on this process's own clock.
fn ends(caller: &Caller) -> Option<Instant> {
    let left = caller.expires_at? - OffsetDateTime::now_utc();
    Some(Instant::now() + Duration::try_from(left).unwrap_or(Duration::ZERO))
}

/// Between 0 and 1: so that many who were refused or sent away do not all come back at once.
fn die() -> f64 {
    let [byte, ..] = Uuid::new_v4().into_bytes();
    f64::from(byte) / 256.0
}

async fn sample(store: Store, metrics: Arc<Metrics>, stopping: CancellationToken) {
    loop {
        match store.event_horizon_lag().await {
            Ok(seconds) => metrics.horizon(seconds),
            Err(error) => tracing::debug!(%error, "{SERVICE} could not measure the horizon's lag"),
        }
        if stopping.run_until_cancelled(sleep(SAMPLE)).await.is_none() {
            return;
        }
    }
}
