//! The five executors. Each reads what the earlier ones stored, works, stores, and answers a small result. It may be
//! dropped at any await, because all it leaves behind is idempotent; and it never writes to Postgres but for what
//! ANALYZE records on the way, which goes through the pen like every write.

pub(crate) mod analyze;
pub(crate) mod deploy;
pub(crate) mod plan;
pub(crate) mod transform;
pub(crate) mod verify;

use crate::{keys::Keys, materials::Materials, pen::Pen, worker::Workshop};
use domain::{
    event::{DomainEvent, EventType, NewEvent},
    phase::Phase,
};
use serde_json::{Value, json};
use std::sync::Arc;
use url::Url;

/// What an executor works with.
pub(crate) struct Bench {
    pub(crate) shop: Arc<Workshop>,
    pub(crate) keys: Keys,
    pub(crate) source: Url,
    pub(crate) materials: Materials,
    pub(crate) pen: Pen,
}

/// What an executor leaves.
pub(crate) struct Outcome<R> {
    /// Stored with the phase.
    pub(crate) result: R,
    /// For people.
    pub(crate) notes: String,
    /// What else is to be told.
    pub(crate) events: Vec<NewEvent>,
    /// What is known of the site now, to be kept with the result: ANALYZE's.
    pub(crate) analysis: Option<store::Analysis>,
}

impl<R> Outcome<R> {
    pub(crate) fn new(result: R, notes: String) -> Self {
        Self { result, notes, events: Vec::new(), analysis: None }
    }
}

/// A phase's beginning in the migration's history.
pub(crate) fn started(phase: Phase) -> NewEvent {
    let event = event(phase, phase.progress(0, 0), "started", begins(phase), json!({}));
    event.named(DomainEvent::PhaseStarted)
}

/// Its end, with its results.
pub(crate) fn completed(phase: Phase, notes: &str, result: Value) -> NewEvent {
    event(phase, phase.progress(1, 1), "completed", notes, result).named(DomainEvent::PhaseCompleted)
}

fn event(phase: Phase, progress: i16, status: &str, notes: &str, mut detail: Value) -> NewEvent {
    detail["status"] = status.into();
    detail["currentTool"] = tool(phase).into();
    detail["notes"] = notes.into();
    NewEvent::new(EventType::PhaseUpdate, Some(phase), progress, detail)
}

/// What does the work.
pub(crate) const fn tool(phase: Phase) -> &'static str {
    match phase {
        Phase::Analyze => "crawler",
        Phase::Plan => "planner",
        Phase::Transform => "writer",
        Phase::Verify => "checker",
        Phase::Deploy => "packer",
    }
}

/// What is said when it begins.
const fn begins(phase: Phase) -> &'static str {
    match phase {
        Phase::Analyze => "Reading the site.",
        Phase::Plan => "Deciding routes, shared parts and assets.",
        Phase::Transform => "Writing the project.",
        Phase::Verify => "Checking the project against the site.",
        Phase::Deploy => "Storing the project.",
    }
}

/// The name of its span.
pub(crate) const fn span_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Analyze => "phase.analyze",
        Phase::Plan => "phase.plan",
        Phase::Transform => "phase.transform",
        Phase::Verify => "phase.verify",
        Phase::Deploy => "phase.deploy",
    }
}
