//! A frame set as a grid of frames: React's document always has a body, and a body holds no frame set.
//!
//! Rows and columns keep their sizes, each frame its name, so that links still open where they did.

use super::{Element, Node};

/// Between frames that have borders, as browsers draw it.
const BORDER: u32 = 6;
/// Nothing is drawn wider, and no length is longer.
const WIDEST: u32 = 100;
const LONGEST: f64 = 100_000.0;
/// With more rows or columns, shares are no whole pixels: what is left for them would be said again in each.
const MOST_ROUNDED: usize = 64;
const EDGES: &str = "; box-shadow: 1px 0 #aaa, 0 1px #aaa, -1px 0 #000, 0 -1px #000";

/// The frame set as an element that fills the window.
pub(super) fn grid(frames: &Element) -> Node {
    let mut element = cell(frames, BORDER);
    let style = element.get("style").unwrap_or_default().to_owned();
    element.set("style", format!("position: fixed; inset: 0; {style}"));
    Node::Element(element)
}

/// `around`: the width of what is drawn between the frames of the set around it.
fn cell(frames: &Element, around: u32) -> Element {
    let gap = match frames.get("border").map(|width| width.trim().parse::<u32>()) {
        _ if around == 0 || is_off(frames) => 0,
        Some(Ok(width)) => width.min(WIDEST),
        _ => around,
    };
    let mut element = Element::new("div");
    let (rows, columns) = (tracks(frames.get("rows"), gap), tracks(frames.get("cols"), gap));
    element.set(
        "style",
        format!("display: grid; grid-template: {rows} / {columns}; gap: {gap}px; background: #d0d0d0"),
    );
    let inner = frames.children.iter().filter_map(|child| match child {
        Node::Element(child) if child.is_html("frameset") => Some(Node::Element(cell(child, gap))),
        Node::Element(child) if child.is_html("frame") => Some(Node::Element(frame(child, gap > 0))),
        _ => None,
    });
    element.children = inner.collect();
    element
}

fn frame(frame: &Element, bordered: bool) -> Element {
    let mut element = Element::new("iframe");
    let kept =
        ["src", "name", "id", "title", "class", "scrolling", "marginwidth", "marginheight", "longdesc"];
    element.attributes =
        frame.attributes.iter().filter(|(name, _)| kept.contains(&name.as_str())).cloned().collect();
    element.set("frameborder", "0");
    // The edges of what is drawn between two frames are theirs.
    let edges = if bordered && !is_off(frame) { EDGES } else { "" };
    element.set("style", format!("width: 100%; height: 100%; background: #fff{edges}"));
    element
}

fn is_off(element: &Element) -> bool {
    element.get("frameborder").is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "0" | "no"))
        || element.get("border") == Some("0")
}

/// A length of the list.
#[derive(Clone, Copy)]
enum Length {
    Pixels(f64),
    Percent(f64),
    /// A share of what is left; also what is no length.
    Share(f64),
}

impl Length {
    fn number(self) -> f64 {
        match self {
            Self::Pixels(number) | Self::Percent(number) | Self::Share(number) => number,
        }
    }

    fn read(size: &str) -> Self {
        let rest = size.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number = size[..size.len() - rest.len()].parse::<f64>().ok().map(|number| number.min(LONGEST));
        match (number, rest.trim()) {
            (Some(number), rest) if rest.starts_with('%') => Self::Percent(number),
            (Some(number), "" | "px") => Self::Pixels(number),
            (number, _) => Self::Share(number.filter(|n| *n > 0.0).unwrap_or(1.0)),
        }
    }
}

/// `100,*,20%` → as many pixels, what is left, and so much of all: nothing sticks out. Where nothing asks for a share of what is
/// left, percents share it, and where there are none either, pixels do (HTML's rendering section leaves it to browsers; so do all of
/// them). What is drawn between the frames is no part of what percents are of. Each is a whole number of pixels, as browsers have it,
/// and the last one that shares takes what that leaves over: else every letter in the frames would stand a bit beside its place.
fn tracks(list: Option<&str>, gap: u32) -> String {
    let lengths: Vec<Length> = list.unwrap_or("*").split(',').map(|size| Length::read(size.trim())).collect();
    let shares = lengths.iter().any(|length| matches!(length, Length::Share(_)));
    let percents = lengths.iter().any(|length| matches!(length, Length::Percent(_)));
    let all = match (lengths.len() as u64 - 1) * u64::from(gap) {
        0 => "100%".to_owned(),
        between => format!("(100% - {between}px)"),
    };
    let sized = |length: &Length| match *length {
        Length::Percent(percent) if shares => Some(format!("round(down, {all} * {percent} / 100, 1px)")),
        Length::Pixels(pixels) if shares || percents => Some(format!("{pixels}px")),
        Length::Percent(_) | Length::Pixels(_) | Length::Share(_) => None,
    };
    let fixed: String = lengths.iter().filter_map(sized).map(|size| format!(" - {size}")).collect();
    let left = if fixed.is_empty() { all.clone() } else { format!("({all}{fixed})") };
    let sharing = || lengths.iter().filter(|length| sized(length).is_none()).map(|length| length.number());
    let (total, count): (f64, usize) = (sharing().sum(), sharing().count());
    let mut seen = 0;
    let mut track = |length: &Length| match sized(length) {
        Some(size) => format!("minmax(0, {size})"),
        None => {
            seen += 1;
            let part = length.number();
            match () {
                () if lengths.len() > MOST_ROUNDED => format!("minmax(0, {part}fr)"),
                () if seen < count && total > 0.0 => {
                    format!("minmax(0, round(down, {left} * {part} / {total}, 1px))")
                }
                () => "minmax(0, 1fr)".to_owned(),
            }
        }
    };
    lengths.iter().map(&mut track).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;

    #[test]
    fn sizes_names_and_nesting_are_kept() {
        assert_eq!(
            tracks(Some("100, *,20%,2*"), 0),
            "minmax(0, 100px) \
             minmax(0, round(down, (100% - 100px - round(down, 100% * 20 / 100, 1px)) * 1 / 3, 1px)) \
             minmax(0, round(down, 100% * 20 / 100, 1px)) minmax(0, 1fr)"
        );
        assert_eq!(
            tracks(Some("*,20%"), 6),
            "minmax(0, 1fr) minmax(0, round(down, (100% - 6px) * 20 / 100, 1px))"
        );
        let two = |part: &str| format!("minmax(0, round(down, (100% - 6px) * {part}, 1px)) minmax(0, 1fr)");
        assert_eq!(tracks(Some("20%,80%"), 6), two("20 / 100"));
        assert_eq!(tracks(Some("100,200"), 6), two("100 / 300"));
        assert_eq!(tracks(Some("100,50%"), 6), "minmax(0, 100px) minmax(0, 1fr)");
        assert_eq!(tracks(Some(""), 6), "minmax(0, 1fr)");
        assert_eq!(tracks(Some(&"1,*,".repeat(9_000)), 6).len(), 9_000 * 30 + "minmax(0, 1fr)".len());
        assert_eq!(tracks(Some("0,0"), 0), "minmax(0, 1fr) minmax(0, 1fr)");
        assert_eq!(tracks(Some(&"9".repeat(400)), 6), "minmax(0, 1fr)");
        let page = parse::document(
            "<html><frameset cols='20%,*' border=0><frame src=menu.html name=menu scrolling=no>\
             <frameset rows='50,*'><frame src=top.html noresize><frame src=main.html name=main></frameset>\
             <noframes><p>no frames</p></noframes></frameset></html>",
        );
        let mut found = Vec::new();
        crate::page::each(&page.body, &mut |element| {
            found.push(format!(
                "{} {}",
                element.name,
                element.get("name").or(element.get("src")).unwrap_or("-")
            ));
        });
        assert_eq!(found, ["div -", "iframe menu", "div -", "iframe top.html", "iframe main"]);
        let Some(Node::Element(outer)) = page.body.first() else { panic!("a grid") };
        let style = outer.get("style").expect("a style");
        assert!(
            style.contains(
                "grid-template: minmax(0, 1fr) / minmax(0, round(down, 100% * 20 / 100, 1px)) minmax(0, 1fr); gap: 0px"
            ),
            "{style}"
        );
    }
}
