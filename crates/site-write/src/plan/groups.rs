//! Root layouts: pages with the same style sheets in the same order, the same `<html>` and the same `<body>` share one. Between
//! layouts the browser loads a new document, so that no page keeps another's styles.

use std::collections::BTreeMap;

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
    let mut groups = Vec::new();
    for (number, (key, pages)) in ordered.into_iter().enumerate() {
        let name = format!("group-{}", number + 1);
        let folder = if several { format!("app/({name})/") } else { "app/".to_owned() };
        for at in &pages {
            routes[*at].group.clone_from(&name);
            routes[*at].file = format!("{folder}{}", routes[*at].file.trim_start_matches("app/"));
        }
        let styles =
            site.pages[&routes[pages[0]].url].styles.iter().enumerate().map(|(at, style)| match style {
                Style::Linked { href, .. } => href.clone(),
                Style::Inline { .. } => format!("inline {}", at + 1),
            });
        groups.push(Group {
            layout: format!("{folder}layout.tsx"),
            key,
            pages: pages.len() as u64,
            styles: styles.collect(),
            before: Vec::new(),
            after: Vec::new(),
            name,
        });
    }
    groups
}

fn key(page: &Page) -> String {
    let common = format!("{:?}{:?}{:?}", page.styles, page.html, page.body_attributes);
    blake3::hash(common.as_bytes()).to_hex()[..16].to_owned()
}
