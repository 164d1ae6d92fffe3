//! The tree of a document's body as lines of text that are equal when two documents show the same: what may differ between a
//! page and its conversion is made equal here, by rules of this file's own.
//!
//! Made equal are: white space that no browser shows, the order of attributes, two spellings of one flag or style, addresses
//! of the same place, handlers (which become data), comments, and scripts that run (which become data of an island).

use scraper::{ElementRef, Html, Node};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// Attributes whose being there is all that they say.
const FLAGS: &[&str] = &[
    "allowfullscreen",
    "async",
    "autofocus",
    "autoplay",
    "checked",
    "controls",
    "default",
    "defer",
    "disabled",
    "formnovalidate",
    "inert",
    "ismap",
    "itemscope",
    "loop",
    "multiple",
    "muted",
    "nomodule",
    "novalidate",
    "open",
    "playsinline",
    "readonly",
    "required",
    "reversed",
    "selected",
];
/// Attributes whose values are words that HTML reads in any case.
const KEYWORDS: &[&str] = &[
    "align",
    "autocapitalize",
    "autocomplete",
    "contenteditable",
    "crossorigin",
    "decoding",
    "dir",
    "draggable",
    "enctype",
    "enterkeyhint",
    "fetchpriority",
    "inputmode",
    "kind",
    "loading",
    "method",
    "popover",
    "preload",
    "referrerpolicy",
    "scope",
    "shape",
    "spellcheck",
    "translate",
    "valign",
    "wrap",
];
const ADDRESSES: &[&str] = &[
    "href",
    "src",
    "action",
    "formaction",
    "poster",
    "cite",
    "data",
    "background",
    "longdesc",
    "xlink:href",
];
/// Elements around which white space does not show.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
    "col",
    "colgroup",
    "option",
    "optgroup",
    "select",
    "datalist",
    "picture",
    "source",
    "track",
    "video",
    "audio",
    "object",
    "param",
    "script",
    "style",
    "template",
    "noscript",
];
const VERBATIM: &[&str] = &["pre", "textarea", "listing", "xmp", "script", "style"];

/// The body of a document, one line for each element and each text.
///
/// `hoisted` is the project's sheet of inline styles that became classes: they are read as if they had stayed.
pub(crate) fn of(html: &str, page: &Url, hoisted: &str) -> Vec<String> {
    let document = Html::parse_document(html);
    let body = document.root_element().child_elements().find(|child| child.value().name() == "body");
    let mut writer = Writer { page, hoisted: rules(hoisted), lines: Vec::new() };
    if let Some(body) = body {
        writer.children(body, 0, false);
    }
    writer.lines
}

/// Where two outlines part, with what leads there; nothing if they are the same.
pub(crate) fn difference(before: &[String], after: &[String]) -> Option<String> {
    let same = before.iter().zip(after).take_while(|(before, after)| before == after).count();
    if same == before.len() && same == after.len() {
        return None;
    }
    let shown = |lines: &[String], mark: char| -> String {
        lines.iter().skip(same).take(3).map(|line| format!("{mark}{line}\n")).collect()
    };
    let above: String =
        before[same.saturating_sub(3)..same].iter().map(|line| format!(" {line}\n")).collect();
    Some(format!("{above}{}{}", shown(before, '-'), shown(after, '+')))
}

struct Writer<'a> {
    page: &'a Url,
    hoisted: BTreeMap<&'a str, &'a str>,
    lines: Vec<String>,
}

/// A child that counts.
enum Piece<'a> {
    Text(String),
    Element(ElementRef<'a>),
}

impl Writer<'_> {
    fn children(&mut self, parent: ElementRef<'_>, depth: usize, verbatim: bool) {
        let verbatim = verbatim || VERBATIM.contains(&parent.value().name());
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        for child in parent.children() {
            match child.value() {
                Node::Text(text) => match pieces.last_mut() {
                    Some(Piece::Text(before)) => before.push_str(text),
                    _ => pieces.push(Piece::Text(text.to_string())),
                },
                Node::Element(_) => {
                    let element = ElementRef::wrap(child).expect("an element");
                    if !runs(element) {
                        pieces.push(Piece::Element(element));
                    }
                }
                _ => {}
            }
        }
        let block = |piece: Option<&Piece<'_>>| match piece {
            None => BLOCKS.contains(&parent.value().name()) || foreign(parent),
            Some(Piece::Element(element)) => BLOCKS.contains(&element.value().name()) || foreign(*element),
            Some(Piece::Text(_)) => false,
        };
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Element(element) => self.element(*element, depth, verbatim),
                Piece::Text(text) => {
                    let before = at.checked_sub(1).and_then(|at| pieces.get(at));
                    let text = if verbatim {
                        text.clone()
                    } else {
                        spaced(text, block(before), block(pieces.get(at + 1)))
                    };
                    if !text.is_empty() {
                        self.lines.push(format!("{}{text:?}", "  ".repeat(depth)));
                    }
                }
            }
        }
    }

    fn element(&mut self, element: ElementRef<'_>, depth: usize, verbatim: bool) {
        let attributes = self.attributes(element);
        let attributes: String =
            attributes.iter().map(|(name, value)| format!(" {name}={value:?}")).collect();
        self.lines.push(format!("{}<{}{attributes}>", "  ".repeat(depth), element.value().name()));
        match element.value().name() {
            // Filled in the browser; without scripting its content is another document's.
            "template" => {}
            "noscript" => {
                let text: String = element.text().collect();
                let inner = Html::parse_fragment(&text);
                self.children(inner.root_element(), depth + 1, false);
            }
            _ => self.children(element, depth + 1, verbatim),
        }
    }

    fn attributes(&self, element: ElementRef<'_>) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut handlers: BTreeSet<String> = BTreeSet::new();
        let mut styles = String::new();
        for (name, value) in &element.value().attrs {
            let prefix = name.prefix.as_ref().filter(|prefix| !prefix.is_empty());
            let name =
                prefix.map_or_else(|| name.local.to_string(), |prefix| format!("{prefix}:{}", name.local));
            match name.as_str() {
                "data-legacy-on" => {
                    let json: BTreeMap<String, String> = serde_json::from_str(value).expect("JSON");
                    handlers.extend(json.into_keys());
                }
                "href" | "action" if value.trim().to_ascii_lowercase().starts_with("javascript:") => {
                    found.insert(name.clone(), self.address("#"));
                    handlers.insert(name);
                }
                "src" if value.trim().to_ascii_lowercase().starts_with("javascript:") => {
                    handlers.insert(name);
                }
                "style" => styles.push_str(value),
                "class" => {
                    // A style that became a class stands last, behind a blank where there were others.
                    let (others, last) =
                        value.rsplit_once(' ').map_or((None, &**value), |(a, b)| (Some(a), b));
                    let rule = self.hoisted.get(last);
                    styles.extend(rule.map(|rule| format!(";{rule};")));
                    let own = if rule.is_some() { others } else { Some(&**value) };
                    found.extend(own.map(|own| (name, own.to_owned())));
                }
                "hidden" => drop(found.insert(name, String::new())),
                _ if name.starts_with("on") && name[2..].bytes().all(|b| b.is_ascii_lowercase()) => {
                    handlers.insert(name);
                }
                _ if FLAGS.contains(&name.as_str()) && !custom(element) => {
                    drop(found.insert(name, String::new()))
                }
                _ if KEYWORDS.contains(&name.as_str()) => {
                    drop(found.insert(name, value.to_ascii_lowercase()))
                }
                "cols" | "rows" | "size" | "span" if !custom(element) => {
                    found.extend(counted(element, value).map(|number| (name, number.to_string())));
                }
                _ if dropped(element, &name, value) => {}
                _ if ADDRESSES.contains(&name.as_str()) => drop(found.insert(name, self.address(value))),
                _ => drop(found.insert(name, value.to_string())),
            }
        }
        let by_next = found.remove("data-nimg").is_some();
        if by_next {
            // What `next/image` says where the site said nothing, and what it means: nothing.
            found.retain(|name, value| {
                !matches!((name.as_str(), value.as_str()), ("decoding", "auto") | ("loading", "eager"))
            });
        }
        let style = self.style(&styles);
        // The site's own colour; a style of its own that says one comes instead.
        let kept = style.split(';').filter(|said| !by_next || *said != "color:revert-layer");
        let style = kept.collect::<Vec<_>>().join(";");
        if !style.is_empty() {
            found.insert("style".into(), style);
        }
        if !handlers.is_empty() {
            found.insert("(handlers)".into(), handlers.into_iter().collect::<Vec<_>>().join(" "));
        }
        found
    }

    /// What a browser takes from a `style` attribute: of each property the last, or the last important, valid declaration.
    fn style(&self, value: &str) -> String {
        let mut members: BTreeMap<String, (bool, String)> = BTreeMap::new();
        for piece in pieces(&uncommented(value)) {
            let Some((name, value)) = piece.split_once(':') else { continue };
            let name = name.trim();
            let name = if name.starts_with("--") { name.to_owned() } else { name.to_ascii_lowercase() };
            let known = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-');
            if !known
                || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                || value.trim().is_empty()
            {
                continue;
            }
            let (value, important) = match value.rsplit_once('!') {
                Some((value, word)) if word.trim().eq_ignore_ascii_case("important") => (value.trim(), true),
                _ => (value.trim(), false),
            };
            let outdone = members.get(&name).is_some_and(|(held, _)| *held && !important);
            if !outdone {
                members.insert(name, (important, self.urls(value)));
            }
        }
        let said = members.into_iter().map(|(name, (important, value))| {
            format!("{name}:{value}{}", if important { "!important" } else { "" })
        });
        said.collect::<Vec<_>>().join(";")
    }

    /// With each `url()` as one without quotes to a whole address.
    fn urls(&self, value: &str) -> String {
        let mut parts = value.split("url(");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |out, part| {
            let (url, rest) = part.split_once(')').unwrap_or((part, ""));
            let url = self.address(url.trim().trim_matches(['"', '\'']));
            format!("{out}url({url}){rest}")
        })
    }

    fn address(&self, value: &str) -> String {
        let joined = if value.trim().is_empty() { None } else { self.page.join(value.trim()).ok() };
        joined.map_or_else(|| value.to_owned(), String::from)
    }
}

/// `.class:not(…) {` and its declarations, as the project writes them.
fn rules(sheet: &str) -> BTreeMap<&str, &str> {
    let rules = sheet.split('}').filter_map(|rule| rule.split_once('{'));
    let named = rules.filter_map(|(selector, rule)| {
        let (_, class) =
            selector.rsplit_once(".inline-").map(|(before, _)| selector.split_at(before.len()))?;
        Some((class[1..].split_once(':')?.0, rule.trim()))
    });
    named.collect()
}

fn custom(element: ElementRef<'_>) -> bool {
    element.value().name().contains('-')
}

/// What says nothing to a browser, and what React therefore leaves out.
fn dropped(element: ElementRef<'_>, name: &str, value: &str) -> bool {
    let number = value.trim().parse::<f64>().ok();
    match name {
        "rel" => value.is_empty() && element.value().name() == "link",
        "rowspan" | "start" => !custom(element) && number.is_none() && !value.trim().is_empty(),
        "src" | "href" => value.is_empty() && element.value().name() != "a",
        _ => false,
    }
}

/// The number that browsers read: a font's size counts from 3 where it has a sign; others say nothing below 1.
fn counted(element: ElementRef<'_>, value: &str) -> Option<i64> {
    let text = value.trim_start();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number: i64 = digits[..end].parse().ok()?;
    let from = match text.as_bytes()[0] {
        b'-' => 3 - number,
        b'+' => 3 + number,
        _ => number,
    };
    match element.value().name() {
        "font" => Some(from.clamp(1, 7)),
        _ if text.starts_with('-') => None,
        "hr" => Some(number.max(1)),
        _ => Some(number).filter(|number| *number > 0),
    }
}

fn foreign(element: ElementRef<'_>) -> bool {
    let inner = matches!(element.value().name(), "svg" | "math" | "text" | "tspan" | "title");
    !inner && element.value().name.ns != *"http://www.w3.org/1999/xhtml"
}

/// Would a browser run it?
fn runs(element: ElementRef<'_>) -> bool {
    let kind = element.attr("type").unwrap_or_default().trim().to_ascii_lowercase();
    element.value().name() == "script"
        && (kind.is_empty()
            || kind == "module"
            || kind.ends_with("javascript")
            || kind.ends_with("ecmascript"))
}

fn spaced(text: &str, trim_start: bool, trim_end: bool) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let blank = matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
        match blank {
            true if out.ends_with(' ') => {}
            true => out.push(' '),
            false => out.push(c),
        }
    }
    let out = if trim_start { out.trim_start_matches(' ') } else { &out };
    let out = if trim_end { out.trim_end_matches(' ') } else { out };
    out.to_owned()
}

/// Cut at semicolons outside quotes and brackets.
fn pieces(text: &str) -> Vec<String> {
    let (mut out, mut quote, mut depth) = (vec![String::new()], None, 0_u32);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '{' | '[') => depth += 1,
            (None, ')' | '}' | ']') => depth = depth.saturating_sub(1),
            (None, ';') if depth == 0 => {
                out.push(String::new());
                continue;
            }
            _ => {}
        }
        out.last_mut().expect("one at least").push(c);
    }
    out
}

fn uncommented(text: &str) -> String {
    let mut parts = text.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once("*/").map_or("", |(_, rest)| rest))
}
