//! Root layouts: pages with the same style sheets in the same order, the same `<html>` and the same `<body>` share one. Between
//! layouts the browser loads a new document, so that no page keeps another's styles.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Group, Route};
use crate::{
    page::{Page, Style},
    snapshot::Site,
};

/// Makes the groups, names them and puts their routes' files into them.
pub(super) fn plan(routes: &mut [Route], site: &Site) -> Vec<Group> {
    let mut members: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, route) in routes.iter().enumerate() {
        members.entry(key(&site.pages[&route.url])).or_default().push(at);
    }
    let several = members.len() > 1;
    // Named in the order of their first pages, so that the names do not depend on hashes.
    let mut ordered: Vec<(String, Vec<usize>)> = members.into_iter().collect();
    ordered.sort_by_key(|(_, pages)| pages[0]);
    let names = names(&ordered, routes, site);
    let mut groups = Vec::new();
    for ((key, pages), name) in ordered.into_iter().zip(names) {
        let folder = if several { format!("app/({name})/") } else { "app/".to_owned() };
        for at in &pages {
            routes[*at].group.clone_from(&name);
            routes[*at].file = format!("{folder}{}", routes[*at].file.trim_start_matches("app/"));
        }
        groups.push(Group {
            layout: format!("{folder}layout.tsx"),
            key,
            pages: pages.len() as u64,
            styles: styles(&site.pages[&routes[pages[0]].url]),
            before: Vec::new(),
            after: Vec::new(),
            name,
        });
    }
    groups
}

/// What its pages have in common that a person would name them by, for each group.
fn names(groups: &[(String, Vec<usize>)], routes: &[Route], site: &Site) -> Vec<String> {
    let all: Vec<BTreeSet<String>> =
        groups.iter().map(|(_, pages)| words(&site.pages[&routes[pages[0]].url])).collect();
    let largest = groups.iter().enumerate().max_by_key(|(at, (_, pages))| (pages.len(), Reverse(*at)));
    let largest = largest.map(|(at, _)| at);
    let mut taken = BTreeSet::new();
    let named = groups.iter().enumerate().map(|(at, (_, pages))| {
        let paths: Vec<&str> = pages.iter().map(|page| routes[*page].path.as_str()).collect();
        let elsewhere =
            |word: &String| all.iter().enumerate().any(|(other, words)| other != at && words.contains(word));
        let own = all[at].iter().find(|word| !elsewhere(word));
        let choices = [
            folder(&paths),
            own.cloned(),
            (Some(at) == largest && groups.len() > 1).then(|| "main".to_owned()),
            Some("pages".to_owned()),
        ];
        let choice = choices.into_iter().flatten().find(|one| !taken.contains(one));
        let unique = || (2..).map(|n| format!("pages-{n}")).find(|one| !taken.contains(one));
        let name = choice.or_else(unique).unwrap_or_default();
        taken.insert(name.clone());
        name
    });
    named.collect()
}

/// The folder that all of these addresses lie in, or the name of the only one.
fn folder(paths: &[&str]) -> Option<String> {
    let parts = |path: &str| -> Vec<String> {
        path.split('?').next().unwrap_or_default().split('/').filter(|it| !it.is_empty()).map(slug).collect()
    };
    let first = parts(paths.first()?);
    let word = match paths {
        ["/"] => "home".to_owned(),
        [_] => first.last()?.clone(),
        _ if paths.iter().all(|path| parts(path).len() > 1 && parts(path)[0] == first[0]) => first[0].clone(),
        _ => return None,
    };
    Some(word).filter(|word| word.len() > 1)
}

/// Words of the page's own for what it is: of its body, and of the files of its style sheets.
fn words(page: &Page) -> BTreeSet<String> {
    let of_body = page.body_attributes.iter().filter(|(name, _)| matches!(name.as_str(), "id" | "class"));
    let of_body = of_body.flat_map(|(_, value)| value.split_ascii_whitespace());
    let sheets = page.styles.iter().filter_map(|style| match style {
        Style::Linked { href, .. } => href.split(['?', '#']).next()?.rsplit('/').next(),
        Style::Inline { .. } => None,
    });
    let words = of_body.chain(sheets).map(slug);
    words
        .filter(|word| word.len() > 2 && word.len() <= 30 && !word.contains(|c: char| c.is_ascii_digit()))
        .collect()
}

/// `About_Us.html` → `about-us`
pub(crate) fn slug(word: &str) -> String {
    let stem = word.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let parts = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

/// A page's style sheets in their order, as the plan tells of them.
pub(super) fn styles(page: &Page) -> Vec<String> {
    let styles = page.styles.iter().enumerate().map(|(at, style)| match style {
        Style::Linked { href, .. } => href.clone(),
        Style::Inline { .. } => format!("inline {}", at + 1),
    });
    styles.collect()
}

/// The hash of what pages of one layout have in common.
pub(super) fn key(page: &Page) -> String {
    let common = format!("{:?}{:?}{:?}", page.styles, page.html, page.body_attributes);
    blake3::hash(common.as_bytes()).to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_named_by_what_their_pages_have_in_common() {
        assert_eq!(folder(&["/docs/a.html", "/docs/b/"]).as_deref(), Some("docs"));
        assert_eq!(folder(&["/About_Us.html"]).as_deref(), Some("about-us"));
        assert_eq!(folder(&["/"]).as_deref(), Some("home"));
        assert_eq!(
            (folder(&["/", "/docs/a"]), folder(&["/docs", "/docs/a"]), folder(&["/a"])),
            (None, None, None)
        );
    }
}
