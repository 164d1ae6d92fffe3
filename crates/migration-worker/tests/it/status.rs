//! The status service: fresher than the record, for those who have the token.

use crate::world::{BOUND, Bell, Running, TOKEN, World, small_site};
use domain::{Epoch, phase::Phase, trace::TraceContext};
use proto::{
    control::{
        HeedCancel,
        v1::{HeedCancelRequest, worker_control_client::WorkerControlClient},
    },
    status::{
        LiveStatus,
        v1::{GetJobStatusRequest, worker_status_client::WorkerStatusClient},
    },
};
use std::time::Duration;
use store::{CancelOutcome, CancelRequest};
use testkit::{site::Answer, wait};
use tonic::{Code, Request, transport::Channel};

async fn client(running: &Running) -> WorkerStatusClient<Channel> {
    let address = format!("http://{}", running.worker.grpc_address());
    WorkerStatusClient::connect(address).await.expect("the status service listens")
}

fn ask(job: &str, token: Option<&str>) -> Request<GetJobStatusRequest> {
    let mut request = Request::new(GetJobStatusRequest { job_id: job.to_owned() });
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
    }
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_tells_a_step_that_is_not_in_postgres_and_only_to_those_with_the_token() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/contact.html", Answer::stalled("text/html"));
    let mut config = world.config(Bell::Away, site.addr());
    config.finish_within = Duration::ZERO;
    let running = Running::start(config).await;
    let (migration, job) = world.start(&site).await;
    wait::until_true("the crawl to hang", BOUND, || async { site.hits("/contact.html") > 0 }).await;

    let holder = world.gateway.holder(world.member.tenant, migration).await.expect("a look").expect("held");
    assert_eq!(holder.worker, running.worker.id());
    assert_eq!(holder.grpc_address, format!("http://{}", running.worker.grpc_address()));

    let mut client = client(&running).await;
    let live = wait::until("a step of the crawl", BOUND, || {
        let mut client = client.clone();
        async move {
            let answer = client.get_job_status(ask(&job.to_string(), Some(TOKEN))).await.expect("an answer");
            let live = LiveStatus::try_from(answer.into_inner()).expect("valid");
            live.step.starts_with("Reading http").then_some(live)
        }
    })
    .await;
    assert_eq!((live.job, live.epoch, live.phase), (job, Epoch(1), Some(Phase::Analyze)));
    // The moment since which it does so is in no table.
    let written =
        world.text("SELECT coalesce(max(detail::text), '') FROM events WHERE migration_id = $1", migration.0);
    assert!(!written.await.contains("step_since"));

    for token in [None, Some("another token that is long")] {
        let refused = client.get_job_status(ask(&job.to_string(), token)).await.expect_err("refused");
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
    let stranger = uuid::Uuid::now_v7().to_string();
    let unknown = client.get_job_status(ask(&stranger, Some(TOKEN))).await.expect_err("not held");
    assert_eq!(unknown.code(), Code::NotFound);
    let nonsense = client.get_job_status(ask("seven", Some(TOKEN))).await.expect_err("no id");
    assert_eq!(nonsense.code(), Code::InvalidArgument);

    let channel = Channel::from_shared(format!("http://{}", running.worker.grpc_address())).expect("a URL");
    let mut health =
        tonic_health::pb::health_client::HealthClient::new(channel.connect().await.expect("connects"));
    let service = "resettle.status.v1.WorkerStatus".to_owned();
    let asked = tonic_health::pb::HealthCheckRequest { service };
    let serving = health.check(asked).await.expect("an answer").into_inner().status;
    assert_eq!(serving, tonic_health::pb::health_check_response::ServingStatus::Serving as i32);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_makes_it_look_at_the_record_and_the_record_alone_decides() {
    let (world, site) = (World::new().await, small_site().await);
    site.answer("/contact.html", Answer::stalled("text/html"));
    let mut config = world.config(Bell::Away, site.addr());
    // The next heartbeat is far away.
    (config.lease.ttl, config.lease.heartbeat) = (Duration::from_secs(60), Duration::from_secs(20));
    config.cancel_grace = Duration::from_secs(600);
    let running = Running::start(config).await;
    let (migration, job) = world.start(&site).await;
    wait::until_true("the crawl to hang", BOUND, || async { site.hits("/contact.html") > 0 }).await;
    let address = format!("http://{}", running.worker.grpc_address());
    let mut control = WorkerControlClient::connect(address).await.expect("the control service listens");
    let look = |epoch: i64, token: &str| {
        let mut request = Request::new(HeedCancelRequest::from(HeedCancel { job, epoch: Epoch(epoch) }));
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
        request
    };
    let refused = control.heed_cancel(look(1, "another token that is long")).await.expect_err("refused");
    assert_eq!(refused.code(), Code::Unauthenticated);
    let other = control.heed_cancel(look(2, TOKEN)).await.expect_err("another lease");
    assert_eq!(other.code(), Code::NotFound);
    let nobody_asked = control.heed_cancel(look(1, TOKEN)).await.expect("an answer").into_inner();
    assert!(!nobody_asked.cancelling, "a call is no wish");

    let wish = CancelRequest {
        tenant: world.member.tenant,
        user: world.member.user,
        migration,
        trace: TraceContext::default(),
    };
    let outcome = world.gateway.request_cancel(&wish).await.expect("a wish");
    assert_eq!(outcome, CancelOutcome::Requested);
    let heeded = control.heed_cancel(look(1, TOKEN)).await.expect("an answer").into_inner();
    assert!(heeded.cancelling);
    world.reaches(migration, "cancelled").await;
    running.stop().await;
}
