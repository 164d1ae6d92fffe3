//! How records look in answers. Only what a tenant may see; the OpenAPI document is made of these types.

pub(crate) mod jobs;
pub(crate) mod letters;
pub(crate) mod operations;
pub(crate) mod plan;
pub(crate) mod result;
pub(crate) mod schedules;

use domain::{MigrationId, phase::Phase};
use proto::status::LiveStatus;
use serde::Serialize;
use serde_json::Value;
use store::{AnalysisRecord, MigrationRecord, PhaseRecord, SitePageRecord};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// The answer to a start.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Started {
    /// The new migration's id.
    pub(crate) migration_id: Uuid,
    /// Always `queued`.
    #[schema(example = "queued")]
    pub(crate) status: &'static str,
    /// One sentence for people.
    pub(crate) message: String,
    /// What ties the request's traces together.
    pub(crate) correlation_id: Uuid,
}

/// The answer to a retry.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RetryStarted {
    pub(crate) migration_id: Uuid,
    /// Always `queued`.
    #[schema(example = "queued")]
    pub(crate) status: &'static str,
    /// The new run's number.
    pub(crate) run: i32,
    /// The first phase that is done anew; null if every stored result was taken over.
    pub(crate) from_phase: Option<String>,
    pub(crate) plan_version: i32,
    /// One sentence for people.
    pub(crate) message: String,
    /// What ties the run's traces together.
    pub(crate) correlation_id: Uuid,
}

/// One migration.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Migration {
    migration_id: Uuid,
    source_url: String,
    /// queued, analyzing, awaiting_ownership, questionnaire, processing, paused, completed, failed or cancelled.
    status: String,
    /// The phase that was begun last: ANALYZE, PLAN, TRANSFORM, VERIFY or DEPLOY.
    phase: Option<String>,
    /// 0 to 100: units done over units known.
    progress: i16,
    /// Raised by a user's wish only, never by a crash.
    run: i32,
    correlation_id: Uuid,
    /// How often an attempt failed or was lost.
    retry_count: i32,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    retry_at: Option<OffsetDateTime>,
    /// Why it failed: `{code, message, retryable}`.
    #[schema(value_type = Option<Object>)]
    error: Option<Value>,
    /// The project that came of it.
    project_id: Option<Uuid>,
    prompt_hash: String,
    seed: i64,
    tool_contract: String,
    model_version: String,
    /// From 1; raised by each change of the plan, and by a retry that makes a new one.
    plan_version: i32,
    cancel_requested: bool,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<OffsetDateTime>,
}

impl From<MigrationRecord> for Migration {
    fn from(record: MigrationRecord) -> Self {
        Self {
            migration_id: record.id.0,
            source_url: record.source_url,
            status: record.state.to_string(),
            phase: record.phase.map(name),
            progress: record.progress,
            run: record.run,
            correlation_id: record.correlation.0,
            retry_count: record.retry_count,
            retry_at: record.retry_at,
            error: record.error,
            project_id: record.project_id,
            prompt_hash: record.prompt_hash,
            seed: record.seed,
            tool_contract: record.tool_contract,
            model_version: record.model_version,
            plan_version: record.plan_version,
            cancel_requested: record.cancel_requested_at.is_some(),
            created_at: record.created_at,
            updated_at: record.updated_at,
            finished_at: record.finished_at,
        }
    }
}

/// One migration with its phases and, while a worker holds it, that worker's word.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MigrationInFull {
    #[serde(flatten)]
    pub(crate) migration: Migration,
    /// The phases of this run that were begun, in order.
    pub(crate) phases: Vec<PhaseView>,
    /// What its worker is doing at this moment; null when no worker holds it or none answered in time.
    pub(crate) live: Option<Live>,
}

/// One phase of the run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PhaseView {
    phase: String,
    completed: bool,
    /// How often it was begun: 1 unless an attempt was lost in it.
    starts: i32,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    started_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<OffsetDateTime>,
    /// The run that did it, where this one took its result over.
    reused_from_run: Option<i32>,
}

impl From<PhaseRecord> for PhaseView {
    fn from(record: PhaseRecord) -> Self {
        Self {
            phase: name(record.phase),
            completed: record.completed,
            starts: record.starts,
            started_at: record.started_at,
            completed_at: record.completed_at,
            reused_from_run: record.reused_from,
        }
    }
}

/// A worker's word on this very moment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Live {
    phase: Option<String>,
    progress: i16,
    /// For people: "reading /about.html".
    current_step: String,
    /// By the worker's clock.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    step_since: OffsetDateTime,
}

impl From<LiveStatus> for Live {
    fn from(status: LiveStatus) -> Self {
        Self {
            phase: status.phase.map(name),
            progress: status.progress,
            current_step: status.step,
            step_since: status.step_since,
        }
    }
}

/// A page of migrations, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MigrationPage {
    pub(crate) migrations: Vec<Migration>,
    /// Pass it as `before` for the next page; null on the last one.
    pub(crate) next: Option<String>,
}

/// A page of a migration's history, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventPage {
    /// The event envelope; see the stream's documentation.
    #[schema(value_type = Vec<Object>)]
    pub(crate) events: Vec<domain::event::Event>,
    /// Pass it as `since_id` for what follows.
    pub(crate) next: i64,
}

/// What is known of a site, with the first of its pages.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Analysis {
    migration_id: Uuid,
    run: i32,
    /// `shallow` while the site is being read, `deep` from then on.
    #[schema(example = "deep")]
    depth: &'static str,
    /// small, medium, large or enterprise.
    size_class: &'static str,
    /// Pages that were read; with a first look an estimate.
    page_count: i32,
    /// Seconds of AI time that the migration is expected to need.
    estimated_ai_seconds: i64,
    /// How many problems there are, by severity.
    problems: ProblemCountsView,
    /// Which limit cut the reading, if one did.
    truncated: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: OffsetDateTime,
    /// Everything that was found out of the site as a whole.
    #[schema(value_type = Object)]
    site: Value,
    /// The pages that were asked for; none while the site is being read.
    pages: SitePages,
}

/// Problems by severity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemCountsView {
    error: i32,
    warning: i32,
    info: i32,
}

impl Analysis {
    pub(crate) fn new(id: MigrationId, record: AnalysisRecord, pages: SitePages) -> Self {
        let AnalysisRecord { run, analysis, updated_at } = record;
        let counts = analysis.problems;
        Self {
            migration_id: id.0,
            run,
            depth: analysis.depth.as_str(),
            size_class: analysis.size_class.as_str(),
            page_count: analysis.pages,
            estimated_ai_seconds: analysis.ai_seconds,
            problems: ProblemCountsView {
                error: counts.errors,
                warning: counts.warnings,
                info: counts.infos,
            },
            truncated: analysis.truncated,
            updated_at,
            site: analysis.facts,
            pages,
        }
    }
}

/// Pages in canonical order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SitePages {
    pub(crate) items: Vec<SitePageView>,
    /// Pass it as `cursor` for what follows; null on the last list.
    pub(crate) next: Option<String>,
}

/// One page of the site.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SitePageView {
    /// Its place in canonical order, from 1.
    number: i32,
    url: String,
    /// What sort of page it is.
    kind: String,
    /// HTTP status.
    status: i16,
    title: Option<String>,
    language: Option<String>,
    words: i32,
    /// Links followed from the start page.
    depth: i32,
    /// The codes of its problems.
    problems: Vec<String>,
    /// The hash (BLAKE3) of its body as it was sent.
    body_hash: String,
}

impl From<SitePageRecord> for SitePageView {
    fn from(record: SitePageRecord) -> Self {
        Self {
            number: record.number,
            url: record.url,
            kind: record.kind,
            status: record.status,
            title: record.title,
            language: record.language,
            words: record.words,
            depth: record.depth,
            problems: record.problem_codes,
            body_hash: record.body_hash,
        }
    }
}

/// One page of the site, with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SitePageInFull {
    #[serde(flatten)]
    pub(crate) page: SitePageView,
    /// Everything that was found out.
    #[schema(value_type = Object)]
    pub(crate) facts: Value,
}

/// The answer to a cancel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cancel {
    pub(crate) migration_id: Uuid,
    /// `cancelled`, or `cancelling` while its worker lets go.
    pub(crate) status: &'static str,
}

fn name(phase: Phase) -> String {
    phase.to_string()
}
