//! Parts that several pages have alike, to the letter or but for the entry that is the current one: they are written once, as
//! components.
//!
//! What stands at the beginning or the end of every page of a layout moves into the layout; other landmarks (headers,
//! navigation, footers, asides) that pages repeat become components that the pages use.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::{Group, Parts, Route, SharedPart, Variant, edited::is_reserved, routes::capital, variants};
use crate::{
    dom::{self, Element, Node, Use},
    parallel,
    snapshot::Site,
};

/// So many elements a part must have at least to be worth a file.
const LEAST_ELEMENTS: usize = 3;

/// What was found: the parts, and where they are in the pages.
pub(super) struct Shared {
    pub(super) parts: Vec<SharedPart>,
    pub(super) places: Parts,
}

/// Finds the parts. The layouts are told which of them they hold; the routes learn theirs from [`name_in`].
pub(super) fn plan(routes: &[Route], groups: &mut [Group], site: &Site) -> Shared {
    let looked_at = look(routes, site);
    let (candidates, tops) = together(looked_at);
    let mut names = routes.iter().map(|route| route.component.to_lowercase()).collect();
    let mut parts: BTreeMap<String, SharedPart> = BTreeMap::new();
    let subtrees: BTreeMap<String, &Element> =
        candidates.iter().map(|candidate| (candidate.hash.clone(), candidate.element)).collect();
    for found in families(candidates, routes) {
        let name = name(&found.label, &mut names);
        let file = format!("components/{name}.tsx");
        let Found { hash, pages, variants, .. } = found;
        parts.insert(hash.clone(), SharedPart { name, file, hash, pages, variants });
    }
    for group in groups.iter_mut() {
        edges(group, routes, &tops, &parts);
    }
    let parts: Vec<SharedPart> = parts.into_values().collect();
    let uses: BTreeMap<String, Use> = parts.iter().flat_map(SharedPart::uses).collect();
    let subtrees = uses.keys().map(|hash| (hash.clone(), subtrees[hash].clone())).collect();
    Shared { parts, places: Parts::new(uses, subtrees) }
}

/// Names the parts on each route that uses them in its own content, and leaves out those that nobody uses: a part that lies
/// inside another one may be such.
pub(super) fn name_in(
    routes: &mut [Route],
    groups: &[Group],
    contents: &BTreeMap<String, Vec<Node>>,
    parts: &mut Vec<SharedPart>,
) {
    for route in routes.iter_mut() {
        let mut used = Vec::new();
        names(contents.get(&route.url).map_or(&[], Vec::as_slice), &mut used);
        route.shared = used;
    }
    let live: BTreeSet<&String> = routes
        .iter()
        .flat_map(|route| &route.shared)
        .chain(groups.iter().flat_map(|group| group.before.iter().chain(&group.after)))
        .collect();
    parts.retain(|part| live.contains(&part.name));
    parts.sort_by(|a, b| a.name.cmp(&b.name));
}

struct Candidate<'a> {
    hash: String,
    pages: u64,
    /// Where it was met first: its page's place, its place in that page.
    first: (usize, usize),
    element: &'a Element,
}

/// What was seen of one page: its candidates, each once, and the hashes of its body's own children.
struct LookedAt<'a> {
    candidates: Vec<Candidate<'a>>,
    tops: Vec<String>,
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
    let subtrees: Vec<&Element> = candidates.iter().map(|candidate| candidate.element).collect();
    let of_each = parallel::map(parallel::processors(), subtrees, variants::family);
    for (candidate, family) in candidates.into_iter().zip(of_each) {
        let place = *places.entry(family).or_insert(families.len());
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
fn look<'a>(routes: &[Route], site: &'a Site) -> Vec<LookedAt<'a>> {
    let pages: Vec<(usize, &'a [Node])> =
        routes.iter().map(|route| site.pages[&route.url].body.as_slice()).enumerate().collect();
    parallel::map(parallel::processors(), pages, |(at, body)| {
        let (mut seen, mut candidates) = (BTreeSet::new(), Vec::new());
        let mut hashes = Vec::new();
        let mut position = 0;
        walk(body, true, &mut |element, top| {
            position += 1;
            let shared = may_be_shared(element, top);
            if !top && !shared {
                return;
            }
            let hash = dom::hash(element);
            if top {
                hashes.push(hash.clone());
            }
            if shared && seen.insert(hash.clone()) {
                candidates.push(Candidate { hash, pages: 1, first: (at, position), element });
            }
        });
        LookedAt { candidates, tops: tops(body, hashes) }
    })
}

/// The candidates of all pages, each once, in the order in which they are met; and what stands at the top of each page.
fn together(looked_at: Vec<LookedAt<'_>>) -> (Vec<Candidate<'_>>, Vec<Vec<String>>) {
    let mut found: BTreeMap<String, Candidate<'_>> = BTreeMap::new();
    let mut tops = Vec::new();
    for page in looked_at {
        for candidate in page.candidates {
            match found.entry(candidate.hash.clone()) {
                Entry::Vacant(free) => drop(free.insert(candidate)),
                Entry::Occupied(mut known) => known.get_mut().pages += 1,
            }
        }
        tops.push(page.tops);
    }
    let mut found: Vec<Candidate<'_>> = found.into_values().collect();
    found.sort_by_key(|candidate| candidate.first);
    (found, tops)
}

/// Is it worth a file of its own, if several pages have it?
pub(super) fn may_be_shared(element: &Element, top: bool) -> bool {
    (top || is_landmark(element)) && dom::weight(&element.children) + 1 >= LEAST_ELEMENTS
}

/// Visits every element, in document order; tells whether it stands at the top.
pub(super) fn walk<'a>(nodes: &'a [Node], top: bool, visit: &mut dyn FnMut(&'a Element, bool)) {
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
fn edges(group: &mut Group, routes: &[Route], tops: &[Vec<String>], parts: &BTreeMap<String, SharedPart>) {
    let of_group = routes.iter().zip(tops).filter(|(route, _)| route.group == group.name);
    let bodies: Vec<&Vec<String>> = of_group.map(|(_, tops)| tops).collect();
    if bodies.len() < 2 {
        return;
    }
    let shortest = bodies.iter().map(|body| body.len()).min().unwrap_or(0);
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
            part(&last(bodies[0])).filter(|_| bodies.iter().all(|body| last(body) == last(bodies[0])))
        else {
            break;
        };
        group.after.insert(0, name);
    }
}

/// The hashes of a body's own children. Text between them ends the run: it has no hash that a part could have.
fn tops(body: &[Node], of_elements: Vec<String>) -> Vec<String> {
    let mut hashes = of_elements.into_iter();
    let hash = |node: &Node| match node {
        Node::Element(_) => hashes.next().unwrap_or_default(),
        Node::Text(_) | Node::Part(_) => String::new(),
    };
    body.iter().map(hash).collect()
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
