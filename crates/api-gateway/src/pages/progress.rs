//! One move: five steps, how far it is, what happens now, everything that happened, and how it ended.
//!
//! The page is made from the record, so it is right without a script and at every reload. The script then reads the
//! history from its first line and follows it; what it shows is a function of the history alone.

mod asked;
mod ending;

use super::{Visitor, frame, page, see, shown, words::Words};
use crate::{
    Code, Problem, correlation,
    gateway::Parts,
    input::{Caller, Named, not_found},
    routes::{
        cancel::call_off,
        plan,
        retry::{RetryRequest, run_again},
    },
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form},
};
use domain::{MigrationId, migration::MigrationState, phase::Phase};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use store::{MigrationRecord, PhaseRecord};

#[derive(Deserialize)]
pub(super) struct Token {
    token: String,
}

pub(super) async fn show(
    request: HttpRequest,
    parts: Data<Parts>,
    id: Result<Named, Problem>,
) -> HttpResponse {
    let answer = match id {
        Ok(Named(id)) => progress(&request, &parts, id).await,
        Err(problem) => Err(problem),
    };
    shown(&request, answer)
}

async fn progress(request: &HttpRequest, parts: &Parts, id: MigrationId) -> Result<HttpResponse, Problem> {
    let visitor = Visitor::of(parts, request).await?;
    drawn(parts, &visitor, id, None).await
}

/// The page; with why another run was refused, if that was asked for.
async fn drawn(
    parts: &Parts,
    visitor: &Visitor,
    id: MigrationId,
    refused: Option<&Problem>,
) -> Result<HttpResponse, Problem> {
    let tenant = visitor.caller.tenant;
    let record = parts.store.migration(tenant, id).await?.ok_or_else(|| not_found(id))?;
    let phases = parts.store.phases(tenant, id, record.run).await?;
    let plan = match record.state {
        MigrationState::Questionnaire => parts.store.plan(tenant, id).await?.and_then(|plan| plan.result),
        _ => None,
    };
    let words = visitor.words;
    let told = refused.map(|problem| words.told(problem));
    let content =
        View { visitor, words, record: &record, phases: &phases, plan: plan.as_ref(), refused: told }.whole();
    let title = format!("{} {}", words.progress_title, record.source_url);
    let status = refused.map_or(StatusCode::OK, |problem| problem.code().status());
    let path = words.at(&format!("/migrations/{id}"));
    Ok(page(status, words, &frame::page(words, &title, &path, Some(visitor), &content)))
}

pub(super) async fn cancel(
    request: HttpRequest,
    parts: Data<Parts>,
    id: Result<Named, Problem>,
    sent: Form<Token>,
) -> HttpResponse {
    let answer = async {
        let Named(id) = id?;
        let visitor = Visitor::with_form(&parts, &request, &sent.token).await?;
        call_off(&parts, &Caller(visitor.caller.clone()), id).await?;
        Ok(see(&visitor.words.at(&format!("/migrations/{id}"))))
    };
    shown(&request, answer.await)
}

/// The word that a plan waits for.
#[derive(Deserialize)]
pub(super) struct Approval {
    token: String,
    /// The hash of the plan that was shown.
    plan: String,
}

pub(super) async fn approve(
    request: HttpRequest,
    parts: Data<Parts>,
    id: Result<Named, Problem>,
    sent: Form<Approval>,
) -> HttpResponse {
    let answer = async {
        let Named(id) = id?;
        let visitor = Visitor::with_form(&parts, &request, &sent.token).await?;
        plan::approve(&parts, &Caller(visitor.caller.clone()), id, &sent.plan).await?;
        Ok(see(&visitor.words.at(&format!("/migrations/{id}"))))
    };
    shown(&request, answer.await)
}

/// A wish for another run.
#[derive(Deserialize)]
pub(super) struct Wish {
    token: String,
    reason: String,
    /// Sent by a box that is ticked.
    anew: Option<String>,
}

/// What the page's form is told, where it stands; other refusals are pages of their own.
const AT_THE_FORM: &[Code] = &[Code::RetryLimit, Code::RetryTooSoon, Code::NotRetryable, Code::AlreadyActive];

pub(super) async fn again(
    request: HttpRequest,
    parts: Data<Parts>,
    id: Result<Named, Problem>,
    sent: Form<Wish>,
) -> HttpResponse {
    let answer = async {
        let Named(id) = id?;
        let visitor = Visitor::with_form(&parts, &request, &sent.token).await?;
        let wish = RetryRequest {
            retry_reason: sent.reason.clone(),
            new_user_brief: None,
            increased_budget: None,
            reuse_seeds: Some(sent.anew.is_none()),
            from_phase: None,
        };
        let caller = Caller(visitor.caller.clone());
        match run_again(&parts, &caller, id, correlation::of(&request), None, wish).await {
            Ok(_) => Ok(see(&visitor.words.at(&format!("/migrations/{id}")))),
            Err(problem) if AT_THE_FORM.contains(&problem.code()) => {
                drawn(&parts, &visitor, id, Some(&problem)).await
            }
            Err(problem) => Err(problem),
        }
    };
    shown(&request, answer.await)
}

struct View<'a> {
    visitor: &'a Visitor,
    words: &'static Words,
    record: &'a MigrationRecord,
    phases: &'a [PhaseRecord],
    /// What PLAN says of its plan, while that waits for its owner's word.
    plan: Option<&'a Value>,
    /// Why another run was refused.
    refused: Option<String>,
}

impl View<'_> {
    fn whole(&self) -> Markup {
        let (words, record) = (self.words, self.record);
        html! {
            article.progress data-page="progress" data-migration=(record.id) data-words=(words.for_scripts())
                data-state=(record.state.as_str()) data-run=(record.run)
                data-at=(words.at(&format!("/migrations/{}", record.id))) {
                h1 { (words.progress_title) " " bdi dir="ltr" { (record.source_url) } }
                (self.steps())
                div.far {
                    progress #bar max="100" value=(record.progress) aria-label=(words.progress_label) {}
                    output #percent for="bar" { (record.progress) " %" }
                }
                p.now role="status" aria-label=(words.now_label) {
                    span #now dir="auto" { (words.state(record.state)) }
                }
                p.link #link hidden {}
                noscript { p.hint { (words.no_script) } }
                (self.asked())
                (self.ends())
                section #warnings hidden aria-labelledby="warnings-title" {
                    h2 #warnings-title { (words.warnings_title) }
                    ul tabindex="0" aria-labelledby="warnings-title" {}
                }
                details.log open {
                    summary { (words.log_title) }
                    ol #log tabindex="0" aria-label=(words.log_title) {}
                }
                (self.cancel())
            }
        }
    }

    fn steps(&self) -> Markup {
        let words = self.words;
        html! {
            ol.steps #steps aria-label=(words.phases_label) {
                @for phase in Phase::ALL {
                    @let step = self.step(phase);
                    li data-phase=(phase.as_str()) data-step=(step)
                        aria-current=[(step == "now").then_some("step")] {
                        span.name { (words.phase(phase)) }
                        span.how { (self.told(step)) }
                    }
                }
            }
        }
    }

    fn step(&self, phase: Phase) -> &'static str {
        let known = self.phases.iter().find(|known| known.phase == phase);
        match known {
            Some(known) if known.completed => "done",
            Some(_) if self.record.state.is_active() => "now",
            Some(_) => "stopped",
            None => "waiting",
        }
    }

    fn told(&self, step: &str) -> &'static str {
        match step {
            "done" => self.words.step_done,
            "now" => self.words.step_now,
            "stopped" => self.words.step_stopped,
            _ => self.words.step_waiting,
        }
    }

    /// Asked back without a script: the button is behind a disclosure. There for a later run, too, but not to be seen.
    fn cancel(&self) -> Markup {
        let (words, record) = (self.words, self.record);
        let (active, asked) = (record.state.is_active(), record.cancel_requested_at.is_some());
        html! {
            p.hint #cancel-asked hidden[!(active && asked)] { (words.cancel_asked) }
            details.stop #cancel hidden[!active || asked] {
                summary { (words.cancel_button) }
                form method="post" action=(words.at(&format!("/migrations/{}/cancel", record.id))) {
                    (self.visitor.token_field())
                    p { (words.cancel_sure) }
                    button.danger type="submit" { (words.cancel_really) }
                }
            }
        }
    }
}
