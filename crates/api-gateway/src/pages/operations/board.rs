//! The queues at one glance, and who works on what.

use super::{Desk, lasting, moment, seconds, short, shown, table};
use crate::{Problem, gateway::Parts, view::operations::QueueOverview};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use maud::{Markup, html};
use std::time::Duration;
use store::{LeaseLine, WorkerLine};

/// A worker that lives tells every 10 seconds or so.
const SILENT: Duration = Duration::from_secs(45);

pub(super) async fn queues(request: HttpRequest, parts: Data<Parts>) -> HttpResponse {
    let answer = overview(&request, &parts).await;
    shown(&request, answer)
}

async fn overview(request: &HttpRequest, parts: &Parts) -> Result<HttpResponse, Problem> {
    let desk = Desk::of(parts, request).await?;
    let words = desk.words;
    let seen = QueueOverview::of(&parts.config.instance, &desk.operator.store.overview().await?);
    let queues: Vec<Markup> = seen
        .queues
        .iter()
        .map(|queue| {
            html! {
                th scope="row" dir="ltr" {
                    a href=(pausing(&desk, &queue.queue)) title=(words.ops_pause) { (queue.queue) }
                }
                td { (desk.number(queue.depth)) }
                td { (seconds(queue.lag_seconds)) }
            }
        })
        .collect();
    let content = html! {
        (waiting(&desk, &seen))
        h2 { (words.ops_queues) }
        (table(words.ops_queues, &[words.ops_queue, words.ops_depth, words.ops_lag], &queues, words.ops_none))
        h2 { (words.ops_states) }
        dl.figures {
            @for one in &seen.states {
                div data-state=(one.state) { dt { (words.job_state(one.state)) } dd { (desk.number(one.jobs)) } }
            }
        }
        (throughput(&desk, &seen))
        dl.figures {
            div { dt { (words.ops_outbox) } dd { (seconds(seen.outbox_oldest_seconds)) } }
            div { dt { (words.ops_horizon) } dd { (seconds(seen.horizon_lag_seconds)) } }
        }
        p.hint { (words.ops_marks) }
    };
    Ok(desk.page(words.ops_title, "/queues", true, &content))
}

/// What a person has to look at comes first.
fn waiting(desk: &Desk<'_>, seen: &QueueOverview) -> Markup {
    let words = desk.words;
    let (letters, poison) = (seen.open_dead_letters, seen.poison);
    html! {
        @if letters.value + poison.value + seen.pauses > 0 {
            p.attention role="status" {
                @if letters.value > 0 {
                    a href=(desk.at("/dead-letters")) { (words.ops_letters) ": " (desk.number(letters)) }
                }
                @if poison.value > 0 {
                    a href=(desk.at("/poison")) { (words.ops_poison) ": " (desk.number(poison)) }
                }
                @if seen.pauses > 0 {
                    a href=(desk.at("/gates")) { (words.ops_paused) ": " (seen.pauses) }
                }
            }
        }
    }
}

/// Where a queue is paused. The name of none needs an escape: they are those of kinds.
fn pausing(desk: &Desk<'_>, queue: &str) -> String {
    desk.at(&format!("/gates?scope=queue&key={queue}"))
}

fn throughput(desk: &Desk<'_>, seen: &QueueOverview) -> Markup {
    let (words, done) = (desk.words, &seen.throughput);
    let per_minute = |count: i64| format!("{:.1}", count as f64 * 60.0 / done.window_seconds);
    let figures = [
        (words.ops_claimed, done.claimed),
        (words.ops_completed, done.completed),
        (words.ops_retried, done.retried),
        (words.ops_failed, done.failed),
    ];
    html! {
        h2 { (words.ops_throughput) }
        p.hint { (words.ops_window) " " (seconds(done.window_seconds)) }
        dl.figures {
            @for (name, count) in figures {
                div { dt { (name) } dd { (count) small { " · " bdi dir="ltr" { (per_minute(count)) "/min" } } } }
            }
        }
    }
}

pub(super) async fn workers(request: HttpRequest, parts: Data<Parts>) -> HttpResponse {
    let answer = who(&request, &parts).await;
    shown(&request, answer)
}

async fn who(request: &HttpRequest, parts: &Parts) -> Result<HttpResponse, Problem> {
    let desk = Desk::of(parts, request).await?;
    let words = desk.words;
    let (workers, leases) =
        (desk.operator.store.worker_lines().await?, desk.operator.store.lease_lines().await?);
    let workers: Vec<Markup> = workers.iter().map(|worker| worker_row(&desk, worker)).collect();
    let leases: Vec<Markup> = leases.iter().map(|lease| lease_row(&desk, lease)).collect();
    let worker_head = [
        words.ops_worker,
        words.ops_heartbeat,
        words.ops_memory,
        words.ops_held,
        words.ops_started,
        words.ops_address,
    ];
    let lease_head = [
        words.ops_job,
        words.ops_kind,
        words.ops_phase,
        words.ops_epoch,
        words.ops_worker,
        words.ops_heartbeat,
        words.ops_left,
    ];
    let content = html! {
        h2 { (words.ops_workers) }
        (table(words.ops_workers, &worker_head, &workers, words.ops_none))
        h2 { (words.ops_leases) }
        (table(words.ops_leases, &lease_head, &leases, words.ops_none))
    };
    Ok(desk.page(words.ops_workers, "/workers", true, &content))
}

fn worker_row(desk: &Desk<'_>, worker: &WorkerLine) -> Markup {
    let silent = worker.silent > SILENT;
    let memory = worker.memory_bytes.map(|bytes| format!("{} MiB", bytes >> 20));
    html! {
        th scope="row" { span.id title=(worker.id) dir="ltr" { (short(worker.id.0)) } }
        td.bad[silent] {
            (lasting(worker.silent))
            @if silent { " · " (desk.words.ops_silent) }
        }
        td { bdi dir="ltr" { (memory.as_deref().unwrap_or("–")) } }
        td { bdi dir="ltr" { (worker.held) " / " (worker.concurrency) } }
        td { (moment(worker.started_at)) }
        td dir="ltr" { (worker.grpc_address) }
    }
}

fn lease_row(desk: &Desk<'_>, lease: &LeaseLine) -> Markup {
    let words = desk.words;
    html! {
        th scope="row" { (desk.job(lease.job.0)) }
        td dir="ltr" { (lease.kind) }
        td { (lease.phase.map_or("–", |phase| words.phase(phase))) }
        td { (lease.epoch.0) }
        td { span.id title=(lease.worker) dir="ltr" { (short(lease.worker.0)) } }
        td { (lasting(lease.silent)) }
        td.bad[lease.left.is_none()] {
            @match lease.left { Some(left) => (lasting(left)), None => (words.ops_expired) }
        }
    }
}
