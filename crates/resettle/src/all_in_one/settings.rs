//! The services' own configurations, as the all-in-one fills them in. Everything that is not about putting them
//! together can be set as for a service of its own, under the service's name.

use super::{BROADCASTER, GATEWAY, OPERATOR, Options, WORKER, folder_url};
use crate::{cache, data_folder::DataFolder, postgres::Embedded};
use serde::Deserialize;
use service_kit::{Secret, config};
use std::time::Duration;
use uuid::Uuid;

/// One terminal's Ctrl-C should not take the time of a rolling update: a job that is handed back loses nothing.
const FINISH_WITHIN: Duration = Duration::from_secs(3);
const GRACE: Duration = Duration::from_secs(15);

/// `RESETTLE_ALL_IN_ONE__WORKER__CONCURRENCY=4` and so on; see `docs/configuration.md`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Logs, traces: one set for the process.
    pub telemetry: telemetry::Options,
    /// What a gateway can be told.
    pub gateway: api_gateway::Config,
    /// What a worker can be told.
    pub worker: migration_worker::Config,
    /// What a broadcaster can be told.
    pub broadcaster: realtime_broadcaster::Config,
}

impl Default for Settings {
    fn default() -> Self {
        let worker = migration_worker::Config {
            finish_within: FINISH_WITHIN,
            grace: GRACE,
            ..migration_worker::Config::default()
        };
        let gateway = api_gateway::Config { grace: FINISH_WITHIN, ..api_gateway::Config::default() };
        Self {
            telemetry: telemetry::Options::default(),
            gateway,
            worker,
            broadcaster: realtime_broadcaster::Config::default(),
        }
    }
}

impl Settings {
    /// The environment's wishes and the command line's.
    pub(crate) fn load(options: &Options) -> Result<Self, anyhow::Error> {
        let mut settings: Self = config::load("all-in-one", None)?;
        settings.telemetry.filter.clone_from(&options.filter);
        settings.gateway.listen = options.listen;
        settings.gateway.allow_addresses.extend(&options.allow_addresses);
        settings.worker.allow_addresses.extend(&options.allow_addresses);
        Ok(settings)
    }

    /// Puts the services on one database, one folder and one bell, each with its own role.
    pub(crate) fn on(mut self, postgres: &Embedded, folder: &DataFolder) -> Result<Self, anyhow::Error> {
        self.gateway.store.url = postgres.url(GATEWAY);
        self.gateway.operator_store.url = postgres.url(OPERATOR);
        self.worker.store.url = postgres.url(WORKER);
        self.broadcaster.store.url = postgres.url(BROADCASTER);
        self.worker.bus = bus::Options::Notify { url: postgres.url(WORKER), prefix: "resettle".into() };
        let objects = folder_url(&folder.objects())?;
        self.gateway.objects.url.clone_from(&objects);
        self.worker.objects.url = objects;
        // Known to this process alone, and new at each start.
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.gateway.grpc_token = Secret::new(token.clone());
        self.worker.grpc_token = Secret::new(token);
        self.worker.grpc_listen.set_port(0);
        self.worker.toolchain.dir.get_or_insert_with(cache::toolchain);
        self.gateway.check()?;
        self.worker.check()?;
        self.broadcaster.check()?;
        Ok(self)
    }
}
