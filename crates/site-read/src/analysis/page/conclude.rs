//! What follows from a page's facts together: its kind, cookie walls, platforms, its problems.

use super::{PageAnalysis, PageInput, ScriptKind, kind};
use crate::analysis::known;
use crate::analysis::problem::{Problem, Severity};

/// A title and a description that search results show whole.
const TITLE: usize = 70;
const DESCRIPTION: usize = 320;

pub(super) fn conclude(page: &mut PageAnalysis, input: &PageInput<'_>) {
    page.kind = kind::kind(page, input);
    page.cookie_wall = consent_script(page).or(page.cookie_wall.take());
    add_platforms(page, input);
    page.accessibility.zoom_prevented = page.viewport.as_deref().is_some_and(prevents_zoom);
    page.problems = problems(page);
}

fn consent_script(page: &PageAnalysis) -> Option<String> {
    let consent = page.scripts.iter().find(|script| script.kind == ScriptKind::Consent)?;
    Some(consent.name.clone().unwrap_or_default())
}

/// What the answer's headers and the generator tell.
fn add_platforms(page: &mut PageAnalysis, input: &PageInput<'_>) {
    let headers = input.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    page.platforms.extend(known::from_headers(headers).map(str::to_owned));
    page.platforms.sort();
    page.platforms.dedup();
}

fn problems(page: &PageAnalysis) -> Vec<Problem> {
    let counted = counted(page).into_iter().filter(|(_, _, count, _)| *count > 0);
    let counted = counted.map(|(severity, code, count, told)| {
        Problem::new(
            severity,
            code,
            if count == 1 { format!("1 {}", told.0) } else { format!("{count} {}", told.1) },
        )
    });
    let seen = seen(page).into_iter().filter(|(_, _, applies, _)| *applies);
    let mut found: Vec<Problem> =
        counted.chain(seen.map(|(severity, code, _, told)| Problem::new(severity, code, told))).collect();
    if let Some(why) = page.needs_script.as_ref().filter(|why| why.shows_little()) {
        let note = format!("the page shows little without its scripts: {why}");
        found.push(Problem::new(Severity::Warning, "needs-script", note));
    }
    found
}

/// What there is one of, and what there are several of.
type Told = (&'static str, &'static str);

fn counted(page: &PageAnalysis) -> [(Severity, &'static str, u32, Told); 11] {
    use Severity::{Info, Warning};
    let faults = &page.accessibility;
    let some = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let broken = some(page.structured_data.iter().filter(|data| !data.valid).count());
    let writing = some(page.scripts.iter().filter(|script| script.writes).count());
    let main_headings = some(page.headings.iter().filter(|heading| heading.level == 1).count());
    [
        (
            Info,
            "several-main-headings",
            if main_headings > 1 { main_headings } else { 0 },
            ("", "headings of level 1"),
        ),
        (
            Warning,
            "images-without-alt",
            faults.images_without_alt,
            ("image has no alternative text", "images have no alternative text"),
        ),
        (
            Warning,
            "fields-without-label",
            faults.fields_without_label,
            ("field is named by nothing", "fields are named by nothing"),
        ),
        (Warning, "empty-links", faults.empty_links, ("link has no text", "links have no text")),
        (Warning, "empty-buttons", faults.empty_buttons, ("button has no text", "buttons have no text")),
        (
            Info,
            "skipped-headings",
            faults.skipped_headings,
            ("heading skips a level", "headings skip a level"),
        ),
        (
            Warning,
            "duplicate-ids",
            faults.duplicate_ids,
            ("id stands more than once", "ids stand more than once"),
        ),
        (
            Info,
            "frames-without-title",
            faults.frames_without_title,
            ("frame has no title", "frames have no title"),
        ),
        (
            Warning,
            "broken-structured-data",
            broken,
            ("piece of structured data cannot be read", "pieces of structured data cannot be read"),
        ),
        (
            Warning,
            "document-write",
            writing,
            ("script writes into the page while it loads", "scripts write into the page while it loads"),
        ),
        (
            Info,
            "inline-handlers",
            page.inline_handlers,
            ("element has a handler in its attributes", "elements have handlers in their attributes"),
        ),
    ]
}

fn seen(page: &PageAnalysis) -> [(Severity, &'static str, bool, &'static str); 9] {
    use Severity::{Info, Warning};
    let length = |text: Option<&str>| text.map_or(0, |text| text.chars().count());
    let (title, description) = (length(page.title.as_deref()), length(page.description.as_deref()));
    let asks =
        |word: &str| page.robots.as_deref().is_some_and(|robots| robots.to_ascii_lowercase().contains(word));
    let main_heading = page.headings.iter().any(|heading| heading.level == 1);
    [
        (Warning, "no-title", title == 0, "the page has no title"),
        (Info, "long-title", title > TITLE, "search results cut the title"),
        (Info, "no-description", description == 0, "there is no description for search results"),
        (Info, "long-description", description > DESCRIPTION, "search results cut the description"),
        (Warning, "no-language", page.language.is_none(), "the document does not say its language"),
        (Info, "no-viewport", page.viewport.is_none(), "without a viewport, telephones show the page small"),
        (Info, "no-main-heading", !main_heading, "there is no heading of level 1"),
        (
            Warning,
            "zoom-prevented",
            page.accessibility.zoom_prevented,
            "the viewport keeps readers from enlarging the page",
        ),
        (Info, "noindex", asks("noindex"), "the page asks search engines not to show it"),
    ]
}

/// WCAG 2.2, success criterion 1.4.4: text can be enlarged to twice its size.
fn prevents_zoom(viewport: &str) -> bool {
    viewport.to_ascii_lowercase().split([',', ';']).any(|setting| {
        let (name, value) = setting.split_once('=').unwrap_or_default();
        match name.trim() {
            "user-scalable" => matches!(value.trim(), "no" | "0"),
            "maximum-scale" => value.trim().parse().is_ok_and(|scale: f32| scale < 2.0),
            _ => false,
        }
    })
}
