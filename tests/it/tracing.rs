//! One trace from the request through outbox, broker, worker, gRPC and broadcaster, as a real collector receives it.

use crate::{
    example,
    moves::assert_success,
    stack::{Stack, Terms},
};
use std::time::Duration;
use testkit::{
    broker::Broker,
    otlp::{Collector, Span},
    postgres::Database,
    wait,
};

const BOUND: Duration = Duration::from_secs(60);

/// The only span with this name and service in the trace.
fn the<'a>(spans: &'a [Span], service: &str, name: &str) -> &'a Span {
    let found: Vec<&Span> = spans.iter().filter(|s| s.service == service && s.name == name).collect();
    assert_eq!(found.len(), 1, "{service} has {} spans named {name}: {spans:#?}", found.len());
    found[0]
}

async fn trace_of_one_migration(terms: Terms) -> Vec<Span> {
    let site = example::site().await;
    let (receiver, otlp) = Collector::start().await;
    let terms = Terms { otlp: Some(format!("http://{otlp}")), allow: vec![site.addr()], ..terms };
    let stack = Stack::start(Database::create().await, terms).await;
    let worker = stack.worker().await;
    let id = stack.client.start(&site.url()).await.expect("it starts");
    assert_success(&stack.client.follow_to_the_end(&id).await.expect("a history"));
    // Stopping flushes what each of the three still holds.
    for process in [&stack.gateway, &stack.broadcaster, &worker.process] {
        process.terminate();
    }
    let root = "http./api/migration/start";
    wait::until("the spans of all three", BOUND, || async {
        let spans = receiver.spans();
        let trace = spans.iter().find(|s| s.name == root)?.trace.clone();
        let of_trace: Vec<Span> = spans.into_iter().filter(|s| s.trace == trace).collect();
        let complete = ["api-gateway", "migration-worker", "realtime-broadcaster"]
            .iter()
            .all(|service| of_trace.iter().any(|s| s.service == *service));
        (complete && of_trace.iter().any(|s| s.name == "job.migrate_website")).then_some(of_trace)
    })
    .await
}

fn assert_job_belongs_to_the_request(spans: &[Span]) {
    let request = the(spans, "api-gateway", "http./api/migration/start");
    let job = the(spans, "migration-worker", "job.migrate_website");
    assert_eq!(job.parent, request.id, "the first attempt continues the request");
    for phase in ["analyze", "plan", "transform", "verify", "deploy"] {
        let span = the(spans, "migration-worker", &format!("phase.{phase}"));
        assert_eq!(span.parent, job.id, "phase.{phase}");
    }
    let delivered: Vec<&Span> = spans.iter().filter(|s| s.name == "sse.deliver").collect();
    assert!(!delivered.is_empty());
    for span in delivered {
        assert_eq!(span.service, "realtime-broadcaster");
        assert!(spans.iter().any(|s| s.id == span.parent), "sse.deliver hangs in the air: {span:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_from_three_processes() {
    let anywhere = "127.0.0.1:1".parse().expect("an address");
    let spans = trace_of_one_migration(Terms::with_shared_broker(anywhere)).await;
    assert_job_belongs_to_the_request(&spans);
    let request = the(&spans, "api-gateway", "http./api/migration/start");
    let published: Vec<&Span> =
        spans.iter().filter(|s| s.name.starts_with("amqp.") && s.name.ends_with(".publish")).collect();
    assert!(published.iter().any(|s| s.parent == request.id), "the relay continues the request: {spans:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_polling_found_has_its_trace_too() {
    let broker = Broker::absent();
    let anywhere = "127.0.0.1:1".parse().expect("an address");
    let terms = Terms { amqp: broker.url(), ..Terms::with_shared_broker(anywhere) };
    assert_job_belongs_to_the_request(&trace_of_one_migration(terms).await);
}
