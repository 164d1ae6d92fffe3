//! How high lines are on pages whose doctype is old, or is missing: text that does not stand in a line makes no room in it
//! (<https://quirks.spec.whatwg.org/#the-line-height-calculation-quirk>). React's document has a modern doctype, in which
//! every line is as high as its block's own letters at least.
//!
//! Only blocks are marked whose text stands in elements inside them, and first lines of which that holds: of other lines of a
//! block that has text of its own, a style can say nothing.

use crate::{
    css::hints::Hints,
    dom::{Element, Mode, Node, Space},
    page::{hoisted::Rules, quirks::add_class},
};

/// What a person is told.
pub(crate) const NOTE: &str = "the page has an old doctype, or none; where a line has no text of its block's own, a style keeps it as low as \
     browsers show it then";

/// The class of blocks whose first line alone is marked, which only a sheet can do.
const LOW_FIRST_LINE: &str = "low-first-line";

/// Marks blocks by a style or a class; answers whether there were any. `normal`: no style of the site says how high lines are.
pub(super) fn mark(nodes: &mut [Node], mode: Mode, normal: bool, hints: &Hints, rules: &mut Rules) -> bool {
    let mut any = false;
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if element.space != Space::Html {
            continue;
        }
        if BLOCKS.contains(&element.name.as_str()) && !is_filled_by_name(element) {
            let what = Lines::of(&element.children, Some((hints, element)));
            if mode == Mode::LimitedQuirks && what == Held::Images {
                // The margins of others are as high as their letters.
                let low = LETTERLESS.contains(&element.name.as_str()) && any_low(&element.children);
                say(element, if low { "font-size: 0; line-height: 0;" } else { "line-height: 0;" });
                any = true;
            } else if normal && what == Held::OtherLetters {
                say(element, "line-height: 0;");
                restore(&mut element.children);
                any = true;
            } else if normal && what == Held::OtherLettersFirst {
                add_class(element, LOW_FIRST_LINE);
                rules.insert(format!("{LOW_FIRST_LINE}::first-line"), "  line-height: 0;\n".into());
                let is_break = |node: &Node| matches!(node, Node::Element(element) if element.is_html("br"));
                let end = element.children.iter().position(is_break).unwrap_or(element.children.len());
                restore(&mut element.children[..end]);
                any = true;
            }
        }
        any |= mark(&mut element.children, mode, normal, hints, rules);
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

/// Blocks that often hold nothing but images, a piece of code or a smaller remark. The mark of a list's item makes room of its own.
const BLOCKS: &[&str] =
    &["caption", "center", "dd", "div", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "p", "td", "th"];
/// Those among them that browsers measure by nothing of their letters.
const LETTERLESS: &[&str] = &["caption", "center", "div", "dt", "td", "th"];
/// Elements whose letters are others than those around them.
const OTHER_LETTERS: &[&str] = &["big", "code", "font", "kbd", "samp", "small", "tt"];
/// Elements whose letters are as high as those around them, where no style sheet says another thing.
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

/// What has text of its own, has lines of its own height again.
fn restore(nodes: &mut [Node]) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if element.children.iter().any(is_text) {
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
    /// Text of the block's own, or of its height.
    Text,
    /// Images, and no text.
    Images,
    /// Controls, which have letters of their own, and no other text.
    Controls,
    /// Text in elements, in one line at least none but with other letters.
    OtherLetters,
    /// That holds for the first line, and other lines have text of the block's own, or what this does not know.
    OtherLettersFirst,
}

/// What stands in these lines, as far as elements' names tell.
pub(super) fn held(nodes: &[Node]) -> Held {
    Lines::of(nodes, None)
}

/// What was read of a block's lines.
#[derive(Default)]
struct Lines<'a> {
    /// What the site's styles say of letters, and whose lines they are.
    letters: Option<(&'a Hints, &'a Element)>,
    line: Line,
    /// The first line has ended, and whether it is low.
    first_is_low: Option<bool>,
    /// A line is low: it has other letters and none of the block's height.
    low: bool,
    /// A line has letters of the block's height, and whether they are its own.
    high: bool,
    own: bool,
    images: bool,
    controls: bool,
}

/// What stands in the line that is being read.
#[derive(Default)]
struct Line {
    any: bool,
    /// Text of the block's own.
    own: bool,
    same_letters: bool,
    other_letters: bool,
    /// White space of the block's own, which shows if something comes behind it.
    space: bool,
}

/// Something that may hold lines of its own.
struct Unknown;

impl<'a> Lines<'a> {
    fn of(nodes: &[Node], letters: Option<(&'a Hints, &'a Element)>) -> Held {
        let mut lines = Self { letters, ..Self::default() };
        let read = lines.read(nodes, true, false);
        if read.is_ok() {
            lines.end_line();
        }
        if lines.own || read.is_err() {
            return if lines.first_is_low == Some(true) { Held::OtherLettersFirst } else { Held::Text };
        }
        match lines {
            Self { low: true, .. } => Held::OtherLetters,
            Self { high: true, .. } => Held::Text,
            Self { controls: true, .. } => Held::Controls,
            Self { images: true, .. } => Held::Images,
            _ => Held::Unknown,
        }
    }

    /// `own`: they stand in the block itself; `other`: in an element with other letters.
    fn read(&mut self, nodes: &[Node], own: bool, other: bool) -> Result<(), Unknown> {
        for node in nodes {
            match node {
                Node::Text(text) if text.trim_ascii().is_empty() => {
                    self.line.space |= own && self.line.any;
                    // It may show, as text does.
                    self.line.same_letters |= !own && !other;
                }
                Node::Text(_) => {
                    self.something();
                    self.line.own |= own;
                    self.line.same_letters |= !own && !other;
                    self.line.other_letters |= other;
                }
                Node::Part(_) => return Err(Unknown),
                Node::Element(element) => self.element(element, other)?,
            }
        }
        Ok(())
    }

    fn element(&mut self, element: &Element, other: bool) -> Result<(), Unknown> {
        match element.name.as_str() {
            "img" => {
                self.something();
                self.images = true;
            }
            "input" | "select" | "textarea" => {
                self.something();
                self.controls = true;
            }
            "br" if self.letters.is_some() => {
                // An empty line is as high as the block's letters.
                self.line.own |= !self.line.any;
                self.end_line();
            }
            "map" | "area" => {}
            name if OTHER_LETTERS.contains(&name) => self.read(&element.children, false, true)?,
            name if SAME_LETTERS.contains(&name) => {
                let other = other
                    || self.letters.is_some_and(|(hints, block)| hints.other_letters(element, block))
                    || element.get("style").is_some_and(|style| style.contains("font"));
                self.read(&element.children, false, other)?;
            }
            _ => return Err(Unknown),
        }
        Ok(())
    }

    /// The space before it shows, and is text of the block's own.
    fn something(&mut self) {
        self.line.any = true;
        self.line.own |= self.line.space;
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let low = line.other_letters && !line.same_letters && !line.own;
        self.first_is_low.get_or_insert(low);
        self.low |= low;
        self.high |= line.same_letters;
        self.own |= line.own;
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

fn is_text(node: &Node) -> bool {
    match node {
        Node::Text(text) => !text.trim_ascii().is_empty(),
        Node::Part(_) => true,
        Node::Element(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dom::parse, page::each};

    const OLD: &str = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"x\">";

    const SHEET: &str = "td, a { font-size: 12px } span.where { font-size: 70% } * { font-family: Arial }";

    fn styles(html: &str, normal: bool) -> Vec<String> {
        let mut document = parse::document(html);
        let mut hints = Hints::default();
        hints.add(SHEET);
        let mut rules = Rules::new();
        mark(&mut document.body, document.mode, normal, &hints, &mut rules);
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
    fn a_style_sheet_tells_whose_letters_are_others() {
        let marked = |cell: &str| styles(&format!("{OLD}<table><td>{cell}</table>"), true);
        let low = ["td line-height: 0;", "a line-height: normal;", "span line-height: normal;"];
        assert_eq!(marked("<a href=x>get()</a><br>\n<span class=where>(in <a href=y>it</a>)</span>"), low);
        assert_eq!(marked("<span class=where>[<a href=x>a</a> <b>b</b>]</span>"), [low[0], low[2]]);
        for as_high in [
            "<a href=x>get()</a>",
            "<a href=x>get()</a> <span class=where>text between</span>",
            "<a href=x>get()</a><span class=where>in a line with the block's letters</span>",
            "text<br><span class=where>its own</span>",
            "<span class=other>no rule</span>",
            "<span class=where>unknown</span><hr>",
        ] {
            assert_eq!(marked(as_high), Vec::<String>::new(), "{as_high}");
        }
    }

    #[test]
    fn a_first_line_is_marked_alone_where_others_have_text_of_the_blocks_own() {
        let first_line = |cell: &str| {
            let mut document = parse::document(&format!("{OLD}<table><td class=c>{cell}</table>"));
            let (mut hints, mut rules, mut found) = (Hints::default(), Rules::new(), Vec::new());
            hints.add(SHEET);
            mark(&mut document.body, document.mode, true, &hints, &mut rules);
            each(&document.body, &mut |element| {
                let told = [element.get("class"), element.get("style")].map(Option::unwrap_or_default);
                if told.iter().any(|told| told.contains("low") || told.contains("line-height")) {
                    found.push(format!("{} {}", element.name, told.concat()));
                }
            });
            (found, rules.len())
        };
        let low = vec!["td c low-first-line".to_owned(), "code line-height: normal;".to_owned()];
        for cell in [
            "<code>name</code><br> what it does, <code>and more</code>",
            "<code>name</code><br><br>text below an empty line",
            "<code>name</code><br><ul><li>one</ul>",
        ] {
            assert_eq!(first_line(cell), (low.clone(), 1), "{cell}");
        }
        for high in
            ["text<br><code>name</code>", "<code>a</code> <code>b</code><br>text", "<br><code>c</code>"]
        {
            assert_eq!(first_line(high), (vec![], 0), "{high}");
        }
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
