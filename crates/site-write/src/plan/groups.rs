//! Root layouts: pages with the same style sheets in the same order, the same `<html>` and the same `<body>` share one. Between
//! layouts the browser loads a new document, so that no page keeps another's styles.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Group, Keep, Plan, Route};
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
            routes[*at].file = format!("{folder}{}", within_app(&routes[*at].file));
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
        let main = (Some(at) == largest && groups.len() > 1).then(|| "main".to_owned());
        let name = free([folder(&paths), own.cloned(), main], &taken);
        taken.insert(name.clone());
        name
    });
    named.collect()
}

/// The first of these names that nobody has; else one that is made up.
fn free(choices: impl IntoIterator<Item = Option<String>>, taken: &BTreeSet<String>) -> String {
    let made_up = (1..).map(|n| if n == 1 { "pages".to_owned() } else { format!("pages-{n}") });
    let mut all = choices.into_iter().flatten().chain(made_up);
    all.find(|one| !taken.contains(one)).expect("there are more numbers than names")
}

/// Gives pages that are written as they were sent the layout that is theirs, since scripts may have put style sheets or classes
/// there: the one that has what they have in common, be it one of their own. `site` was read with what the plan's pages keep.
pub(super) fn rehouse(plan: &mut Plan, site: &Site) {
    let mut moving: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, route) in plan.routes.iter().enumerate().filter(|(_, route)| route.kept.contains(&Keep::Sent)) {
        let Some(key) = site.pages.get(&route.url).map(key) else { continue };
        if plan.groups.iter().any(|group| group.name == route.group && group.key != key) {
            moving.entry(key).or_default().push(at);
        }
    }
    let mut ordered: Vec<(String, Vec<usize>)> = moving.into_iter().collect();
    ordered.sort_by_key(|(_, pages)| pages[0]);
    for (key, pages) in ordered {
        let home = plan.groups.iter().position(|group| group.key == key);
        let home = home.unwrap_or_else(|| match left_by(plan, &pages) {
            Some(whole) => rekeyed(plan, site, key, whole, &pages),
            None => founded(plan, site, key, &pages),
        });
        for at in pages {
            let route = &mut plan.routes[at];
            let old =
                plan.groups.iter().find(|group| group.name == route.group).map_or("app/", Group::folder);
            let inside = route.file.strip_prefix(old).unwrap_or(&route.file);
            route.file = format!("{}{inside}", plan.groups[home].folder());
            route.group.clone_from(&plan.groups[home].name);
        }
    }
    for group in &mut plan.groups {
        group.pages = plan.routes.iter().filter(|route| route.group == group.name).count() as u64;
    }
    plan.groups.retain(|group| group.pages > 0);
}

/// The group that has just these pages.
fn left_by(plan: &Plan, pages: &[usize]) -> Option<usize> {
    plan.groups.iter().position(|group| {
        let members = plan.routes.iter().enumerate().filter(|(_, route)| route.group == group.name);
        members.map(|(at, _)| at).eq(pages.iter().copied())
    })
}

fn rekeyed(plan: &mut Plan, site: &Site, key: String, group: usize, pages: &[usize]) -> usize {
    let page = &site.pages[&plan.routes[pages[0]].url];
    (plan.groups[group].key, plan.groups[group].styles) = (key, styles(page));
    group
}

/// A new group for these pages; a layout that has stood alone moves aside for it.
fn founded(plan: &mut Plan, site: &Site, key: String, pages: &[usize]) -> usize {
    let Plan { groups, routes, .. } = plan;
    groups.iter_mut().for_each(|group| group.aside(routes));
    let paths: Vec<&str> = pages.iter().map(|at| routes[*at].path.as_str()).collect();
    let page = &site.pages[&routes[pages[0]].url];
    let taken = groups.iter().map(|group| group.name.clone()).collect();
    let name = free(std::iter::once(folder(&paths)).chain(words(page).into_iter().map(Some)), &taken);
    groups.push(Group {
        layout: format!("app/({name})/layout.tsx"),
        key,
        pages: 0,
        styles: styles(page),
        before: Vec::new(),
        after: Vec::new(),
        name,
    });
    groups.len() - 1
}

impl Group {
    /// Where its layout and its pages lie.
    fn folder(&self) -> &str {
        self.layout.trim_end_matches("layout.tsx")
    }

    /// Puts a layout that stands alone into a folder of its own, with its pages, so that others may stand beside it.
    pub(super) fn aside(&mut self, routes: &mut [Route]) {
        if self.folder() != "app/" {
            return;
        }
        let folder = format!("app/({})/", self.name);
        for route in routes.iter_mut().filter(|route| route.group == self.name) {
            route.file = format!("{folder}{}", within_app(&route.file));
        }
        self.layout = format!("{folder}layout.tsx");
    }
}

/// A page's file, from the router's folder on.
pub(super) fn within_app(file: &str) -> &str {
    file.strip_prefix("app/").unwrap_or(file)
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
fn styles(page: &Page) -> Vec<String> {
    let styles = page.styles.iter().enumerate().map(|(at, style)| match style {
        Style::Linked { href, .. } => href.clone(),
        Style::Inline { .. } => format!("inline {}", at + 1),
    });
    styles.collect()
}

/// The hash of what pages of one layout have in common.
fn key(page: &Page) -> String {
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
