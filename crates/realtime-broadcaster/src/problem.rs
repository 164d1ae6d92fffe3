//! Refusals as problem documents (RFC 9457), in the same form as the gateway's; `docs/errors/<code>.md` explains
//! each. Never shows a source's text: that goes to the log, under the same trace id.

use crate::limits::Full;
use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use domain::Kind;
use serde_json::Map;
use service_kit::problem::Document;
use std::fmt;

/// What went wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The id in the path is not a UUID.
    InvalidId,
    /// A query parameter is not valid.
    InvalidQuery,
    /// Nothing but reading can be done with a stream.
    MethodNotAllowed,
    /// No usable API key.
    Unauthenticated,
    /// A cookie came from a place where it does not count.
    UntrustedOrigin,
    /// No such migration for this caller.
    MigrationNotFound,
    /// The tenant, the user or the address has as many streams as it may have.
    TooManyStreams,
    /// A part that is needed is away, or this process has as many streams as it can have.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// Every code there is.
    pub const ALL: [Self; 9] = [
        Self::InvalidId,
        Self::InvalidQuery,
        Self::MethodNotAllowed,
        Self::Unauthenticated,
        Self::UntrustedOrigin,
        Self::MigrationNotFound,
        Self::TooManyStreams,
        Self::Unavailable,
        Self::Internal,
    ];

    /// Stable, snake case; the last part of the problem's type.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::InvalidId => "invalid_id",
            Self::InvalidQuery => "invalid_query",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Unauthenticated => "unauthenticated",
            Self::UntrustedOrigin => "untrusted_origin",
            Self::MigrationNotFound => "migration_not_found",
            Self::TooManyStreams => "too_many_streams",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::InvalidId => "The id is not a UUID",
            Self::InvalidQuery => "A query parameter is not valid",
            Self::MethodNotAllowed => "This address does not take this method",
            Self::Unauthenticated => "A valid API key is needed",
            Self::UntrustedOrigin => "A cookie does not count here",
            Self::MigrationNotFound => "There is no such migration",
            Self::TooManyStreams => "Too many streams are open",
            Self::Unavailable => "A part of the service cannot be reached",
            Self::Internal => "Something went wrong on our side",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidId | Self::InvalidQuery => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::UntrustedOrigin => StatusCode::FORBIDDEN,
            Self::MigrationNotFound => StatusCode::NOT_FOUND,
            Self::TooManyStreams => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// One refusal, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    retry_after: u64,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: 1 }
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// The cause is logged; the client learns whether it is a part that is away or a fault of ours.
    fn from_source(kind: Kind, source: &(dyn std::error::Error + 'static)) -> Self {
        let told = service_kit::exit::chain(source);
        if kind == Kind::Unavailable {
            tracing::warn!(error = told, "a part that the request needs is away");
            return Self::new(Code::Unavailable, "Try again in a moment.");
        }
        tracing::error!(error = told, "the request failed");
        Self::new(Code::Internal, "This was logged. If it stays, tell the operator the trace id.")
    }

    /// A limit on streams was reached. Spread over some seconds, so that all do not come back together.
    pub(crate) fn full(full: Full, spread: f64) -> Self {
        let (code, detail) = match full {
            Full::Process => {
                (Code::Unavailable, "This server has as many streams as it can hold; try again.")
            }
            Full::Tenant => {
                (Code::TooManyStreams, "Close streams that are not watched any more, then try again.")
            }
            Full::User => (Code::TooManyStreams, "You have as many streams open as one person may have."),
            Full::Address => {
                (Code::TooManyStreams, "Your network address has as many streams open as one may have.")
            }
        };
        Self { retry_after: 2 + (spread * 8.0) as u64, ..Self::new(code, detail) }
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
            Kind::Unauthenticated => Self::new(
                Code::Unauthenticated,
                format!(
                    "{error}: send `Authorization: Bearer rsk_…` with a key that is not revoked or expired."
                ),
            ),
            Kind::Forbidden => Self::new(
                Code::UntrustedOrigin,
                format!("{error}. Name the address of the pages in `origins`, or send an API key."),
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
        let again = matches!(self.code, Code::TooManyStreams | Code::Unavailable);
        let document = Document {
            code: self.code.slug(),
            status: self.code.status(),
            title: self.code.title(),
            detail: &self.detail,
            trace_id: telemetry::trace_id(),
            extensions: Map::new(),
            retry_after: again.then_some(self.retry_after),
        };
        document.response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page() {
        let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        for code in Code::ALL {
            let page = pages.join(format!("{}.md", code.slug()));
            assert!(page.is_file(), "{} is missing", page.display());
        }
    }
}
