//! `GET /api/migration/{id}/stream`.

use crate::{
    Broadcaster, Code, SERVICE,
    broadcaster::{Ask, Opened},
    problem::Problem,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Data, Path, Query, ServiceConfig},
};
use futures::StreamExt;
use serde::Deserialize;
use std::convert::Infallible;
use tokio_stream::wrappers::ReceiverStream;

const PATH: &str = "/api/migration/{id}/stream";

/// Where a listener stopped, for those that cannot send `Last-Event-ID`. Other parameters are let pass: some
/// clients add one against caches.
#[derive(Deserialize)]
struct Parameters {
    cursor: Option<String>,
    /// The name that a common polyfill uses.
    #[serde(rename = "lastEventId")]
    last_event_id: Option<String>,
}

pub(crate) fn routes(broadcaster: Broadcaster) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| {
        let stream = web::resource(PATH)
            .wrap(telemetry::http::spans(SERVICE))
            .app_data(Data::new(broadcaster.clone()))
            .route(web::get().to(stream));
        config.service(stream);
    }
}

async fn stream(
    request: HttpRequest,
    id: Path<String>,
    parameters: Query<Parameters>,
    broadcaster: Data<Broadcaster>,
) -> Result<HttpResponse, Problem> {
    let migration =
        id.parse().map_err(|_| Problem::new(Code::InvalidId, "The path holds a migration's UUID."))?;
    let parameters = parameters.into_inner();
    // The header is newer: EventSource sends it when it comes back, to the URL that it began with.
    let cursor = text(&request, "last-event-id").or(parameters.cursor).or(parameters.last_event_id);
    let ask = Ask { authorization: text(&request, header::AUTHORIZATION.as_str()), migration, cursor };
    Ok(match broadcaster.open(ask).await? {
        Opened::Over => HttpResponse::NoContent().insert_header(("Cache-Control", "no-store")).finish(),
        Opened::Stream(frames) => HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header(("Cache-Control", "no-store"))
            .insert_header(("X-Accel-Buffering", "no"))
            .streaming(ReceiverStream::new(frames).map(Ok::<_, Infallible>)),
    })
}

/// A header as text. Bytes that are no text become a cursor or a key that is not valid, not one that is absent.
fn text(request: &HttpRequest, name: &str) -> Option<String> {
    let value = request.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
