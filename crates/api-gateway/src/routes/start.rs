//! `POST /api/migration/start`: everything that follows from it is written in one transaction.

use crate::{
    Code, Problem, correlation,
    gateway::Parts,
    input::{Body, Caller},
    keyed::{self, KeyRefused, Keyed},
    view::Started,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use domain::{
    CorrelationId, JobId, MigrationId,
    brief::Brief,
    event::{EventType, NewEvent},
    source_url::SourceUrl,
    trace::TraceContext,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{StartMigration, StartOutcome, StoredAnswer};
use utoipa::ToSchema;
use uuid::Uuid;

/// The scope of this route's Idempotency-Keys. Stored: never change it.
const ROUTE: &str = "POST /api/migration/start";
/// The version of the tools that workers of this release carry a migration out with.
pub(crate) const TOOL_CONTRACT: &str = "site-engine/1";
/// No model is asked in this release.
pub(crate) const MODEL_VERSION: &str = "none";

/// What to move, and what the user wants of it: a prompt or a brief, one of the two.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StartRequest {
    /// The site's address: http or https, without credentials.
    #[schema(example = "https://example.com/")]
    pub(crate) source_url: String,
    /// The wish in words, up to 16 KiB.
    pub(crate) user_prompt: Option<String>,
    /// The wish as text or as an object, up to 16 KiB.
    #[schema(value_type = Option<Object>)]
    pub(crate) user_brief: Option<Value>,
    /// Wait with the plan for approval (`PATCH /api/migration/{id}/plan`) before anything is written. False if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) review_plan: Option<bool>,
}

pub(crate) const REFUSALS: &[Code] = &[
    Code::InvalidBody,
    Code::InvalidHeader,
    Code::Forbidden,
    Code::StaleForm,
    Code::RequestTimeout,
    Code::AlreadyActive,
    Code::KeyInFlight,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::InvalidSourceUrl,
    Code::AddressForbidden,
    Code::HostNotFound,
    Code::InvalidBrief,
    Code::KeyReused,
];

/// Starts a migration.
///
/// With an Idempotency-Key the request can be sent again without harm: the same key and body get the stored answer,
/// marked by `Idempotent-Replayed: true`.
#[utoipa::path(
    post, path = "/api/migration/start", tag = "migrations", request_body = StartRequest,
    params(
        ("Idempotency-Key" = Option<String>, Header,
            description = "A quoted string of 1 to 255 printable characters, new for each new request"),
        ("X-Correlation-Id" = Option<Uuid>, Header, description = "Ties this to a request of yours")),
    responses((status = 202, body = Started, description = "Accepted; follow its stream or its events",
        headers(
            ("Location" = String, description = "Where the migration is read"),
            ("Idempotent-Replayed" = Option<String>, description = "`true` on a stored answer"))))
)]
pub(crate) async fn start(
    request: HttpRequest,
    parts: Data<Parts>,
    caller: Caller,
    Body(body): Body<StartRequest>,
) -> Result<HttpResponse, Problem> {
    let keyed = Keyed::of(&request, ROUTE, &body)?;
    let begun = begin(&parts, &caller, correlation::of(&request), keyed, body).await?;
    Ok(begun.answer())
}

/// The same for every way in: judges the wish, and writes everything that follows from it.
pub(crate) async fn begin(
    parts: &Parts,
    caller: &Caller,
    correlation: CorrelationId,
    keyed: Option<Keyed>,
    body: StartRequest,
) -> Result<Begun, Problem> {
    let caller = caller.who_may_write()?;
    // Before anything else is asked: a retry must get its answer even when the site is away by now.
    if let Some(keyed) = &keyed
        && let Some(answer) = keyed.stored(parts, caller.tenant).await.map_err(|no| refused(parts, no))?
    {
        return Ok(replayed(parts, answer));
    }
    let url = SourceUrl::parse(&body.source_url)
        .map_err(|refused| Problem::new(Code::InvalidSourceUrl, format!("sourceUrl: {refused}.")))?;
    let brief = Brief::from_request(body.user_prompt, body.user_brief)
        .map_err(|refused| Problem::new(Code::InvalidBrief, format!("{refused}.")))?;
    parts.guard.vet(url.as_url()).await.map_err(|error| unfit(&error))?;
    let review_plan = body.review_plan.unwrap_or(false);
    let wish = Wish { url, brief, review_plan, keyed, correlation };
    write(parts, caller, wish).await
}

/// What a start led to.
pub(crate) enum Begun {
    /// A new migration.
    New(Value),
    /// The stored answer of an earlier request with the same key.
    Again(StoredAnswer),
}

impl Begun {
    /// The migration's id.
    pub(crate) fn id(&self) -> Option<&str> {
        let (Self::New(answer) | Self::Again(StoredAnswer { answer, .. })) = self;
        answer["migrationId"].as_str()
    }

    fn answer(&self) -> HttpResponse {
        match self {
            Self::New(answer) => located(HttpResponse::Accepted().json(answer), answer),
            Self::Again(stored) => located(keyed::again(stored), &stored.answer),
        }
    }
}

struct Wish {
    url: SourceUrl,
    brief: Brief,
    review_plan: bool,
    keyed: Option<Keyed>,
    correlation: CorrelationId,
}

async fn write(parts: &Parts, caller: &auth::Caller, wish: Wish) -> Result<Begun, Problem> {
    let migration = MigrationId(Uuid::now_v7());
    let answer = Started {
        migration_id: migration.0,
        status: "queued",
        message: format!("The migration of {} waits for a worker.", wish.url),
        correlation_id: wish.correlation.0,
    };
    let answer = serde_json::to_value(answer).expect("plain strings and ids serialise");
    let command = command(parts, caller, &wish, migration, &answer);
    match parts.store.start_migration(&command).await? {
        StartOutcome::Started => {
            parts.metrics.start("started");
            Ok(Begun::New(answer))
        }
        StartOutcome::Replayed(stored) => Ok(replayed(parts, stored)),
        StartOutcome::KeyMismatch => Err(refused(parts, KeyRefused::Reused)),
        StartOutcome::KeyInFlight => Err(refused(parts, KeyRefused::InFlight)),
        StartOutcome::AlreadyActive(first) => {
            parts.metrics.start("already_active");
            let detail = format!("Migration {first} moves it. Follow that one, or cancel it first.");
            Err(Problem::new(Code::AlreadyActive, detail).with("migrationId", first.to_string()))
        }
    }
}

fn command(
    parts: &Parts,
    caller: &auth::Caller,
    wish: &Wish,
    migration: MigrationId,
    answer: &Value,
) -> StartMigration {
    let (traceparent, tracestate) = telemetry::current_context();
    let notes = json!({"status": "queued", "sourceUrl": wish.url.to_string()});
    StartMigration {
        tenant: caller.tenant,
        user: caller.user,
        migration,
        job: JobId(Uuid::now_v7()),
        source_url: wish.url.to_string(),
        normalised_url: wish.url.normalised(),
        brief: serde_json::to_value(&wish.brief).expect("a brief serialises"),
        prompt_hash: wish.brief.hash(),
        correlation: wish.correlation,
        review_plan: wish.review_plan,
        seed: seed(),
        tool_contract: TOOL_CONTRACT.to_owned(),
        model_version: MODEL_VERSION.to_owned(),
        max_attempts: parts.config.max_attempts,
        trace: TraceContext { traceparent, tracestate },
        event: NewEvent::new(EventType::PhaseUpdate, None, 0, notes),
        idempotency: wish.keyed.as_ref().map(|keyed| keyed.write(parts, StatusCode::ACCEPTED, answer)),
    }
}

/// The run's seed: 63 random bits, never negative, so that it survives languages without 64-bit integers' signs.
pub(crate) fn seed() -> i64 {
    (Uuid::new_v4().as_u128() >> 65) as i64
}

/// With the address at which the migration is read.
fn located(mut response: HttpResponse, answer: &Value) -> HttpResponse {
    let id = answer["migrationId"].as_str().unwrap_or_default();
    if let Ok(location) = header::HeaderValue::from_str(&format!("/api/migration/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn replayed(parts: &Parts, stored: StoredAnswer) -> Begun {
    parts.metrics.start("replayed");
    Begun::Again(stored)
}

fn refused(parts: &Parts, refused: KeyRefused) -> Problem {
    if let Some(outcome) = refused.outcome() {
        parts.metrics.start(outcome);
    }
    refused.into()
}

pub(crate) fn unfit(error: &site_fetch::Error) -> Problem {
    use site_fetch::{Error, Refused};
    match error {
        // Without the address: our resolver may know names of our own network, and must not tell what they are.
        Error::Refused(Refused::Address { host, rule, .. }) => Problem::new(
            Code::AddressForbidden,
            format!("sourceUrl: {host} is not at a public address ({rule}). Only public sites can be moved."),
        ),
        Error::Refused(refused) => Problem::new(Code::InvalidSourceUrl, format!("sourceUrl: {refused}.")),
        Error::Unresolved { host, .. } if !error.is_transient() => {
            Problem::new(Code::HostNotFound, format!("sourceUrl: {host} has no address. Check its spelling."))
        }
        Error::Unresolved { .. } | Error::TimedOut { .. } | Error::Network { .. } => {
            tracing::warn!(error = service_kit::exit::chain(error), "the source URL could not be vetted");
            Problem::new(
                Code::Unavailable,
                "The site's name could not be looked up just now. Try again in a moment.",
            )
        }
        other => Problem::from_source(domain::Kind::Internal, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn a_name_that_does_not_exist_and_a_resolver_that_is_away_are_told_apart() {
        let unresolved = |kind| {
            let source = io::Error::new(kind, "the resolver's words");
            unfit(&site_fetch::Error::Unresolved { host: "shop.example".into(), source }).document().value()
        };
        let missing = unresolved(io::ErrorKind::NotFound);
        assert_eq!(
            (missing["code"].as_str(), missing["status"].as_u64()),
            (Some("host_not_found"), Some(422))
        );
        assert!(missing["detail"].as_str().is_some_and(|detail| detail.contains("shop.example")));
        let later = unresolved(io::ErrorKind::Other);
        assert_eq!((later["code"].as_str(), later["status"].as_u64()), (Some("unavailable"), Some(503)));
        assert!(!later.to_string().contains("the resolver's words"));
    }

    #[test]
    fn a_forbidden_address_is_refused_by_its_rule_and_not_told() {
        let address = site_fetch::Refused::Address {
            host: "wiki.example".into(),
            address: [10, 1, 2, 3].into(),
            rule: "private use",
        };
        let document = unfit(&address.into()).document().value();
        let detail = document["detail"].as_str().unwrap_or_default();
        assert_eq!(document["code"], "address_forbidden");
        assert!(detail.contains("wiki.example") && detail.contains("private use"), "{detail}");
        assert!(!detail.contains("10.1.2.3"), "{detail}");
    }
}
