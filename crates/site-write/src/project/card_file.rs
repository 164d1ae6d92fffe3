//! A card's file: its structure as a component, with a property wherever its uses differ.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Press, Printed,
    images::{self, Stays, Told},
    imports, mismatch,
};
use crate::{
    Result,
    dom::{Element, Node},
    jsx::{self, Links, Needs},
    plan::{Card, Keep, cards},
};

pub(super) fn write(
    press: &Press<'_>,
    card: &Card,
    contents: &BTreeMap<String, Vec<Node>>,
) -> Result<Printed> {
    let route = press.plan.route(&card.page).ok_or_else(|| mismatch(&card.page))?;
    let links = press.soft.links(route);
    let own = contents.get(&route.url).ok_or_else(|| mismatch(&card.page))?;
    let uses = cards::uses(own, &card.shape, links);
    let mut element = (*uses.first().ok_or_else(|| mismatch(&card.name))?).clone();
    let shape = cards::Shape::of(&element, links).ok_or_else(|| mismatch(&card.name))?;
    let mut texts: Vec<Option<String>> = vec![None; shape.values.len()];
    for (number, property) in card.properties.iter().enumerate() {
        for place in &property.places {
            *texts.get_mut(*place).ok_or_else(|| mismatch(&card.name))? = Some(mark(card, number));
        }
    }
    // What leads near there leads near from wherever the card stands: that is part of its structure.
    let near = shape.values.iter().zip(&texts).filter(|(value, _)| value.soft);
    let near = near.map(|(value, text)| text.as_deref().unwrap_or(value.text));
    let soft: BTreeSet<String> =
        near.map(|href| href.split('#').next().unwrap_or_default().to_owned()).collect();
    // One answer for all uses: that of the first page that shows it.
    let here = (card.pages == 1).then_some(route.path.as_str());
    let uses: Vec<Node> = uses.into_iter().cloned().map(Node::Element).collect();
    let any_is_late = !press.ahead.late(&uses, links, here).is_empty();
    let late = if any_is_late { soft.clone() } else { BTreeSet::new() };
    let mut pictures = Pictures::of(press, card, contents, &element);
    cards::set(&mut element, &mut texts.into_iter());
    let mut nodes = [Node::Element(element)];
    let images = images::mark(&mut nodes, std::mem::take(&mut pictures.told));
    let mut needs = Needs::default();
    let links = Links { soft: Some(&soft), late };
    let body = jsx::print(&nodes, 2, &links, &mut needs);
    let text = format!(
        "// A card that is shown {uses} times on {pages}, each time with content of its own.\n{imports}type {name}Properties = {{\n\
         {types}}};\n\nexport function {name}({{ {names} }}: {name}Properties) {{\n  return (\n{body}  );\n}}\n",
        uses = card.uses,
        pages = if card.pages == 1 { "1 page".to_owned() } else { format!("{} pages", card.pages) },
        imports = imports(&needs, &[]),
        name = card.name,
        types = pictures.types(card),
        names = card.properties.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", "),
        body = spelt(body, card),
    );
    Ok(Printed { file: card.file.clone(), text, needs, images })
}

/// What the images of a card are like wherever it is shown.
#[derive(Default)]
struct Pictures {
    /// What is told of each, in its order: that it is shown by `next/image` only if all of its uses are, and are as large.
    told: Vec<Told>,
    /// The properties that are a number of pixels, by their place among the card's.
    pixels: BTreeSet<usize>,
}

impl Pictures {
    /// `first` is one use of the card: where none of its images is shown by `next/image`, others are not asked.
    fn of(press: &Press<'_>, card: &Card, contents: &BTreeMap<String, Vec<Node>>, first: &Element) -> Self {
        let scope = press.images.anywhere();
        let within = |one: &Element| scope.told(&[Node::Element(one.clone())]);
        let (mut told, mut pixels) = (within(first), sizes(card, first));
        if told.iter().all(Told::is_err) {
            return Self { told, pixels: BTreeSet::new() };
        }
        for route in press.plan.routes.iter().filter(|route| !route.kept.contains(&Keep::Copies)) {
            let (links, own) = (press.soft.links(route), contents.get(&route.url));
            let uses = own.map(|own| cards::uses(own, &card.shape, links)).unwrap_or_default();
            for one in uses {
                let here = within(one);
                told = told.into_iter().zip(here).map(|(all, one)| both(all, one)).collect();
                let here = sizes(card, one);
                pixels.retain(|number| here.contains(number));
            }
        }
        Self { told, pixels }
    }

    fn types(&self, card: &Card) -> String {
        let kind = |number| if self.pixels.contains(&number) { "`${number}`" } else { "string" };
        let line = |(number, property): (usize, &cards::Property)| {
            format!("  {}: {};\n", property.name, kind(number))
        };
        card.properties.iter().enumerate().map(line).collect()
    }
}

/// One answer for two uses of a card.
fn both(all: Told, one: Told) -> Told {
    let (all_size, size) = (all?, one?);
    if all_size == size { Ok(size) } else { Err(Stays::Differs) }
}

/// The properties that say the size of an image in pixels, in this use of a card.
fn sizes(card: &Card, one: &Element) -> BTreeSet<usize> {
    // Which links are near is the same for all uses of one structure, and sizes are in no link.
    let none = BTreeSet::new();
    let values = cards::Shape::of(one, &none).map(|shape| shape.values).unwrap_or_default();
    let is_size = |place: &usize| {
        values.get(*place).is_some_and(|value| {
            let size = matches!(value.attribute, Some("width" | "height"));
            size && value.element.name == "img" && images::is_pixels(value.text)
        })
    };
    let numbers = card.properties.iter().enumerate();
    numbers.filter(|(_, property)| property.places.iter().any(is_size)).map(|(number, _)| number).collect()
}

/// What stands in the place of a property until the structure is printed: about as long as a name is.
fn mark(card: &Card, number: usize) -> String {
    format!("{:.9}-{number}", card.shape)
}

/// Puts the properties in the place of the marks: in attributes, in what is spread, and as text.
fn spelt(printed: String, card: &Card) -> String {
    card.properties.iter().enumerate().fold(printed, |text, (number, property)| {
        let (mark, name) = (mark(card, number), &property.name);
        text.replace(&format!("=\"{mark}\""), &format!("={{{name}}}"))
            .replace(&format!("\"{mark}\""), name)
            .replace(&mark, &format!("{{{name}}}"))
    })
}
