//! What a person has to know about the migration: what was done, and what is left to do. Every finding of the plan is in it.

use std::collections::BTreeMap;

use site_read::{Snapshot, analysis::ScriptKind};

use super::images::Shown;
use crate::{
    Plan,
    plan::{By, Finding, Keep, Service, TrailingSlash},
};

/// So many addresses are named for one kind of finding.
const NAMED: usize = 20;

pub(super) fn report(plan: &Plan, snapshot: &Snapshot, images: &Shown, left: &[String]) -> String {
    let mut out = format!("# The migration of <{}>\n\n## What was done\n\n", snapshot.home);
    let mut fact = |count: usize, one: &str, many: &str, rest: &str| {
        if count > 0 {
            out.push_str(&format!("- {} {rest}\n", counted(count, one, many)));
        }
    };
    fact(plan.routes.len(), "page at the address that it", "pages at the addresses that they", "had");
    fact(plan.groups.len(), "root layout", "root layouts", "for pages with the same style sheets, in `app/`");
    fact(plan.shared.len(), "part", "parts", "that several pages have alike, in `components/`");
    fact(plan.cards.len(), "part that repeats", "parts that repeat", "with other content, in `components/`");
    fact(plan.assets.len(), "file", "files", "in `public/`");
    fact(
        plan.redirects.len(),
        "redirect from an old address,",
        "redirects from old addresses, each",
        "straight to where its chain ended",
    );
    match plan.trailing_slash {
        TrailingSlash::Added => {
            out.push_str("- addresses without the slash at their end lead to those with it, as before\n")
        }
        TrailingSlash::Removed => {
            out.push_str("- addresses with a slash at their end lead to those without it, as before\n")
        }
        TrailingSlash::Open => {}
    }
    if snapshot.not_found.is_some() {
        out.push_str(&format!(
            "- unknown addresses answer 404 with the site's own page (`{}`)\n",
            plan.next.not_found()
        ));
    }
    kept(plan, &mut out);
    shown(images, &mut out);
    services(plan, &mut out);
    forms(plan, &mut out);
    findings(plan, &mut out);
    crawled(snapshot, &mut out);
    left_out(snapshot, &mut out);
    export(plan, left, &mut out);
    out
}

/// What pages have of the site's own, because they did not measure the same otherwise.
fn kept(plan: &Plan, out: &mut String) {
    let lines = Keep::ALL.into_iter().filter_map(|keep| {
        let keeping = plan.routes.iter().filter(|route| route.kept.contains(&keep));
        let pages: Vec<&str> = keeping.map(|route| route.path.as_str()).collect();
        (!pages.is_empty()).then(|| format!("- {}: {}\n", keep.words(), places(&pages)))
    });
    let lines: String = lines.collect();
    if lines.is_empty() {
        return;
    }
    out.push_str(
        "\n## Kept as the site had it\n\nPages that were not the same in a browser at first keep more of their own now.",
    );
    if plan.routes.iter().any(|route| route.kept.contains(&Keep::Sent)) {
        out.push_str(
            " If all\npages of a layout that were shown are left to their scripts, so are those of it that were not shown.",
        );
    }
    out.push_str(&format!("\n\n{lines}"));
}

/// Which component shows the images, and why others are left alone.
fn shown(images: &Shown, out: &mut String) {
    let image = |count: usize, rest: &str| format!("- {} {rest}\n", counted(count, "image", "images"));
    let by_next =
        (images.by_next > 0).then(|| image(images.by_next, "by `next/image`, as the site sent them"));
    let stay =
        images.stay.iter().map(|(reason, count)| image(*count, &format!("as `<img>`: {}", reason.words())));
    let lines: String = by_next.into_iter().chain(stay).collect();
    if !lines.is_empty() {
        out.push_str(&format!("\n## Images\n\nEach is counted once where it is written: in a page, or in a part that pages share.\n\n{lines}"));
    }
}

fn forms(plan: &Plan, out: &mut String) {
    if plan.forms.is_empty() {
        return;
    }
    out.push_str(
        "\n## Forms\n\nThey send to where they sent before. Give them a server if that one goes away.\n\n",
    );
    let mut known: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for form in &plan.forms {
        let fields =
            if form.fields.is_empty() { String::new() } else { format!(" ({})", form.fields.join(", ")) };
        known.entry(format!("{} to `{}`{fields}", form.method, form.action)).or_default().push(&form.page);
    }
    for (form, pages) in known {
        out.push_str(&format!("- {form} on {}\n", places(&pages)));
    }
}

fn services(plan: &Plan, out: &mut String) {
    if plan.services.is_empty() {
        return;
    }
    out.push_str("\n## Analytics and widgets\n\nThey count, ask and show as before. Take out what you do not want on the new site.\n\n");
    for Service { name, kind, loading, pages } in &plan.services {
        let how = match loading {
            Some(loading) => format!("by `next/script`, `{}`", loading.strategy()),
            None => "in order with the page's own scripts, which may wait for it".to_owned(),
        };
        let pages = if *pages == 1 { "1 page".to_owned() } else { format!("{pages} pages") };
        out.push_str(&format!("- {name} ({}) on {pages}: {how}\n", word(*kind)));
    }
}

/// For people: what a service is for.
fn word(kind: ScriptKind) -> &'static str {
    match kind {
        ScriptKind::Analytics => "analytics",
        ScriptKind::TagManager => "tag manager",
        ScriptKind::Advertising => "advertising",
        ScriptKind::Consent => "consent",
        ScriptKind::Widget => "widget",
        ScriptKind::Framework
        | ScriptKind::Library
        | ScriptKind::DomMutation
        | ScriptKind::Own
        | ScriptKind::Data => "script",
    }
}

fn findings(plan: &Plan, out: &mut String) {
    if plan.findings.is_empty() {
        return;
    }
    out.push_str("\n## What needs a look\n");
    let mut by_note: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for Finding { code, note, url } in &plan.findings {
        by_note.entry((code, note)).or_default().push(url);
    }
    for ((code, note), pages) in by_note {
        out.push_str(&format!("\n- **{code}**: {note}\n  on {}\n", places(&pages)));
    }
}

fn left_out(snapshot: &Snapshot, out: &mut String) {
    if snapshot.left_out.is_empty() && snapshot.truncated.is_none() {
        return;
    }
    out.push_str("\n## What was not read\n\n");
    if let Some(limit) = &snapshot.truncated {
        out.push_str(&format!("- the crawl ended early: {limit}\n"));
    }
    for (code, left) in &snapshot.left_out {
        let examples: Vec<&str> = left.examples.iter().map(String::as_str).collect();
        out.push_str(&format!("- **{code}**: {}, for example {}\n", left.count, places(&examples)));
    }
}

/// What looked wrong while the site was read, but for what is counted as left out.
fn crawled(snapshot: &Snapshot, out: &mut String) {
    let mut by_note: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for finding in snapshot.findings.iter().filter(|it| !snapshot.left_out.contains_key(&it.code)) {
        by_note.entry((&finding.code, &finding.note)).or_default().push(&finding.url);
    }
    if by_note.is_empty() {
        return;
    }
    out.push_str("\n## What was found while reading\n\n");
    for ((code, note), urls) in by_note {
        out.push_str(&format!("- **{code}**: {note}: {}\n", places(&urls)));
    }
}

/// What a static export loses, for who wants one.
fn export(plan: &Plan, left: &[String], out: &mut String) {
    out.push_str(&format!(
        "\n## If you want files instead of a server\n\n\
         `output: \"export\"` in `{configuration}` and `npm run build` make a folder of files that any host serves. Take `redirects` and\n\
         `rewrites` out of the file then, and delete `{proxy}` if there is one: an export can hold none of them.\n",
        configuration = plan.next.configuration(),
        proxy = plan.next.proxy(),
    ));
    let mut lines: Vec<String> = lost(plan);
    if !left.is_empty() {
        let left: Vec<&str> = left.iter().map(String::as_str).collect();
        lines.push(format!("- `hosting/_redirects` cannot tell these apart, nginx can: {}\n", places(&left)));
    }
    if !lines.is_empty() {
        out.push_str(&format!("\n{}", lines.concat()));
    }
}

/// What an export can hold none of, one line for each.
fn lost(plan: &Plan) -> Vec<String> {
    let redirects = plan.redirects.iter().filter(|redirect| redirect.by != By::Server).count();
    let queries = plan.routes.iter().filter(|route| route.path.contains('?')).count();
    let elsewhere = ("address is answered", "addresses are answered");
    let by_query = ("page is told", "pages are told");
    [
        (
            redirects,
            ("redirect is", "redirects are"),
            "for the host: `hosting/_redirects` or `hosting/nginx.conf`",
        ),
        (plan.rewrites.len(), elsewhere, "by a page or file that stands elsewhere: the same files say which"),
        (queries, by_query, "from others by the query, which not every host looks at"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, (one, many), rest)| format!("- {} {rest}\n", counted(count, one, many)))
    .collect()
}

/// How many there are of what is called so if it is one, or so.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn places(pages: &[&str]) -> String {
    let mut named: Vec<String> = pages.iter().take(NAMED).map(|page| format!("`{page}`")).collect();
    if pages.len() > NAMED {
        named.push(format!("{} more", pages.len() - NAMED));
    }
    named.join(", ")
}
