//! The broadcaster as a part of a process: what a service of its own and the all-in-one both mount.

use crate::{
    Code, Options, SERVICE,
    access::Credentials,
    address,
    cursor::{History, Verdict},
    feed,
    hub::Hub,
    limits::{Limits, Most},
    line::{Line, Opening},
    metrics::Metrics,
    problem::Problem,
    route,
    session::Session,
};
use actix_web::web::ServiceConfig;
use auth::{Caller, Origins, Sent};
use bus::Bell;
use bytes::Bytes;
use domain::MigrationId;
use service_kit::{Lifecycle, cors::Cors};
use std::{collections::HashSet, net::IpAddr, sync::Arc, time::Duration};
use store::{Horizon, Store};
use time::OffsetDateTime;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

/// How often the horizon's lag is measured.
const SAMPLE: Duration = Duration::from_secs(10);

/// Serves streams; a cheap clone is the same broadcaster.
#[derive(Clone)]
pub struct Broadcaster {
    store: Store,
    hub: Hub,
    limits: Limits,
    credentials: Credentials,
    origins: Origins,
    lifecycle: Lifecycle,
    options: Options,
    metrics: Arc<Metrics>,
}

/// What a request for a stream leads to.
pub(crate) enum Opened {
    /// The frames, as they come.
    Stream(mpsc::Receiver<Bytes>),
    /// The history is over and was read to its end: do not come again.
    Over,
}

impl Broadcaster {
    /// Begins to listen to the bell; `origins` is where pages are served. Call it on the runtime that all its tasks shall live on, after telemetry
    /// was set up.
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
        let metrics = Arc::new(Metrics::new(&opentelemetry::global::meter("realtime_broadcaster"), &limits));
        let hub = Hub::new(store.clone(), lifecycle.clone(), options.clone(), Arc::clone(&metrics));
        let (listening, notes) = (hub.clone(), bell.notes());
        lifecycle.spawn("event notes", async move {
            listening.listen(notes).await;
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
        let (lifecycle, options) = (lifecycle.clone(), options.clone());
        Self { store, hub, limits, credentials, origins, lifecycle, options, metrics }
    }

    /// Mounts the streams. Mount them before anything that takes all of `/api`.
    pub fn routes(&self, cors: Cors) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
        route::routes(self.clone(), cors)
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
        let spread = die();
        let address = address::of(ask.peer, &ask.forwarded, &self.options.proxies);
        let place = self.limits.enter(caller.tenant, caller.user, address);
        let place = place.map_err(|full| Problem::full(full, spread))?;
        let opening = Opening {
            stopping: self.lifecycle.stopping(),
            key_ends: ends(&caller),
            held: self.credentials.hold(&caller),
            spread,
            metrics: Arc::clone(&self.metrics),
            place,
        };
        match ask.what {
            What::Migration(migration) => self.migration(&caller, migration, ask.cursor, opening).await,
            What::Feed(chosen) => self.feed(&caller, chosen, ask.cursor, opening).await,
        }
    }

    async fn migration(
        &self,
        caller: &Caller,
        migration: MigrationId,
        cursor: Option<String>,
        opening: Opening,
    ) -> Result<Opened, Problem> {
        let tail = self.store.event_tail(caller.tenant, migration).await?.ok_or_else(no_such)?;
        let history = History::new(self.store.log_incarnation().await?, migration.0);
        let verdict = Verdict::of(cursor.as_deref(), history, tail);
        if verdict == Verdict::Over {
            return Ok(Opened::Over);
        }
        let session = Session {
            store: self.store.clone(),
            tenant: caller.tenant,
            migration,
            history,
            verdict,
            last: tail.last_seq,
            subscription: self.hub.subscribe((caller.tenant, migration), history, tail.last_seq),
            options: self.options.clone(),
            metrics: Arc::clone(&self.metrics),
        };
        let (line, frames) = Line::open(opening, &self.options);
        Ok(self.begin(session.run(line), frames))
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
        let history = History::new(self.store.log_incarnation().await?, tenant.0);
        let tip = self.store.event_tip().await?;
        let mut verdict = Verdict::across(cursor.as_deref(), history, tip);
        if let Verdict::Resumed(at) = verdict {
            let most = self.options.max_backlog;
            if self.store.events_since(tenant, Horizon(at), most.saturating_add(1)).await? > most {
                verdict = Verdict::Gap("too_old");
            }
        }
        let at = verdict.horizon(tip);
        let session = feed::Session {
            sweep: feed::Sweep::new(self.store.clone(), tenant, at, self.options.page),
            history,
            verdict,
            chosen,
            subscription: self.hub.follow(tenant, history, tip.horizon),
            heartbeat: self.options.heartbeat,
            metrics: Arc::clone(&self.metrics),
        };
        let (line, frames) = Line::open(opening, &self.options);
        Ok(self.begin(session.run(line), frames))
    }

    /// The stream outlives the request's span, which ends with the answer's head.
    fn begin(
        &self,
        session: impl Future<Output = ()> + Send + 'static,
        frames: mpsc::Receiver<Bytes>,
    ) -> Opened {
        self.lifecycle.spawn_finite("stream", session.instrument(tracing::Span::none()));
        Opened::Stream(frames)
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
    pub(crate) what: What,
    pub(crate) cursor: Option<String>,
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
