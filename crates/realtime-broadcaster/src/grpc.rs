//! gRPC: one migration's history for services, and this process's figures for operators. The same sessions as for
//! server-sent events, said in messages; what HTTP/2 does by itself (silence, a caller that went away) is left to it.

use crate::{
    Broadcaster, Code, SERVICE,
    cursor::{History, Verdict},
    limits::Sort,
    page::Rest,
    pipe,
    problem::Problem,
    wire::{Hello, Wire},
};
use proto::stream::{
    self, Watch,
    v1::{
        self, GetFiguresRequest, GetFiguresResponse, WatchMigrationRequest, WatchMigrationResponse,
        migration_watch_server::{MigrationWatch, MigrationWatchServer},
        stream_figures_server::{StreamFigures, StreamFiguresServer},
        watch_migration_response::Told,
    },
};
use service_kit::{BoxError, grpc::Doorkeeper};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, service::interceptor::InterceptedService, transport::Server};
use tracing::Instrument;

/// A caller that asks for one migration needs no more.
const MOST_BYTES: usize = 4 * 1024;
/// Calls over one connection; a service that watches more opens another.
const MOST_CALLS: u32 = 1_000;
/// How long a caller that is asked for a sign of life has to give one.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

/// Serves both, with health and reflection, until the process stops. Returns the address that was bound.
pub(crate) async fn serve(
    broadcaster: &Broadcaster,
    listen: SocketAddr,
    token: &str,
) -> Result<SocketAddr, BoxError> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let doorkeeper = Doorkeeper::new(token);
    let watch = MigrationWatchServer::new(Answers(broadcaster.clone())).max_decoding_message_size(MOST_BYTES);
    let watch = InterceptedService::new(watch, doorkeeper.clone());
    let figures =
        StreamFiguresServer::new(Answers(broadcaster.clone())).max_decoding_message_size(MOST_BYTES);
    let figures = InterceptedService::new(figures, doorkeeper);
    let (health, healthy) = tonic_health::server::health_reporter();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let (lifecycle, heartbeat) = (broadcaster.lifecycle.clone(), broadcaster.options.heartbeat);
    let stopping = lifecycle.stopping();
    tracing::info!(%address, server = "grpc", "listening");
    lifecycle.spawn("grpc", async move {
        health.set_serving::<MigrationWatchServer<Answers>>().await;
        let server = Server::builder()
            .max_concurrent_streams(MOST_CALLS)
            .http2_keepalive_interval(Some(heartbeat))
            .http2_keepalive_timeout(Some(SIGN_OF_LIFE))
            .add_service(healthy)
            .add_service(reflection)
            .add_service(watch)
            .add_service(figures);
        let unhealthy = async {
            stopping.cancelled().await;
            health.set_not_serving::<MigrationWatchServer<Answers>>().await;
        };
        Ok(server.serve_with_incoming_shutdown(TcpListenerStream::new(listener), unhealthy).await?)
    });
    Ok(address)
}

type Message = Result<WatchMigrationResponse, Status>;

struct Answers(Broadcaster);

#[tonic::async_trait]
impl MigrationWatch for Answers {
    type WatchMigrationStream = pipe::Receiver<Message>;

    async fn watch_migration(
        &self,
        request: Request<WatchMigrationRequest>,
    ) -> Result<Response<Self::WatchMigrationStream>, Status> {
        let span = telemetry::grpc::server_span(SERVICE, "WatchMigration", &request);
        async {
            let watch = Watch::try_from(request.into_inner())
                .map_err(|error| Status::invalid_argument(error.to_string()))?;
            Ok(Response::new(self.0.watch(watch).await?))
        }
        .instrument(span)
        .await
    }
}

#[tonic::async_trait]
impl StreamFigures for Answers {
    async fn get_figures(
        &self,
        request: Request<GetFiguresRequest>,
    ) -> Result<Response<GetFiguresResponse>, Status> {
        let _span = telemetry::grpc::server_span(SERVICE, "GetFigures", &request).entered();
        let broadcaster = &self.0;
        let (migrations, feeds) = broadcaster.hub.followed();
        let (delivered, closed) = broadcaster.metrics.so_far();
        Ok(Response::new(GetFiguresResponse {
            migration_streams: broadcaster.limits.open_of(Sort::Migration) as u64,
            feed_streams: broadcaster.limits.open_of(Sort::Feed) as u64,
            watch_streams: broadcaster.limits.open_of(Sort::Watch) as u64,
            most_streams: broadcaster.limits.most() as u64,
            migrations_followed: migrations as u64,
            feeds_followed: feeds as u64,
            events_delivered: delivered,
            streams_closed: closed,
            restless_clients: broadcaster.visitors.restless(tokio::time::Instant::now()) as u64,
            stopping: broadcaster.lifecycle.stopping().is_cancelled(),
        }))
    }
}

/// Messages of `WatchMigration`.
pub(crate) enum Grpc {}

impl Wire for Grpc {
    type Frame = Message;

    fn hello(hello: &Hello) -> Message {
        let verdict = match hello.verdict {
            Verdict::Started => v1::Verdict::Started,
            Verdict::Resumed(_) => v1::Verdict::Resumed,
            Verdict::Gap(_) => v1::Verdict::ResumedWithGap,
            Verdict::Over => v1::Verdict::Over,
        };
        let (from, last) = hello.range.unwrap_or_default();
        message(Told::Hello(v1::Hello {
            verdict: verdict.into(),
            why: hello.verdict.why().unwrap_or_default().into(),
            from,
            last,
            cursor: hello.cursor.clone(),
            retry_ms: hello.retry.as_millis() as u64,
        }))
    }

    fn events(rest: Rest<'_>, history: History) -> Message {
        let events = rest.events().iter().map(|event| stream::event(event, history.cursor(event.seq)));
        message(Told::Events(v1::Events { events: events.collect() }))
    }

    fn beat() -> Option<Message> {
        None
    }

    fn bye(reason: &'static str) -> Message {
        message(Told::Bye(v1::Bye { reason: reason.into() }))
    }

    fn weight(frame: &Message) -> usize {
        let Ok(WatchMigrationResponse { told: Some(Told::Events(events)) }) = frame else { return 0 };
        events.events.iter().map(|event| size_of::<v1::Event>() + event.detail_json.len()).sum()
    }
}

fn message(told: Told) -> Message {
    Ok(WatchMigrationResponse { told: Some(told) })
}

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        let told = problem.to_string();
        match problem.code() {
            Code::InvalidId | Code::InvalidQuery => Self::invalid_argument(told),
            Code::MethodNotAllowed => Self::unimplemented(told),
            Code::Unauthenticated => Self::unauthenticated(told),
            Code::UntrustedOrigin => Self::permission_denied(told),
            Code::MigrationNotFound => Self::not_found(told),
            Code::TooManyStreams => Self::resource_exhausted(told),
            Code::Unavailable => Self::unavailable(told),
            Code::Internal => Self::internal(told),
        }
    }
}
