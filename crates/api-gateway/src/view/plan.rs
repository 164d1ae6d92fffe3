//! How a changed plan looks in an answer.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The answer to a change or an approval of a plan.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanAmended {
    pub(crate) migration_id: Uuid,
    /// `processing` once the plan is approved.
    #[schema(example = "questionnaire")]
    pub(crate) status: String,
    pub(crate) plan_version: i32,
    /// The plan's ETag, without its quotes.
    pub(crate) plan_hash: String,
    /// One sentence for people.
    pub(crate) message: String,
}
