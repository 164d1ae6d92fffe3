//! Log lines for machines, metrics, and an end that a dead collector cannot hold up.

use crate::child;
use opentelemetry::global;
use serde_json::Value;
use std::time::{Duration, Instant};
use telemetry::{Format, Options};
use tracing::{info, info_span, warn};

#[tokio::test]
async fn a_json_line_can_be_found_by_trace_and_migration() {
    let output = child::run("lines::lines_child").await;
    let text = String::from_utf8(output.stderr).expect("text");
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let line = |message: &str| {
        lines
            .iter()
            .find(|line| line["message"] == message)
            .unwrap_or_else(|| panic!("no {message:?} in {text}"))
    };
    let inside = line("inside");
    assert_eq!(inside["migration"], "m-1");
    assert_eq!(inside["phase"], "PLAN");
    assert_eq!((&inside["pages"], &inside["level"]), (&7.into(), &"WARN".into()));
    assert_eq!(inside["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(inside["time"].as_str().is_some_and(|time| time.starts_with("20")));
    assert!(inside.get("otel.kind").is_none(), "what is for the exporter stays out");
    let outside = line("outside");
    assert!(outside.get("trace_id").is_none() && outside.get("migration").is_none());
    assert!(!text.contains("quiet"), "the filter is obeyed");
}

/// Not a test by itself: its body needs a process of its own.
#[tokio::test(flavor = "multi_thread")]
async fn lines_child() {
    if !child::is_child() {
        return;
    }
    // A collector that nobody listens at: nothing may wait for it for long.
    let options = Options {
        otlp_endpoint: Some("http://127.0.0.1:9".into()),
        log: Format::Json,
        filter: "info,noisy=off".into(),
    };
    let telemetry = telemetry::init(&["migration-worker"], &options).expect("it begins");
    info!("outside");
    info!(target: "noisy", "quiet");
    let job = info_span!("job", migration = "m-1", phase = "ANALYZE", otel.kind = "consumer");
    telemetry::set_parent(&job, Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), None);
    let _job = job.enter();
    let _phase = info_span!("phase", phase = "PLAN").entered();
    warn!(pages = 7, "inside");

    let counter = global::meter("test").u64_counter("resettle_tests_total").with_description("Tests").build();
    counter.add(3, &[opentelemetry::KeyValue::new("cause", "test")]);
    let families = telemetry.registry().gather();
    let family = families.iter().find(|family| family.name() == "resettle_tests_total").expect("it is there");
    assert_eq!(family.get_metric().len(), 1);

    let began = Instant::now();
    telemetry.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(15), "a dead collector does not hold up the end");
}

#[test]
fn a_filter_that_cannot_be_read_is_refused() {
    let options = Options { filter: "info,[[".into(), ..Options::default() };
    assert!(matches!(telemetry::init(&["x"], &options), Err(telemetry::Error::Filter(_))));
    assert!(matches!(telemetry::init(&[], &Options::default()), Err(telemetry::Error::NoService)));
}
