//! What is held back: limits, rates, weights and pauses, and who said so. Pauses are begun and ended here; the rest by
//! the API and the terminal.

use super::{Desk, moment, short, shown, table};
use crate::{
    Code, Problem,
    gateway::Parts,
    pages::see,
    routes::admin::gates::change,
    view::operations::gates::{GateChanged, GateView},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Query},
};
use domain::gate::{ANYBODY, Scope};
use maud::{Markup, html};
use serde::Deserialize;
use store::GateWish;
use uuid::Uuid;

/// Lines of the log that are shown.
const LINES: u32 = 20;

/// What the form is filled with: where a link from another page leads.
#[derive(Debug, Default, Deserialize)]
pub(super) struct About {
    #[serde(default)]
    scope: String,
    #[serde(default)]
    key: String,
}

pub(super) async fn show(request: HttpRequest, parts: Data<Parts>, about: Query<About>) -> HttpResponse {
    let answer = async {
        let desk = Desk::of(&parts, &request).await?;
        page(&desk, &about, None).await
    };
    shown(&request, answer.await)
}

/// The page; with why something that was wanted was refused.
async fn page(desk: &Desk<'_>, about: &About, refused: Option<Code>) -> Result<HttpResponse, Problem> {
    let words = desk.words;
    let gates: Vec<GateView> = desk.operator.store.gates().await?.into_iter().map(Into::into).collect();
    let changes = desk.operator.store.gate_changes(LINES, None).await?;
    let rows: Vec<Markup> = gates.iter().map(|gate| row(desk, gate)).collect();
    let lines: Vec<Markup> = changes.into_iter().map(|change| line(desk, &change.into())).collect();
    let head = [
        words.ops_gate_scope,
        words.ops_gate_key,
        words.ops_gate_most,
        words.ops_gate_rate,
        words.ops_gate_weight,
        words.ops_gate_paused,
        words.ops_resume,
    ];
    let log = [words.ops_at, words.ops_actor, words.ops_gate_scope, words.ops_gate_key, words.ops_gate_after];
    let content = html! {
        @if let Some(code) = refused { p.wrong role="alert" { (words.problem(code.slug())) } }
        (table(words.ops_gates, &head, &rows, words.ops_gates_none))
        h2 { (words.ops_pause) }
        (form(desk, about))
        h2 { (words.ops_gate_log) }
        (table(words.ops_gate_log, &log, &lines, words.ops_none))
    };
    let status = refused.map_or(StatusCode::OK, Code::status);
    Ok(desk.page_as(status, words.ops_gates, "/gates", false, &content))
}

fn row(desk: &Desk<'_>, gate: &GateView) -> Markup {
    let words = desk.words;
    html! {
        th scope="row" { (words.scope(gate.scope)) }
        td dir="ltr" { (gate.key) }
        td { @match gate.most { Some(most) => { (most) }, None => { "–" } } }
        td dir="ltr" {
            @match &gate.rate { Some(rate) => { (rate.per_second) "/s · " (rate.burst) }, None => { "–" } }
        }
        td { (gate.weight) }
        td.long dir="auto" {
            @match &gate.paused {
                Some(pause) => { (moment(pause.since)) " · " (pause.reason) },
                None => { "–" },
            }
        }
        td {
            @if gate.paused.is_some() {
                form method="post" action=(desk.at("/gates/resume")) {
                    (desk.visitor.token_field())
                    input type="hidden" name="scope" value=(gate.scope);
                    input type="hidden" name="key" value=(gate.key);
                    button type="submit" { (words.ops_resume) }
                }
            }
        }
    }
}

fn form(desk: &Desk<'_>, about: &About) -> Markup {
    let words = desk.words;
    html! {
        form.stack method="post" action=(desk.at("/gates/pause")) {
            (desk.visitor.token_field())
            p { (words.ops_pause_told) }
            label {
                span { (words.ops_gate_scope) }
                select name="scope" {
                    @for scope in Scope::ALL.map(Scope::as_str) {
                        option value=(scope) selected[scope == about.scope] { (words.scope(scope)) }
                    }
                }
            }
            label {
                span { (words.ops_gate_key) }
                input name="key" required maxlength="300" dir="ltr"
                    value=(if about.key.is_empty() { ANYBODY } else { &about.key });
            }
            label {
                span { (words.ops_pause_why) }
                input name="reason" required maxlength="500" dir="auto";
            }
            button.danger type="submit" { (words.ops_pause) }
        }
    }
}

fn person(id: Uuid) -> Markup {
    html! { span.id title=(id) dir="ltr" { (short(id)) } }
}

fn line(desk: &Desk<'_>, change: &GateChanged) -> Markup {
    let after = change.after.as_ref().map(ToString::to_string);
    html! {
        th scope="row" { (moment(change.at)) }
        td { @if let Some(user) = change.user_id { (person(user)) } @else { "–" } }
        td { (desk.words.scope(change.scope)) }
        td dir="ltr" { (change.key) }
        td.long dir="ltr" { (after.as_deref().unwrap_or("–")) }
    }
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    token: String,
    scope: String,
    key: String,
    /// Only to pause.
    #[serde(default)]
    reason: String,
}

pub(super) async fn pause(request: HttpRequest, parts: Data<Parts>, sent: Form<Wanted>) -> HttpResponse {
    let wish = GateWish::Pause(sent.reason.trim().to_owned());
    settle(&request, &parts, sent.into_inner(), &wish).await
}

pub(super) async fn resume(request: HttpRequest, parts: Data<Parts>, sent: Form<Wanted>) -> HttpResponse {
    settle(&request, &parts, sent.into_inner(), &GateWish::Resume).await
}

/// Changes the gate and leads back to the page; a refusal stands there, too.
async fn settle(request: &HttpRequest, parts: &Parts, sent: Wanted, wish: &GateWish) -> HttpResponse {
    let answer = async {
        let desk = Desk::with_form(parts, request, &sent.token).await?;
        match change(&desk.operator, &sent.scope, &sent.key, wish).await {
            Ok(_) => Ok(see(&desk.at("/gates"))),
            Err(problem) if problem.code().status().is_client_error() => {
                let about = About { scope: sent.scope, key: sent.key };
                page(&desk, &about, Some(problem.code())).await
            }
            Err(problem) => Err(problem),
        }
    };
    shown(request, answer.await)
}
