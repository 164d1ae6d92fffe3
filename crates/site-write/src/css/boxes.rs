//! What the site's style sheets say about the boxes of images: would one change if its HTML said the image's natural size?
//!
//! Without a word about its size an image is as large as its file, and `width` and `height` that say the same change nothing; they
//! do where a style sheet limits the width and leaves the height to them, or where what is around lays the image out. Whether a rule
//! applies is told by the last part of its selector: too many are found, never too few, but for those that have to apply.

use std::collections::BTreeSet;

use super::{declarations, keys::Keys, rules};
use crate::dom::Element;

/// What one declaration means for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// A size, or a ratio.
    Size,
    /// A width that it does not exceed.
    Limit,
    /// The height follows from the width.
    AutoHeight,
    /// More between the image and its box.
    Frame,
    /// That the size is the box's.
    BorderBox,
    /// Children are laid out in rows or cells.
    Container,
}

/// The elements of which style sheets say something that matters to an image's box.
#[derive(Debug, Clone, Default)]
pub(crate) struct Boxes {
    sized: Keys,
    limited: Keys,
    framed: Keys,
    border_box: Keys,
    containers: Keys,
}

/// Images whose height follows from their width for certain.
#[derive(Debug, Clone, Default)]
pub(crate) struct AutoHeight {
    /// Each the names that an image has to have: a tag, `.classes`, `#ids`.
    compounds: BTreeSet<Vec<String>>,
}

impl Boxes {
    /// Takes one style sheet in.
    pub(crate) fn add(&mut self, css: &str) {
        rules::each(css, &mut |preludes, name, value| {
            let Some(prelude) = preludes.last() else { return };
            match says(name, value) {
                Some(Says::Size) => self.sized.select_with_parents(prelude),
                Some(Says::Limit) => self.limited.select_with_parents(prelude),
                Some(Says::Frame) => self.framed.select_with_parents(prelude),
                Some(Says::BorderBox) => self.border_box.select(prelude),
                Some(Says::Container) => self.containers.select(prelude),
                Some(Says::AutoHeight) | None => {}
            }
        });
    }

    /// Could the element lay out an image that stands in it, or say its size?
    pub(crate) fn lays_out(&self, parent: &Element) -> bool {
        let children = [&self.sized, &self.limited, &self.framed];
        self.containers.may_match(parent)
            || children.iter().any(|keys| keys.may_match_children_of(parent))
            || own(parent).contains(&Says::Container)
    }

    /// Is the box the same if the image says its natural size? `certain` are rules that apply to its page.
    pub(crate) fn stays(&self, image: &Element, certain: &[&AutoHeight]) -> bool {
        let own = own(image);
        let says = |keys: &Keys, what: Says| keys.may_match(image) || own.contains(&what);
        let auto = || {
            own.contains(&Says::AutoHeight)
                || !certain.is_empty() && certain.iter().all(|rules| rules.matches(image))
        };
        let bordered = image.get("border").is_some_and(|width| width.trim() != "0");
        let framed = (bordered || says(&self.framed, Says::Frame)) && says(&self.border_box, Says::BorderBox);
        !framed && !says(&self.sized, Says::Size) && (!says(&self.limited, Says::Limit) || auto())
    }
}

impl AutoHeight {
    /// Takes one style sheet in.
    pub(crate) fn add(&mut self, css: &str) {
        rules::each(css, &mut |preludes, name, value| {
            let Some((selectors, around)) = preludes.split_last() else { return };
            if says(name, value) == Some(Says::AutoHeight) && around.iter().all(|it| always(it)) {
                self.compounds.extend(rules::selectors(selectors).iter().filter_map(|it| compound(it)));
            }
        });
    }

    fn matches(&self, image: &Element) -> bool {
        let classes: BTreeSet<&str> =
            image.get("class").unwrap_or_default().split_ascii_whitespace().collect();
        let has = |name: &String| match name.split_at_checked(1) {
            Some((".", class)) => classes.contains(class),
            Some(("#", id)) => image.get("id") == Some(id),
            _ => *name == image.name,
        };
        self.compounds.iter().any(|names| names.iter().all(has))
    }
}

/// What the element's own style says.
fn own(element: &Element) -> Vec<Says> {
    let style = declarations(element.get("style").unwrap_or_default());
    style.iter().filter_map(|it| says(&it.name, &it.value.to_ascii_lowercase())).collect()
}

fn says(name: &str, value: &str) -> Option<Says> {
    let value = value.trim_end_matches("!important").trim_end();
    let is = |words: &[&str]| words.contains(&value);
    let nothing = || value.split_ascii_whitespace().all(|word| matches!(word, "0" | "0px" | "none"));
    match name.trim_start_matches("-webkit-").trim_start_matches("-moz-") {
        "width" | "inline-size" if is(&["auto"]) => None,
        "height" | "block-size" if is(&["auto"]) => Some(Says::AutoHeight),
        "max-width" | "max-inline-size" if is(&["none"]) => None,
        "max-width" | "max-inline-size" => Some(Says::Limit),
        "min-width" | "min-height" | "min-inline-size" | "min-block-size" if is(&["0", "0px", "auto"]) => {
            None
        }
        "max-height" | "max-block-size" if is(&["none"]) => None,
        "aspect-ratio" if is(&["auto"]) => None,
        "zoom" if is(&["1", "normal"]) => None,
        "width" | "inline-size" | "height" | "block-size" | "min-width" | "min-height"
        | "min-inline-size" | "min-block-size" | "max-height" | "max-block-size" | "aspect-ratio"
        | "zoom" | "all" | "contain" | "image-orientation" => Some(Says::Size),
        "box-sizing" => is(&["border-box"]).then_some(Says::BorderBox),
        "display" => ["flex", "grid", "box", "contents", "var("]
            .iter()
            .any(|word| value.contains(word))
            .then_some(Says::Container),
        frame if is_frame(frame) => (!nothing()).then_some(Says::Frame),
        _ => None,
    }
}

/// Does this property put something between an image and the edge of its box?
fn is_frame(name: &str) -> bool {
    let without = ["radius", "color", "collapse", "spacing", "image"];
    name.starts_with("padding") || name.starts_with("border") && !without.iter().any(|it| name.contains(it))
}

/// Does what stands in this rule always apply on a screen?
fn always(prelude: &str) -> bool {
    let prelude = prelude.trim();
    prelude.starts_with("@layer") || matches!(prelude, "@media screen" | "@media all")
}

/// The names in a selector that is nothing but a tag, classes and ids of one element.
fn compound(selector: &str) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for c in selector.trim().chars() {
        match c {
            '.' | '#' => names.push(c.to_string()),
            _ if c.is_alphanumeric() || matches!(c, '-' | '_') => match names.last_mut() {
                Some(name) => name.push(c),
                None => names.push(c.to_string()),
            },
            _ => return None,
        }
    }
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn element(name: &str, attributes: &[(&str, &str)]) -> Element {
        let mut element = Element::new(name);
        for (name, value) in attributes {
            element.set(name, *value);
        }
        element
    }

    #[rstest]
    #[case("", &[], true)]
    #[case("p { width: 10px } img { border: 0; float: left; margin: 1em; max-width: none }", &[], true)]
    #[case("img { border: 1px solid }", &[], true)]
    #[case("* { box-sizing: border-box } img { border: 1px solid }", &[], false)]
    #[case("* { box-sizing: border-box }", &[("border", "1")], false)]
    #[case("* { box-sizing: border-box } img { border-style: none; padding: 0 0px }", &[("border", "0")], true)]
    #[case("article img { width: 50% }", &[], false)]
    #[case(".w-100 { width: 100% }", &[], true)]
    #[case(".w-100 { width: 100% }", &[("class", "a w-100")], false)]
    #[case("img { max-width: 100% }", &[], false)]
    #[case("img { max-width: 100%; height: auto }", &[], true)]
    #[case("img { max-width: 100% } .a .b { height: auto }", &[("class", "b")], false)]
    #[case(".b.c { max-width: 100%; height: auto !important }", &[("class", "c b")], true)]
    #[case("img { max-width: 100% } @media print { img { height: auto } }", &[], false)]
    #[case("@layer base { img { max-width: 100%; height: auto } }", &[], true)]
    #[case("img { max-width: 100%; height: auto } @media (width < 1px) { img { height: 2em } }", &[], false)]
    #[case("img { max-width: 100%; height: auto }", &[("style", "width: 20px")], false)]
    #[case(".row > * { width: 100%; max-width: 100% }", &[], true)]
    #[case("[class*=col] { width: 100% }", &[], false)]
    #[case(".md\\:w-1\\/2 { width: 50% } .md\\:w-1\\/2:hover { width: 60% }", &[], true)]
    #[case(".md\\:w-full { width: 50% }", &[("class", "md:w-full")], false)]
    fn an_image_keeps_its_box_where_no_style_says_its_size(
        #[case] css: &str,
        #[case] attributes: &[(&str, &str)],
        #[case] stays: bool,
    ) {
        let (mut boxes, mut auto) = (Boxes::default(), AutoHeight::default());
        boxes.add(css);
        auto.add(css);
        assert_eq!(boxes.stays(&element("img", attributes), &[&auto]), stays, "{css}");
    }

    #[test]
    fn a_rule_that_one_page_has_is_not_certain_on_another() {
        let css = "img { max-width: 100%; height: auto }";
        let (mut boxes, mut auto) = (Boxes::default(), AutoHeight::default());
        boxes.add(css);
        auto.add(css);
        let image = element("img", &[]);
        assert!(!boxes.stays(&image, &[]));
        assert!(!boxes.stays(&image, &[&auto, &AutoHeight::default()]));
    }

    #[test]
    fn what_stands_in_rows_or_cells_is_laid_out() {
        let mut boxes = Boxes::default();
        boxes.add(".row > *, ul > li { max-width: 10px } .d-flex { display: -webkit-flex } p { display: inline-block }");
        let lays_out = |name: &str, attributes: &[(&str, &str)]| boxes.lays_out(&element(name, attributes));
        assert!(lays_out("div", &[("class", "row")]));
        assert!(lays_out("p", &[("class", "d-flex")]));
        assert!(lays_out("p", &[("style", "display: grid")]));
        assert!(!lays_out("p", &[]) && !lays_out("ul", &[]) && !lays_out("li", &[]));
    }
}
