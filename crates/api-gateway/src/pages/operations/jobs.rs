//! Jobs of all tenants, and one with its attempts, its moves, the end of its history, and its trace.

use super::{Desk, moment, seconds, short, shown, table};
use crate::{
    Problem,
    gateway::Parts,
    routes::{
        admin::{JobsWanted, no_job},
        dead_letters::named,
    },
    view::{
        letters::JobMove,
        operations::{EventLine, HolderView, JobPage, JobView, JobWhole},
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Query},
};
use domain::{JobId, job::JobState};
use maud::{Markup, html};

pub(super) async fn list(
    request: HttpRequest,
    parts: Data<Parts>,
    wanted: Query<JobsWanted>,
) -> HttpResponse {
    let answer = listed(&request, &parts, &wanted).await;
    shown(&request, answer)
}

async fn listed(request: &HttpRequest, parts: &Parts, wanted: &JobsWanted) -> Result<HttpResponse, Problem> {
    let desk = Desk::of(parts, request).await?;
    let words = desk.words;
    let state = wanted.state.as_deref().unwrap_or_default();
    // A form sends what is not chosen as nothing.
    let mut asked = wanted.clone();
    asked.state = asked.state.filter(|state| !state.is_empty());
    let found = JobPage::from(desk.operator.store.job_lines(&asked.read()?).await?);
    let rows: Vec<Markup> = found.jobs.iter().map(|job| row(&desk, job)).collect();
    let head = [
        words.ops_job,
        words.ops_kind,
        words.list_state,
        words.ops_attempts,
        words.ops_epoch,
        words.list_begun,
    ];
    let content = html! {
        form.filter method="get" action=(desk.at("/jobs")) {
            label {
                span { (words.list_state) }
                select name="state" {
                    option value="" { (words.ops_all) }
                    @for one in JobState::ALL {
                        option value=(one.as_str()) selected[one.as_str() == state] { (words.job_state(one.as_str())) }
                    }
                }
            }
            button type="submit" { (words.ops_show) }
        }
        (table(words.ops_jobs, &head, &rows, words.ops_none))
        @if let Some(next) = found.next {
            p { a href=(format!("{}?before={next}&state={state}", desk.at("/jobs"))) { (words.list_older) } }
        }
    };
    Ok(desk.page(words.ops_jobs, "/jobs", false, &content))
}

fn row(desk: &Desk<'_>, job: &JobView) -> Markup {
    html! {
        th scope="row" { (desk.job(job.id)) }
        td dir="ltr" { (job.kind) }
        td { (state(desk, job)) }
        td { bdi dir="ltr" { (job.attempts) " / " (job.max_attempts) } }
        td { (job.epoch) }
        td { (moment(job.created_at)) }
    }
}

fn state(desk: &Desk<'_>, job: &JobView) -> Markup {
    html! { span.state data-state=(job.state.to_ascii_lowercase()) { (desk.words.job_state(job.state)) } }
}

pub(super) async fn one(request: HttpRequest, parts: Data<Parts>, id: Path<String>) -> HttpResponse {
    let answer = whole(&request, &parts, &id).await;
    shown(&request, answer)
}

async fn whole(request: &HttpRequest, parts: &Parts, id: &str) -> Result<HttpResponse, Problem> {
    let desk = Desk::of(parts, request).await?;
    let id = named(id)?;
    let found = desk.operator.store.job_in_full(JobId(id)).await?.ok_or_else(|| no_job(id))?;
    let found = JobWhole::of(found, &parts.config.trace_url);
    let words = desk.words;
    let moves: Vec<Markup> = found.transitions.iter().map(|one| transition(&desk, one)).collect();
    let events: Vec<Markup> = found.events.iter().map(event).collect();
    let moved = [
        words.ops_at,
        words.list_state,
        words.ops_cause,
        words.ops_epoch,
        words.ops_attempt,
        words.ops_actor,
    ];
    let told = [words.ops_number, words.ops_at, words.ops_type, words.progress_label, words.ops_notes];
    let content = html! {
        (facts(&desk, &found))
        @if let Some(lease) = &found.lease { (holder(&desk, lease)) }
        h2 { (words.ops_moves) }
        (table(words.ops_moves, &moved, &moves, words.ops_none))
        h2 { (words.ops_events) }
        (table(words.ops_events, &told, &events, words.ops_none))
    };
    let title = format!("{} {}", words.ops_job, short(id));
    Ok(desk.page(&title, &format!("/jobs/{id}"), true, &content))
}

fn facts(desk: &Desk<'_>, found: &JobWhole) -> Markup {
    let (words, job) = (desk.words, &found.job);
    let error = job.last_error.as_ref().and_then(|error| error["message"].as_str());
    html! {
        dl.facts {
            dt { (words.ops_job) } dd dir="ltr" { (job.id) }
            dt { (words.list_state) } dd { (state(desk, job)) }
            dt { (words.ops_kind) } dd dir="ltr" { (job.kind) " · " (job.queue) }
            dt { (words.ops_tenant) } dd dir="ltr" { (job.tenant_id) }
            @if let (Some(migration), Some(run)) = (job.migration_id, job.run) {
                dt { (words.ops_migration) } dd dir="ltr" { (migration) " · " (run) }
            }
            dt { (words.ops_attempts) } dd { bdi dir="ltr" { (job.attempts) " / " (job.max_attempts) } }
            dt { (words.ops_epoch) } dd { (job.epoch) }
            dt { (words.ops_priority) } dd { bdi dir="ltr" { (job.priority) } }
            dt { (words.list_begun) } dd { (moment(job.created_at)) }
            @if job.finished_at.is_none() { dt { (words.ops_run_at) } dd { (moment(job.run_at)) } }
            @if let Some(at) = job.finished_at { dt { (words.ops_finished) } dd { (moment(at)) } }
            @if let Some(error) = error { dt { (words.ops_error) } dd dir="auto" { (error) } }
            @if let Some(trace) = &job.trace_id {
                dt { (words.ops_trace) }
                dd dir="ltr" {
                    @match &found.trace_url {
                        Some(url) => a href=(url) rel="noreferrer" { (trace) },
                        None => (trace),
                    }
                }
            }
        }
    }
}

fn holder(desk: &Desk<'_>, lease: &HolderView) -> Markup {
    let words = desk.words;
    html! {
        h2 { (words.ops_lease) }
        dl.facts {
            dt { (words.ops_worker) } dd dir="ltr" { (lease.worker_id) }
            dt { (words.ops_epoch) } dd { (lease.epoch) }
            dt { (words.ops_phase) } dd dir="ltr" { (lease.phase.as_deref().unwrap_or("–")) }
            dt { (words.ops_heartbeat) } dd { (seconds(lease.heartbeat_age_seconds)) }
            dt { (words.ops_at) } dd { (moment(lease.claimed_at)) }
        }
    }
}

/// One move; the failure of the attempt that ended with it stands under its cause.
pub(super) fn transition(desk: &Desk<'_>, one: &JobMove) -> Markup {
    let failure = one.failure.as_ref().and_then(|failure| failure["message"].as_str());
    html! {
        td { (moment(one.at)) }
        td { (desk.words.job_state(&one.to)) }
        td {
            span dir="ltr" { (one.cause) }
            @if let Some(failure) = failure { br; small dir="auto" { (failure) } }
        }
        td { (one.epoch) }
        td { (one.attempt) }
        td.long dir="ltr" { (one.actor) }
    }
}

fn event(line: &EventLine) -> Markup {
    html! {
        td { (line.seq) }
        td { (moment(line.at)) }
        td dir="ltr" { (line.r#type) @if let Some(phase) = &line.phase { " · " (phase) } }
        td { (line.progress) " %" }
        td.long dir="auto" { (line.notes.as_deref().unwrap_or_default()) }
    }
}
