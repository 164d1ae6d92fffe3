//! The broadcaster as a part of a process: what a service of its own and the all-in-one both mount.

use crate::{
    Code, Options, SERVICE,
    cursor::{History, Verdict},
    hub::Hub,
    limits::Limits,
    metrics::Metrics,
    problem::Problem,
    route,
    session::Session,
};
use actix_web::web::ServiceConfig;
use auth::Caller;
use bus::Bell;
use bytes::Bytes;
use domain::MigrationId;
use service_kit::Lifecycle;
use std::{sync::Arc, time::Duration};
use store::Store;
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
    /// Begins to listen to the bell. Call it on the runtime that all its tasks shall live on, after telemetry
    /// was set up.
    pub fn new(store: Store, bell: &dyn Bell, options: &Options, lifecycle: &Lifecycle) -> Self {
        let limits = Limits::new(options.max_streams, options.max_streams_per_tenant);
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
        Self { store, hub, limits, lifecycle: lifecycle.clone(), options: options.clone(), metrics }
    }

    /// Mounts `GET /api/migration/{id}/stream`. Mount it before anything that takes all of `/api/migration`.
    pub fn routes(&self) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
        route::routes(self.clone())
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
        let caller = auth::authenticate(&self.store, ask.authorization.as_deref()).await?;
        let spread = die();
        let place = self.limits.enter(caller.tenant).map_err(|full| Problem::full(full, spread))?;
        let no_such =
            || Problem::new(Code::MigrationNotFound, "Check the id, and which organisation your key is of.");
        let tail = self.store.event_tail(caller.tenant, ask.migration).await?.ok_or_else(no_such)?;
        let history = History::new(self.store.log_incarnation().await?, ask.migration);
        let verdict = Verdict::of(ask.cursor.as_deref(), history, tail);
        if verdict == Verdict::Over {
            return Ok(Opened::Over);
        }
        let (out, frames) = mpsc::channel(self.options.ahead);
        let session = Session {
            store: self.store.clone(),
            tenant: caller.tenant,
            migration: ask.migration,
            history,
            verdict,
            last: tail.last_seq,
            subscription: self.hub.subscribe((caller.tenant, ask.migration), history, tail.last_seq),
            out,
            stopping: self.lifecycle.stopping(),
            key_ends: ends(&caller),
            spread,
            options: self.options.clone(),
            metrics: Arc::clone(&self.metrics),
            place,
        };
        // The stream outlives the request's span, which ends with the answer's head.
        self.lifecycle.spawn_finite("stream", session.run().instrument(tracing::Span::none()));
        Ok(Opened::Stream(frames))
    }
}

/// What a client asks for.
pub(crate) struct Ask {
    pub(crate) authorization: Option<String>,
    pub(crate) migration: MigrationId,
    pub(crate) cursor: Option<String>,
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
