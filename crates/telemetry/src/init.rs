//! Setting up and taking down: one tracer provider per service, one subscriber and one registry per process.

use crate::{
    Options, log, metrics,
    service::{Owners, Router},
};
use opentelemetry::{global, trace::TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkError,
    metrics::SdkMeterProvider,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use prometheus::Registry;
use std::time::Duration;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// A collector that is away must not hold up an export for long, nor the end of the process.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// The exporter's own transport would trace itself without end.
const QUIET: &str =
    "h2=off,hyper=off,hyper_util=off,tonic=off,tower=off,opentelemetry=warn,opentelemetry_sdk=warn";

/// Why telemetry cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter is not in the syntax of `EnvFilter`.
    #[error("the log filter cannot be read")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// The OTLP endpoint is not usable.
    #[error("the OTLP exporter cannot be set up")]
    Exporter(#[source] ExporterBuildError),
    /// The Prometheus registry refused the collector.
    #[error("the metrics cannot be set up")]
    Metrics(#[source] OTelSdkError),
    /// A subscriber is installed already.
    #[error("telemetry was set up twice in one process")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
    /// There was no service to speak for.
    #[error("telemetry needs the name of at least one service")]
    NoService,
}

/// What was set up; keep it to the end of `main`.
#[derive(Debug)]
pub struct Telemetry {
    tracers: Vec<SdkTracerProvider>,
    meters: SdkMeterProvider,
    registry: Registry,
}

/// Sets up logs, traces and metrics for the services of this process, once, inside its tokio runtime.
///
/// Create metrics after this: an instrument made before it counts nothing.
pub fn init(services: &[&'static str], options: &Options) -> Result<Telemetry, Error> {
    let first = services.first().copied().ok_or(Error::NoService)?;
    let filter = EnvFilter::try_new(format!("{QUIET},{}", options.filter)).map_err(Error::Filter)?;
    let tracers = services
        .iter()
        .map(|service| provider(service, options.otlp_endpoint.as_deref()))
        .collect::<Result<Vec<_>, _>>()?;
    let registry = Registry::new();
    let meters = metrics::provider(first, &registry)?;
    let router = Router::new(tracers.iter().map(|provider| provider.tracer("resettle")).collect());
    let spans = tracing_opentelemetry::layer().with_tracer(router).with_location(false).with_threads(false);
    tracing_subscriber::registry()
        .with(filter)
        .with(Owners::new(services).and_then(spans))
        .with(log::layer(options.log))
        .try_init()
        .map_err(Error::Twice)?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(tracers[0].clone());
    global::set_meter_provider(meters.clone());
    Ok(Telemetry { tracers, meters, registry })
}

impl Telemetry {
    /// What `/metrics` shows.
    pub fn registry(&self) -> Registry {
        self.registry.clone()
    }

    /// Sends what is still buffered, within a few seconds, and ends all exports.
    pub async fn shutdown(self) {
        // It blocks, and the exporter's channel needs this runtime to go on meanwhile.
        let flushed = tokio::task::spawn_blocking(move || {
            let failed =
                self.tracers.iter().filter_map(|one| one.shutdown_with_timeout(EXPORT_TIMEOUT).err());
            let failed: Vec<_> = failed.map(|error| error.to_string()).collect();
            // Nothing is pushed from here; an error would only say that it was shut down before.
            drop(self.meters.shutdown());
            failed
        });
        match flushed.await {
            Ok(failed) if failed.is_empty() => {}
            Ok(failed) => {
                tracing::warn!(errors = failed.join("; "), "the last spans may not have been exported")
            }
            Err(error) => tracing::warn!(%error, "telemetry could not be flushed"),
        }
    }
}

/// A service's own provider: its name is on every span, also when three services share the process.
fn provider(service: &'static str, endpoint: Option<&str>) -> Result<SdkTracerProvider, Error> {
    let builder = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name(service).build())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)));
    // Without an endpoint there are still ids: log lines, rows and problem documents carry them.
    let Some(endpoint) = endpoint else { return Ok(builder.build()) };
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(Error::Exporter)?;
    Ok(builder.with_batch_exporter(exporter).build())
}
