//! `/admin/…`: the operations, for operators of the instance. Views of `/api/admin`; the instance's name and colour stand
//! on each, so that nobody takes one instance for another.

mod board;
mod gates;
mod jobs;
mod letters;

use super::{Visitor, forms, frame, page, shown, words::Words};
use crate::{
    Problem,
    gateway::Parts,
    input::{Operator, sent},
    routes::taking,
    view::operations::Number,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, ServiceConfig},
};
use maud::{Markup, html};
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

pub(super) fn mount(config: &mut ServiceConfig, words: &'static Words) {
    let at = |path: &str| web::resource(format!("{}/admin{path}", words.prefix));
    config
        .service(taking("GET", at("/queues").get(board::queues)))
        .service(taking("GET", at("/workers").get(board::workers)))
        .service(taking("GET", at("/poison").get(letters::poison)))
        .service(taking("GET", at("/gates").get(gates::show)))
        .service(taking("POST", at("/gates/pause").app_data(forms()).post(gates::pause)))
        .service(taking("POST", at("/gates/resume").app_data(forms()).post(gates::resume)))
        .service(taking("GET", at("/jobs").get(jobs::list)))
        .service(taking("GET", at("/jobs/{id}").get(jobs::one)))
        .service(taking("GET", at("/dead-letters").get(letters::list)))
        .service(taking("GET", at("/dead-letters/{id}").get(letters::one)))
        .service(taking("POST", at("/dead-letters/{id}/replay").app_data(forms()).post(letters::replay)))
        .service(taking("POST", at("/dead-letters/{id}/discard").app_data(forms()).post(letters::discard)));
}

/// An operator at a page.
struct Desk<'a> {
    parts: &'a Parts,
    visitor: Visitor,
    operator: Operator,
    words: &'static Words,
}

impl<'a> Desk<'a> {
    async fn of(parts: &'a Parts, request: &HttpRequest) -> Result<Self, Problem> {
        let visitor = Visitor::of(parts, request).await?;
        Self::with(parts, visitor).await
    }

    /// Who sends a form of these pages.
    async fn with_form(parts: &'a Parts, request: &HttpRequest, token: &str) -> Result<Self, Problem> {
        let visitor = Visitor::of(parts, request).await?;
        visitor.caller.may_change(&parts.origins, &sent(request.headers()), Some(token))?;
        Self::with(parts, visitor).await
    }

    async fn with(parts: &'a Parts, visitor: Visitor) -> Result<Self, Problem> {
        let operator = Operator::of(parts, &visitor.caller).await?;
        let words = visitor.words;
        Ok(Self { parts, visitor, operator, words })
    }

    /// A page of these; `path` is where it is, behind `/admin`. What is `live` is asked for again by the script.
    fn page(&self, title: &str, path: &str, live: bool, content: &Markup) -> HttpResponse {
        self.page_as(StatusCode::OK, title, path, live, content)
    }

    fn page_as(
        &self,
        status: StatusCode,
        title: &str,
        path: &str,
        live: bool,
        content: &Markup,
    ) -> HttpResponse {
        let words = self.words;
        let instance = &self.parts.config.instance;
        let content = html! {
            section.operations data-page=[live.then_some("operations")] {
                @if !instance.name.is_empty() {
                    p.instance data-colour=(instance.colour.as_str()) { bdi { (instance.name) } }
                }
                h1 { (title) }
                (self.tabs(path))
                div #live.operations { (content) }
            }
        };
        let at = words.at(&format!("/admin{path}"));
        page(status, words, &frame::page(words, title, &at, Some(&self.visitor), &content))
    }

    fn tabs(&self, path: &str) -> Markup {
        let words = self.words;
        let tabs = [
            ("/queues", words.ops_queues),
            ("/workers", words.ops_workers),
            ("/jobs", words.ops_jobs),
            ("/dead-letters", words.ops_letters),
            ("/poison", words.ops_poison),
            ("/gates", words.ops_gates),
        ];
        html! {
            nav.tabs aria-label=(words.ops_title) {
                @for (to, name) in tabs {
                    a href=(self.at(to)) aria-current=[(to == path).then_some("page")] { (name) }
                }
            }
        }
    }

    fn at(&self, path: &str) -> String {
        self.words.at(&format!("/admin{path}"))
    }

    /// The beginning of an id: its whole is in the title and behind the link.
    fn job(&self, id: Uuid) -> Markup {
        html! { a.id href=(self.at(&format!("/jobs/{id}"))) title=(id) dir="ltr" { (short(id)) } }
    }

    /// A number, marked where it is not counted.
    fn number(&self, number: Number) -> Markup {
        let value = number.value;
        match number.kind {
            "estimated" => html! { span title=(self.words.ops_estimated) { "≈ " (value) } },
            "at_least" => html! { span title=(self.words.ops_at_least) { "≥ " (value) } },
            _ => html! { (value) },
        }
    }
}

/// The last characters of an id: those tell one from another, the first tell the time.
fn short(id: Uuid) -> String {
    let text = id.simple().to_string();
    format!("…{}", &text[text.len() - 8..])
}

/// As people say it: `850 ms`, `12 s`, `4 min`, `3 h`, `2 d`. Numbers and units that every language here writes so.
fn lasting(time: Duration) -> Markup {
    let seconds = time.as_secs();
    let told = match seconds {
        0 => format!("{} ms", time.subsec_millis()),
        1..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    };
    html! { bdi dir="ltr" { (told) } }
}

fn seconds(given: f64) -> Markup {
    lasting(Duration::try_from_secs_f64(given.max(0.0)).unwrap_or_default())
}

fn moment(at: OffsetDateTime) -> Markup {
    let text = at.format(&Rfc3339).unwrap_or_default();
    let shown = text.get(..19).unwrap_or(&text).replace('T', " ");
    html! { time datetime=(text) dir="ltr" { (shown) } }
}

/// A table that scrolls by itself where it is too wide, also by the keyboard.
fn table(label: &str, head: &[&str], rows: &[Markup], none: &str) -> Markup {
    html! {
        @if rows.is_empty() {
            p.hint { (none) }
        } @else {
            div.table tabindex="0" role="region" aria-label=(label) {
                table {
                    thead { tr { @for name in head { th scope="col" { (name) } } } }
                    tbody { @for row in rows { tr { (row) } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_one_unit() {
        let told = |millis| lasting(Duration::from_millis(millis)).0;
        for (millis, expected) in
            [(850, "850 ms"), (12_000, "12 s"), (250_000, "4 min"), (10_900_000, "3 h"), (180_000_000, "2 d")]
        {
            assert!(told(millis).contains(&format!(">{expected}<")), "{}", told(millis));
        }
    }
}
