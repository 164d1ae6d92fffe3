//! OpenTelemetry's metrics, read at `/metrics` in Prometheus form.

use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider};
use prometheus::Registry;

/// A meter provider that collects into the registry.
pub(crate) fn provider(service: &'static str, registry: &Registry) -> Result<SdkMeterProvider, crate::Error> {
    let reader = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        // Where a metric is declared its name stands as people will query it: nothing is appended here.
        .without_units()
        .without_counter_suffixes()
        .without_target_info()
        .build()
        .map_err(crate::Error::Metrics)?;
    let resource = Resource::builder().with_service_name(service).build();
    Ok(SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build())
}
