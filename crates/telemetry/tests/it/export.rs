//! Spans of three services in one process arrive as from three processes.

use crate::child;
use actix_web::{App, HttpResponse, test, web};
use telemetry::{Options, current_context, grpc, http};
use testkit::otlp::Collector;
use tracing::{Instrument, info_span};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const CALLERS_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLERS_SPAN: &str = "00f067aa0ba902b7";

#[tokio::test]
async fn three_services_in_one_process_look_like_three_processes() {
    child::run("export::three_services_child").await;
}

/// Not a test by itself: its body needs a process of its own.
#[tokio::test(flavor = "multi_thread")]
async fn three_services_child() {
    if !child::is_child() {
        return;
    }
    let (collector, address) = Collector::start().await;
    let options = Options { otlp_endpoint: Some(format!("http://{address}")), ..Options::default() };
    let services = ["api-gateway", "migration-worker", "realtime-broadcaster"];
    let telemetry = telemetry::init(&services, &options).expect("it begins");
    assert!(telemetry::init(&services, &options).is_err(), "once per process");

    let stored = request().await;
    work(&stored).await;
    deliver(&stored);
    orphan();
    telemetry.shutdown().await;

    let post = collector.span("http./start/{id}");
    assert_eq!((post.service.as_str(), post.trace.as_str()), ("api-gateway", CALLERS_TRACE));
    assert_eq!(post.parent, CALLERS_SPAN);
    assert!(!post.attributes.contains_key("resettle.owner"), "the mark is not exported");
    let insert = collector.span("db.job.insert");
    assert_eq!((insert.service.as_str(), insert.parent.as_str()), ("api-gateway", post.id.as_str()));

    let job = collector.span("job.migrate_website");
    assert_eq!((job.service.as_str(), job.parent.as_str()), ("migration-worker", post.id.as_str()));
    assert_eq!(job.trace, CALLERS_TRACE);
    assert_eq!(job.links, [CALLERS_SPAN]);
    let claim = collector.span("db.job.claim");
    assert_eq!((claim.service.as_str(), claim.parent.as_str()), ("migration-worker", job.id.as_str()));
    let answered = collector.span("grpc.Answered");
    let asked = collector.span("grpc.Asked");
    assert_eq!((asked.service.as_str(), answered.service.as_str()), ("migration-worker", "api-gateway"));
    assert_eq!(answered.parent, asked.id, "metadata carried the context");

    let deliver = collector.span("sse.deliver");
    assert_eq!(
        (deliver.service.as_str(), deliver.parent.as_str()),
        ("realtime-broadcaster", post.id.as_str())
    );
    let orphan = collector.span("nobodys");
    assert_eq!((orphan.service.as_str(), orphan.parent.as_str()), ("api-gateway", ""), "the first service");
    assert_ne!(orphan.trace, CALLERS_TRACE);
}

/// A request with a `traceparent`; answers the context that would be stored on rows.
async fn request() -> Option<String> {
    let scope = web::scope("/start").wrap(http::spans("api-gateway")).route(
        "/{id}",
        web::post().to(async || {
            info_span!(target: "store::jobs", "db.job.insert").in_scope(|| ());
            assert_eq!(telemetry::trace_id().as_deref(), Some(CALLERS_TRACE));
            HttpResponse::Ok().body(current_context().0.unwrap_or_default())
        }),
    );
    let app = test::init_service(App::new().service(scope)).await;
    let request =
        test::TestRequest::post().uri("/start/7").insert_header(("traceparent", CALLER)).to_request();
    let body = test::call_and_read_body(&app, request).await;
    Some(String::from_utf8(body.to_vec()).expect("text"))
}

/// A job that continues the request, on another thread, with a library's span and a call in it.
async fn work(stored: &Option<String>) {
    let job = info_span!(target: "migration_worker::run", parent: None, "job.migrate_website");
    telemetry::set_parent(&job, stored.as_deref(), None);
    telemetry::add_link(&job, Some(CALLER), None);
    let running = async {
        async {}.instrument(info_span!(target: "store::jobs", "db.job.claim")).await;
        let mut call = tonic::Request::new(());
        grpc::client_span("Asked").in_scope(|| grpc::inject(&mut call));
        // The other side, in the same process but under no span of ours.
        let call = call.map(|()| "received");
        let other_side =
            std::thread::spawn(move || grpc::server_span("api-gateway", "Answered", &call).in_scope(|| ()));
        other_side.join().expect("no panic");
    };
    #[expect(clippy::disallowed_methods, reason = "the point is another thread")]
    tokio::spawn(running.instrument(job)).await.expect("no panic");
}

/// A span whose owner is told by its field.
fn deliver(stored: &Option<String>) {
    let span = info_span!(target: "somewhere::shared", parent: None, "sse.deliver", service = "realtime-broadcaster");
    telemetry::set_parent(&span, stored.as_deref(), Some(""));
    // What cannot be read changes nothing.
    telemetry::set_parent(&span, Some("no context"), None);
    telemetry::set_parent(&span, None, None);
    span.in_scope(|| ());
}

fn orphan() {
    info_span!(target: "somewhere::shared", parent: None, "nobodys").in_scope(|| ());
}
