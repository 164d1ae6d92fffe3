//! Parts that differ only in what says where the visitor is: the class of a menu's entry, `aria-current` and their kin. They are
//! one part, which is told by the page which of its entries is the current one.
//!
//! Text, links and pictures never differ between the forms of one part: those are other parts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    dom::{self, Element, Node},
    jsx::string,
};

/// So many forms of one part are worth telling apart.
const MOST_FORMS: usize = 40;

/// One form of a shared part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The structural hash of the subtree in this form.
    pub hash: String,
    /// The page that it shows as the current one; none where it shows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
}

/// May this attribute differ?
fn may_differ(name: &str) -> bool {
    matches!(name, "class" | "id") || name.starts_with("aria-") || name.starts_with("data-")
}

/// Equal for subtrees that may be forms of one part.
pub(super) fn family(element: &Element) -> String {
    dom::hash_without(element, may_differ)
}

/// An attribute that differs: what it says in each form.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    /// The element's place in its subtree.
    element: usize,
    attribute: String,
    values: Vec<Option<String>>,
}

/// The attributes that differ between subtrees of one family.
fn slots(forms: &[&Element]) -> Vec<Slot> {
    let flat: Vec<Vec<&Element>> = forms.iter().map(|form| flattened(form)).collect();
    let mut slots = Vec::new();
    for element in 0..flat.iter().map(Vec::len).min().unwrap_or(0) {
        let names: BTreeSet<&String> =
            flat.iter().flat_map(|form| form[element].attributes.iter().map(|(name, _)| name)).collect();
        for attribute in names {
            let values: Vec<Option<String>> =
                flat.iter().map(|form| form[element].get(attribute).map(str::to_owned)).collect();
            if values.iter().any(|value| *value != values[0]) {
                slots.push(Slot { element, attribute: attribute.clone(), values });
            }
        }
    }
    slots
}

fn flattened(element: &Element) -> Vec<&Element> {
    let mut out = vec![element];
    for child in &element.children {
        if let Node::Element(child) = child {
            out.extend(flattened(child));
        }
    }
    out
}

/// The forms of one part, each with the page that it is told by; none if they are not worth one component. `pages` has the
/// path of the first page of each.
pub(super) fn plan(subtrees: &[&Element], pages: &[String]) -> Option<Vec<Variant>> {
    if !(2..=MOST_FORMS).contains(&subtrees.len()) {
        return None;
    }
    let slots = slots(subtrees);
    let size = subtrees.first().map_or(0, |form| flattened(form).len());
    let worth = slots.len() <= size && slots.len() <= 3 * subtrees.len();
    let told = slots.iter().all(|slot| {
        let usual = usual(slot);
        // Two words, of which one is the exception: more could not be read in the component.
        slot.values.iter().filter(|value| **value != usual).collect::<BTreeSet<_>>().len() == 1
    });
    if !worth || !told {
        return None;
    }
    let variants = subtrees.iter().enumerate().map(|(at, form)| {
        let plain = slots.iter().all(|slot| slot.values[at] == usual(slot));
        Variant { hash: dom::hash(form), current: (!plain).then(|| pages[at].clone()) }
    });
    let variants: Vec<Variant> = variants.collect();
    // Two forms on one page are no menu: the page could not tell which of them it means.
    let distinct: BTreeSet<&String> = pages.iter().collect();
    let plain = variants.iter().filter(|variant| variant.current.is_none()).count();
    (distinct.len() == variants.len() && plain <= 1).then_some(variants)
}

/// What an attribute says on most of its forms; the shortest of those that are said as often: a mark is an addition.
fn usual(slot: &Slot) -> Option<String> {
    let mut counts: BTreeMap<&Option<String>, usize> = BTreeMap::new();
    for value in &slot.values {
        *counts.entry(value).or_default() += 1;
    }
    let most = counts.values().max().copied().unwrap_or(0);
    let often = slot.values.iter().filter(|value| counts.get(value) == Some(&most));
    often.min_by_key(|value| (value.as_ref().map_or(0, String::len), *value)).cloned().flatten()
}

/// What the form says that shows no page as the current one. Where there is none, what most forms say.
fn usual_of(forms: &[(&Variant, &Element)], slot: &Slot) -> Option<String> {
    let plain = forms.iter().position(|(form, _)| form.current.is_none());
    plain.map_or_else(|| usual(slot), |plain| slot.values[plain].clone())
}

/// A part's subtree with a mark wherever its forms differ, and the code that belongs there.
pub(crate) fn marked(forms: &[(&Variant, &Element)]) -> (Element, Vec<(String, String)>) {
    let subtrees: Vec<&Element> = forms.iter().map(|(_, element)| *element).collect();
    let mut code = Vec::new();
    let mut whole = subtrees[0].clone();
    for (number, slot) in slots(&subtrees).iter().enumerate() {
        let mark = format!("slot-{}-{number}-here", &forms[0].0.hash);
        let usual = usual_of(forms, slot);
        let exceptions = forms.iter().zip(&slot.values).filter(|(_, value)| **value != usual);
        let (mut on, mut said) = (Vec::new(), &None);
        for ((form, _), value) in exceptions {
            on.push(string(form.current.as_deref().unwrap_or_default()));
            said = value;
        }
        let test = match on.as_slice() {
            [only] => format!("current === {only}"),
            several => format!("[{}].includes(current)", several.join(", ")),
        };
        code.push((mark.clone(), format!("{test} ? {} : {}", word(said.as_ref()), word(usual.as_ref()))));
        let mut left = slot.element;
        set(&mut whole, &mut left, &slot.attribute, &mark);
    }
    (whole, code)
}

fn word(value: Option<&String>) -> String {
    value.map_or("undefined".to_owned(), |value| string(value))
}

/// Sets an attribute of the element at this place.
fn set(element: &mut Element, left: &mut usize, attribute: &str, value: &str) -> bool {
    if *left == 0 {
        element.set(attribute, value);
        return true;
    }
    element.children.iter_mut().any(|child| match child {
        Node::Element(child) => {
            *left -= 1;
            set(child, left, attribute, value)
        }
        Node::Text(_) | Node::Part(_) => false,
    })
}

/// Puts the code in the place of the marks.
pub(crate) fn spelt(printed: &str, code: &[(String, String)]) -> String {
    code.iter().fold(printed.to_owned(), |text, (mark, code)| {
        text.replace(&format!("=\"{mark}\""), &format!("={{{code}}}")).replace(&format!("\"{mark}\""), code)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;

    fn menu(entries: &str) -> Element {
        let document = parse::document(&format!("<!doctype html><body><nav><ul>{entries}</ul></nav>"));
        match document.body.into_iter().next() {
            Some(Node::Element(element)) => element,
            other => panic!("an element: {other:?}"),
        }
    }

    fn three() -> [Element; 3] {
        [
            menu("<li class=on><a href=/ aria-current=page>a</a></li><li><a href=/b>b</a></li>"),
            menu("<li><a href=/>a</a></li><li class=on><a href=/b aria-current=page>b</a></li>"),
            menu("<li><a href=/>a</a></li><li><a href=/b>b</a></li>"),
        ]
    }

    #[test]
    fn the_form_without_a_current_entry_says_what_is_usual_whatever_others_are_left() {
        let menus = [
            menu("<li class=on><a href=/>a</a></li><li class=link><a href=/b>b</a></li>"),
            menu("<li class=link><a href=/>a</a></li><li class=on><a href=/b>b</a></li>"),
            menu("<li class=link><a href=/>a</a></li><li class=link><a href=/b>b</a></li>"),
        ];
        let subtrees: Vec<&Element> = menus.iter().collect();
        let forms = plan(&subtrees, &["/".into(), "/b".into(), "/c".into()]).expect("they are one part");
        let left: Vec<(&Variant, &Element)> =
            forms.iter().zip(subtrees).filter(|(form, _)| form.current.as_deref() != Some("/b")).collect();
        let (_, code) = marked(&left);
        let code: Vec<&str> = code.iter().map(|(_, code)| code.as_str()).collect();
        assert_eq!(code, ["current === \"/\" ? \"on\" : \"link\""]);
    }

    #[test]
    fn a_menu_is_told_which_of_its_entries_is_the_current_one() {
        let menus = three();
        let subtrees: Vec<&Element> = menus.iter().collect();
        assert!(subtrees.iter().all(|menu| family(menu) == family(subtrees[0])));
        let pages = ["/".into(), "/b".into(), "/c".into()];
        let forms = plan(&subtrees, &pages).expect("they are one part");
        let told: Vec<Option<&str>> = forms.iter().map(|form| form.current.as_deref()).collect();
        assert_eq!(told, [Some("/"), Some("/b"), None]);
        let (whole, code) = marked(&forms.iter().zip(subtrees).collect::<Vec<_>>());
        let entries: Vec<&str> = code.iter().map(|(_, code)| code.as_str()).collect();
        assert_eq!(
            entries,
            [
                "current === \"/\" ? \"on\" : undefined",
                "current === \"/\" ? \"page\" : undefined",
                "current === \"/b\" ? \"on\" : undefined",
                "current === \"/b\" ? \"page\" : undefined",
            ]
        );
        let marks: Vec<&str> = flattened(&whole)
            .iter()
            .flat_map(|element| [element.get("class"), element.get("aria-current")])
            .flatten()
            .collect();
        assert_eq!(marks, code.iter().map(|(mark, _)| mark.as_str()).collect::<Vec<_>>());
        let printed = format!("<li className=\"{}\">", code[0].0);
        assert_eq!(spelt(&printed, &code), "<li className={current === \"/\" ? \"on\" : undefined}>");
    }

    #[test]
    fn other_words_links_or_elements_are_another_part() {
        let plain = menu("<li><a href=/>a</a></li>");
        for other in ["<li><a href=/>b</a></li>", "<li><a href=/x>a</a></li>", "<li><b>a</b></li>"] {
            assert_ne!(family(&menu(other)), family(&plain), "{other}");
        }
    }

    #[test]
    fn an_attribute_with_three_words_is_no_menus() {
        let menus = [menu("<li class=a>x"), menu("<li class=b>x"), menu("<li class=c>x")];
        let subtrees: Vec<&Element> = menus.iter().collect();
        assert_eq!(plan(&subtrees, &["/1".into(), "/2".into(), "/3".into()]), None);
        let twice = [menu("<li class=a>x"), menu("<li>x"), menu("<li class=a>x")];
        assert_eq!(plan(&[&twice[0], &twice[1], &twice[2]], &["/1".into(), "/1".into(), "/1".into()]), None);
    }
}
