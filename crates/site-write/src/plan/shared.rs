//! Parts that several pages have alike, to the letter or but for the entry that is the current one: they are written once, as
//! components.
//!
//! What stands at the beginning or the end of every page of a layout moves into the layout; other landmarks (headers,
//! navigation, footers, asides) that pages repeat become components that the pages use.

use std::collections::{BTreeMap, BTreeSet};

use super::{Group, Route, SharedPart, Variant, edited::is_reserved, routes::capital, variants};
use crate::{
    dom::{self, Element, Hashes, Node, Use},
    page::Page,
    snapshot::Site,
};

/// So many elements a part must have at least to be worth a file.
const LEAST_ELEMENTS: usize = 3;

pub(super) fn plan(routes: &mut [Route], groups: &mut [Group], site: &Site) -> Vec<SharedPart> {
    let mut names = routes.iter().map(|route| route.component.to_lowercase()).collect();
    let mut parts: BTreeMap<String, SharedPart> = BTreeMap::new();
    for found in families(candidates(routes, site), routes) {
        let name = name(&found.label, &mut names);
        let file = format!("components/{name}.tsx");
        let Found { hash, pages, variants, .. } = found;
        parts.insert(hash.clone(), SharedPart { name, file, hash, pages, variants });
    }
    for group in groups.iter_mut() {
        edges(group, routes, site, &parts);
    }
    let uses = parts.values().flat_map(SharedPart::uses).collect();
    for route in routes.iter_mut() {
        let group = groups.iter().find(|group| group.name == route.group);
        route.shared = used(&site.pages[&route.url], group, &uses);
    }
    // A part that lies inside another one may be used by nobody.
    let live: BTreeSet<&String> = routes
        .iter()
        .flat_map(|route| &route.shared)
        .chain(groups.iter().flat_map(|group| group.before.iter().chain(&group.after)))
        .collect();
    let mut parts: Vec<SharedPart> = parts.into_values().filter(|part| live.contains(&part.name)).collect();
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    parts
}

struct Candidate<'a> {
    hash: String,
    pages: u64,
    /// Where it was met first: its page's place, its place in that page.
    first: (usize, usize),
    element: &'a Element,
}

/// What becomes a part.
struct Found {
    hash: String,
    pages: u64,
    label: String,
    variants: Vec<Variant>,
}

/// Those that two pages or more have, in the order in which they are met; forms of one part are one.
fn families(candidates: Vec<Candidate<'_>>, routes: &[Route]) -> Vec<Found> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut families: Vec<Vec<Candidate<'_>>> = Vec::new();
    for candidate in candidates {
        let place = *places.entry(variants::family(candidate.element)).or_insert(families.len());
        if place == families.len() {
            families.push(Vec::new());
        }
        families[place].push(candidate);
    }
    let mut found = Vec::new();
    for members in families {
        let subtrees: Vec<&Element> = members.iter().map(|member| member.element).collect();
        let pages: Vec<String> = members.iter().map(|member| routes[member.first.0].path.clone()).collect();
        if let Some(variants) = variants::plan(&subtrees, &pages) {
            let pages = members.iter().map(|member| member.pages).sum();
            found.push(Found { hash: members[0].hash.clone(), pages, label: label(subtrees[0]), variants });
            continue;
        }
        found.extend(members.into_iter().filter(|member| member.pages > 1).map(|member| Found {
            hash: member.hash,
            pages: member.pages,
            label: label(member.element),
            variants: Vec::new(),
        }));
    }
    found
}

/// Landmarks, and what stands at the top of a page, in the order in which they are met.
fn candidates<'a>(routes: &[Route], site: &'a Site) -> Vec<Candidate<'a>> {
    let mut found: BTreeMap<String, Candidate<'a>> = BTreeMap::new();
    for (at, route) in routes.iter().enumerate() {
        let mut of_page: BTreeSet<String> = BTreeSet::new();
        let mut position = 0;
        walk(&site.pages[&route.url].body, true, &mut |element, top| {
            position += 1;
            let wanted = top || is_landmark(element);
            if !wanted || dom::weight(&element.children) + 1 < LEAST_ELEMENTS {
                return;
            }
            let hash = dom::hash(element);
            if of_page.insert(hash.clone()) {
                let first = Candidate { hash: hash.clone(), pages: 0, first: (at, position), element };
                found.entry(hash).or_insert(first).pages += 1;
            }
        });
    }
    let mut found: Vec<Candidate<'a>> = found.into_values().collect();
    found.sort_by_key(|candidate| candidate.first);
    found
}

/// Visits every element, in document order; tells whether it stands at the top.
fn walk<'a>(nodes: &'a [Node], top: bool, visit: &mut dyn FnMut(&'a Element, bool)) {
    for element in elements(nodes) {
        visit(element, top);
        walk(&element.children, false, visit);
    }
}

fn elements(nodes: &[Node]) -> impl DoubleEndedIterator<Item = &Element> {
    nodes.iter().filter_map(|node| match node {
        Node::Element(element) => Some(element),
        Node::Text(_) | Node::Part(_) => None,
    })
}

fn is_landmark(element: &Element) -> bool {
    element.space == dom::Space::Html
        && matches!(element.name.as_str(), "header" | "nav" | "footer" | "aside")
}

/// What it is, in a word: by its element, its id or its first class.
fn label(element: &Element) -> String {
    let known = ["header", "nav", "footer", "aside", "main"];
    let word = if known.contains(&element.name.as_str()) {
        element.name.clone()
    } else {
        let class = element.get("class").and_then(|classes| classes.split_ascii_whitespace().next());
        element.get("id").or(class).unwrap_or("part").to_owned()
    };
    if word == "nav" { "navigation".to_owned() } else { word }
}

fn name(label: &str, taken: &mut BTreeSet<String>) -> String {
    let words = label.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = format!("Site{}", words.map(capital).collect::<String>());
    let unique = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}{n}") });
    let free = |one: &String| !taken.contains(&one.to_lowercase()) && !is_reserved(one);
    let chosen = unique.into_iter().find(free).unwrap_or_else(|| name.clone());
    taken.insert(chosen.to_lowercase());
    chosen
}

/// Finds what stands first, and last, on every page of the group.
fn edges(group: &mut Group, routes: &[Route], site: &Site, parts: &BTreeMap<String, SharedPart>) {
    let bodies: Vec<Vec<String>> = routes
        .iter()
        .filter(|route| route.group == group.name)
        .map(|route| tops(&site.pages[&route.url].body))
        .collect();
    if bodies.len() < 2 {
        return;
    }
    let shortest = bodies.iter().map(Vec::len).min().unwrap_or(0);
    // What is told by the page which entry is the current one stands in the page.
    let part =
        |hash: &String| parts.get(hash).filter(|part| part.variants.is_empty()).map(|part| part.name.clone());
    for at in 0..shortest {
        let Some(name) = part(&bodies[0][at]).filter(|_| bodies.iter().all(|body| body[at] == bodies[0][at]))
        else {
            break;
        };
        group.before.push(name);
    }
    for back in 1..=shortest - group.before.len() {
        let last = |body: &Vec<String>| body[body.len() - back].clone();
        let Some(name) =
            part(&last(&bodies[0])).filter(|_| bodies.iter().all(|body| last(body) == last(&bodies[0])))
        else {
            break;
        };
        group.after.insert(0, name);
    }
}

/// The hashes of a body's own children. Text between them ends the run: it has no hash that a part could have.
fn tops(body: &[Node]) -> Vec<String> {
    let hash = |node: &Node| match node {
        Node::Element(element) => dom::hash(element),
        Node::Text(_) | Node::Part(_) => String::new(),
    };
    body.iter().map(hash).collect()
}

/// The body without what its layout holds.
pub(crate) fn without_edges<'a>(body: &'a [Node], group: &Group) -> &'a [Node] {
    &body[group.before.len()..body.len() - group.after.len()]
}

/// Puts parts in the place of the subtrees that they stand for.
pub(crate) fn replace(nodes: &[Node], parts: &BTreeMap<String, Use>) -> Vec<Node> {
    replaced(nodes, parts, &Hashes::of(nodes), &mut 0)
}

/// The same, where `number` is that of the next element.
fn replaced(
    nodes: &[Node],
    parts: &BTreeMap<String, Use>,
    hashes: &Hashes<'_>,
    number: &mut usize,
) -> Vec<Node> {
    let mut replace = |node: &Node| {
        let Node::Element(element) = node else { return node.clone() };
        if let Some(part) = parts.get(&hashes.get(*number)) {
            *number = hashes.behind(*number);
            return Node::Part(part.clone());
        }
        *number += 1;
        Node::Element(element.with(replaced(&element.children, parts, hashes, number)))
    };
    nodes.iter().map(&mut replace).collect()
}

/// The parts that these nodes use, in document order, each once.
pub(crate) fn names(nodes: &[Node], out: &mut Vec<String>) {
    for node in nodes {
        match node {
            Node::Part(part) if !out.contains(&part.name) => out.push(part.name.clone()),
            Node::Element(element) => names(&element.children, out),
            Node::Part(_) | Node::Text(_) => {}
        }
    }
}

fn used(page: &Page, group: Option<&Group>, uses: &BTreeMap<String, Use>) -> Vec<String> {
    let body = group.map_or(page.body.as_slice(), |group| without_edges(&page.body, group));
    let mut out = Vec::new();
    names(&replace(body, uses), &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_names_that_nothing_else_has_in_any_case() {
        let mut taken = BTreeSet::from(["sitefrontpage".to_owned()]);
        assert_eq!(name("navigation", &mut taken), "SiteNavigation");
        assert_eq!(name("Navigation", &mut taken), "SiteNavigation2");
        assert_eq!(name("NAVIGATION", &mut taken), "SiteNAVIGATION3");
        assert_eq!(name("front-page", &mut taken), "SiteFrontPage2", "a page is called so");
        assert_eq!(name("layout", &mut taken), "SiteLayout2", "a layout may be called so");
    }
}
