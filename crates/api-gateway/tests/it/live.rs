//! The worker's word, joined into the record, and what happens when there is none.

use crate::server::{GRPC_TOKEN, Server};
use domain::{Epoch, JobId, phase::Phase};
use proto::{
    control::v1::{
        HeedCancelRequest, HeedCancelResponse,
        worker_control_server::{WorkerControl, WorkerControlServer},
    },
    status::{
        LiveStatus,
        v1::{
            GetJobStatusRequest, GetJobStatusResponse,
            worker_status_server::{WorkerStatus, WorkerStatusServer},
        },
    },
};
use reqwest::Method;
use serde_json::Value;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use store::{ClaimRequest, Store};
use time::OffsetDateTime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport};

/// A worker that answers for every job, if it is asked with the right token.
struct Worker;

#[tonic::async_trait]
impl WorkerStatus for Worker {
    async fn get_job_status(
        &self,
        request: Request<GetJobStatusRequest>,
    ) -> Result<Response<GetJobStatusResponse>, Status> {
        let sent = request.metadata().get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
        if sent != format!("Bearer {GRPC_TOKEN}") {
            return Err(Status::unauthenticated("no"));
        }
        let job: JobId = request.into_inner().try_into().map_err(|_| Status::invalid_argument("no id"))?;
        let status = LiveStatus {
            job,
            epoch: Epoch(1),
            phase: Some(Phase::Analyze),
            progress: 7,
            step: "reading /about.html".into(),
            step_since: OffsetDateTime::UNIX_EPOCH,
        };
        Ok(Response::new(status.into()))
    }
}

/// Remembers which epochs it was told of, and looks as a worker would.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<i64>>>);

#[tonic::async_trait]
impl WorkerControl for Told {
    async fn heed_cancel(
        &self,
        request: Request<HeedCancelRequest>,
    ) -> Result<Response<HeedCancelResponse>, Status> {
        let sent = request.metadata().get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
        assert_eq!(sent, format!("Bearer {GRPC_TOKEN}"));
        self.0.lock().expect("nobody panicked").push(request.into_inner().epoch);
        Ok(Response::new(HeedCancelResponse { cancelling: true }))
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test's own server; it ends with the test's runtime")]
async fn the_holder_of_a_job_that_is_called_off_is_told_at_once() {
    let server = Server::start().await;
    let id = server.started("/").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let told = Told::default();
    let service = transport::Server::builder().add_service(WorkerControlServer::new(told.clone()));
    tokio::spawn(service.serve_with_incoming(TcpListenerStream::new(listener)));
    claim(&server, &address).await;
    let cancel = format!("/api/migration/{id}/cancel");
    for _ in 0..2 {
        let answer = server.request(Method::POST, &cancel).bearer_auth(&server.key).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), 202);
        assert_eq!(answer.json::<Value>().await.expect("JSON")["status"], "cancelling");
    }
    assert_eq!(*told.0.lock().expect("nobody panicked"), [1, 1]);
}

#[tokio::test]
async fn a_holder_that_does_not_answer_does_not_keep_a_wish_from_being_written() {
    let server = Server::start().await;
    let id = server.started("/").await;
    // Bound and never accepting.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    claim(&server, &format!("http://{}", silent.local_addr().expect("an address"))).await;
    let cancel =
        server.request(Method::POST, &format!("/api/migration/{id}/cancel")).bearer_auth(&server.key);
    assert_eq!(cancel.send().await.expect("an answer").status(), 202);
    let read: Value = server.get(&format!("/api/migration/{id}")).await.json().await.expect("JSON");
    assert_eq!(read["cancelRequested"], true);
}

async fn claim(server: &Server, address: &str) {
    let store = Store::connect(&server.database.worker()).await.expect("the worker may connect");
    let worker = domain::WorkerId(uuid::Uuid::now_v7());
    store.register_worker(worker, address, 2).await.expect("it registers");
    let request =
        ClaimRequest { queue: "migrations", worker, slots: 1, ttl: Duration::from_secs(60), begin: None };
    assert_eq!(store.claim(&request).await.expect("a claim").len(), 1);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test's own server; it ends with the test's runtime")]
async fn the_holders_word_is_joined_in() {
    let server = Server::start().await;
    let id = server.started("/").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let service = transport::Server::builder().add_service(WorkerStatusServer::new(Worker));
    tokio::spawn(service.serve_with_incoming(TcpListenerStream::new(listener)));
    claim(&server, &address).await;
    let read: Value = server.get(&format!("/api/migration/{id}")).await.json().await.expect("JSON");
    assert_eq!(read["live"]["currentStep"], "reading /about.html");
    assert_eq!((read["live"]["progress"].as_i64(), read["progress"].as_i64()), (Some(7), Some(0)));
}

#[tokio::test]
async fn without_an_answer_the_record_has_to_do() {
    // Bound and never accepting: the connection opens, and no answer ever comes.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let dead = closed.local_addr().expect("an address");
    drop(closed);
    for address in [silent.local_addr().expect("an address"), dead] {
        let server = Server::start().await;
        let id = server.started("/").await;
        claim(&server, &format!("http://{address}")).await;
        let asked = Instant::now();
        let answer = server.get(&format!("/api/migration/{id}")).await;
        assert_eq!(answer.status(), 200);
        let read: Value = answer.json().await.expect("JSON");
        assert_eq!((&read["live"], read["status"].as_str()), (&Value::Null, Some("queued")));
        let bound = Duration::from_secs(5);
        assert!(asked.elapsed() < bound, "the deadline of 300 ms holds even on a busy machine");
    }
}
