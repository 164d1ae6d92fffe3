//! A frame set as a grid of frames: React's document always has a body, and a body holds no frame set.
//!
//! Rows and columns keep their sizes, each frame its name, so that links still open where they did.

use super::{Element, Node};

/// Between frames that have borders, as browsers draw it.
const BORDER: u32 = 6;
/// Nothing is drawn wider, and no length is longer.
const WIDEST: u32 = 100;
const LONGEST: f64 = 100_000.0;
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

/// `100,*,20%` → `minmax(0, 100px) minmax(0, 1fr) minmax(0, 20%)`: nothing sticks out. Where nothing asks for a share of what is left, percents share it, and where
/// there are none either, pixels do (HTML's rendering section leaves it to browsers; so do all of them). What is drawn
/// between the frames is no part of what percents are of.
fn tracks(list: Option<&str>, gap: u32) -> String {
    let lengths: Vec<Length> = list.unwrap_or("*").split(',').map(|size| Length::read(size.trim())).collect();
    let shares = lengths.iter().any(|length| matches!(length, Length::Share(_)));
    let percents = lengths.iter().any(|length| matches!(length, Length::Percent(_)));
    let between = (lengths.len() as u64 - 1) * u64::from(gap);
    let track = |length: &Length| match *length {
        Length::Percent(percent) if shares && between > 0 => {
            format!("minmax(0, calc((100% - {between}px) * {percent} / 100))")
        }
        Length::Percent(percent) if shares => format!("minmax(0, {percent}%)"),
        Length::Pixels(pixels) if shares || percents => format!("minmax(0, {pixels}px)"),
        Length::Percent(part) | Length::Pixels(part) | Length::Share(part) => format!("minmax(0, {part}fr)"),
    };
    lengths.iter().map(track).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;

    #[test]
    fn sizes_names_and_nesting_are_kept() {
        assert_eq!(
            tracks(Some("100, *,20%,2*"), 0),
            "minmax(0, 100px) minmax(0, 1fr) minmax(0, 20%) minmax(0, 2fr)"
        );
        assert_eq!(tracks(Some("*,20%"), 6), "minmax(0, 1fr) minmax(0, calc((100% - 6px) * 20 / 100))");
        assert_eq!(tracks(Some("20%,80%"), 6), "minmax(0, 20fr) minmax(0, 80fr)");
        assert_eq!(tracks(Some("100,50%"), 6), "minmax(0, 100px) minmax(0, 50fr)");
        assert_eq!(tracks(Some("100,200"), 6), "minmax(0, 100fr) minmax(0, 200fr)");
        assert_eq!(tracks(Some(""), 6), "minmax(0, 1fr)");
        assert_eq!(tracks(Some(&"9".repeat(400)), 6), "minmax(0, 100000fr)");
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
            style.contains("grid-template: minmax(0, 1fr) / minmax(0, 20%) minmax(0, 1fr); gap: 0px"),
            "{style}"
        );
    }
}
