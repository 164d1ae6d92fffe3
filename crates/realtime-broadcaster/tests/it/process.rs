//! The program itself: configured by its environment, stopped by SIGTERM, traced by OTLP.

use crate::{
    client::{Stream, get},
    world::{BOUND, World},
};
use domain::event::EventType;
use realtime_broadcaster::Options;
use serde_json::{Value, json};
use std::{net::SocketAddr, process::Command};
use testkit::{otlp::Collector, process::Child};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_OF_THE_ROW: &str = "00f067aa0ba902b7";
const SPAN_OF_THE_NOTE: &str = "b7ad6b7169203331";

fn program(url: &str, settings: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_realtime-broadcaster"));
    let fixed = [("STORE__URL", url), ("BUS__KIND", "notify"), ("BUS__URL", url), ("BUS__PREFIX", "test")];
    let fixed = fixed.iter().chain(&[("LISTEN", "127.0.0.1:0"), ("TELEMETRY__LOG", "json")]);
    for (name, value) in fixed.chain(settings) {
        command.env(format!("RESETTLE_REALTIME_BROADCASTER__{name}"), value);
    }
    Child::spawn("realtime-broadcaster", command)
}

async fn address(program: &mut Child) -> SocketAddr {
    let line: Value = serde_json::from_str(&program.line("listening", BOUND).await).expect("a JSON line");
    line["address"].as_str().expect("an address").parse().expect("an address")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_streams_traces_and_stops_at_sigterm() {
    let world = World::new(Options::default()).await;
    world.bell_is_up().await;
    let (collector, otlp) = Collector::start().await;
    let otlp = format!("http://{otlp}");
    let url = world.database().url("resettle_broadcaster");
    let mut program = program(&url, &[("TELEMETRY__OTLP_ENDPOINT", &otlp), ("STREAM__TAIL_CHECK", "1h")]);
    let address = address(&mut program).await;
    assert_eq!(get(address, None, "/readyz", None).await.status(), 200);

    let migration = world.migration(&world.me).await;
    let mut stream = Stream::open(address, &world.me.key, migration, None).await;
    assert_eq!(stream.numbers(1).await, [1]);
    // The worker's span wrote the event, the relay's told of it: either may be the parent of its delivery.
    let row = format!("00-{TRACE}-{SPAN_OF_THE_ROW}-01");
    let seq = world.write_traced(migration, EventType::Log, json!({}), Some(&row)).await;
    let note = format!("00-{TRACE}-{SPAN_OF_THE_NOTE}-01");
    world.announce_traced(migration, seq, Some(&note)).await;
    assert_eq!(stream.numbers(1).await, [2]);
    // Where no note carries a context, the row's counts.
    let seq = world.write_traced(migration, EventType::Log, json!({}), Some(&row)).await;
    world.announce(migration, seq).await;
    assert_eq!(stream.numbers(1).await, [3]);

    // An event is counted when it has been handed over, so its reader may be here first.
    let metrics = testkit::wait::until("every event to be counted", BOUND, async || {
        let metrics = get(address, None, "/metrics", None).await.text().await.expect("text");
        let is = |name: &str, value: &str| {
            let mut samples = metrics.lines().filter(|line| line.starts_with(name));
            samples.any(|line| line.ends_with(&format!(" {value}")))
        };
        let counted = is("resettle_event_streams{sort=\"migration\"", "1")
            && is("resettle_events_delivered_total", "3");
        counted.then_some(metrics)
    })
    .await;
    for name in [
        "resettle_event_horizon_lag_seconds",
        "resettle_event_delivery_lag_seconds_count",
        "resettle_event_restless_clients",
        "resettle_event_streams{sort=\"feed\"",
        "resettle_event_streams{sort=\"watch\"",
    ] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }

    program.terminate();
    let bye = stream.next().await.expect("a last frame");
    assert_eq!((bye.event.as_str(), &bye.data["reason"]), ("bye", &"stopping".into()));
    assert!(stream.next().await.is_none());
    assert_eq!(program.exited(BOUND).await.code(), Some(0), "{}", program.log());

    let delivered = collector.named("sse.deliver");
    let parents: Vec<&str> =
        delivered.iter().filter(|span| span.trace == TRACE).map(|span| span.parent.as_str()).collect();
    assert_eq!(parents.len(), 2, "{parents:?}");
    // The first is the row's too, if the reader looked before it heard.
    assert!([SPAN_OF_THE_NOTE, SPAN_OF_THE_ROW].contains(&parents[0]), "{parents:?}");
    assert_eq!(parents[1], SPAN_OF_THE_ROW);
    assert_eq!(collector.named("http./api/migration/{id}/stream").len(), 1);
}

#[tokio::test]
async fn what_cannot_work_says_why_by_its_exit_code() {
    let world = World::new(Options::default()).await;
    let url = world.database().url("resettle_broadcaster");
    let mut typo = program(&url, &[("STREAM__HEARTBEET", "1s")]);
    assert_eq!(typo.exited(BOUND).await.code(), Some(64), "{}", typo.log());
    assert!(typo.log().contains("heartbeet"), "{}", typo.log());
    let mut nonsense = program(&url, &[("STREAM__LIFETIME", "1s")]);
    assert_eq!(nonsense.exited(BOUND).await.code(), Some(64), "{}", nonsense.log());

    world.sql.batch_execute("DELETE FROM refinery_schema_history").await.expect("an older database");
    let mut behind = program(&url, &[]);
    assert_eq!(behind.exited(BOUND).await.code(), Some(75), "{}", behind.log());
    assert!(behind.log().contains("--migrate"), "{}", behind.log());
}
