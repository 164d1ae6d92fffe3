//! The start: an address and wishes, what a first look found, and off it goes.
//!
//! The column beside the form is where the estimate, the balance and the DNS provider will stand; until they are known
//! nothing is shown of them.

use super::{Visitor, frame, page, see, shown, words::Words};
use crate::{
    Code, correlation,
    gateway::Parts,
    input::Caller,
    routes::start::{StartRequest, begin},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Query},
};
use maud::{Markup, html};
use serde::Deserialize;

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Wish {
    token: String,
    url: String,
    #[serde(default)]
    brief: String,
    /// Sent by a box that is ticked.
    review: Option<String>,
}

/// An address to begin with: of a move that is to be started again.
#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    url: String,
}

pub(super) async fn show(request: HttpRequest, parts: Data<Parts>, given: Query<Given>) -> HttpResponse {
    let visitor = Visitor::of(&parts, &request).await;
    let answer = visitor.map(|visitor| {
        let form = Written { url: &given.url, brief: visitor.words.brief_text, review: false, wrong: None };
        form.page(&visitor, StatusCode::OK)
    });
    shown(&request, answer)
}

pub(super) async fn start(request: HttpRequest, parts: Data<Parts>, wish: Form<Wish>) -> HttpResponse {
    let visitor = match Visitor::with_form(&parts, &request, &wish.token).await {
        Ok(visitor) => visitor,
        Err(problem) => return shown(&request, Err(problem)),
    };
    let body = StartRequest {
        source_url: with_scheme(&wish.url),
        user_prompt: Some(wish.brief.clone()),
        user_brief: None,
        review_plan: wish.review.as_ref().map(|_| true),
    };
    let caller = Caller(visitor.caller.clone());
    let begun = begin(&parts, &caller, correlation::of(&request), None, body).await;
    let id = match &begun {
        Ok(begun) => begun.id().map(str::to_owned),
        // Whoever presses twice, or comes back later, is led to the move that is under way.
        Err(problem) => problem.member("migrationId").and_then(|id| id.as_str()).map(str::to_owned),
    };
    match (id, begun) {
        (Some(id), _) => see(&visitor.words.at(&format!("/migrations/{id}"))),
        (None, Ok(_)) => see(&visitor.words.at("/migrations")),
        (None, Err(problem)) => {
            let (review, wrong) = (wish.review.is_some(), Some(problem.code()));
            let form = Written { url: &wish.url, brief: &wish.brief, review, wrong };
            form.page(&visitor, problem.code().status())
        }
    }
}

/// People leave out what every address begins with.
pub(super) fn with_scheme(url: &str) -> String {
    let url = url.trim();
    if url.is_empty() || url.contains("://") { url.to_owned() } else { format!("https://{url}") }
}

/// The form as it was filled in.
struct Written<'a> {
    url: &'a str,
    brief: &'a str,
    review: bool,
    wrong: Option<Code>,
}

impl Written<'_> {
    fn page(&self, visitor: &Visitor, status: StatusCode) -> HttpResponse {
        let words = visitor.words;
        let content = html! {
            section.start data-page="start" data-words=(words.for_scripts()) {
                h1 { (words.start_title) }
                p.lead { (words.start_lead) }
                div.beside {
                    (self.form(visitor))
                    (found(words))
                }
            }
        };
        page(status, words, &frame::page(words, words.start_title, words.home(), Some(visitor), &content))
    }

    fn form(&self, visitor: &Visitor) -> Markup {
        let words = visitor.words;
        let brief_is_wrong = self.wrong == Some(Code::InvalidBrief);
        let url_is_wrong = self.wrong.is_some() && !brief_is_wrong;
        let wrong = self.wrong.map(|code| words.problem(code.slug()));
        html! {
            form.stack method="post" action=(words.at("/start")) {
                (visitor.token_field())
                label for="url" { (words.url_label) }
                input #url.large name="url" type="text" inputmode="url" dir="ltr" required value=(self.url)
                    autocomplete="url" autocapitalize="off" spellcheck="false" maxlength="2048"
                    aria-describedby="url-hint" aria-invalid=[url_is_wrong.then_some("true")];
                @if url_is_wrong { p.wrong role="alert" { (wrong.unwrap_or_default()) } }
                p.hint #url-hint { (words.url_hint) }
                label for="brief" { (words.brief_label) }
                textarea #brief name="brief" rows="4" dir="auto" required maxlength="16384"
                    aria-describedby="brief-hint" aria-invalid=[brief_is_wrong.then_some("true")] { (self.brief) }
                @if brief_is_wrong { p.wrong role="alert" { (wrong.unwrap_or_default()) } }
                p.hint #brief-hint { (words.brief_hint) }
                label.tick {
                    input type="checkbox" name="review" value="1" checked[self.review];
                    span { (words.review_label) }
                }
                button.main type="submit" { (words.start_button) }
            }
        }
    }
}

/// What a first look found: filled by the script, which asks as soon as there is an address.
fn found(words: &Words) -> Markup {
    html! {
        section.card.found aria-labelledby="found" {
            h2 #found { (words.look_title) }
            p #look-told role="status" { (words.look_idle) }
            dl #look-facts hidden {
                dt { (words.look_name) }
                dd data-fact="title" dir="auto" {}
                dt { (words.look_address) }
                dd data-fact="home" dir="ltr" {}
                dt { (words.look_pages) }
                dd data-fact="pages" {}
                dt { (words.look_size) }
                dd data-fact="size" {}
            }
        }
    }
}
