//! A frame set as a grid of frames: React's document always has a body, and a body holds no frame set.
//!
//! Rows and columns keep their sizes, each frame its name, so that links still open where they did.

use super::{Element, Node};

/// Between frames that have borders, as browsers draw it.
const BORDER: u32 = 6;

/// The frame set as an element that fills the window.
pub(super) fn grid(frames: &Element) -> Node {
    let mut element = cell(frames, true);
    let style = element.get("style").unwrap_or_default().to_owned();
    element.set("style", format!("position: fixed; inset: 0; {style}"));
    Node::Element(element)
}

fn cell(frames: &Element, bordered: bool) -> Element {
    let bordered = bordered && !is_off(frames);
    let gap = match frames.get("border").map(|width| width.trim().parse::<u32>()) {
        _ if !bordered => 0,
        Some(Ok(width)) => width,
        _ => BORDER,
    };
    let mut element = Element::new("div");
    element.set(
        "style",
        format!(
            "display: grid; grid-template: {} / {}; gap: {gap}px; background: #c0c0c0",
            tracks(frames.get("rows")),
            tracks(frames.get("cols")),
        ),
    );
    let inner = frames.children.iter().filter_map(|child| match child {
        Node::Element(child) if child.is_html("frameset") => Some(Node::Element(cell(child, bordered))),
        Node::Element(child) if child.is_html("frame") => Some(Node::Element(frame(child, bordered))),
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
    element.set("frameborder", if bordered && !is_off(frame) { "1" } else { "0" });
    element.set("style", "width: 100%; height: 100%; box-sizing: border-box; background: #fff");
    element
}

fn is_off(element: &Element) -> bool {
    element.get("frameborder").is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "0" | "no"))
        || element.get("border") == Some("0")
}

/// `100,*,20%` → `100px 1fr 20%`; what is no length takes a share of what is left.
fn tracks(list: Option<&str>) -> String {
    let list = list.unwrap_or("*");
    let track = |size: &str| {
        let digits: String = size.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number = digits.parse::<f64>().ok();
        match (number, size.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim()) {
            (Some(number), rest) if rest.starts_with('%') => format!("{number}%"),
            (Some(number), "" | "px") => format!("{number}px"),
            (number, _) => format!("minmax(0, {}fr)", number.filter(|n| *n > 0.0).unwrap_or(1.0)),
        }
    };
    list.split(',').map(|size| track(size.trim())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;

    #[test]
    fn sizes_names_and_nesting_are_kept() {
        assert_eq!(tracks(Some("100, *,20%,2*")), "100px minmax(0, 1fr) 20% minmax(0, 2fr)");
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
        assert!(style.contains("grid-template: minmax(0, 1fr) / 20% minmax(0, 1fr); gap: 0px"), "{style}");
    }
}
