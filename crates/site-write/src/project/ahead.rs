//! Links whose pages are not fetched before somebody asks for them.
//!
//! Next.js fetches a page's data as soon as a link to it is seen, and React fetches the images that the data names. A page that
//! leads to many images, or to a very long page, would so load what nobody asked for: `prefetch={false}` keeps its links soft
//! and leaves the rest to a click.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use site_read::Snapshot;

use crate::{
    Plan,
    dom::{self, Element, Node},
    jsx,
    plan::{Asset, Route},
};

/// So many images that a page does not show itself may be fetched ahead because of one of its files, ...
const IMAGES: usize = 3;
/// ... and so many bytes of them.
const BYTES: u64 = 64 * 1024;
/// A page of more elements comes when it is asked for.
const ELEMENTS: usize = 3000;

/// What fetching each page ahead brings along, by its path.
#[derive(Debug, Default)]
pub(super) struct Ahead(BTreeMap<String, Load>);

#[derive(Debug, Default)]
struct Load {
    /// Its own images: their addresses, and their bytes as far as they are known.
    images: BTreeMap<String, u64>,
    long: bool,
}

impl Ahead {
    /// `contents` is what each page has of its own, by its address.
    pub(super) fn of(plan: &Plan, snapshot: &Snapshot, contents: &BTreeMap<String, Vec<Node>>) -> Self {
        let size = |asset: &'_ Asset| snapshot.assets.get(&asset.url).map(|it| it.bytes);
        let sizes = plan.assets.iter().filter_map(|asset| Some((asset.path.as_str(), size(asset)?)));
        let sizes: HashMap<&str, u64> = sizes.collect();
        let load = |route: &Route| {
            let own = contents.get(&route.url)?;
            let mut images = BTreeSet::new();
            collect_images(own, &mut images);
            let sized = |path: &str| (path.to_owned(), sizes.get(path).copied().unwrap_or_default());
            let images = images.into_iter().map(sized).collect();
            Some((route.path.clone(), Load { images, long: dom::weight(own) > ELEMENTS }))
        };
        Self(plan.routes.iter().filter_map(load).collect())
    }

    /// Of the addresses that these nodes lead to without loading a new document, those that are not to be fetched ahead;
    /// `here` is the path of the page that they stand on, if it is one alone.
    pub(super) fn late(
        &self,
        nodes: &[Node],
        soft: &BTreeSet<String>,
        here: Option<&str>,
    ) -> BTreeSet<String> {
        let mut targets = BTreeSet::new();
        collect_targets(nodes, soft, &mut targets);
        self.late_of(targets, here)
    }

    fn late_of<'t>(
        &self,
        targets: impl IntoIterator<Item = &'t str>,
        here: Option<&str>,
    ) -> BTreeSet<String> {
        let shown = here.and_then(|path| self.0.get(path)).map(|load| &load.images);
        let is_new = |image: &String| shown.is_none_or(|shown| !shown.contains_key(image));
        let others = targets.into_iter().filter(|path| Some(*path) != here);
        let loads: Vec<(&str, &Load)> = others.filter_map(|path| Some((path, self.0.get(path)?))).collect();
        let images = loads.iter().flat_map(|(_, load)| &load.images).filter(|(image, _)| is_new(image));
        let too_much = is_too_much(images);
        let late = |load: &Load| load.long || too_much && load.images.keys().any(is_new);
        loads.into_iter().filter(|(_, load)| late(load)).map(|(path, _)| path.to_owned()).collect()
    }
}

/// Are these images, each counted once, more than may be fetched ahead?
fn is_too_much<'i>(images: impl Iterator<Item = (&'i String, &'i u64)>) -> bool {
    let (mut known, mut bytes) = (BTreeSet::new(), 0_u64);
    for (image, size) in images {
        if known.insert(image) {
            bytes = bytes.saturating_add(*size);
        }
        if known.len() > IMAGES || bytes > BYTES {
            return true;
        }
    }
    false
}

fn collect_targets<'n>(nodes: &'n [Node], soft: &BTreeSet<String>, out: &mut BTreeSet<&'n str>) {
    for element in elements(nodes) {
        if jsx::is_soft(element, soft) {
            out.insert(jsx::target(element));
        }
        collect_targets(&element.children, soft, out);
    }
}

/// The images that React fetches as soon as it knows of them: none of a `<picture>`, of what only shows without scripts, or
/// that may wait.
fn collect_images<'n>(nodes: &'n [Node], out: &mut BTreeSet<&'n str>) {
    for element in elements(nodes) {
        if element.is_html("img") && !may_wait(element) {
            let address = element.get("src").or_else(|| element.get("srcset")).unwrap_or_default();
            if !address.is_empty() && !address.starts_with("data:") {
                out.insert(address);
            }
        }
        if !matches!(element.name.as_str(), "picture" | "noscript" | "template") {
            collect_images(&element.children, out);
        }
    }
}

fn may_wait(image: &Element) -> bool {
    let says = |name: &str, value: &str| image.get(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
    says("loading", "lazy") || says("fetchpriority", "low")
}

fn elements(nodes: &[Node]) -> impl Iterator<Item = &Element> {
    nodes.iter().filter_map(|node| match node {
        Node::Element(element) => Some(element),
        Node::Text(_) | Node::Part(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(images: &[&str]) -> Load {
        Load { images: images.iter().map(|it| ((*it).to_owned(), 1)).collect(), long: false }
    }

    fn late(loads: Vec<(&str, Load)>, here: Option<&str>) -> Vec<String> {
        let targets: Vec<String> = loads.iter().map(|(path, _)| (*path).to_owned()).collect();
        let ahead = Ahead(loads.into_iter().map(|(path, load)| (path.to_owned(), load)).collect());
        ahead.late_of(targets.iter().map(String::as_str), here).into_iter().collect()
    }

    #[test]
    fn a_few_small_images_come_ahead_and_others_do_not() {
        let few = || vec![("/a", load(&["1", "2"])), ("/b", load(&["2", "3"])), ("/plain", load(&[]))];
        assert_eq!(late(few(), None), Vec::<String>::new());
        let mut many = few();
        many.push(("/c", load(&["4"])));
        assert_eq!(late(many, None), ["/a", "/b", "/c"]);
        let mut large = few();
        large.push((
            "/c",
            Load { images: [("2".to_owned(), 1), ("5".to_owned(), BYTES)].into(), long: false },
        ));
        assert_eq!(late(large, None), ["/a", "/b", "/c"]);
    }

    #[test]
    fn what_the_page_shows_itself_costs_nothing() {
        let icons = &["1", "2", "3", "4", "5"];
        let alike = || vec![("/a", load(icons)), ("/b", load(icons)), ("/c", load(&["6"]))];
        assert_eq!(late(alike(), Some("/a")), Vec::<String>::new());
        assert_eq!(late(alike(), None), ["/a", "/b", "/c"]);
    }

    #[test]
    fn a_long_page_comes_when_it_is_asked_for() {
        let long = Load { long: true, ..Load::default() };
        assert_eq!(late(vec![("/a", load(&["1"])), ("/long", long)], None), ["/long"]);
    }

    #[test]
    fn images_that_wait_or_are_chosen_among_are_not_fetched() {
        let document = dom::parse::document(
            "<img src=a.png><img src=a.png><img srcset='b.png 2x'><img src=c.png loading=LAZY><img src=d.png fetchpriority=low>\
             <picture><img src=e.png></picture><noscript><img src=f.png></noscript><img src='data:image/gif;base64,x'><img><p><img src=g.png></p>",
        );
        let mut images = BTreeSet::new();
        collect_images(&document.body, &mut images);
        assert_eq!(images.into_iter().collect::<Vec<_>>(), ["a.png", "b.png 2x", "g.png"]);
    }
}
