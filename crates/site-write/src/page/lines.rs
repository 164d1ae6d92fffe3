//! How high lines are on pages whose doctype is old, or is missing: text that does not stand in a line makes no room in it
//! (<https://quirks.spec.whatwg.org/#the-line-height-calculation-quirk>). React's document has a modern doctype, in which
//! every line is as high as its block's own letters at least.
//!
//! Only blocks are marked that have no text of their own at all: of the lines of others, a style can say nothing.

use crate::dom::{Element, Mode, Node, Space};

/// What a person is told.
pub(crate) const NOTE: &str = "the page has an old doctype, or none; where a line has no text of its block's own, a style keeps it as low as \
     browsers show it then";

/// Marks blocks by a style; answers whether there were any. `normal`: no style of the site says how high lines are.
pub(super) fn mark(nodes: &mut [Node], mode: Mode, normal: bool) -> bool {
    let mut any = false;
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if element.space != Space::Html {
            continue;
        }
        if BLOCKS.contains(&element.name.as_str()) && !is_filled_by_name(element) {
            let what = held(&element.children);
            if mode == Mode::LimitedQuirks && what == Held::Images {
                // The margins of others are as high as their letters.
                let low = LETTERLESS.contains(&element.name.as_str()) && any_low(&element.children);
                say(element, if low { "font-size: 0; line-height: 0;" } else { "line-height: 0;" });
                any = true;
            } else if normal && what == Held::OtherLetters {
                say(element, "line-height: 0;");
                restore(&mut element.children);
                any = true;
            }
        }
        any |= mark(&mut element.children, mode, normal);
    }
    any
}

/// Does the page itself say anywhere how high lines are?
pub(super) fn are_spoken_of(html: &str) -> bool {
    let html = html.to_ascii_lowercase();
    let in_font =
        |rest: &str| rest.split([';', '}', '"', '\'', '<']).next().is_some_and(|value| value.contains('/'));
    html.contains("line-height") || html.split("font:").skip(1).any(in_font)
}

/// Blocks that often hold nothing but images, or a piece of code. The mark of a list's item makes room of its own.
const BLOCKS: &[&str] =
    &["caption", "center", "dd", "div", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "p", "td", "th"];
/// Those among them that browsers measure by nothing of their letters.
const LETTERLESS: &[&str] = &["caption", "center", "div", "dt", "td", "th"];
/// Elements whose letters are others than those around them.
const OTHER_LETTERS: &[&str] = &["big", "code", "font", "kbd", "samp", "small", "tt"];
/// Elements whose letters are as high as those around them.
const SAME_LETTERS: &[&str] =
    &["a", "abbr", "acronym", "b", "cite", "dfn", "em", "i", "q", "span", "strong", "u", "var"];

/// Scripts put text into what has a name, and containers have classes for what is to come.
fn is_filled_by_name(element: &Element) -> bool {
    element.has("id") || (element.name == "div" && element.has("class"))
}

fn say(element: &mut Element, declarations: &str) {
    let own = element.get("style").map(str::trim).filter(|style| !style.is_empty());
    let style = match own {
        // The page's own word comes later, and counts.
        Some(own) => format!("{declarations} {own}"),
        None => declarations.to_owned(),
    };
    element.set("style", style);
}

fn restore(nodes: &mut [Node]) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if OTHER_LETTERS.contains(&element.name.as_str()) {
            say(element, "line-height: normal;");
        } else {
            restore(&mut element.children);
        }
    }
}

/// What the lines of a block hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing, or nothing that this knows.
    Unknown,
    /// Text of the block's own.
    Text,
    /// Images, and no text.
    Images,
    /// Controls, which have letters of their own, and no other text.
    Controls,
    /// Text, all of it in elements with other letters.
    OtherLetters,
}

/// What stands in these lines.
pub(super) fn held(nodes: &[Node]) -> Held {
    let mut lines = Lines::default();
    match lines.read(nodes) {
        None => Held::Text,
        Some(()) if lines.other_letters => Held::OtherLetters,
        Some(()) if lines.controls => Held::Controls,
        Some(()) if lines.images => Held::Images,
        Some(()) => Held::Unknown,
    }
}

#[derive(Default)]
struct Lines {
    images: bool,
    controls: bool,
    other_letters: bool,
    /// White space, which shows if something comes behind it.
    space: bool,
}

impl Lines {
    /// None: there is text among them, or what may hold some.
    fn read(&mut self, nodes: &[Node]) -> Option<()> {
        for node in nodes {
            match node {
                Node::Text(text) if text.trim_ascii().is_empty() => {
                    self.space |= self.images || self.controls || self.other_letters;
                }
                Node::Text(_) | Node::Part(_) => return None,
                Node::Element(element) => match element.name.as_str() {
                    "img" => {
                        self.images = true;
                        self.behind_space()?;
                    }
                    "input" | "select" | "textarea" => {
                        self.controls = true;
                        self.behind_space()?;
                    }
                    name if OTHER_LETTERS.contains(&name) && has_text(&element.children) => {
                        self.other_letters = true;
                        self.behind_space()?;
                    }
                    name if SAME_LETTERS.contains(&name) || OTHER_LETTERS.contains(&name) => {
                        self.read(&element.children)?;
                    }
                    "map" | "area" => {}
                    _ => return None,
                },
            }
        }
        Some(())
    }

    fn behind_space(&self) -> Option<()> {
        (!self.space).then_some(())
    }
}

/// Is one of the images lower than a line without height stands above the foot of its letters?
fn any_low(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Element(element) if element.name == "img" => {
            let height = element.get("height").and_then(|height| height.trim().parse::<u32>().ok());
            height.is_some_and(|height| height < LOW)
        }
        Node::Element(element) => any_low(&element.children),
        _ => false,
    })
}

/// In CSS pixels; about a third of what letters measure.
const LOW: u32 = 8;

fn has_text(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Text(text) => !text.trim_ascii().is_empty(),
        Node::Element(element) => has_text(&element.children),
        Node::Part(_) => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dom::parse, page::each};

    const OLD: &str = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"x\">";

    fn styles(html: &str, normal: bool) -> Vec<String> {
        let mut document = parse::document(html);
        mark(&mut document.body, document.mode, normal);
        let mut found = Vec::new();
        each(&document.body, &mut |element| {
            if let Some(style) = element.get("style") {
                found.push(format!("{} {style}", element.name));
            }
        });
        found
    }

    #[test]
    fn blocks_without_text_of_their_own_are_marked() {
        let html = format!(
            "{OLD}<dl><dt><a href=x><code style='color: red'>c</code></a><dd>text <code>c</code></dl><p>t<br><code>c</code>"
        );
        assert_eq!(styles(&html, true), ["dt line-height: 0;", "code line-height: normal; color: red"]);
        assert_eq!(styles(&html, false), ["code color: red"]);
        let own = |style: &str| are_spoken_of(&html.replace("color: red", style));
        assert!(own("LINE-HEIGHT: 2") && own("font:12px/18px Arial") && !own("font: 12px Arial"));
        let spaced = format!("{OLD}<h2><code>a</code> <tt>b</tt></h2><h3> <code>c</code><img src=i> </h3>");
        assert_eq!(styles(&spaced, true), ["h3 line-height: 0;", "code line-height: normal;"]);
    }

    #[test]
    fn images_alone_in_a_line_leave_no_gap_below() {
        let html = format!(
            "{OLD}<table><td><a href=x><img src=i height=1></a><td><img src=j> words<td><img src=l></table>\
             <p><img src=k height=1></p><div><input></div>"
        );
        assert_eq!(
            styles(&html, false),
            ["td font-size: 0; line-height: 0;", "td line-height: 0;", "p line-height: 0;"]
        );
        assert_eq!(styles(&html.replace(OLD, "<!doctype html>"), true), Vec::<String>::new());
    }
}
