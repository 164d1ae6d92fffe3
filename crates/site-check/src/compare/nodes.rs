//! Lays the visible elements of two sides beside each other, and counts those that look the same.

use std::{borrow::Cow, collections::BTreeMap};

use similar::{Algorithm, DiffOp};

use super::{
    look::{Boxes, Node},
    report::Elements,
};

/// A place may differ by so many half pixels: rounding differs with the parts of a pixel that come before.
const TOLERANCE: i64 = 2;

/// So many digits in a row are a moment in seconds, or more.
const OF_THE_CLOCK: usize = 10;

/// The share of elements that are alike, and what differs about the others, with an example.
///
/// A document of React's has a body, and a body holds no frame set: where the site has one, its frames are laid beside those in
/// the copy, by their boxes alone.
pub(super) fn compare(wanted: &Boxes, found: &Boxes) -> (Elements, Option<String>) {
    if wanted.nodes.iter().any(|node| node.tag == "frameset") {
        return compare_all(&frames(wanted, "frame"), &frames(found, "iframe"));
    }
    compare_all(wanted, found)
}

fn frames(boxes: &Boxes, tag: &str) -> Boxes {
    let frames = boxes.nodes.iter().filter(|node| node.tag == tag);
    let nodes: Vec<Node> =
        frames.map(|node| Node { tag: "frame".to_owned(), styles: [None; 3], ..node.clone() }).collect();
    let Boxes { width, height, mode, .. } = *boxes;
    Boxes { width, height, mode, names: Vec::new(), styles: Vec::new(), visible: nodes.len() as u64, nodes }
}

fn compare_all(wanted: &Boxes, found: &Boxes) -> (Elements, Option<String>) {
    let pairs = paired(&wanted.nodes, &found.nodes);
    let mut alike = 0;
    let mut differing: BTreeMap<String, u64> = BTreeMap::new();
    let mut example = None;
    let mut noted = |what: &str, node: &Node, how: String| {
        *differing.entry(what.to_owned()).or_default() += 1;
        example.get_or_insert_with(|| format!("{} of {}: {how}", what, named(node)));
    };
    let mut matched = 0;
    for (before, after) in &pairs {
        let Some(after) = after else {
            noted("missing", before, "it has no counterpart".to_owned());
            continue;
        };
        matched += 1;
        let mut same = true;
        if before.place.iter().zip(after.place).any(|(a, b)| (a - b).abs() > TOLERANCE) {
            same = false;
            noted("box", before, format!("{} became {}", place(before), place(after)));
        }
        for (number, pseudo) in ["", "::before ", "::after "].into_iter().enumerate() {
            let (a, b) = (wanted.style(before.styles[number]), found.style(after.styles[number]));
            for (property, a, b) in differences(&wanted.names, a, b) {
                same = false;
                noted(&format!("{pseudo}{property}"), before, format!("{a} became {b}"));
            }
        }
        alike += u64::from(same);
    }
    let more = found.nodes.len() - matched;
    if more > 0 {
        differing.insert("new".to_owned(), more as u64);
    }
    let longer = wanted.nodes.len().max(found.nodes.len());
    let share = if longer == 0 { 1.0 } else { alike as f64 / longer as f64 };
    let elements = Elements {
        width: wanted.width,
        visible: wanted.visible,
        alike,
        share: (share * 1e6).round() / 1e6,
        differing,
        pixels: None,
    };
    (elements, example)
}

/// Properties whose values differ.
fn differences<'a>(names: &'a [String], a: &'a str, b: &'a str) -> Vec<(&'a str, &'a str, &'a str)> {
    if a == b {
        return Vec::new();
    }
    if a.is_empty() || b.is_empty() {
        let whether = |style: &str| if style.is_empty() { "nothing" } else { "something" };
        return vec![("content", whether(a), whether(b))];
    }
    let values = a.split('\n').zip(b.split('\n'));
    let named = names.iter().map(String::as_str).zip(values);
    named.filter(|(_, (a, b))| a != b).map(|(name, (a, b))| (name, a, b)).collect()
}

fn named(node: &Node) -> String {
    if node.id.is_empty() { format!("<{}>", node.tag) } else { format!("<{} id={}>", node.tag, node.id) }
}

fn place(node: &Node) -> String {
    let [x, y, width, height] = node.place.map(|half| half as f64 / 2.0);
    format!("{width}×{height} at {x},{y}")
}

/// Each wanted element with the one that stands for it: the longest sequence of the same tags and ids that both have.
fn paired<'a>(wanted: &'a [Node], found: &'a [Node]) -> Vec<(&'a Node, Option<&'a Node>)> {
    let kinds = |nodes: &'a [Node]| -> Vec<(&'a str, Cow<'a, str>)> {
        nodes.iter().map(|node| (node.tag.as_str(), lasting(&node.id))).collect()
    };
    let mut pairs: Vec<_> = wanted.iter().map(|node| (node, None)).collect();
    for step in similar::capture_diff_slices(Algorithm::Myers, &kinds(wanted), &kinds(found)) {
        if let DiffOp::Equal { old_index, new_index, len } = step {
            let same = pairs[old_index..old_index + len].iter_mut().zip(&found[new_index..new_index + len]);
            same.for_each(|(pair, node)| pair.1 = Some(node));
        }
    }
    pairs
}

/// An id without what is another each time that the page is shown: scripts make up ids from the clock and from chance.
fn lasting(id: &str) -> Cow<'_, str> {
    let is_digit = |c: char| c.is_ascii_digit();
    if !id.split(|c| !is_digit(c)).any(|run| run.len() >= OF_THE_CLOCK) {
        return Cow::Borrowed(id);
    }
    let runs = id.split(is_digit).filter(|rest| !rest.is_empty());
    Cow::Owned(runs.collect::<Vec<_>>().join("#"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(tag: &str, x: i64) -> Node {
        Node { tag: tag.into(), place: [x, 0, 20, 20], styles: [Some(0), None, None], ..Node::default() }
    }

    fn boxes(nodes: Vec<Node>, style: &str) -> Boxes {
        let visible = nodes.len() as u64;
        let names = vec!["color".to_owned(), "display".to_owned()];
        let styles = vec![style.into()];
        Boxes { width: 390, height: 9, names, styles, nodes, visible, ..Boxes::default() }
    }

    fn tags(text: &str) -> Vec<Node> {
        text.split(' ').map(|tag| node(tag, 0)).collect()
    }

    #[test]
    fn the_same_is_all_alike_and_a_rounding_is_the_same() {
        let wanted = boxes(tags("html body p"), "red\nblock");
        assert_eq!(compare(&wanted, &wanted).0.share, 1.0);
        let mut moved = tags("html body p");
        moved[2].place[0] += TOLERANCE;
        assert_eq!(compare(&wanted, &boxes(moved.clone(), "red\nblock")).0.share, 1.0);
        moved[2].place[0] += 1;
        let (elements, example) = compare(&wanted, &boxes(moved, "red\nblock"));
        assert_eq!((elements.alike, elements.differing["box"]), (2, 1));
        assert!(example.expect("an example").starts_with("box of <p>: 10×10 at 0,0 became"));
    }

    #[test]
    fn a_property_is_named_with_both_its_values() {
        let (elements, example) = compare(&boxes(tags("p"), "red\nblock"), &boxes(tags("p"), "red\nflex"));
        assert_eq!(elements.differing, BTreeMap::from([("display".to_owned(), 1)]));
        assert_eq!(example.as_deref(), Some("display of <p>: block became flex"));
    }

    #[test]
    fn frames_of_a_set_are_held_against_those_in_the_copy() {
        let set = || vec![node("html", 0), node("frameset", 0), node("frame", 0), node("frame", 50)];
        let copy =
            |x| vec![node("html", 3), node("body", 3), node("div", 0), node("iframe", 0), node("iframe", x)];
        let sides = |x| compare(&boxes(set(), "red\nblock"), &boxes(copy(x), "blue\ngrid")).0;
        assert_eq!((sides(50).visible, sides(50).alike, sides(50).share), (2, 2, 1.0));
        assert_eq!((sides(90).alike, sides(90).differing["box"]), (1, 1));
        let gone = compare(&boxes(set(), "a\nb"), &boxes(tags("html body p"), "a\nb")).0;
        assert_eq!((gone.alike, gone.differing["missing"]), (0, 2));
    }

    #[test]
    fn an_id_of_the_moment_is_the_same_a_moment_later() {
        let named = |id: &str| boxes(vec![Node { id: id.into(), ..node("a", 0) }], "a\nb");
        let alike = |one, other| compare(&named(one), &named(other)).0.alike;
        assert_eq!(alike("sm-17953688757422566-1", "sm-1795368911742913-1"), 1);
        assert_eq!(alike("sm-17953688757422566-1", "item-1795368911742913-1"), 0);
        assert_eq!(alike("sm-123456789", "sm-123456780"), 0);
    }

    #[test]
    fn one_more_at_the_top_of_a_long_page_is_one_more() {
        let wanted: Vec<Node> = (0..5000).map(|n| node(["p", "a", "b"][n % 3], 0)).collect();
        let found: Vec<Node> = std::iter::once(node("br", 0)).chain(wanted.clone()).collect();
        let (elements, _) = compare(&boxes(wanted, "a\nb"), &boxes(found, "a\nb"));
        assert_eq!((elements.alike, elements.differing["new"], elements.differing.len()), (5000, 1, 1));
    }

    #[test]
    fn one_that_is_gone_or_new_does_not_move_the_others() {
        let wanted = boxes(tags("html body h1 p p ul li li footer"), "a\nb");
        let found = boxes(tags("html body p div p ul li b li footer"), "a\nb");
        let (elements, _) = compare(&wanted, &found);
        assert_eq!((elements.alike, elements.differing["missing"], elements.differing["new"]), (8, 1, 2));
        assert_eq!(elements.share, 0.8);
        let (elements, _) = compare(&boxes(Vec::new(), ""), &boxes(Vec::new(), ""));
        assert_eq!(elements.share, 1.0);
    }
}
