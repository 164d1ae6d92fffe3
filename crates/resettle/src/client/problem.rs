//! A refusal as the server words it (problem+json, RFC 9457), and what the person can do about it.

use domain::MigrationId;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;

/// What is shown of a body that is not problem+json.
const QUOTED: usize = 200;

/// A refusal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    detail: String,
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Problem {
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let read = serde_json::from_slice(body).unwrap_or_else(|_| {
            let text: String = String::from_utf8_lossy(body).trim().chars().take(QUOTED).collect();
            Self { title: "the server refused".into(), detail: text, ..Self::default() }
        });
        Self { status, ..read }
    }

    pub(crate) fn may_pass(&self) -> bool {
        self.status == 429 || self.status >= 500
    }

    /// Is it that there is no such thing, or that its state does not allow what was asked?
    pub(crate) fn is_about_what_was_asked(&self) -> bool {
        matches!(self.status, 404 | 409 | 422)
    }

    /// The migration of the same site that is under way, if that is why.
    pub(crate) fn active_migration(&self) -> Option<MigrationId> {
        if self.status != 409 {
            return None;
        }
        self.more.get("migrationId").and_then(Value::as_str).and_then(|id| id.parse().ok())
    }

    fn advice(&self) -> Option<&'static str> {
        match self.status {
            401 => {
                Some("give a valid key with --api-key or RESETTLE_API_KEY; `resettle key create` makes one")
            }
            429 | 503 => Some("try again in a moment"),
            400 | 422 if self.kind.contains("address") || self.detail.contains("address") => {
                Some("without --server, an address of your own can be opened with --allow-address HOST:PORT")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = if self.title.is_empty() { "the server refused" } else { &self.title };
        write!(f, "{title} ({})", self.status)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        if let Some(errors) = self.more.get("errors").and_then(Value::as_array) {
            for error in errors {
                write!(f, "\n  - {}", error.as_str().map_or_else(|| error.to_string(), str::to_owned))?;
            }
        }
        if let Some(advice) = self.advice() {
            write!(f, "\n  {advice}")?;
        }
        match self.more.get("traceId").and_then(Value::as_str) {
            Some(trace) => write!(f, "\n  trace {trace}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_detail_advice_and_trace_are_told() {
        let body = br#"{"type":"/errors/unauthenticated","title":"Who is calling?","detail":"No key.","traceId":"ab"}"#;
        let told = Problem::read(401, body).to_string();
        assert!(told.starts_with("Who is calling? (401): No key.\n"), "{told}");
        assert!(told.contains("--api-key") && told.ends_with("trace ab"), "{told}");
    }

    #[test]
    fn what_is_no_problem_document_is_quoted() {
        let told = Problem::read(502, b"<h1>Bad gateway</h1>").to_string();
        assert_eq!(told, "the server refused (502): <h1>Bad gateway</h1>");
    }

    #[test]
    fn only_a_conflict_names_the_migration_to_join() {
        let id = uuid::Uuid::now_v7();
        let body = format!(r#"{{"title":"Under way","migrationId":"{id}"}}"#);
        assert_eq!(Problem::read(409, body.as_bytes()).active_migration(), Some(MigrationId(id)));
        assert_eq!(Problem::read(404, body.as_bytes()).active_migration(), None);
    }
}
