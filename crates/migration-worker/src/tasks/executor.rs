//! What does a job's work. Each sort gets the same envelope and answers a document; none learns anything else of us.

use super::{Error, Kind, container::Container, http::Endpoint, options, subprocess::Subprocess};
use domain::{Failure, failure::Reason, task};
use serde::Serialize;
use serde_json::Value;
use store::Claimed;
use url::Url;

/// What an executor is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    /// The job's id.
    pub(super) job_id: String,
    /// Its kind.
    pub(super) kind: &'a str,
    /// From 1; raised when a person has a failed job tried again, never by a crash or a retry of ours.
    pub(super) run: u32,
    /// The number of the attempt within the run, from 1.
    pub(super) attempt: u32,
    /// The lease's fencing token: whoever keeps it can refuse a late attempt.
    pub(super) epoch: i64,
    /// What the work is.
    pub(super) payload: &'a Value,
}

impl<'a> Envelope<'a> {
    pub(super) fn of(claimed: &'a Claimed) -> Self {
        Self {
            job_id: claimed.lease.job.to_string(),
            kind: &claimed.kind,
            run: claimed.run,
            attempt: claimed.attempt,
            epoch: claimed.lease.epoch.0,
            payload: &claimed.payload,
        }
    }

    /// What one run of a job is for: the same for all its attempts (law 4).
    pub(super) fn idempotency_key(&self) -> String {
        format!("{}-{}", self.job_id, self.run)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("words, numbers and a document serialise")
    }
}

pub(super) enum Executor {
    Http(Endpoint),
    Subprocess(Subprocess),
    Container(Container),
}

impl Executor {
    /// Looks for what a kind needs on this machine.
    pub(super) fn of(name: &str, kind: &Kind) -> Result<Self, Error> {
        Ok(match kind.executor {
            options::Executor::Http => Self::Http(Endpoint::of(name, kind)?),
            options::Executor::Subprocess => Self::Subprocess(Subprocess::of(name, kind)?),
            options::Executor::Container => Self::Container(Container::of(name, kind)?),
        })
    }

    /// Does the work. Dropping the future ends it, whatever it started.
    pub(super) async fn carry_out(&self, envelope: &Envelope<'_>) -> Result<Value, Failure> {
        match self {
            Self::Http(endpoint) => endpoint.carry_out(envelope).await,
            Self::Subprocess(program) => program.carry_out(envelope).await,
            Self::Container(container) => container.carry_out(envelope).await,
        }
    }

    /// The server that is asked, if one is.
    pub(super) fn url(&self) -> Option<&Url> {
        match self {
            Self::Http(endpoint) => Some(endpoint.url()),
            Self::Subprocess(_) | Self::Container(_) => None,
        }
    }
}

/// The document that came, if it is one within its bounds; nothing at all is `null`.
pub(super) fn result(bytes: &[u8], most: u32) -> Result<Value, Failure> {
    let refused = |code: &str, told: String| Failure::of(Reason::InvalidInput, code, told);
    if bytes.len() > most as usize {
        return Err(too_large(most));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    let read: Value = serde_json::from_slice(bytes).map_err(|error| {
        refused("result_not_json", format!("What the executor answered is no JSON: {error}."))
    })?;
    // Numbers and escapes may be written longer than they came.
    if task::length(&read) > 2 * most as usize { Err(too_large(most)) } else { Ok(read) }
}

pub(super) fn too_large(most: u32) -> Failure {
    let told = format!("The executor answered more than {most} bytes, which is the kind's limit.");
    Failure::of(Reason::InvalidInput, "result_too_large", told)
}

/// An attempt that took longer than its kind allows.
pub(super) fn overdue() -> Failure {
    Failure::of(
        Reason::ToolTimeout,
        "task_timeout",
        "The attempt took longer than its kind allows and was ended.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_result_is_a_document_within_bounds_or_nothing() {
        assert_eq!(result(b" {\"a\": 1}\n", 20), Ok(json!({"a": 1})));
        assert_eq!(result(b" \n", 20), Ok(Value::Null));
        let code = |bytes: &[u8]| result(bytes, 20).expect_err("refused").code;
        assert_eq!(code(b"<html>"), "result_not_json");
        assert_eq!(code(b"1 2"), "result_not_json");
        assert_eq!(code(&[b' '; 21]), "result_too_large");
    }
}
