//! A card's file: its structure as a component, with a property wherever its uses differ.

use std::collections::{BTreeMap, BTreeSet};

use super::{Press, Printed, imports, mismatch};
use crate::{
    Result,
    dom::Node,
    jsx::{self, Links, Needs},
    plan::{Card, cards},
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
    let near = shape.values.iter().zip(&texts).filter(|(value, _)| value.place.soft);
    let near = near.map(|(value, text)| text.as_deref().unwrap_or(value.text));
    let soft: BTreeSet<String> =
        near.map(|href| href.split('#').next().unwrap_or_default().to_owned()).collect();
    // One answer for all uses: that of the first page that shows it.
    let here = (card.pages == 1).then_some(route.path.as_str());
    let uses: Vec<Node> = uses.into_iter().cloned().map(Node::Element).collect();
    let any_is_late = !press.ahead.late(&uses, links, here).is_empty();
    let late = if any_is_late { soft.clone() } else { BTreeSet::new() };
    cards::set(&mut element, &mut texts.into_iter());
    let mut needs = Needs::default();
    let links = Links { soft: Some(&soft), late };
    let body = jsx::print(&[Node::Element(element)], 2, &links, &mut needs);
    let text = format!(
        "// A card that is shown {uses} times on {pages}, each time with content of its own.\n{imports}type {name}Properties = {{\n\
         {types}}};\n\nexport function {name}({{ {names} }}: {name}Properties) {{\n  return (\n{body}  );\n}}\n",
        uses = card.uses,
        pages = if card.pages == 1 { "1 page".to_owned() } else { format!("{} pages", card.pages) },
        imports = imports(&needs, &[]),
        name = card.name,
        types = each(card, |name| format!("  {name}: string;\n")).concat(),
        names = each(card, str::to_owned).join(", "),
        body = spelt(body, card),
    );
    Ok(Printed { file: card.file.clone(), text, needs })
}

fn each(card: &Card, say: impl Fn(&str) -> String) -> Vec<String> {
    card.properties.iter().map(|property| say(&property.name)).collect()
}

/// What stands in the place of a property until the structure is printed.
fn mark(card: &Card, number: usize) -> String {
    format!("card-{}-{number}-here", card.shape)
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
