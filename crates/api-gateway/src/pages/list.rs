//! The organisation's moves, newest first.

use super::{Visitor, frame, page, shown, words::Words};
use crate::{Code, Problem, gateway::Parts};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use domain::migration::MigrationState;
use maud::{Markup, html};
use serde::Deserialize;
use store::{MigrationRecord, PageRequest};
use time::format_description::well_known::Rfc3339;

const AT_A_TIME: u32 = 25;

#[derive(Deserialize)]
pub(super) struct Older {
    before: Option<String>,
}

pub(super) async fn show(request: HttpRequest, parts: Data<Parts>, older: Query<Older>) -> HttpResponse {
    let answer = listed(&request, &parts, older.before.as_deref()).await;
    shown(&request, answer)
}

async fn listed(request: &HttpRequest, parts: &Parts, before: Option<&str>) -> Result<HttpResponse, Problem> {
    let visitor = Visitor::of(parts, request).await?;
    let before = before.map(str::parse).transpose();
    let before = before.map_err(|_| Problem::new(Code::InvalidQuery, "before is a migration's id."))?;
    // One more than is shown tells whether there are older ones.
    let wanted = PageRequest { limit: AT_A_TIME + 1, before };
    let mut found = parts.store.migrations(visitor.caller.tenant, &wanted).await?;
    let more = found.len() > AT_A_TIME as usize;
    found.truncate(AT_A_TIME as usize);
    let words = visitor.words;
    let oldest = found.last().filter(|_| more).map(|last| last.id);
    let content = html! {
        section.moves {
            h1 { (words.list_title) }
            @if found.is_empty() {
                p.lead { (words.list_empty) }
                p { a.button href=(words.home()) { (words.nav_start) } }
            } @else {
                ul { @for migration in &found { (line(words, migration)) } }
            }
            @if let Some(oldest) = oldest {
                p { a href=(format!("{}?before={oldest}", words.at("/migrations"))) { (words.list_older) } }
            }
        }
    };
    let markup = frame::page(words, words.list_title, request.path(), Some(&visitor), &content);
    Ok(page(StatusCode::OK, words, &markup))
}

fn line(words: &Words, migration: &MigrationRecord) -> Markup {
    let begun = migration.created_at.format(&Rfc3339).unwrap_or_default();
    html! {
        li {
            a.site href=(words.at(&format!("/migrations/{}", migration.id))) dir="ltr" { (migration.source_url) }
            span.state data-state=(migration.state.as_str()) { (words.state(migration.state)) }
            @if migration.state == MigrationState::Processing || migration.state == MigrationState::Analyzing {
                progress max="100" value=(migration.progress) aria-label=(words.progress_label) {}
            }
            time datetime=(begun) { (begun.get(..10).unwrap_or_default()) }
        }
    }
}
