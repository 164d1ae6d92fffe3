//! What the site's style sheets say about the boxes of images: would one change if its HTML said the image's natural size?
//!
//! Without a word about its size an image is as large as its file, and `width` and `height` that say the same change nothing; they
//! do where a style sheet limits the width and leaves the height to them, or where what is around lays the image out. Of rules that
//! could apply too many are found, never too few; of those that have to apply only what is certain.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    declarations, rules,
    selectors::{Place, Selectors},
};
use crate::dom::Element;

/// What one declaration means for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// What style sheets say that matters to an image's box, and of which elements.
#[derive(Debug, Clone, Default)]
pub(crate) struct Boxes {
    sized: Selectors,
    limited: Selectors,
    framed: Selectors,
    border_box: Selectors,
    containers: Selectors,
    /// Rules that ask for attributes which `next/image` adds, whatever they say.
    asking: Selectors,
}

/// Images whose height follows from their width for certain.
#[derive(Debug, Clone, Default)]
pub(crate) struct AutoHeight {
    /// The names that an image has to have, a tag, `.classes`, `#ids`; by the last of them.
    compounds: BTreeMap<String, BTreeSet<Vec<String>>>,
}

impl Boxes {
    /// Takes one style sheet in.
    pub(crate) fn add(&mut self, css: &str) {
        rules::each(css, &mut |preludes, declarations| {
            let selector = preludes.iter().rev().find(|prelude| !prelude.trim_start().starts_with('@'));
            let Some(selector) = selector else { return };
            let said: BTreeSet<Says> =
                declarations.iter().filter_map(|(name, value)| says(name, value)).collect();
            for says in said {
                let kind = match says {
                    Says::Size => &mut self.sized,
                    Says::Limit => &mut self.limited,
                    Says::Frame => &mut self.framed,
                    Says::BorderBox => &mut self.border_box,
                    Says::Container => &mut self.containers,
                    Says::AutoHeight => continue,
                };
                kind.add(selector);
            }
            let selectors = rules::selectors(selector);
            selectors.iter().filter(|it| asks_for_what_is_added(it)).for_each(|it| self.asking.add(it));
        });
    }

    /// What other style sheets say, too.
    pub(crate) fn take_in(&mut self, other: &Self) {
        self.sized.take_in(&other.sized);
        self.limited.take_in(&other.limited);
        self.framed.take_in(&other.framed);
        self.border_box.take_in(&other.border_box);
        self.containers.take_in(&other.containers);
        self.asking.take_in(&other.asking);
    }

    /// Could a rule apply because of an attribute that `next/image` adds, or no longer apply?
    pub(crate) fn asks(&self, image: &Place<'_>) -> bool {
        self.asking.may_match(image)
    }

    /// Is the box the same if the image says its natural size? `certain` are rules that apply wherever it may stand.
    pub(crate) fn stays(&self, image: &Place<'_>, certain: &[&AutoHeight]) -> bool {
        let own = own(image.element());
        let says = |rules: &Selectors, what: Says| own.contains(&what) || rules.may_match(image);
        let auto = || {
            let applies = !certain.is_empty() && certain.iter().all(|rules| rules.matches(image));
            own.contains(&Says::AutoHeight) || applies
        };
        let bordered = image.element().get("border").is_some_and(|width| width.trim() != "0");
        let framed = || bordered || says(&self.framed, Says::Frame);
        let may_change = self.is_laid_out(image)
            || says(&self.sized, Says::Size)
            || says(&self.limited, Says::Limit) && !auto()
            || framed() && says(&self.border_box, Says::BorderBox);
        !may_change
    }

    /// Could what the element stands in lay it out in rows or cells?
    fn is_laid_out(&self, place: &Place<'_>) -> bool {
        let by = |parent: Place<'_>| {
            own(parent.element()).contains(&Says::Container) || self.containers.may_match(&parent)
        };
        place.parent().map_or(!place.whole, by)
    }
}

impl AutoHeight {
    /// Takes one style sheet in.
    pub(crate) fn add(&mut self, css: &str) {
        rules::each(css, &mut |preludes, declarations| {
            let Some((prelude, around)) = preludes.split_last() else { return };
            let says = |(name, value): &rules::Declaration| says(name, value) == Some(Says::AutoHeight);
            if !declarations.iter().any(says) || !around.iter().all(|it| always(it)) {
                return;
            }
            let selectors = rules::selectors(prelude);
            // One that a browser does not know spoils the whole rule.
            if selectors.iter().all(|it| is_known(it)) {
                for names in selectors.iter().filter_map(|it| compound(it)) {
                    names.last().cloned().into_iter().for_each(|last| {
                        self.compounds.entry(last).or_default().insert(names.clone());
                    });
                }
            }
        });
    }

    /// What other style sheets say, too.
    pub(crate) fn take_in(&mut self, other: &Self) {
        for (name, compounds) in &other.compounds {
            self.compounds.entry(name.clone()).or_default().extend(compounds.iter().cloned());
        }
    }

    fn matches(&self, image: &Place<'_>) -> bool {
        let image = image.element();
        let classes: BTreeSet<&str> =
            image.get("class").unwrap_or_default().split_ascii_whitespace().collect();
        let has = |name: &String| match name.split_at_checked(1) {
            Some((".", class)) => classes.contains(class),
            Some(("#", id)) => image.get("id") == Some(id),
            _ => *name == image.name,
        };
        let names = classes.iter().map(|class| format!(".{class}"));
        let names = names.chain(image.get("id").map(|id| format!("#{id}"))).chain([image.name.clone()]);
        names
            .filter_map(|name| self.compounds.get(&name))
            .any(|compounds| compounds.iter().any(|names| names.iter().all(has)))
    }
}

/// A style of more bytes than this is taken to say anything: it is read again for every image beside it.
const LONGEST_STYLE: usize = 4096;

/// What the element's own style says.
fn own(element: &Element) -> Vec<Says> {
    let style = element.get("style").unwrap_or_default();
    if style.len() > LONGEST_STYLE {
        return vec![Says::Size, Says::Container];
    }
    let style = declarations(style);
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
        "content" if is(&["none", "normal"]) => None,
        "content-visibility" if is(&["visible"]) => None,
        "container-type" if is(&["normal"]) => None,
        "object-view-box" if is(&["none"]) => None,
        contained if contained.starts_with("contain-intrinsic-") => Some(Says::Size),
        "width" | "inline-size" | "height" | "block-size" | "min-width" | "min-height"
        | "min-inline-size" | "min-block-size" | "max-height" | "max-block-size" | "aspect-ratio"
        | "zoom" | "all" | "contain" | "container" | "container-type" | "content" | "content-visibility"
        | "image-orientation" | "object-view-box" => Some(Says::Size),
        "box-sizing" => (!is(&["content-box", "initial", "unset"])).then_some(Says::BorderBox),
        "display" => ["flex", "grid", "box", "contents", "inherit", "var("]
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

/// Attributes that an image has with `next/image` and may not have without.
const ADDED: &[&str] = &["data-nimg", "decoding", "height", "loading", "style", "width"];

/// Does a selector ask for one of them?
fn asks_for_what_is_added(selector: &str) -> bool {
    let asks = |inside: &str, name: &&str| {
        inside.trim_start().get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
    };
    selector.split('[').skip(1).any(|inside| ADDED.iter().any(|name| asks(inside, name)))
}

/// Is it a selector that every browser knows, by its letters alone?
fn is_known(selector: &str) -> bool {
    !selector.trim().is_empty()
        && selector.chars().all(|c| c.is_alphanumeric() || c.is_ascii_whitespace() || "-_.#>+~*".contains(c))
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
    use crate::css::selectors::Named;
    use rstest::rstest;

    fn element(name: &str, attributes: &[(&str, &str)]) -> Element {
        let mut element = Element::new(name);
        for (name, value) in attributes {
            element.set(name, *value);
        }
        element
    }

    /// On a page that is known from its root.
    fn on_a_page<'e>(image: &'e Named<'e>, ancestors: &'e [Named<'e>]) -> Place<'e> {
        Place { named: image, ancestors, whole: true }
    }

    #[rstest]
    #[case("", &[], true)]
    #[case("p { width: 10px } img { border: 0; float: left; margin: 1em; max-width: none }", &[], true)]
    #[case("img { border: 1px solid }", &[], true)]
    #[case("* { box-sizing: border-box } img { border: 1px solid }", &[], false)]
    #[case("* { box-sizing: border-box }", &[("border", "1")], false)]
    #[case("* { box-sizing: border-box } img { border-style: none; padding: 0 0px }", &[("border", "0")], true)]
    #[case("article img { width: 50% }", &[], true)]
    #[case("p img { width: 50% }", &[], true)]
    #[case("img:hover { width: 50% }", &[], false)]
    #[case("@media print { @supports (x: y) { img { width: 50% } } }", &[], false)]
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
    #[case(".before\\:content-\\[\\'\\'\\]:before { content: '' } img { width: 50% }", &[], false)]
    #[case(".a\\), img { width: 1px }", &[], false)]
    #[case("<!-- img { max-width: 100% } -->", &[], false)]
    #[case("<!--img{max-width:100%}--> --> img{height:auto}", &[], true)]
    #[case("img { max-width: 100% }; img { height: auto }", &[], false)]
    #[case("@charset 'x'; img { max-width: 100% } img { height: auto }", &[], true)]
    #[case("img { max-width: 100% } img, video:-moz-full-screen { height: auto }", &[], false)]
    #[case("html { box-sizing: border-box } * { box-sizing: inherit } img { padding: 5px }", &[], false)]
    #[case("* { box-sizing: content-box } img { padding: 5px }", &[], true)]
    #[case("@media (prefers-color-scheme: dark) { img { content: url(/b.png) } }", &[], false)]
    #[case("img::after { content: 'x' }", &[], true)]
    #[case("img { content-visibility: auto }", &[], false)]
    #[case("img { contain-intrinsic-size: 1px }", &[], false)]
    #[case(".photo { width: 50% }", &[("class", "Photo")], false)]
    #[case("::slotted(img) { width: 50% }", &[], false)]
    fn an_image_keeps_its_box_where_no_style_says_its_size(
        #[case] css: &str,
        #[case] attributes: &[(&str, &str)],
        #[case] stays: bool,
    ) {
        let (mut boxes, mut auto) = (Boxes::default(), AutoHeight::default());
        boxes.add(css);
        auto.add(css);
        let image = element("img", attributes);
        assert_eq!(boxes.stays(&on_a_page(&Named::of(&image), &[]), &[&auto]), stays, "{css}");
    }

    #[test]
    fn a_rule_that_one_page_has_is_not_certain_on_another() {
        let css = "img { max-width: 100%; height: auto }";
        let (mut boxes, mut auto) = (Boxes::default(), AutoHeight::default());
        boxes.add(css);
        auto.add(css);
        let image = element("img", &[]);
        let image = Named::of(&image);
        let image = on_a_page(&image, &[]);
        assert!(boxes.stays(&image, &[&auto]));
        assert!(!boxes.stays(&image, &[]));
        assert!(!boxes.stays(&image, &[&auto, &AutoHeight::default()]));
    }

    #[test]
    fn what_stands_in_rows_or_cells_is_laid_out() {
        let mut boxes = Boxes::default();
        boxes.add(".row > *, ul > li { max-width: 10px } .d-flex { display: -webkit-flex } p { display: inline-block }");
        let stays = |name: &str, attributes: &[(&str, &str)]| {
            let (parent, image) = (element(name, attributes), element("img", &[]));
            boxes.stays(&on_a_page(&Named::of(&image), &[Named::of(&parent)]), &[])
        };
        assert!(!stays("div", &[("class", "row")]));
        assert!(!stays("p", &[("class", "d-flex")]));
        assert!(!stays("p", &[("style", "display: grid")]));
        assert!(stays("p", &[]) && stays("ul", &[]) && stays("li", &[]));
        let image = element("img", &[]);
        let image = Named::of(&image);
        assert!(!boxes.stays(&Place { named: &image, ancestors: &[], whole: false }, &[]));
    }
}
