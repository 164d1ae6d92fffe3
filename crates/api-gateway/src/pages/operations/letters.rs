//! What waits for a person: dead letters, looked into before they are replayed or discarded, and messages that nobody
//! could read.

use super::{Desk, jobs::transition, moment, short, shown, table};
use crate::{
    Code, Problem,
    gateway::Parts,
    pages::see,
    routes::{
        admin::AllLetters,
        dead_letters::{self, DiscardRequest, discard_of, replay_of},
    },
    view::{
        letters::Letter,
        operations::{OfTenant, OperatorLetter},
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path, Query},
};
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

pub(super) async fn list(
    request: HttpRequest,
    parts: Data<Parts>,
    wanted: Query<AllLetters>,
) -> HttpResponse {
    let answer = listed(&request, &parts, &wanted).await;
    shown(&request, answer)
}

async fn listed(request: &HttpRequest, parts: &Parts, wanted: &AllLetters) -> Result<HttpResponse, Problem> {
    let desk = Desk::of(parts, request).await?;
    let words = desk.words;
    let found = wanted.page(&desk.operator).await?;
    let rows: Vec<Markup> = found.dead_letters.iter().map(|letter| row(&desk, letter)).collect();
    let head = [words.ops_letter, words.ops_kind, words.list_state, words.ops_error, words.ops_at];
    let at = desk.at("/dead-letters");
    let other = if wanted.settled { at.clone() } else { format!("{at}?settled=true") };
    let content = html! {
        p { a href=(other) { (if wanted.settled { words.ops_only_open } else { words.ops_settled_too }) } }
        (table(words.ops_letters, &head, &rows, words.ops_none))
        @if let Some(next) = &found.next {
            p { a href=(format!("{at}?before={next}&settled={}", wanted.settled)) { (words.list_older) } }
        }
    };
    Ok(desk.page(words.ops_letters, "/dead-letters", false, &content))
}

fn row(desk: &Desk<'_>, OfTenant { letter, .. }: &OfTenant) -> Markup {
    let at = desk.at(&format!("/dead-letters/{}", letter.id));
    html! {
        th scope="row" { a.id href=(at) title=(letter.id) dir="ltr" { (short(letter.id)) } }
        td dir="ltr" { (letter.kind) }
        td { (desk.words.letter_state(letter.state)) }
        td.long dir="auto" { (message(letter)) }
        td { (moment(letter.died_at)) }
    }
}

fn message(letter: &Letter) -> &str {
    letter.failure["message"].as_str().unwrap_or_default()
}

pub(super) async fn one(request: HttpRequest, parts: Data<Parts>, id: Path<String>) -> HttpResponse {
    let answer = async {
        let desk = Desk::of(&parts, &request).await?;
        whole(&desk, dead_letters::named(&id)?, None).await
    };
    shown(&request, answer.await)
}

/// The letter; with why something that was wanted of it was refused.
async fn whole(desk: &Desk<'_>, id: Uuid, refused: Option<Code>) -> Result<HttpResponse, Problem> {
    let words = desk.words;
    let found = desk.operator.store.letter_of_any(id).await?;
    let OperatorLetter { tenant_id, letter: full } =
        found.map(Into::into).ok_or_else(|| dead_letters::not_found(id))?;
    let letter = &full.letter;
    let moves: Vec<Markup> = full.transitions.iter().map(|one| transition(desk, one)).collect();
    let head = [
        words.ops_at,
        words.list_state,
        words.ops_cause,
        words.ops_epoch,
        words.ops_attempt,
        words.ops_actor,
    ];
    let job = serde_json::to_string_pretty(&full.job).unwrap_or_default();
    let content = html! {
        @if let Some(code) = refused { p.wrong role="alert" { (words.problem(code.slug())) } }
        dl.facts {
            dt { (words.ops_job) } dd { (desk.job(letter.job_id)) }
            dt { (words.ops_kind) } dd dir="ltr" { (letter.kind) }
            dt { (words.ops_tenant) } dd dir="ltr" { (tenant_id) }
            dt { (words.list_state) } dd { (words.letter_state(letter.state)) }
            dt { (words.ops_error) } dd dir="auto" { (message(letter)) }
            dt { (words.ops_at) } dd { (moment(letter.died_at)) }
            @if let Some(at) = letter.settled_at { dt { (words.ops_finished) } dd { (moment(at)) } }
            @if let Some(why) = &letter.discard_reason { dt { (words.ops_why) } dd dir="auto" { (why) } }
        }
        @if letter.state == "open" { (forms(desk, id)) }
        h2 { (words.ops_moves) }
        (table(words.ops_moves, &head, &moves, words.ops_none))
        details {
            summary { (words.ops_whole_job) }
            pre.json tabindex="0" dir="ltr" { (job) }
        }
    };
    let status = refused.map_or(StatusCode::OK, Code::status);
    let title = format!("{} {}", words.ops_letter, short(id));
    Ok(desk.page_as(status, &title, &format!("/dead-letters/{id}"), false, &content))
}

fn forms(desk: &Desk<'_>, id: Uuid) -> Markup {
    let words = desk.words;
    let at = |what: &str| desk.at(&format!("/dead-letters/{id}/{what}"));
    html! {
        div.settle {
            form.stack method="post" action=(at("replay")) {
                (desk.visitor.token_field())
                p { (words.ops_replay_told) }
                button.main type="submit" { (words.ops_replay) }
            }
            form.stack method="post" action=(at("discard")) {
                (desk.visitor.token_field())
                label {
                    span { (words.ops_why) }
                    input name="reason" required maxlength="500" dir="auto";
                }
                button.danger type="submit" { (words.ops_discard) }
            }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Settling {
    token: String,
    /// Only to discard.
    #[serde(default)]
    reason: String,
}

pub(super) async fn replay(
    request: HttpRequest,
    parts: Data<Parts>,
    id: Path<String>,
    sent: Form<Settling>,
) -> HttpResponse {
    settle(&request, &parts, &id, &sent, false).await
}

pub(super) async fn discard(
    request: HttpRequest,
    parts: Data<Parts>,
    id: Path<String>,
    sent: Form<Settling>,
) -> HttpResponse {
    settle(&request, &parts, &id, &sent, true).await
}

/// Settles it in its tenant's name, and leads back to the letter; a refusal stands there, too.
async fn settle(
    request: &HttpRequest,
    parts: &Parts,
    id: &str,
    sent: &Settling,
    discarded: bool,
) -> HttpResponse {
    let answer = async {
        let desk = Desk::with_form(parts, request, &sent.token).await?;
        let id = dead_letters::named(id)?;
        let found = desk.operator.store.letter_of_any(id).await?;
        let tenant = found.ok_or_else(|| dead_letters::not_found(id))?.tenant;
        let user = desk.operator.caller.user;
        let settled = if discarded {
            let body = DiscardRequest { reason: sent.reason.clone() };
            discard_of(parts, tenant, user, id, &body).await.map(drop)
        } else {
            replay_of(parts, tenant, user, id).await.map(drop)
        };
        match settled {
            Ok(()) => Ok(see(&desk.at(&format!("/dead-letters/{id}")))),
            Err(problem) if problem.code().status().is_client_error() => {
                whole(&desk, id, Some(problem.code())).await
            }
            Err(problem) => Err(problem),
        }
    };
    shown(request, answer.await)
}

pub(super) async fn poison(request: HttpRequest, parts: Data<Parts>) -> HttpResponse {
    let answer = async {
        let desk = Desk::of(&parts, &request).await?;
        let words = desk.words;
        let messages = desk.operator.store.poison_lines().await?;
        let rows: Vec<Markup> = messages
            .iter()
            .map(|message| {
                html! {
                    th scope="row" { (message.id) }
                    td dir="ltr" { (message.queue) }
                    td.long dir="ltr" { (message.error) }
                    td { bdi dir="ltr" { (message.bytes) " B" } }
                    td { (moment(message.at)) }
                    td.long dir="ltr" { code { (beginning(&message.beginning)) } }
                }
            })
            .collect();
        let head = [
            words.ops_number,
            words.ops_queue,
            words.ops_error,
            words.ops_size,
            words.ops_at,
            words.ops_beginning,
        ];
        let content = html! {
            p.hint { (words.ops_poison_told) }
            (table(words.ops_poison, &head, &rows, words.ops_none))
        };
        Ok(desk.page(words.ops_poison, "/poison", false, &content))
    };
    shown(&request, answer.await)
}

/// What can be shown of it in a line.
fn beginning(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(120).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
