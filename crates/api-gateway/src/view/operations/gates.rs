//! How gates look to operators.

use serde::Serialize;
use serde_json::Value;
use store::{GateChange, GateRecord};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// Every gate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gates {
    pub(crate) gates: Vec<GateView>,
}

/// What an operator said of how much runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GateView {
    /// `all`, `queue`, `tenant` or `destination`.
    pub(crate) scope: &'static str,
    /// Which of them; `*` is everybody of the scope who has no gate of their own.
    pub(crate) key: String,
    /// Jobs that a tenant begins before it is another's turn.
    pub(crate) weight: u32,
    /// Jobs held at once; null: no limit.
    pub(crate) most: Option<u32>,
    /// Jobs begun in a time; null: no limit.
    pub(crate) rate: Option<RateView>,
    /// Nothing begins there; null: it does.
    pub(crate) paused: Option<PauseView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RateView {
    /// In the long run.
    pub(crate) per_second: f64,
    /// At once.
    pub(crate) burst: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PauseView {
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) since: OffsetDateTime,
    pub(crate) reason: String,
}

impl From<GateRecord> for GateView {
    fn from(record: GateRecord) -> Self {
        let terms = record.terms;
        Self {
            scope: record.scope.as_str(),
            key: record.key,
            weight: terms.weight,
            most: terms.most,
            rate: terms.rate.map(|rate| RateView { per_second: rate.per_second, burst: rate.burst }),
            paused: record.paused.map(|(since, reason)| PauseView { since, reason }),
        }
    }
}

/// A page of the gates' log, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GateLog {
    pub(crate) changes: Vec<GateChanged>,
    /// Pass it as `before` for the next page; null at the end.
    pub(crate) next: Option<i64>,
}

/// One change of one gate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GateChanged {
    pub(crate) scope: &'static str,
    pub(crate) key: String,
    /// The operator; null: the owner of the database's schema, by hand.
    pub(crate) user_id: Option<Uuid>,
    /// What the gate said before, in the words of the database: `weight`, `most`, `per_second`, `burst`, `paused_at`,
    /// `pause_reason`; null: nothing.
    #[schema(value_type = Option<Object>)]
    pub(crate) before: Option<Value>,
    /// What it said from then on.
    #[schema(value_type = Option<Object>)]
    pub(crate) after: Option<Value>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: OffsetDateTime,
}

impl From<GateChange> for GateChanged {
    fn from(change: GateChange) -> Self {
        Self {
            scope: change.scope.as_str(),
            key: change.key,
            user_id: change.user.map(|user| user.0),
            before: change.before,
            after: change.after,
            at: change.at,
        }
    }
}
