//! `GET /api/migration/{id}/stream` and `GET /api/events/stream`.

use crate::{
    Broadcaster, Code, SERVICE,
    broadcaster::{Ask, Opened, What},
    problem::Problem,
    visitors::Name,
};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{Method, header},
    middleware::from_fn,
    web::{self, Data, Query, ServiceConfig},
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
        for path in [MIGRATION, FEED] {
            let routed = web::resource(path)
                .wrap(from_fn(cors::answer))
                .wrap(telemetry::http::spans(SERVICE))
                .app_data(Data::new(cors.clone()))
                .app_data(Data::new(broadcaster.clone()))
                .route(web::get().to(stream))
                .route(web::head().to(stream))
                .default_service(web::to(wrong_method));
            config.service(routed);
        }
    }
}

async fn wrong_method(request: HttpRequest) -> HttpResponse {
    let told = format!("A stream takes GET, not {}.", request.method());
    let mut refusal = Problem::new(Code::MethodNotAllowed, told).error_response();
    refusal.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
    refusal
}

/// What is asked for. Judged after the caller is known: a stranger learns nothing of what is right or wrong here.
fn what(request: &HttpRequest, parameters: Option<&Parameters>) -> Result<What, Problem> {
    let no_query = || Problem::new(Code::InvalidQuery, "The query cannot be read: a name may be there once.");
    let parameters = parameters.ok_or_else(no_query)?;
    match request.match_info().get("id") {
        Some(id) => id
            .parse()
            .map(What::Migration)
            .map_err(|_| Problem::new(Code::InvalidId, "The path holds a migration's UUID.")),
        None => parameters.migrations.as_deref().map(chosen).transpose().map(What::Feed),
    }
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

async fn stream(request: HttpRequest, broadcaster: Data<Broadcaster>) -> Result<HttpResponse, Problem> {
    let request = &request;
    let parameters = Query::<Parameters>::from_query(request.query_string()).map(Query::into_inner).ok();
    let what = what(request, parameters.as_ref());
    // The header is newer: EventSource sends it when it comes back, to the URL that it began with.
    let (cursor, client) =
        parameters.map_or((None, None), |given| (given.cursor.or(given.last_event_id), given.client));
    let cursor = text(request, "last-event-id").or(cursor);
    let client = text(request, "x-client-name").or(client).filter(|name| !name.is_empty());
    let client = client.as_deref().map(|name| Name::parse(name).ok_or_else(no_name)).transpose();
    let (what, client) = match client {
        Ok(client) => (what, client),
        Err(refused) => (what.and(Err(refused)), None),
    };
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
        // Whoever only asks gets the head of what would come; the stream ends with its receiver.
        Opened::Stream(_) if *request.method() == Method::HEAD => HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header(("Cache-Control", "no-store"))
            .finish(),
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
