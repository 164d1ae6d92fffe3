//! Parts that repeat with other content: the entries of a list, the tiles of a grid. Such a part is written once, as a component
//! whose properties are what differs.
//!
//! Found by structure alone: subtrees with the same elements and attributes, of which texts, addresses and descriptions may
//! differ. What a card would not say as it stood is no card: React gets the same tree from it as from the page itself.

mod label;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Route, soft::Soft};
use crate::dom::{Element, Node, Use};
use shape::{Place, Value};
pub(crate) use shape::{Shape, set};

/// So often a card has to be shown to be worth a file, and at least twice side by side.
const LEAST_USES: u64 = 3;
/// A component with more properties than this is no easier to read than what it replaces.
const MOST_PROPERTIES: usize = 8;

/// A part that repeats with other content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The component's name.
    pub name: String,
    /// Its file, from the project's root.
    pub file: String,
    /// The hash of the structure that it has wherever it is shown.
    pub shape: String,
    /// The first page that shows it, by its address in the snapshot.
    pub page: String,
    /// How often it is shown.
    pub uses: u64,
    /// On how many pages.
    pub pages: u64,
    /// What differs from one to the next.
    pub properties: Vec<Property>,
}

/// What differs between the uses of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// Its name in the component.
    pub name: String,
    /// Where it is said: places in the structure, counted through all that may differ.
    pub places: Vec<usize>,
}

impl Card {
    /// How it is used with this content.
    pub(crate) fn used(&self, values: &[Value<'_>]) -> Use {
        let given = self.properties.iter().filter_map(|property| {
            let value = values.get(*property.places.first()?)?;
            Some((property.name.clone(), value.text.to_owned()))
        });
        Use { name: self.name.clone(), given: given.collect() }
    }
}

/// What is known of a structure.
struct Tally {
    first: Option<Element>,
    /// The place of the page that it was met on first.
    page: usize,
    /// Words that say what it may be, of what it stands in.
    around: Vec<String>,
    places: Vec<Place>,
    values: Vec<String>,
    /// Places with the same number say the same wherever the structure is met.
    classes: Vec<usize>,
    differs: Vec<bool>,
    /// Did two of it stand side by side?
    repeats: bool,
}

/// One structure that was met on a page: it covers what is met before `end`.
struct Met {
    shape: usize,
    at: usize,
    end: usize,
}

/// Finds the cards in the content of a site's pages. `taken` are the names that the project uses already.
pub(super) fn plan(
    routes: &[Route],
    contents: &BTreeMap<String, Vec<Node>>,
    taken: BTreeSet<String>,
) -> Vec<Card> {
    let mut survey = Survey::default();
    let soft = Soft::of(routes);
    let mut pages = Vec::new();
    for route in routes {
        let Some(content) = contents.get(&route.url) else { continue };
        pages.push((route.url.as_str(), survey.page(content, soft.links(route))));
    }
    survey.cards(&pages, taken)
}

#[derive(Default)]
struct Survey {
    /// How many pages were looked at.
    pages: usize,
    numbers: BTreeMap<String, usize>,
    shapes: Vec<String>,
    tallies: Vec<Tally>,
}

impl Survey {
    /// Looks at the structures of one page's own content.
    fn page(&mut self, nodes: &[Node], soft: &BTreeSet<String>) -> Vec<Met> {
        let mut met = Vec::new();
        let mut walk = Walk { survey: self, soft, met: &mut met, at: 0, around: Vec::new() };
        walk.children(nodes, false);
        self.pages += 1;
        met
    }

    fn meet(&mut self, shape: &Shape<'_>, element: &Element, around: &[String]) -> usize {
        let number = self.numbers.get(&shape.hash).copied();
        let number = number.unwrap_or_else(|| {
            self.numbers.insert(shape.hash.clone(), self.tallies.len());
            self.shapes.push(shape.hash.clone());
            self.tallies.push(Tally::new(shape, element, around, self.pages));
            self.tallies.len() - 1
        });
        self.tallies[number].meet(&shape.values);
        number
    }

    /// Chooses the outermost ones that are shown often enough, and names them in the order in which they are met.
    fn cards(&mut self, looked_at: &[(&str, Vec<Met>)], mut taken: BTreeSet<String>) -> Vec<Card> {
        let mut chosen: BTreeSet<usize> =
            (0..self.tallies.len()).filter(|number| self.tallies[*number].is_card()).collect();
        let counts = loop {
            let counts = shown(looked_at, &chosen);
            let before = chosen.len();
            chosen.retain(|number| counts.get(number).is_some_and(|(uses, _)| *uses >= LEAST_USES));
            if chosen.len() == before {
                break counts;
            }
        };
        let cards = chosen.into_iter().map(|number| {
            let tally = &mut self.tallies[number];
            let properties = tally.properties();
            let element = tally.first.take().unwrap_or_else(|| Element::new("div"));
            let name = label::component(&element, &tally.around, &mut taken);
            let (uses, pages) = counts[&number];
            let shape = self.shapes[number].clone();
            let page = looked_at[self.tallies[number].page].0.to_owned();
            Card { file: format!("components/{name}.tsx"), name, shape, page, uses, pages, properties }
        });
        let mut cards: Vec<Card> = cards.collect();
        cards.sort_by(|a, b| a.name.cmp(&b.name));
        cards
    }
}

/// How often, and on how many pages, each is shown that lies in no other one.
fn shown(pages: &[(&str, Vec<Met>)], chosen: &BTreeSet<usize>) -> BTreeMap<usize, (u64, u64)> {
    let mut counts: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for (_, page) in pages {
        let mut seen = BTreeSet::new();
        let mut covered = 0;
        for met in page {
            if met.at < covered || !chosen.contains(&met.shape) {
                continue;
            }
            covered = met.end;
            let count = counts.entry(met.shape).or_default();
            count.0 += 1;
            count.1 += u64::from(seen.insert(met.shape));
        }
    }
    counts
}

/// The way through a page's elements, in document order.
struct Walk<'w> {
    survey: &'w mut Survey,
    soft: &'w BTreeSet<String>,
    met: &'w mut Vec<Met>,
    at: usize,
    around: Vec<String>,
}

impl Walk<'_> {
    fn children(&mut self, nodes: &[Node], inside: bool) {
        let mut siblings = BTreeSet::new();
        for node in nodes {
            let Node::Element(element) = node else { continue };
            let (at, place) = (self.at, self.met.len());
            self.at += 1;
            // What stands at the top is the page itself.
            if inside && let Some(shape) = Shape::of(element, self.soft) {
                let number = self.survey.meet(&shape, element, &self.around);
                self.survey.tallies[number].repeats |= !siblings.insert(number);
                self.met.push(Met { shape: number, at, end: at });
            }
            self.around.push(label::words(element));
            self.children(&element.children, true);
            self.around.pop();
            if let Some(met) = self.met.get_mut(place).filter(|met| met.at == at) {
                met.end = self.at;
            }
        }
    }
}

impl Tally {
    fn new(shape: &Shape<'_>, element: &Element, around: &[String], page: usize) -> Self {
        let values: Vec<String> = shape.values.iter().map(|value| value.text.to_owned()).collect();
        Self {
            // All the same until they are told apart.
            classes: vec![0; values.len()],
            first: Some(element.clone()),
            page,
            around: around.to_vec(),
            places: shape.values.iter().map(|value| value.place()).collect(),
            differs: vec![false; values.len()],
            values,
            repeats: false,
        }
    }

    fn meet(&mut self, values: &[Value<'_>]) {
        let mut known: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for (at, value) in values.iter().enumerate() {
            self.differs[at] |= self.values[at] != value.text;
            let next = known.len();
            self.classes[at] = *known.entry((self.classes[at], value.text)).or_insert(next);
        }
    }

    fn is_card(&self) -> bool {
        let classes: BTreeSet<usize> = self
            .classes
            .iter()
            .zip(&self.differs)
            .filter(|(_, differs)| **differs)
            .map(|(class, _)| *class)
            .collect();
        self.repeats && (1..=MOST_PROPERTIES).contains(&classes.len())
    }

    /// One property for all places that always say the same.
    fn properties(&self) -> Vec<Property> {
        let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut order = Vec::new();
        for at in (0..self.places.len()).filter(|at| self.differs[*at]) {
            let places = found.entry(self.classes[at]).or_default();
            if places.is_empty() {
                order.push(self.classes[at]);
            }
            places.push(at);
        }
        let mut taken = BTreeSet::new();
        let named = order.into_iter().map(|class| {
            let places = found.remove(&class).unwrap_or_default();
            let name = label::property(places.iter().map(|at| &self.places[*at]), &mut taken);
            Property { name, places }
        });
        named.collect()
    }
}

/// Puts cards in the place of what they show.
pub(crate) fn replace(nodes: Vec<Node>, cards: &BTreeMap<&str, &Card>, soft: &BTreeSet<String>) -> Vec<Node> {
    if cards.is_empty() {
        return nodes;
    }
    nodes.into_iter().map(|node| inner(node, cards, soft, false)).collect()
}

fn inner(node: Node, cards: &BTreeMap<&str, &Card>, soft: &BTreeSet<String>, inside: bool) -> Node {
    let mut element = match node {
        Node::Element(element) => element,
        other => return other,
    };
    if inside
        && let Some(shape) = Shape::of(&element, soft)
        && let Some(card) = cards.get(shape.hash.as_str())
    {
        return Node::Part(card.used(&shape.values));
    }
    let children = std::mem::take(&mut element.children);
    element.children = children.into_iter().map(|child| inner(child, cards, soft, true)).collect();
    Node::Element(element)
}

/// The uses of a card in a page's own content, as they stand there.
pub(crate) fn uses<'a>(nodes: &'a [Node], shape: &str, soft: &BTreeSet<String>) -> Vec<&'a Element> {
    let mut found = Vec::new();
    collect_uses(nodes, shape, soft, false, &mut found);
    found
}

fn collect_uses<'a>(
    nodes: &'a [Node],
    shape: &str,
    soft: &BTreeSet<String>,
    inside: bool,
    found: &mut Vec<&'a Element>,
) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if inside && Shape::of(element, soft).is_some_and(|it| it.hash == shape) {
            found.push(element);
        } else {
            collect_uses(&element.children, shape, soft, true, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;

    fn body(html: &str) -> Vec<Node> {
        parse::document(&format!("<!doctype html><body>{html}")).body
    }

    fn cards(pages: &[&str]) -> Vec<Card> {
        let mut survey = Survey::default();
        let none = BTreeSet::new();
        let met: Vec<(&str, Vec<Met>)> =
            pages.iter().map(|page| ("/", survey.page(&body(page), &none))).collect();
        survey.cards(&met, BTreeSet::new())
    }

    fn product(name: &str, price: &str) -> String {
        format!(
            "<li class=product><a href=/{name}><img src=/{name}.png alt={name}></a><h3>{name}</h3>\
             <span class=price>{price}</span></li>"
        )
    }

    #[test]
    fn what_repeats_with_other_content_is_one_component_with_properties_for_what_differs() {
        let shop = format!("<ul>{}{}{}</ul>", product("a", "1"), product("b", "2"), product("c", "2"));
        let found = cards(&[&shop, &format!("<main><ul>{}</ul></main>", product("d", "1"))]);
        assert_eq!(found.len(), 1);
        let card = &found[0];
        assert_eq!((card.name.as_str(), card.file.as_str()), ("ProductCard", "components/ProductCard.tsx"));
        assert_eq!((card.uses, card.pages), (4, 2));
        let names: Vec<&str> = card.properties.iter().map(|property| property.name.as_str()).collect();
        // The picture's description is the heading, wherever it is shown.
        assert_eq!(names, ["href", "title", "src", "price"]);
        assert_eq!(card.properties[1].places.len(), 2);
        let by_shape = BTreeMap::from([(card.shape.as_str(), card)]);
        let replaced = replace(body(&shop), &by_shape, &BTreeSet::new());
        let Node::Element(list) = &replaced[0] else { panic!("a list") };
        let Node::Part(used) = &list.children[1] else { panic!("a card") };
        let given: Vec<(&str, &str)> = used.given.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(given, [("href", "/b"), ("title", "b"), ("src", "/b.png"), ("price", "2")]);
    }

    #[test]
    fn what_is_the_same_or_seldom_or_never_side_by_side_or_the_page_itself_is_no_card() {
        let one = product("a", "1");
        assert_eq!(cards(&[&format!("<ul>{one}{one}{one}</ul>")]), [], "it has no properties");
        let two = format!("<ul>{}{}</ul>", product("a", "1"), product("b", "2"));
        assert_eq!(cards(&[&two]), [], "twice is not often");
        let alone = |name: &str| format!("<div>{}</div>", product(name, "1"));
        assert_eq!(cards(&[&alone("a"), &alone("b"), &alone("c")]), [], "pages of one kind are no cards");
        let top = [product("a", "1"), product("b", "2"), product("c", "3")].concat();
        assert_eq!(cards(&[&top]), [], "it stands at the top");
    }

    #[test]
    fn the_outermost_part_that_repeats_is_the_card() {
        let row = |n: u8| {
            format!(
                "<div class=row>{}{}</div>",
                product(&format!("a{n}"), "1"),
                product(&format!("b{n}"), "2")
            )
        };
        let found = cards(&[&format!("<div>{}{}{}</div>", row(1), row(2), row(3))]);
        let names: Vec<&str> = found.iter().map(|card| card.name.as_str()).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert_eq!(found[0].uses, 3);
    }
}
