//! What came of a move: before and after, page by page, each with its score; what was changed, what needs a person, and
//! the downloads. Without a script both sides stand side by side; the script adds the slider. What was not measured is
//! said to be so.

use super::{Visitor, frame, page, shown, words::Words};
use crate::{
    Problem,
    gateway::Parts,
    input::Named,
    routes::result::told,
    view::result::{ComparedView, PageView, PictureView, ResultView},
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use domain::MigrationId;
use maud::{Markup, html};

pub(super) async fn show(
    request: HttpRequest,
    parts: Data<Parts>,
    id: Result<Named, Problem>,
) -> HttpResponse {
    let answer = match id {
        Ok(Named(id)) => result(&request, &parts, id).await,
        Err(problem) => Err(problem),
    };
    shown(&request, answer)
}

async fn result(request: &HttpRequest, parts: &Parts, id: MigrationId) -> Result<HttpResponse, Problem> {
    let visitor = Visitor::of(parts, request).await?;
    let (record, result) = told(parts, visitor.caller.tenant, id).await?;
    let words = visitor.words;
    let content = html! {
        article.result data-page="result" {
            h1 { (words.result_title) " " bdi dir="ltr" { (record.source_url) } }
            p { a href=(words.at(&format!("/migrations/{id}"))) { (words.result_back) } }
            (downloads(words, id, &result))
            @match &result.compared {
                Some(compared) => (pages(words, compared)),
                None => section.card { h2 { (words.result_pages) } p { (words.result_unmeasured) } },
            }
            (needs(words, &result))
            (changed(words, &result))
        }
    };
    let title = format!("{} {}", words.result_title, record.source_url);
    let markup = frame::page(words, &title, request.path(), Some(&visitor), &content);
    Ok(page(StatusCode::OK, words, &markup))
}

fn downloads(words: &Words, id: MigrationId, result: &ResultView) -> Markup {
    html! {
        p.ways {
            @if let Some(artifact) = &result.artifact {
                a.button href=(artifact) download { (words.download) }
            }
            a href=(format!("/api/migration/{id}/result")) download=(format!("{id}.json")) {
                (words.result_report)
            }
        }
    }
}

fn pages(words: &Words, compared: &ComparedView) -> Markup {
    let alike = compared.pages.iter().filter(|page| page.passed).count();
    let summary = words.result_alike.replace("{alike}", &alike.to_string());
    let summary = summary.replace("{count}", &compared.pages.len().to_string());
    let left_out = words.result_left_out.replace("{count}", &compared.left_out.to_string());
    html! {
        section.pages aria-labelledby="pages" {
            h2 #pages { (words.result_pages) }
            p { (summary) @if compared.left_out > 0 { " " (left_out) } }
            // Shown by the script, which makes it work.
            fieldset.views #views hidden {
                legend { (words.result_view) }
                label { input #as-sides type="radio" name="view" value="sides" checked; span { (words.result_sides) } }
                label { input #as-slider type="radio" name="view" value="slider"; span { (words.result_slider) } }
            }
            @for (number, page) in compared.pages.iter().enumerate() {
                (one(words, page, number == 0 || !page.passed))
            }
            (addresses(words, compared))
        }
    }
}

fn one(words: &Words, page: &PageView, open: bool) -> Markup {
    html! {
        details.page open[open] {
            summary {
                bdi dir="ltr" { (page.url) }
                " "
                span.score data-passed=(page.passed) {
                    @match page.score {
                        Some(score) => { (percent(score)) " · " (verdict(words, page.passed)) },
                        None => (words.result_no_score),
                    }
                }
            }
            @if !page.reasons.is_empty() {
                ul.reasons {
                    @for reason in &page.reasons {
                        li { span dir="auto" { (reason.note) } @if let Some(width) = reason.width { " " bdi dir="ltr" { "(" (width) " px)" } } }
                    }
                }
            }
            @if page.pictures.is_empty() { p.hint { (words.result_no_pictures) } }
            @for picture in &page.pictures { (pair(words, page, picture)) }
        }
    }
}

fn verdict(words: &Words, passed: bool) -> &'static str {
    if passed { words.result_same } else { words.result_differs }
}

/// To a tenth, and never rounded up to all.
fn percent(share: f64) -> String {
    format!("{:.1} %", (share * 1000.0).floor() / 10.0)
}

fn pair(words: &Words, page: &PageView, picture: &PictureView) -> Markup {
    let width = words.result_width.replace("{width}", &picture.width.to_string());
    let label = format!("{} · {width}", page.url);
    html! {
        div.pair data-wide[picture.width >= 768] {
            p.hint { (width) @if let Some(score) = picture.score { " · " bdi dir="ltr" { (percent(score)) } } }
            div.both tabindex="0" role="region" aria-label=(label) {
                @for (side, at) in [(words.result_before, &picture.before), (words.result_after, &picture.after)] {
                    figure {
                        figcaption { (side) }
                        img src=(at) alt=(format!("{side}: {}", page.url)) loading="lazy" width=(picture.width);
                    }
                }
            }
            label.slide hidden {
                span { (words.result_slide) }
                input type="range" min="0" max="100" value="50" step="1";
            }
        }
    }
}

fn addresses(words: &Words, compared: &ComparedView) -> Markup {
    let told = words.result_addresses.replace("{count}", &compared.addresses.to_string());
    html! {
        h3 { (words.result_links) }
        p { (told) }
        @if !compared.wrong_addresses.is_empty() {
            div.table tabindex="0" role="region" aria-label=(words.result_links) {
                table {
                    thead { tr {
                        th scope="col" { (words.look_address) }
                        th scope="col" { (words.result_before) }
                        th scope="col" { (words.result_after) }
                    } }
                    tbody {
                        @for wrong in &compared.wrong_addresses {
                            tr dir="ltr" {
                                th.long scope="row" { (wrong.path) }
                                td { (wrong.wanted) }
                                td { (wrong.found) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What a person has to look at: what the checks say, then what could not be carried over.
fn needs(words: &Words, result: &ResultView) -> Markup {
    let more = result.all_notes - result.notes.len();
    let told = words.result_more.replace("{count}", &more.to_string());
    html! {
        section aria-labelledby="needs" {
            h2 #needs { (words.result_needs) }
            @if result.findings.is_empty() && result.notes.is_empty() { p { (words.result_needs_none) } }
            @if !result.findings.is_empty() {
                ul.reasons { @for finding in &result.findings { li dir="auto" { (finding) } } }
            }
            @if !result.notes.is_empty() {
                details {
                    summary { (words.result_notes) " (" (result.all_notes) ")" }
                    ul.reasons {
                        @for note in &result.notes {
                            li { bdi dir="ltr" { (note.url) } ": " span dir="auto" { (note.note) } }
                        }
                    }
                    @if more > 0 { p.hint { (told) } }
                }
            }
        }
    }
}

fn changed(words: &Words, result: &ResultView) -> Markup {
    let changed = &result.changed;
    let figures = [
        (words.changed_pages, changed.pages),
        (words.changed_assets, changed.assets),
        (words.changed_routes, changed.routes),
        (words.changed_layouts, changed.layouts),
        (words.changed_shared, changed.shared_parts),
        (words.changed_redirects, changed.redirects as u64),
        (words.changed_files, changed.files),
    ];
    html! {
        section aria-labelledby="changed" {
            h2 #changed { (words.result_changed) }
            dl.figures { @for (name, count) in figures { div { dt { (name) } dd { (count) } } } }
            p.hint { (words.result_checks) " " span dir="ltr" { (result.checks.join(", ")) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wholly_alike_is_told_as_a_hundred() {
        assert_eq!(percent(1.0), "100.0 %");
        assert_eq!(percent(0.9999), "99.9 %");
        assert_eq!(percent(0.0), "0.0 %");
    }
}
