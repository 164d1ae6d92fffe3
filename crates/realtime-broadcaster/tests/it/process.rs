//! The program itself: configured by its environment, stopped by SIGTERM, traced by OTLP.

use crate::{
    client::{Stream, get},
    collector::Collector,
    world::{BOUND, World},
};
use realtime_broadcaster::Options;
use serde_json::Value;
use std::{net::SocketAddr, process::Command};
use testkit::process::Child;

const OF_THE_ROW: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OF_THE_NOTE: &str = "0af7651916cd43dd8448eb211c80319c";
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
    let url = world.db.url("resettle_broadcaster");
    let mut program = program(&url, &[("TELEMETRY__OTLP_ENDPOINT", &otlp), ("STREAM__TAIL_CHECK", "1h")]);
    let address = address(&mut program).await;
    assert_eq!(get(address, None, "/readyz", None).await.status(), 200);

    let migration = world.migration(&world.me).await;
    let mut stream = Stream::open(address, &world.me.key, migration, None).await;
    assert_eq!(stream.numbers(1).await, [1]);
    // One event whose note carried the relay's context, one that only its row tells of.
    let seq = world.log(migration).await;
    let note = format!("00-{OF_THE_NOTE}-{SPAN_OF_THE_NOTE}-01");
    world.announce_traced(migration, seq, Some(&note)).await;
    assert_eq!(stream.numbers(1).await, [2]);
    world.log(migration).await;
    let row = format!("00-{OF_THE_ROW}-{SPAN_OF_THE_ROW}-01");
    let traced = "UPDATE events SET trace = jsonb_build_object('traceparent', $2::text) WHERE migration_id = $1 AND seq = 3";
    // Nobody looks before the note.
    world.sql.execute(traced, &[&migration.0, &row]).await.expect("the superuser may");
    world.announce(migration, 3).await;
    assert_eq!(stream.numbers(1).await, [3]);

    let metrics = get(address, None, "/metrics", None).await.text().await.expect("text");
    for (name, value) in [("resettle_event_streams", "1"), ("resettle_events_delivered_total", "3")] {
        let sample = metrics.lines().find(|line| line.split(['{', ' ']).next() == Some(name));
        assert!(
            sample.is_some_and(|line| line.ends_with(&format!(" {value}"))),
            "{name} {value} in {metrics}"
        );
    }
    for name in ["resettle_event_horizon_lag_seconds", "resettle_event_delivery_lag_seconds_count"] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }

    program.terminate();
    let bye = stream.next().await.expect("a last frame");
    assert_eq!((bye.event.as_str(), &bye.data["reason"]), ("bye", &"stopping".into()));
    assert!(stream.next().await.is_none());
    assert_eq!(program.exited(BOUND).await.code(), Some(0), "{}", program.log());

    let parents = collector.parents("sse.deliver");
    let pair = |trace: &str, span: &str| (trace.to_owned(), span.to_owned());
    assert!(parents.contains(&pair(OF_THE_NOTE, SPAN_OF_THE_NOTE)), "{parents:?}");
    assert!(parents.contains(&pair(OF_THE_ROW, SPAN_OF_THE_ROW)), "{parents:?}");
    assert_eq!(collector.parents("http./api/migration/{id}/stream").len(), 1);
}

#[tokio::test]
async fn what_cannot_work_says_why_by_its_exit_code() {
    let world = World::new(Options::default()).await;
    let url = world.db.url("resettle_broadcaster");
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
