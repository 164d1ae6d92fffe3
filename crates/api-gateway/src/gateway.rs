//! What the routes share, and where they are mounted.

use crate::{
    Config, SERVICE, answers, correlation, input, live::Workers, metrics::Metrics, openapi, pages, routes,
};
use actix_web::{
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use auth::Origins;
use object_store::ObjectStore;
use prometheus::Registry;
use service_kit::{
    admin::{self, Readiness},
    cors::{self, Cors},
};
use std::sync::Arc;
use store::Store;
use tokio::sync::Semaphore;

/// First looks at sites under way at once: each is a handful of requests to somebody else's server.
const MOST_LOOKS: usize = 4;

/// The gateway's parts; a cheap clone is the same gateway.
#[derive(Clone)]
pub struct Gateway {
    parts: Data<Parts>,
    cors: Data<Cors>,
}

/// What a route may use.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) store: Store,
    /// On the operators' role, if this gateway serves them.
    pub(crate) operators: Option<Store>,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) guard: site_fetch::Fetcher,
    pub(crate) workers: Workers,
    pub(crate) metrics: Metrics,
    pub(crate) origins: Origins,
    pub(crate) looks: Semaphore,
}

/// Why the gateway cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place for artefacts cannot be opened.
    #[error("the artefacts' store cannot be opened")]
    Objects(#[source] service_kit::objects::Error),
    /// The guard of outgoing addresses cannot be set up.
    #[error("the guarded fetcher cannot be set up")]
    Guard(#[source] site_fetch::Error),
    /// The configuration names an origin that is none; `Config::check` tells more.
    #[error("{0:?} is no origin")]
    Origin(String),
}

impl Gateway {
    /// Opens what the routes need besides the database; binds nothing. `operators` is the database on the operators' role,
    /// if they are served here.
    pub fn new(config: &Config, store: Store, operators: Option<Store>) -> Result<Self, Error> {
        let guard =
            site_fetch::Options { allow: config.allow_addresses.clone(), ..site_fetch::Options::default() };
        let parts = Parts {
            store,
            operators,
            objects: config.objects.open().map_err(Error::Objects)?,
            guard: site_fetch::Fetcher::new(guard).map_err(Error::Guard)?,
            workers: Workers::new(config.grpc_token.clone(), config.grpc_deadline),
            metrics: Metrics::new(),
            origins: config.origins().map_err(Error::Origin)?,
            looks: Semaphore::new(MOST_LOOKS),
            config: config.clone(),
        };
        let cors = config.cors().map_err(Error::Origin)?;
        Ok(Self { parts: Data::new(parts), cors: Data::new(cors) })
    }

    /// Mounts every route of the gateway, and answers for every address that nobody else took: mount it last.
    pub fn routes(
        &self,
        readiness: Readiness,
        registry: Registry,
    ) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
        let (parts, cors) = (self.parts.clone(), self.cors.clone());
        let admin = admin::routes(readiness, registry);
        move |config| {
            let scope = web::scope("")
                .wrap(from_fn(answers::in_one_form))
                .wrap(from_fn(correlation::carry))
                .wrap(from_fn(cors::answer))
                .wrap(telemetry::http::spans(SERVICE))
                .wrap(from_fn(answers::head_as_get))
                .app_data(parts.clone())
                .app_data(cors.clone())
                .app_data(input::query_config())
                .configure(admin.clone())
                .configure(routes::mount)
                .configure(pages::mount)
                .configure(openapi::mount)
                .default_service(web::to(routes::nothing_here));
            config.service(scope);
        }
    }
}
