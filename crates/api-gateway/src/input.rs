//! What routes take in: who calls, which migration is meant, and bodies and queries within their bounds. Whatever
//! does not fit becomes a problem document that says what to do.

use crate::{Code, Problem, gateway::Parts};
use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    error::JsonPayloadError,
    http::header,
    web::{Data, JsonConfig, QueryConfig},
};
use auth::Role;
use domain::{MigrationId, idempotency::Key};
use std::{future::Future, pin::Pin};

/// The authenticated caller.
pub(crate) struct Caller(pub(crate) auth::Caller);

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let parts = request.app_data::<Data<Parts>>().expect("mounted with the gateway's parts").clone();
            let sent = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            Ok(Self(auth::authenticate(&parts.store, sent).await?))
        })
    }
}

impl Caller {
    /// Refuses those who may only read.
    pub(crate) fn who_may_write(&self) -> Result<&auth::Caller, Problem> {
        if self.0.role >= Role::Member {
            return Ok(&self.0);
        }
        Err(Problem::new(
            Code::Forbidden,
            "Viewers may read only. Ask an owner of the organisation for another role.",
        ))
    }
}

/// The migration that the path names.
pub(crate) struct Named(pub(crate) MigrationId);

impl FromRequest for Named {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = request.match_info().get("id").unwrap_or_default();
        let named = given.parse().map(Self).map_err(|_| {
            Problem::new(
                Code::InvalidId,
                "A migration's id is a UUID, as `POST /api/migration/start` answered it.",
            )
        });
        std::future::ready(named)
    }
}

/// The answer for a migration that is not there, or is somebody else's: the same for both.
pub(crate) fn not_found(id: MigrationId) -> Problem {
    Problem::new(Code::MigrationNotFound, format!("No migration of yours has the id {id}."))
}

/// The request's Idempotency-Key, if it carries one.
pub(crate) fn idempotency_key(request: &HttpRequest) -> Result<Option<Key>, Problem> {
    let mut sent = request.headers().get_all("idempotency-key");
    let Some(value) = sent.next() else { return Ok(None) };
    let single = sent.next().is_none();
    let key = value.to_str().ok().filter(|_| single).map(Key::parse);
    match key {
        Some(Ok(key)) => Ok(Some(key)),
        Some(Err(malformed)) => Err(Problem::new(Code::InvalidHeader, format!("{malformed}."))),
        None => Err(Problem::new(Code::InvalidHeader, "Send one Idempotency-Key, in ASCII.")),
    }
}

pub(crate) fn json_config(limit: usize) -> JsonConfig {
    JsonConfig::default().limit(limit).content_type_required(true).error_handler(move |error, _| {
        let problem = match &error {
            JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
                Problem::new(Code::BodyTooLarge, format!("Send at most {limit} bytes."))
            }
            JsonPayloadError::ContentType => {
                Problem::new(Code::UnsupportedMediaType, "Send `Content-Type: application/json`.")
            }
            // serde names the field and what it expected; it quotes only what the client sent.
            JsonPayloadError::Deserialize(wrong) => Problem::new(Code::InvalidBody, format!("{wrong}.")),
            _ => {
                Problem::new(Code::InvalidBody, "The body broke off or could not be decoded. Send it again.")
            }
        };
        problem.into()
    })
}

pub(crate) fn query_config() -> QueryConfig {
    QueryConfig::default()
        .error_handler(|error, _| Problem::new(Code::InvalidQuery, format!("{error}.")).into())
}
