//! One move: five steps, how far it is, what happens now, everything that happened, and how it ended.
//!
//! The page is made from the record, so it is right without a script and at every reload. The script then reads the
//! history from its first line and follows it; what it shows is a function of the history alone.

use super::{Visitor, frame, page, see, shown, words::Words};
use crate::{
    Problem,
    gateway::Parts,
    input::{Caller, Named, not_found},
    routes::cancel::call_off,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form},
};
use domain::{MigrationId, migration::MigrationState, phase::Phase};
use maud::{Markup, html};
use serde::Deserialize;
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
    let tenant = visitor.caller.tenant;
    let record = parts.store.migration(tenant, id).await?.ok_or_else(|| not_found(id))?;
    let phases = parts.store.phases(tenant, id, record.run).await?;
    let words = visitor.words;
    let content = View { visitor: &visitor, words, record: &record, phases: &phases }.whole();
    let title = format!("{} {}", words.progress_title, record.source_url);
    Ok(page(StatusCode::OK, words, &frame::page(words, &title, request.path(), Some(&visitor), &content)))
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

struct View<'a> {
    visitor: &'a Visitor,
    words: &'static Words,
    record: &'a MigrationRecord,
    phases: &'a [PhaseRecord],
}

impl View<'_> {
    fn whole(&self) -> Markup {
        let (words, record) = (self.words, self.record);
        html! {
            article.progress data-page="progress" data-migration=(record.id) data-words=(words.for_scripts())
                data-state=(record.state.as_str()) {
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
                (self.ends())
                section #warnings hidden aria-labelledby="warnings-title" {
                    h2 #warnings-title { (words.warnings_title) }
                    ul tabindex="0" aria-labelledby="warnings-title" {}
                }
                details.log open {
                    summary { (words.log_title) }
                    ol #log tabindex="0" aria-label=(words.log_title) {}
                }
                @if record.state.is_active() { (self.cancel()) }
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

    /// All ways in which it may end; the one that is true is shown.
    fn ends(&self) -> Markup {
        let (words, record) = (self.words, self.record);
        let over = |state| record.state != state;
        let why = record.error.as_ref().and_then(|error| error["message"].as_str()).unwrap_or_default();
        let again = format!("{}?url={}", words.home(), query(&record.source_url));
        html! {
            section.end.good #completed tabindex="-1" hidden[over(MigrationState::Completed)] {
                h2 { (words.done_title) }
                p { (words.done_lead) }
                p { a.button href=(format!("/api/migration/{}/artifact", record.id)) download { (words.download) } }
                p.hint { (words.done_next) }
            }
            section.end.bad #failed tabindex="-1" hidden[over(MigrationState::Failed)] {
                h2 { (words.failed_title) }
                p.why #why dir="auto" { (why) }
                p { (words.failed_next) }
                p { a.button href=(again) { (words.failed_again) } }
            }
            section.end #cancelled tabindex="-1" hidden[over(MigrationState::Cancelled)] {
                h2 { (words.cancelled_title) }
                p { (words.cancelled_lead) }
                p { a.button href=(again) { (words.failed_again) } }
            }
        }
    }

    /// Asked back without a script: the button is behind a disclosure.
    fn cancel(&self) -> Markup {
        let (words, record) = (self.words, self.record);
        if record.cancel_requested_at.is_some() {
            return html! { p.hint #cancel { (words.cancel_asked) } };
        }
        html! {
            details.stop #cancel {
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

/// A value of a query, with everything written as bytes that is not plain.
fn query(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}
