//! `POST /api/migration/{id}/retry`: a new run of a migration that is over, which takes over what still holds.

use crate::{
    Code, Problem, correlation,
    gateway::Parts,
    input::{Body, Caller, Named, not_found},
    keyed::{self, KeyRefused, Keyed},
    routes::start::{MODEL_VERSION, TOOL_CONTRACT, seed},
    view::RetryStarted,
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use domain::{
    CorrelationId, JobId, MigrationId,
    brief::Brief,
    phase::Phase,
    rerun::{COOLDOWN, MOST_PER_REASON, Why},
    trace::TraceContext,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use store::{NewBrief, Retried, RetryMigration, RetryOutcome, StoredAnswer};
use utoipa::ToSchema;
use uuid::Uuid;

/// The scope of this route's Idempotency-Keys. Stored: never change it.
const ROUTE: &str = "POST /api/migration/{id}/retry";
/// Seconds of AI time that one wish may add.
const MOST_SECONDS: i64 = 1_000_000;

/// What is wanted of the new run.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RetryRequest {
    /// Why: `user_request`, or the sort of the failure (`tool_timeout`, `ownership_failed`, `budget_exceeded`,
    /// `builder_incompatibility`, `deployment_error`, `network`, `upstream_5xx`, `rate_limited`, `invalid_input`,
    /// `lost_worker`, `internal`). At most three retries for each.
    #[schema(example = "tool_timeout")]
    pub(crate) retry_reason: String,
    /// A brief in place of the one before, as text or as an object, up to 16 KiB. Makes a new plan.
    #[schema(value_type = Option<Object>)]
    pub(crate) new_user_brief: Option<Value>,
    /// Seconds of AI time that this run may take beyond what the one before might: 1 to 1000000.
    pub(crate) increased_budget: Option<i64>,
    /// Take over seed and stored results: same bytes, and nothing is done or paid for twice. True if absent.
    pub(crate) reuse_seeds: Option<bool>,
    /// The phase to begin with: ANALYZE, PLAN, TRANSFORM, VERIFY or DEPLOY. If absent, the first without a result, or
    /// ANALYZE without `reuseSeeds`.
    pub(crate) from_phase: Option<String>,
}

pub(crate) const REFUSALS: &[Code] = &[
    Code::InvalidId,
    Code::InvalidBody,
    Code::InvalidHeader,
    Code::Forbidden,
    Code::StaleForm,
    Code::MigrationNotFound,
    Code::RequestTimeout,
    Code::NotRetryable,
    Code::AlreadyActive,
    Code::RetryLimit,
    Code::KeyInFlight,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::InvalidBrief,
    Code::PhaseNotReached,
    Code::KeyReused,
    Code::RetryTooSoon,
];

/// Runs a migration that failed or is completed again.
///
/// Stored results of the phases before the first that is done anew are taken over. At most three retries for each
/// reason, and one a minute. With an Idempotency-Key the request can be sent again without harm.
#[utoipa::path(
    post, path = "/api/migration/{id}/retry", tag = "migrations", request_body = RetryRequest,
    params(
        ("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header,
            description = "A quoted string of 1 to 255 printable characters, new for each new request"),
        ("X-Correlation-Id" = Option<Uuid>, Header, description = "Ties the new run to a request of yours")),
    responses((status = 202, body = RetryStarted, description = "Accepted; its events follow those of the run before",
        headers(("Idempotent-Replayed" = Option<String>, description = "`true` on a stored answer"))))
)]
pub(crate) async fn retry(
    request: HttpRequest,
    parts: Data<Parts>,
    caller: Caller,
    Named(id): Named,
    Body(body): Body<RetryRequest>,
) -> Result<HttpResponse, Problem> {
    // The migration is part of what the key stands for.
    let keyed = Keyed::of(&request, ROUTE, &(id, &body))?;
    match run_again(&parts, &caller, id, correlation::of(&request), keyed, body).await? {
        Again::New(answer) => Ok(HttpResponse::Accepted().json(answer)),
        Again::Stored(stored) => Ok(keyed::again(&stored)),
    }
}

/// What a wish for another run led to.
pub(crate) enum Again {
    /// A new run.
    New(Value),
    /// The stored answer of an earlier request with the same key.
    Stored(StoredAnswer),
}

/// Asks for a new run: by the route, and by the form of the move's page.
pub(crate) async fn run_again(
    parts: &Parts,
    caller: &Caller,
    id: MigrationId,
    correlation: CorrelationId,
    keyed: Option<Keyed>,
    body: RetryRequest,
) -> Result<Again, Problem> {
    let caller = caller.who_may_write()?;
    if let Some(keyed) = &keyed
        && let Some(answer) = keyed.stored(parts, caller.tenant).await?
    {
        return Ok(Again::Stored(answer));
    }
    let (traceparent, tracestate) = telemetry::current_context();
    let wish = RetryMigration {
        tenant: caller.tenant,
        user: caller.user,
        migration: id,
        job: JobId(Uuid::now_v7()),
        why: why(&body.retry_reason)?,
        from: body.from_phase.as_deref().map(phase).transpose()?,
        reuse_seeds: body.reuse_seeds.unwrap_or(true),
        brief: body.new_user_brief.map(brief).transpose()?,
        increased_budget: body.increased_budget.map(budget).transpose()?,
        seed: seed(),
        correlation,
        tool_contract: TOOL_CONTRACT.to_owned(),
        model_version: MODEL_VERSION.to_owned(),
        max_attempts: parts.config.max_attempts,
        trace: TraceContext { traceparent, tracestate },
        idempotency: keyed.as_ref().map(|keyed| keyed.write(parts, StatusCode::ACCEPTED, &Value::Null)),
        answer,
    };
    match parts.store.retry_migration(&wish).await? {
        RetryOutcome::Retried(retried) => Ok(Again::New(answer(&wish, &retried))),
        RetryOutcome::Replayed(stored) => Ok(Again::Stored(stored)),
        RetryOutcome::KeyMismatch => Err(KeyRefused::Reused.into()),
        RetryOutcome::KeyInFlight => Err(KeyRefused::InFlight.into()),
        refused => Err(refusal(id, wish.why, &refused)),
    }
}

fn answer(wish: &RetryMigration, retried: &Retried) -> Value {
    let message = match retried.first {
        Some(first) => format!("Run {} waits for a worker, from {first} on.", retried.run),
        None => format!("Run {} waits for a worker, with every stored result.", retried.run),
    };
    let started = RetryStarted {
        migration_id: wish.migration.0,
        status: "queued",
        run: retried.run,
        from_phase: retried.first.map(|first| first.to_string()),
        plan_version: retried.plan_version,
        message,
        correlation_id: wish.correlation.0,
    };
    serde_json::to_value(started).expect("plain strings, numbers and ids serialise")
}

/// The refusals that name a limit, a time or a state.
fn refusal(id: MigrationId, why: Why, refused: &RetryOutcome) -> Problem {
    match refused {
        RetryOutcome::NotOver(state) => {
            let told = if state.is_active() {
                format!("It is {state}. Wait until it is over, or cancel it and start anew.")
            } else {
                format!("It is {state}, which is for good. Start a new migration of the site.")
            };
            Problem::new(Code::NotRetryable, told).with("migrationStatus", state.to_string())
        }
        RetryOutcome::AlreadyActive(other) => {
            let told = format!("Migration {other} moves the site. Follow that one, or cancel it first.");
            Problem::new(Code::AlreadyActive, told).with("migrationId", other.to_string())
        }
        RetryOutcome::LimitReached => {
            let told = format!(
                "At most {MOST_PER_REASON} retries are allowed for {why}, and all are used. Start a new migration."
            );
            Problem::new(Code::RetryLimit, told).with("limit", MOST_PER_REASON)
        }
        RetryOutcome::TooSoon(wait) => too_soon(*wait),
        RetryOutcome::NotReached(no) => {
            Problem::new(Code::PhaseNotReached, format!("{no}. Begin with {} at the latest.", no.missing))
        }
        _ => not_found(id),
    }
}

fn too_soon(wait: Duration) -> Problem {
    let seconds = wait.as_secs_f64().ceil() as u64; // a minute at most
    let told = format!(
        "Between two retries of a migration {} s have to pass. Send it again in {seconds} s.",
        COOLDOWN.as_secs()
    );
    Problem::new(Code::RetryTooSoon, told).after(seconds).with("retryAfterSeconds", seconds)
}

fn why(given: &str) -> Result<Why, Problem> {
    given.parse().map_err(|_| {
        let names: Vec<&str> = Why::names().collect();
        Problem::new(Code::InvalidBody, format!("retryReason has to be one of {}.", names.join(", ")))
    })
}

fn phase(given: &str) -> Result<Phase, Problem> {
    given.parse().map_err(|_| {
        let names = Phase::ALL.map(Phase::as_str).join(", ");
        Problem::new(Code::InvalidBody, format!("fromPhase has to be one of {names}."))
    })
}

fn brief(given: Value) -> Result<NewBrief, Problem> {
    let brief = Brief::from_request(None, Some(given))
        .map_err(|refused| Problem::new(Code::InvalidBrief, format!("newUserBrief: {refused}.")))?;
    let prompt_hash = brief.hash();
    Ok(NewBrief { brief: serde_json::to_value(&brief).expect("a brief serialises"), prompt_hash })
}

fn budget(given: i64) -> Result<i64, Problem> {
    let told = || {
        Problem::new(
            Code::InvalidBody,
            format!("increasedBudget has to be between 1 and {MOST_SECONDS} seconds."),
        )
    };
    Some(given).filter(|seconds| (1..=MOST_SECONDS).contains(seconds)).ok_or_else(told)
}
