//! Where a site's shared parts are in its pages: found by what they stand for, and put in the place of it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
};

use super::{Group, Keep, Route, SharedPart, shared};
use crate::{
    dom::{self, Element, Lengths, Node, Use},
    parallel,
    snapshot::Site,
};

/// The parts of a plan, and the subtrees that they stand for.
pub(crate) struct Parts {
    uses: BTreeMap<String, Use>,
    subtrees: BTreeMap<String, Element>,
    lengths: BTreeSet<usize>,
}

impl Parts {
    /// Finds the subtrees, each as the first page has it. One that no page has stands for nothing.
    pub(crate) fn of(threads: NonZeroUsize, shared: &[SharedPart], site: &Site) -> Self {
        let uses: BTreeMap<String, Use> = shared.iter().flat_map(SharedPart::uses).collect();
        let mut subtrees = BTreeMap::new();
        // That is where parts are looked for; if all pages keep something there, one may yet be elsewhere.
        for worth in [shared::may_be_shared, |_: &Element, _: bool| true] {
            let wanted: BTreeSet<&str> =
                uses.keys().map(String::as_str).filter(|hash| !subtrees.contains_key(*hash)).collect();
            if wanted.is_empty() {
                break;
            }
            let pages = site.pages.values().map(|page| page.body.as_slice()).collect();
            let found = parallel::map(threads, pages, |body| {
                let mut found: Vec<(String, &Element)> = Vec::new();
                shared::walk(body, true, &mut |element, top| {
                    let hash = worth(element, top).then(|| dom::hash(element));
                    found.extend(
                        hash.filter(|hash| wanted.contains(hash.as_str())).map(|hash| (hash, element)),
                    );
                });
                found
            });
            for (hash, element) in found.into_iter().flatten() {
                subtrees.entry(hash).or_insert_with(|| element.clone());
            }
        }
        Self::new(uses, subtrees)
    }

    pub(super) fn new(uses: BTreeMap<String, Use>, subtrees: BTreeMap<String, Element>) -> Self {
        let length = |element: &Element| Lengths::of_one(element).get(0);
        let lengths = subtrees.values().map(length).collect();
        Self { uses, subtrees, lengths }
    }

    /// The subtree with this hash.
    pub(crate) fn subtree(&self, hash: &str) -> Option<&Element> {
        self.subtrees.get(hash)
    }

    /// Puts parts in the place of the subtrees that they stand for, those of this name excepted.
    pub(crate) fn replace(&self, nodes: Vec<Node>, but: Option<&str>) -> Vec<Node> {
        let lengths = Lengths::of(&nodes);
        self.replaced(nodes, but, &lengths, &mut 0)
    }

    /// The same, where `number` is that of the next element.
    fn replaced(
        &self,
        nodes: Vec<Node>,
        but: Option<&str>,
        lengths: &Lengths,
        number: &mut usize,
    ) -> Vec<Node> {
        let mut replace = |node| {
            let Node::Element(mut element) = node else { return node };
            if let Some(part) = self.part(&element, lengths.get(*number), but) {
                *number = lengths.behind(*number);
                return Node::Part(part.clone());
            }
            *number += 1;
            element.children = self.replaced(std::mem::take(&mut element.children), but, lengths, number);
            Node::Element(element)
        };
        nodes.into_iter().map(&mut replace).collect()
    }

    fn part(&self, element: &Element, length: usize, but: Option<&str>) -> Option<&Use> {
        let known = self.lengths.contains(&length).then(|| dom::hash(element));
        self.uses.get(&known?).filter(|part| but != Some(part.name.as_str()))
    }

    /// What each page has of its own, by its address: what its layout does not put around it, with shared parts in
    /// their places unless the page keeps its copies. Taken out of `site`'s pages. A page that is shorter than its
    /// layout is another one than was planned, and is left out.
    pub(crate) fn contents(
        &self,
        threads: NonZeroUsize,
        site: &mut Site,
        routes: &[Route],
        groups: &[Group],
    ) -> BTreeMap<String, Vec<Node>> {
        let mut bodies = Vec::new();
        for route in routes {
            let Some(group) = groups.iter().find(|group| group.name == route.group) else { continue };
            let Some(page) = site.pages.get_mut(&route.url) else { continue };
            if page.body.len() < group.before.len() + group.after.len() {
                continue; // another page than the one that was planned
            }
            bodies.push((route, group, std::mem::take(&mut page.body)));
        }
        bodies.sort_by_cached_key(|(_, _, body)| Reverse(dom::weight(body)));
        let contents = parallel::map(threads, bodies, |(route, group, mut body)| {
            body.truncate(body.len() - group.after.len());
            body.drain(..group.before.len());
            let copies = route.kept.contains(&Keep::Copies);
            (route.url.clone(), if copies { body } else { self.replace(body, None) })
        });
        contents.into_iter().collect()
    }
}
