//! What operators and orchestrators ask a service: is it alive, is it ready, what are its figures.
//!
//! `/livez` and `/healthz` answer as long as the process can answer at all; `/readyz` is 503 while a check
//! fails and from the moment the process begins to stop; `/metrics` is Prometheus text.

use crate::{BoxError, Lifecycle, exit::chain, http};
use actix_web::{
    HttpResponse,
    http::header::ContentType,
    web::{self, ServiceConfig},
};
use futures::future::{BoxFuture, join_all};
use prometheus::{Registry, TextEncoder};
use serde_json::json;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// A check must not hold up the probe that asks.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync>;

/// The checks behind `/readyz`.
#[derive(Clone)]
pub struct Readiness {
    stopping: CancellationToken,
    checks: Vec<(&'static str, Check)>,
}

impl Readiness {
    /// Ready until the lifecycle begins to stop.
    pub fn new(lifecycle: &Lifecycle) -> Self {
        Self { stopping: lifecycle.stopping(), checks: Vec::new() }
    }

    /// Ready only while this check passes, too.
    #[must_use]
    pub fn with<F, R>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.checks.push((name, Arc::new(move || Box::pin(check()))));
        self
    }

    /// What is not ready: name and reason. Empty when all is well.
    pub async fn missing(&self) -> Vec<(&'static str, String)> {
        if self.stopping.is_cancelled() {
            return vec![("process", "stopping".to_owned())];
        }
        let asked = self.checks.iter().map(|(name, check)| async move {
            match timeout(CHECK_TIMEOUT, check()).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some((*name, chain(error.as_ref()))),
                Err(_) => Some((*name, "did not answer in time".to_owned())),
            }
        });
        join_all(asked).await.into_iter().flatten().collect()
    }
}

/// Mounts `/livez`, `/healthz`, `/readyz` and `/metrics`.
pub fn routes(
    readiness: Readiness,
    registry: Registry,
) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| {
        let (readiness, registry) = (readiness.clone(), registry.clone());
        config
            .route("/livez", web::get().to(async || "ok\n"))
            .route("/healthz", web::get().to(async || "ok\n"))
            .route("/readyz", web::get().to(move || ready(readiness.clone())))
            .route("/metrics", web::get().to(move || metrics(registry.clone())));
    }
}

/// Serves [`routes`] on an address of its own. Returns the address that was bound.
pub fn serve(
    lifecycle: &Lifecycle,
    listen: SocketAddr,
    readiness: Readiness,
    registry: Registry,
) -> io::Result<SocketAddr> {
    let server = http::Server { name: "admin", listen, workers: 1, grace: Duration::from_secs(1) };
    http::serve(lifecycle, server, routes(readiness, registry))
}

async fn ready(readiness: Readiness) -> HttpResponse {
    let missing = readiness.missing().await;
    if missing.is_empty() {
        return HttpResponse::Ok().json(json!({ "ready": true }));
    }
    // Names only: reasons may hold addresses, and belong in the log.
    for (name, reason) in &missing {
        tracing::warn!(check = name, reason, "not ready");
    }
    let names: Vec<_> = missing.into_iter().map(|(name, _)| name).collect();
    HttpResponse::ServiceUnavailable().json(json!({ "ready": false, "missing": names }))
}

async fn metrics(registry: Registry) -> HttpResponse {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text),
        Err(error) => {
            tracing::error!(error = %chain(&error), "the metrics could not be written");
            HttpResponse::InternalServerError().content_type(ContentType::plaintext()).finish()
        }
    }
}
