//! Parts that several pages have alike, to the letter: they are written once, as components.
//!
//! What stands at the beginning or the end of every page of a layout moves into the layout; other landmarks (headers,
//! navigation, footers, asides) that pages repeat become components that the pages use.

use std::collections::{BTreeMap, BTreeSet};

use super::{Group, Route, SharedPart, routes::capital};
use crate::{
    dom::{self, Element, Node},
    page::{self, Page},
    snapshot::Site,
};

/// So many elements a part must have at least to be worth a file.
const LEAST_ELEMENTS: usize = 3;

pub(super) fn plan(routes: &mut [Route], groups: &mut [Group], site: &Site) -> Vec<SharedPart> {
    let candidates = candidates(routes, site);
    let mut names = BTreeSet::new();
    let mut parts: BTreeMap<String, SharedPart> = BTreeMap::new();
    for (hash, candidate) in candidates {
        let name = name(&candidate, &mut names);
        let file = format!("components/{name}.tsx");
        parts.insert(hash.clone(), SharedPart { name, file, hash, pages: candidate.pages });
    }
    for group in groups.iter_mut() {
        edges(group, routes, site, &parts);
    }
    for route in routes.iter_mut() {
        let group = groups.iter().find(|group| group.name == route.group);
        route.shared = used(&site.pages[&route.url], group, &parts);
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

struct Candidate {
    pages: u64,
    /// Where it was met first: its page's place, its place in that page.
    first: (usize, usize),
    label: String,
}

/// Landmarks that two pages or more have alike, by their hash, in the order in which they are met.
fn candidates(routes: &[Route], site: &Site) -> Vec<(String, Candidate)> {
    let mut found: BTreeMap<String, Candidate> = BTreeMap::new();
    for (at, route) in routes.iter().enumerate() {
        let mut of_page: BTreeMap<String, Candidate> = BTreeMap::new();
        let mut position = 0;
        let body = &site.pages[&route.url].body;
        let top: BTreeSet<String> = elements(body).map(dom::hash).collect();
        page::each(body, &mut |element| {
            position += 1;
            let size = dom::weight(std::slice::from_ref(&Node::Element(element.clone())));
            if size < LEAST_ELEMENTS || !(is_landmark(element) || top.contains(&dom::hash(element))) {
                return;
            }
            let candidate = Candidate { pages: 1, first: (at, position), label: label(element) };
            of_page.entry(dom::hash(element)).or_insert(candidate);
        });
        for (hash, candidate) in of_page {
            found.entry(hash).and_modify(|known| known.pages += 1).or_insert(candidate);
        }
    }
    let mut shared: Vec<_> = found.into_iter().filter(|(_, candidate)| candidate.pages > 1).collect();
    shared.sort_by_key(|(_, candidate)| candidate.first);
    shared
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

fn name(candidate: &Candidate, taken: &mut BTreeSet<String>) -> String {
    let words = candidate.label.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = format!("Site{}", words.map(capital).collect::<String>());
    let unique = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}{n}") });
    let chosen = unique.into_iter().find(|one| !taken.contains(one)).unwrap_or_else(|| name.clone());
    taken.insert(chosen.clone());
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
    let part = |hash: &String| parts.get(hash).map(|part| part.name.clone());
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
pub(crate) fn replace(nodes: &[Node], parts: &BTreeMap<String, String>) -> Vec<Node> {
    nodes
        .iter()
        .map(|node| match node {
            Node::Element(element) => match parts.get(&dom::hash(element)) {
                Some(name) => Node::Part(name.clone()),
                None => {
                    let children = replace(&element.children, parts);
                    Node::Element(Element { children, ..element.clone() })
                }
            },
            other => other.clone(),
        })
        .collect()
}

/// The parts that these nodes use, in document order, each once.
pub(crate) fn names(nodes: &[Node], out: &mut Vec<String>) {
    for node in nodes {
        match node {
            Node::Part(name) if !out.contains(name) => out.push(name.clone()),
            Node::Element(element) => names(&element.children, out),
            Node::Part(_) | Node::Text(_) => {}
        }
    }
}

fn used(page: &Page, group: Option<&Group>, parts: &BTreeMap<String, SharedPart>) -> Vec<String> {
    let by_hash = parts.iter().map(|(hash, part)| (hash.clone(), part.name.clone())).collect();
    let body = group.map_or(page.body.as_slice(), |group| without_edges(&page.body, group));
    let mut out = Vec::new();
    names(&replace(body, &by_hash), &mut out);
    out
}
