//! What is said: a hint or a note. Small on purpose: whoever hears it reads the record.

use domain::{JobId, MigrationId, TenantId, trace::TraceContext};
use serde::{Deserialize, Serialize};

/// "This queue has work"; names the job that became runnable, for tracing only. Whoever takes it claims the
/// best-ranked runnable job of the queue, which may be another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobHint {
    /// The queue to look at.
    pub queue: String,
    /// The job that became runnable.
    pub job: JobId,
    /// The context of the publishing span.
    #[serde(default, skip_serializing_if = "is_untraced")]
    pub trace: TraceContext,
}

/// "This migration has events up to this number"; whoever listens reads the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventNote {
    /// Whose history it is.
    pub tenant: TenantId,
    /// The migration that has a new event.
    pub migration: MigrationId,
    /// The event's number.
    pub seq: i64,
    /// The context of the publishing span.
    #[serde(default, skip_serializing_if = "is_untraced")]
    pub trace: TraceContext,
}

fn is_untraced(trace: &TraceContext) -> bool {
    *trace == TraceContext::default()
}

impl JobHint {
    /// The same for the same hint, also when it is said again: what a broker's log and a trace can be joined by.
    pub fn message_id(&self) -> String {
        format!("job:{}", self.job)
    }
}

impl EventNote {
    /// The same for the same note, also when it is said again.
    pub fn message_id(&self) -> String {
        format!("event:{}:{}", self.migration, self.seq)
    }
}
