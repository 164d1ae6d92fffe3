//! `GET /api/migration/{id}/stream` and `GET /api/events/stream`.

use crate::{
    Broadcaster, Code, SERVICE,
    broadcaster::{Ask, Opened, What},
    problem::Problem,
    visitors::Name,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    middleware::from_fn,
    web::{self, Data, Path, Query, ServiceConfig},
};
use domain::MigrationId;
use futures::StreamExt;
use serde::Deserialize;
use service_kit::cors::{self, Cors};
use std::{collections::HashSet, convert::Infallible, net::IpAddr};

const MIGRATION: &str = "/api/migration/{id}/stream";
const FEED: &str = "/api/events/stream";

/// Migrations that one feed may be asked for by name.
const MOST_CHOSEN: usize = 100;

/// Where a listener stopped, for those that cannot send `Last-Event-ID`. Other parameters are let pass: some
/// clients add one against caches.
#[derive(Deserialize)]
struct Parameters {
    cursor: Option<String>,
    /// The name that a common polyfill uses.
    #[serde(rename = "lastEventId")]
    last_event_id: Option<String>,
    /// What the client calls itself, for those that cannot send `X-Client-Name`.
    client: Option<String>,
    /// Of a feed: the ids to tell of, with commas between; all if absent.
    migrations: Option<String>,
}

pub(crate) fn routes(
    broadcaster: Broadcaster,
    cors: Cors,
) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| {
        for (path, stream) in [(MIGRATION, web::get().to(migration)), (FEED, web::get().to(feed))] {
            let stream = web::resource(path)
                .wrap(from_fn(cors::answer))
                .wrap(telemetry::http::spans(SERVICE))
                .app_data(Data::new(cors.clone()))
                .app_data(Data::new(broadcaster.clone()))
                .route(stream);
            config.service(stream);
        }
    }
}

async fn migration(
    request: HttpRequest,
    id: Path<String>,
    parameters: Query<Parameters>,
    broadcaster: Data<Broadcaster>,
) -> Result<HttpResponse, Problem> {
    let migration =
        id.parse().map_err(|_| Problem::new(Code::InvalidId, "The path holds a migration's UUID."))?;
    open(&request, parameters.into_inner(), What::Migration(migration), &broadcaster).await
}

async fn feed(
    request: HttpRequest,
    parameters: Query<Parameters>,
    broadcaster: Data<Broadcaster>,
) -> Result<HttpResponse, Problem> {
    let chosen = parameters.migrations.as_deref().map(chosen).transpose()?;
    open(&request, parameters.into_inner(), What::Feed(chosen), &broadcaster).await
}

fn chosen(ids: &str) -> Result<HashSet<MigrationId>, Problem> {
    let wrong = || {
        let told =
            format!("migrations holds 1 to {MOST_CHOSEN} UUIDs with commas between; leave it out for all.");
        Problem::new(Code::InvalidQuery, told)
    };
    if ids.split(',').count() > MOST_CHOSEN {
        return Err(wrong());
    }
    ids.split(',').map(|id| id.trim().parse().map_err(|_| wrong())).collect()
}

async fn open(
    request: &HttpRequest,
    parameters: Parameters,
    what: What,
    broadcaster: &Broadcaster,
) -> Result<HttpResponse, Problem> {
    // The header is newer: EventSource sends it when it comes back, to the URL that it began with.
    let cursor = text(request, "last-event-id").or(parameters.cursor).or(parameters.last_event_id);
    let client = text(request, "x-client-name").or(parameters.client).filter(|name| !name.is_empty());
    let client = client.as_deref().map(|name| Name::parse(name).ok_or_else(no_name)).transpose()?;
    let ask = Ask {
        authorization: text(request, header::AUTHORIZATION.as_str()),
        cookie: text(request, header::COOKIE.as_str()),
        host: text(request, header::HOST.as_str()),
        origin: text(request, header::ORIGIN.as_str()),
        fetch_site: text(request, "sec-fetch-site"),
        // Without one the request was not made over a socket.
        peer: request.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip()),
        forwarded: text(request, "x-forwarded-for").unwrap_or_default(),
        client,
        what,
        cursor,
    };
    Ok(match broadcaster.open(ask).await? {
        Opened::Over => HttpResponse::NoContent().insert_header(("Cache-Control", "no-store")).finish(),
        Opened::Stream(frames) => HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header(("Cache-Control", "no-store"))
            .insert_header(("X-Accel-Buffering", "no"))
            .streaming(frames.map(Ok::<_, Infallible>)),
    })
}

fn no_name() -> Problem {
    let told = "A client's name has 1 to 64 letters, digits and -_.: in it; leave it out if there is none.";
    Problem::new(Code::InvalidQuery, told)
}

/// A header as text. Bytes that are no text become a cursor or a key that is not valid, not one that is absent.
fn text(request: &HttpRequest, name: &str) -> Option<String> {
    let value = request.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
