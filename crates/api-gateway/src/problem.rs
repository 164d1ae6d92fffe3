//! Every refusal in one form: a problem document (RFC 9457) with a stable type, what to do, and the trace's id.
//!
//! Holds the whole list of codes; `docs/errors/<code>.md` explains each. Never shows a source's text: that goes to
//! the log, under the same trace id.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use domain::Kind;
use serde_json::{Map, Value};
use service_kit::problem::Document;
use std::fmt;

/// A page of `docs/errors`; one that is missing fails the build.
macro_rules! page {
    ($slug:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors/", $slug, ".md"))
    };
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $status:ident, $title:literal;)+) => {
        /// What went wrong, for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Stable, snake case; the last part of the problem's type.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)+ }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// The same words each time it occurs.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// What the problem's type leads to: the page that explains it.
            pub const fn page(self) -> &'static str {
                match self { $(Self::$name => page!($slug),)+ }
            }
        }
    };
}

codes! {
    /// The body is not the JSON that the route takes.
    InvalidBody = "invalid_body", BAD_REQUEST, "The request body cannot be read";
    /// A query parameter is out of its range or of the wrong kind.
    InvalidQuery = "invalid_query", BAD_REQUEST, "A query parameter is not valid";
    /// A header is malformed.
    InvalidHeader = "invalid_header", BAD_REQUEST, "A header is not valid";
    /// The id in the path is not a UUID.
    InvalidId = "invalid_id", BAD_REQUEST, "The id is not a UUID";
    /// The source URL cannot be moved.
    InvalidSourceUrl = "invalid_source_url", UNPROCESSABLE_ENTITY, "The source URL cannot be used";
    /// The source URL leads to an address that is not public.
    AddressForbidden = "address_forbidden", UNPROCESSABLE_ENTITY, "The source URL leads to a forbidden address";
    /// The source URL's host has no address.
    HostNotFound = "host_not_found", UNPROCESSABLE_ENTITY, "The source URL's host does not resolve";
    /// The site shows no page that could be read.
    SiteUnreadable = "site_unreadable", UNPROCESSABLE_ENTITY, "The site could not be looked at";
    /// The brief is missing, double, empty or too long.
    InvalidBrief = "invalid_brief", UNPROCESSABLE_ENTITY, "The brief cannot be used";
    /// No usable API key.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "A valid API key is needed";
    /// The caller's role does not allow this.
    Forbidden = "forbidden", FORBIDDEN, "Your role does not allow this";
    /// Only operators of the instance may do this.
    NotOperator = "not_operator", FORBIDDEN, "You are no operator of this instance";
    /// A cookie came from a place where it does not count.
    UntrustedOrigin = "untrusted_origin", FORBIDDEN, "A cookie does not count here";
    /// A cookie came without its forms' token.
    StaleForm = "stale_form", FORBIDDEN, "The form is not of this session";
    /// No such migration for this caller.
    MigrationNotFound = "migration_not_found", NOT_FOUND, "There is no such migration";
    /// The analysis has no page of that number.
    PageNotFound = "page_not_found", NOT_FOUND, "There is no such page";
    /// The result names no such picture.
    PictureNotFound = "picture_not_found", NOT_FOUND, "There is no such picture";
    /// No such dead letter for this caller.
    LetterNotFound = "dead_letter_not_found", NOT_FOUND, "There is no such dead letter";
    /// No such replay for this caller.
    ReplayNotFound = "replay_not_found", NOT_FOUND, "There is no such replay";
    /// The dead letter was replayed or discarded before, or its migration went on without it.
    LetterSettled = "dead_letter_settled", CONFLICT, "The dead letter is settled";
    /// The filter leaves nothing out.
    EmptyFilter = "empty_filter", UNPROCESSABLE_ENTITY, "The filter is empty";
    /// No such job for this caller.
    JobNotFound = "job_not_found", NOT_FOUND, "There is no such job";
    /// Nobody offers that kind of work to this caller.
    UnknownKind = "unknown_kind", UNPROCESSABLE_ENTITY, "There is no such kind of job";
    /// A job's payload is over its kind's limit or does not match its kind's schema.
    InvalidPayload = "invalid_payload", UNPROCESSABLE_ENTITY, "The payload does not fit the kind";
    /// Another value of a job is out of its range.
    InvalidJob = "invalid_job", UNPROCESSABLE_ENTITY, "The job cannot be written as it is";
    /// The job carries out a migration.
    JobOfMigration = "job_of_migration", CONFLICT, "The job belongs to a migration";
    /// Only failed jobs are retried.
    JobNotFailed = "job_not_failed", CONFLICT, "The job has not failed";
    /// The job is over.
    JobOver = "job_over", CONFLICT, "The job is over";
    /// Another job with the same unique key is not over.
    UniqueKeyTaken = "unique_key_taken", CONFLICT, "Another job has the same unique key";
    /// No such schedule for this caller.
    ScheduleNotFound = "schedule_not_found", NOT_FOUND, "There is no such schedule";
    /// A schedule's name, expression, zone or policy cannot be used.
    InvalidSchedule = "invalid_schedule", UNPROCESSABLE_ENTITY, "The schedule cannot be used";
    /// The tenant has as many schedules as it may have.
    TooManySchedules = "too_many_schedules", CONFLICT, "There are too many schedules";
    /// A gate cannot say that.
    InvalidGate = "invalid_gate", UNPROCESSABLE_ENTITY, "The gate cannot say that";
    /// There are as many gates as there may be.
    TooManyGates = "too_many_gates", CONFLICT, "There are too many gates";
    /// No such route.
    RouteNotFound = "route_not_found", NOT_FOUND, "There is nothing at this address";
    /// The route exists and does not take this method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "This address does not take this method";
    /// An active migration of the same site by the same user.
    AlreadyActive = "already_active", CONFLICT, "This site is being moved already";
    /// The migration is over.
    AlreadyOver = "already_over", CONFLICT, "The migration is over";
    /// The migration is not over, or was called off.
    NotRetryable = "not_retryable", CONFLICT, "The migration cannot be run again";
    /// As many new runs as are allowed were asked for with this reason.
    RetryLimit = "retry_limit_reached", CONFLICT, "No more retries are allowed for this reason";
    /// The last retry was too short ago.
    RetryTooSoon = "retry_too_soon", TOO_MANY_REQUESTS, "The last retry was too short ago";
    /// A phase before the one that was asked for has no result.
    PhaseNotReached = "phase_not_reached", UNPROCESSABLE_ENTITY, "The phase cannot come first";
    /// Nothing is known of the site yet.
    NotAnalyzed = "not_analyzed", CONFLICT, "The site has not been looked at";
    /// There is no project yet, or there never will be.
    NotCompleted = "not_completed", CONFLICT, "The migration has no project";
    /// There is no plan yet.
    NotPlanned = "not_planned", CONFLICT, "The migration has no plan";
    /// Somebody works by the plan, or nobody ever will.
    PlanInUse = "plan_in_use", CONFLICT, "The plan cannot be changed now";
    /// Nothing waits for an approval.
    PlanNotAwaited = "plan_not_awaited", CONFLICT, "No plan waits for approval";
    /// The plan is not the one that the request names.
    PlanChanged = "plan_changed", PRECONDITION_FAILED, "The plan is another one";
    /// The request does not say which plan it means.
    IfMatchMissing = "if_match_missing", PRECONDITION_REQUIRED, "The plan that is meant has to be named";
    /// The plan cannot be changed so.
    InvalidPlanEdit = "invalid_plan_edit", UNPROCESSABLE_ENTITY, "The plan cannot be changed so";
    /// A request with the same Idempotency-Key is being carried out.
    KeyInFlight = "idempotency_key_in_flight", CONFLICT, "A request with this Idempotency-Key is being carried out";
    /// The Idempotency-Key was used for another body.
    KeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request";
    /// The body is over the limit.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The request body is too large";
    /// The body came too slowly.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The request body took too long";
    /// The body is not declared as JSON.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The request body has to be JSON";
    /// A part that is needed cannot be reached now.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "A part of the service cannot be reached";
    /// A fault of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong on our side";
}

/// The page of a problem's type, by the type's last part. Also of what other services answer on the same origin.
pub(crate) fn page_of(slug: &str) -> Option<&'static str> {
    if slug == "too_many_streams" {
        return Some(page!("too_many_streams"));
    }
    Code::ALL.iter().find(|code| code.slug() == slug).map(|code| code.page())
}

/// One refusal, ready to be sent.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    extensions: Map<String, Value>,
    retry_after: Option<u64>,
}

impl Problem {
    /// `detail` says what is wrong with this request and what to do.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let retry_after = matches!(code, Code::Unavailable | Code::KeyInFlight).then_some(1);
        Self { code, detail: detail.into(), extensions: Map::new(), retry_after }
    }

    /// Adds a member of its own, such as the id of the migration that stands in the way.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// Says in how many seconds the same request may be sent again.
    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Something that is needed is away, or we are at fault: the cause is logged, the client learns which of both.
    pub fn from_source(kind: Kind, source: &(dyn std::error::Error + 'static)) -> Self {
        let told = service_kit::exit::chain(source);
        if kind == Kind::Unavailable {
            tracing::warn!(error = told, "a part that the request needs is away");
            return Self::new(Code::Unavailable, "Try again in a moment; nothing was changed.");
        }
        tracing::error!(error = told, "the request failed");
        Self::new(Code::Internal, "This was logged. If it stays, tell the operator the trace id.")
    }

    /// What went wrong, for programs.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// A member of its own.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.extensions.get(name)
    }

    /// What is sent.
    pub(crate) fn document(&self) -> Document<'_> {
        Document {
            code: self.code.slug(),
            status: self.code.status(),
            title: self.code.title(),
            detail: &self.detail,
            trace_id: telemetry::trace_id(),
            extensions: self.extensions.clone(),
            retry_after: self.retry_after,
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        Self::from_source(error.kind(), &error)
    }
}

impl From<auth::Error> for Problem {
    fn from(error: auth::Error) -> Self {
        match error.kind() {
            Kind::Forbidden if matches!(error, auth::Error::FormToken) => {
                Self::new(Code::StaleForm, format!("{error}. Load the page again."))
            }
            Kind::Forbidden => Self::new(
                Code::UntrustedOrigin,
                format!("{error}. Name the address of the pages in `origins`, or send an API key."),
            ),
            Kind::Unauthenticated => Self::new(
                Code::Unauthenticated,
                format!(
                    "{error}: send `Authorization: Bearer rsk_…` with a key that is not revoked or expired."
                ),
            ),
            kind => Self::from_source(kind, &error),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.title(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.document().response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_a_slug_of_its_own_and_a_page_about_it() {
        let slugs: BTreeSet<&str> = Code::ALL.iter().map(|code| code.slug()).collect();
        assert_eq!(slugs.len(), Code::ALL.len());
        for code in Code::ALL {
            let first = code.page().lines().next().unwrap_or_default();
            assert_eq!(first, format!("# {} ({})", code.slug(), code.status().as_u16()));
        }
    }
}
