//! The one form in which services refuse a request: a problem document (RFC 9457) with a stable type, what to do,
//! and the trace's id. Which refusals there are is each service's own affair.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use serde_json::{Map, Value, json};

/// The media type of problem documents.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A refusal, ready to be written.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// Stable, snake case: the code, and the last part of the type `/problems/{code}`.
    pub code: &'a str,
    /// The HTTP status.
    pub status: StatusCode,
    /// The same words each time this code occurs.
    pub title: &'a str,
    /// What is wrong with this request and what to do. Never holds a source's text.
    pub detail: &'a str,
    /// Under which the causes are logged.
    pub trace_id: Option<String>,
    /// Members of this code's own. One with the name of a member above is overwritten.
    pub extensions: Map<String, Value>,
    /// In how many seconds the same request may be sent again.
    pub retry_after: Option<u64>,
}

impl Document<'_> {
    /// The document as it is sent.
    pub fn value(&self) -> Value {
        let mut members = self.extensions.clone();
        members.insert("type".into(), json!(format!("/problems/{}", self.code)));
        members.insert("title".into(), json!(self.title));
        members.insert("status".into(), json!(self.status.as_u16()));
        members.insert("code".into(), json!(self.code));
        members.insert("detail".into(), json!(self.detail));
        members.insert("traceId".into(), json!(self.trace_id));
        Value::Object(members)
    }

    /// The answer: never cached, and with the headers that HTTP asks for with its status.
    pub fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.content_type(CONTENT_TYPE).insert_header((header::CACHE_CONTROL, "no-store"));
        // RFC 9110, section 11.6.1: a 401 names the scheme that it wants.
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        response.body(self.value().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document<'static> {
        Document {
            code: "unauthenticated",
            status: StatusCode::UNAUTHORIZED,
            title: "A valid API key is needed",
            detail: "Send one.",
            trace_id: Some("4bf9".into()),
            extensions: Map::from_iter([("status".into(), json!(200)), ("keys".into(), json!(0))]),
            retry_after: Some(3),
        }
    }

    #[test]
    fn it_holds_the_members_of_the_rfc_and_its_own_which_cannot_replace_them() {
        let expected = json!({
            "type": "/problems/unauthenticated", "title": "A valid API key is needed", "status": 401,
            "code": "unauthenticated", "detail": "Send one.", "traceId": "4bf9", "keys": 0,
        });
        assert_eq!(document().value(), expected);
    }

    #[test]
    fn the_answer_has_the_headers_that_go_with_it() {
        let response = document().response();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(header("content-type"), Some(CONTENT_TYPE));
        assert_eq!(header("cache-control"), Some("no-store"));
        assert_eq!(header("www-authenticate"), Some("Bearer"));
        assert_eq!(header("retry-after"), Some("3"));
        let other = Document { status: StatusCode::NOT_FOUND, retry_after: None, ..document() }.response();
        assert!(
            !other.headers().contains_key("www-authenticate") && !other.headers().contains_key("retry-after")
        );
    }
}
