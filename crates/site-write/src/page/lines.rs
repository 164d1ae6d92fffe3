//! How high lines are on pages whose doctype is old, or is missing: text that does not stand in a line makes no room in it
//! (<https://quirks.spec.whatwg.org/#the-line-height-calculation-quirk>). React's document has a modern doctype, in which
//! every line is as high as its block's own letters at least.
//!
//! Only blocks are marked whose text stands in elements inside them, and first lines of which that holds: of other lines of a
//! block that has text of its own, a style can say nothing.

use crate::{
    css::{
        heights::{self, Told},
        hints::Hints,
    },
    dom::{Document, Element, Mode, Node, Space},
    page::{hoisted::Rules, quirks::add_class},
};
use std::borrow::Cow;

/// What a person is told.
pub(crate) const NOTE: &str = "the page has an old doctype, or none; where a line has no text of its block's own, a style keeps it as low as \
     browsers show it then";

/// The class of blocks whose first line alone is marked, which only a sheet can do.
const LOW_FIRST_LINE: &str = "low-first-line";

/// Marks blocks by a style or a class; answers whether there were any. `all_read`: there is no style sheet that nobody has read.
pub(super) fn mark(document: &mut Document, hints: &Hints, all_read: bool, rules: &mut Rules) -> bool {
    let mut marker = Marker { mode: document.mode, hints, rules, any: false };
    let mut height = all_read.then_some(Cow::Borrowed("normal"));
    for (name, attributes) in [("html", &document.html), ("body", &document.body_attributes)] {
        let mut element = Element::new(name);
        element.attributes.clone_from(attributes);
        height = marker.height(&element, height);
    }
    marker.walk(&mut document.body, height.as_ref());
    marker.any
}

struct Marker<'a> {
    mode: Mode,
    hints: &'a Hints,
    rules: &'a mut Rules,
    any: bool,
}

impl<'a> Marker<'a> {
    /// How high the lines of an element are, as a style says it; none: nobody can tell.
    fn height(&self, element: &Element, around: Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
        if let Some(own) = heights::own(element) {
            return own.map(Cow::Owned);
        }
        match self.hints.heights().of(element) {
            Told::Says(value) => Some(Cow::Borrowed(value)),
            Told::SaysOther | Told::Perhaps => None,
            Told::Nothing if self.mode == Mode::Quirks && element.name == "table" => {
                Some(Cow::Borrowed("normal"))
            }
            Told::Nothing => around,
        }
    }

    /// `around`: how high the lines of what they stand in are.
    fn walk(&mut self, nodes: &mut [Node], around: Option<&Cow<'a, str>>) {
        for node in nodes {
            let Node::Element(element) = node else { continue };
            if element.space != Space::Html {
                continue;
            }
            let height = self.height(element, around.cloned());
            if BLOCKS.contains(&element.name.as_str()) && !is_filled_by_name(element) {
                self.block(element, height.as_deref());
            }
            self.walk(&mut element.children, height.as_ref());
        }
    }

    fn block(&mut self, element: &mut Element, height: Option<&str>) {
        let what = Lines::of(&element.children, Some((self.hints, element)));
        // What it says itself, no word of ours outdoes.
        let height = height.filter(|_| heights::own(element).is_none());
        match (what, height) {
            (Held::Images, _) if self.mode == Mode::LimitedQuirks => {
                // The margins of others are as high as their letters.
                let low = LETTERLESS.contains(&element.name.as_str()) && any_low(&element.children);
                say(element, if low { "font-size: 0; line-height: 0;" } else { "line-height: 0;" });
            }
            (Held::OtherLetters, Some(height)) => {
                say(element, "line-height: 0;");
                self.restore(&mut element.children, height);
            }
            (Held::OtherLettersFirst, Some(height)) => {
                add_class(element, LOW_FIRST_LINE);
                self.rules.insert(format!("{LOW_FIRST_LINE}::first-line"), "  line-height: 0;\n".into());
                let is_break = |node: &Node| matches!(node, Node::Element(element) if element.is_html("br"));
                let end = element.children.iter().position(is_break).unwrap_or(element.children.len());
                self.restore(&mut element.children[..end], height);
            }
            _ => return,
        }
        self.any = true;
    }

    /// What has text of its own, has lines of its own height again.
    fn restore(&self, nodes: &mut [Node], height: &str) {
        for node in nodes {
            let Node::Element(element) = node else { continue };
            if says_height(self.hints, element) {
                continue;
            }
            if is_text(&element.children) {
                say(element, &format!("line-height: {height};"));
            } else {
                self.restore(&mut element.children, height);
            }
        }
    }
}

/// Are its lines of a height of their own?
fn says_height(hints: &Hints, element: &Element) -> bool {
    heights::own(element).is_some() || hints.heights().of(element) != Told::Nothing
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
    match element.name.as_str() {
        "div" => element.has("id") || element.has("class"),
        // A name that is there to be led to.
        "dt" | "dd" | "caption" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => false,
        _ => element.has("id"),
    }
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
    letters: Letters,
    /// White space, which shows if something comes behind it.
    space: Letters,
}

/// Whose letters text is made of.
#[derive(Default, Clone, Copy)]
struct Letters {
    /// The block's own text.
    own: bool,
    /// Text in elements, with letters as high as the block's.
    same: bool,
    other: bool,
}

impl Letters {
    fn add(&mut self, more: Self) {
        self.own |= more.own;
        self.same |= more.same;
        self.other |= more.other;
    }
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
                Node::Text(text) => {
                    let letters = Letters { own, same: !own && !other, other };
                    if text.trim_ascii().is_empty() {
                        self.line.space.add(if self.line.any { letters } else { Letters::default() });
                    } else {
                        self.something();
                        self.line.letters.add(letters);
                    }
                }
                Node::Part(_) => return Err(Unknown),
                Node::Element(element) => self.element(element, other)?,
            }
        }
        Ok(())
    }

    fn element(&mut self, element: &Element, other: bool) -> Result<(), Unknown> {
        let height = self.letters.map(|(hints, _)| hints.heights().of(element));
        if height == Some(Told::Perhaps) && heights::own(element).is_none() {
            return Err(Unknown);
        }
        let inline = [OTHER_LETTERS, SAME_LETTERS].iter().any(|names| names.contains(&element.name.as_str()));
        // A script may put text into it, whose lines would have no height.
        if inline && (element.has("id") || element.has("class")) && !has_text(&element.children) {
            return Err(Unknown);
        }
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
                self.line.letters.own |= !self.line.any;
                self.end_line();
            }
            "map" | "area" => {}
            name if OTHER_LETTERS.contains(&name) => self.read(&element.children, false, true)?,
            name if SAME_LETTERS.contains(&name) => {
                let other = other
                    || self.letters.is_some_and(|(hints, block)| {
                        hints.other_letters(element, block) || says_height(hints, element)
                    })
                    || element.get("style").is_some_and(|style| style.contains("font"));
                self.read(&element.children, false, other)?;
            }
            _ => return Err(Unknown),
        }
        Ok(())
    }

    /// The space before it shows, as text does.
    fn something(&mut self) {
        self.line.any = true;
        let space = std::mem::take(&mut self.line.space);
        self.line.letters.add(space);
    }

    fn end_line(&mut self) {
        let Letters { own, same, other } = std::mem::take(&mut self.line).letters;
        let low = other && !same && !own;
        self.first_is_low.get_or_insert(low);
        self.low |= low;
        self.high |= same;
        self.own |= own;
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
        Node::Element(element) => element.name == "img" || has_text(&element.children),
        Node::Part(_) => true,
    })
}

/// Is there text among them, or white space that may show between two of them?
fn is_text(nodes: &[Node]) -> bool {
    let inner = 1..nodes.len().saturating_sub(1);
    nodes.iter().enumerate().any(|(place, node)| match node {
        Node::Text(text) => !text.trim_ascii().is_empty() || inner.contains(&place),
        Node::Part(_) => true,
        Node::Element(_) => false,
    })
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
        mark(&mut document, &hints, normal, &mut rules);
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
        let own = |style: &str| styles(&html.replace("color: red", style), true);
        assert_eq!(own("LINE-HEIGHT: 2em"), ["dt line-height: 0;", "code LINE-HEIGHT: 2em"]);
        assert_eq!(own("line-height: 2"), ["dt line-height: 0;", "code line-height: 2"]);
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
            mark(&mut document, &hints, true, &mut rules);
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
    fn what_the_site_says_of_lines_holds_again_inside() {
        let marked = |body: &str, html: &str| {
            let mut document = parse::document(&format!("{OLD}<body style='{body}'>{html}"));
            let (mut hints, mut rules, mut found) = (Hints::default(), Rules::new(), Vec::new());
            hints.add("a.anchor { visibility: hidden; line-height: 0em } .odd tt { line-height: 3 }");
            mark(&mut document, &hints, true, &mut rules);
            each(&document.body, &mut |element| {
                found.extend(element.get("style").map(|style| format!("{} {style}", element.name)));
            });
            found
        };
        let html = "<dl><dt id=x><span><kbd>M-x</kbd><a class=anchor href='#x'> &para;</a></span><dd>what it does</dl>";
        assert_eq!(marked("line-height: 1.3", html), ["dt line-height: 0;", "kbd line-height: 1.3;"]);
        assert_eq!(marked("line-height: 130%", html), [] as [&str; 0]);
        assert_eq!(marked("", "<p><tt>a rule that may hold</tt>"), [] as [&str; 0]);
    }

    #[test]
    fn space_shows_between_two_things_and_nowhere_else() {
        let marked = |cell: &str| styles(&format!("{OLD}<table><td>{cell}</table>"), true);
        let images = ["td line-height: 0;"];
        assert_eq!(marked("<a href=x>\n<img src=i> </a>"), images);
        assert_eq!(marked("<a href=x>\n<code>c</code></a>"), [images[0], "code line-height: normal;"]);
        assert_eq!(
            marked("<font size=2><img src=i> <img src=j></font>"),
            [images[0], "font line-height: normal;"]
        );
        assert_eq!(
            marked("<big><small>a</small> <small>b</small></big>"),
            [images[0], "big line-height: normal;"]
        );
        assert_eq!(marked("<a href=x><img src=i> <img src=j></a>"), [] as [&str; 0]);
        assert_eq!(marked("<span id=count></span> <small>seen</small>"), [] as [&str; 0]);
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
