//! What the site's style sheets say about white space.
//!
//! White space between two blocks shows only if a style sheet makes one of them inline, and line breaks in a text only if
//! one asks for it; at the edge of a block, where a rule puts letters beside it. So this looks for the elements that a rule could
//! make inline or preserving, or give such letters. It may name too many, never too few: its reader drops white space only where nothing is named.

use std::collections::BTreeSet;

use crate::dom::Element;

/// Elements that rules of one kind could match, by the last part of their selectors.
#[derive(Debug, Clone, Default)]
struct Keys {
    all: bool,
    /// Tags, `.classes` and `#ids`.
    names: BTreeSet<String>,
}

/// What style sheets say about white space.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints {
    inline: Keys,
    preserved: Keys,
    before: Keys,
    after: Keys,
}

impl Hints {
    /// Takes one style sheet in.
    pub(crate) fn add(&mut self, css: &str) {
        let mut preludes: Vec<String> = Vec::new();
        let mut text = String::new();
        let mut chars = css.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '/' if chars.peek() == Some(&'*') => skip_comment(&mut chars),
                '"' | '\'' => {
                    // What it says means nothing here, but that it says something.
                    if skip_string(c, &mut chars) {
                        text.push_str("\"…\"");
                    }
                }
                '{' => preludes.push(std::mem::take(&mut text)),
                ';' => self.declaration(&preludes, &std::mem::take(&mut text)),
                '}' => {
                    self.declaration(&preludes, &std::mem::take(&mut text));
                    preludes.pop();
                }
                _ => text.push(c),
            }
        }
        self.declaration(&preludes, &text);
    }

    fn declaration(&mut self, preludes: &[String], text: &str) {
        let (Some(prelude), Some((name, value))) = (preludes.last(), text.split_once(':')) else { return };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.to_ascii_lowercase());
        match name.as_str() {
            "display" if value.contains("inline") || value.contains("contents") || value.contains("var(") => {
                self.inline.select(prelude);
            }
            "white-space" | "white-space-collapse"
                if value.contains("pre") || value.contains("break-spaces") =>
            {
                self.preserved.select(prelude);
            }
            "content" if says_something(&value) => {
                self.before.select_owners(prelude, ":before");
                self.after.select_owners(prelude, ":after");
            }
            _ => {}
        }
    }

    /// Whether the element could be inline by a rule or by its own style.
    pub(crate) fn inline(&self, element: &Element) -> bool {
        self.inline.may_match(element)
            || element
                .get("style")
                .is_some_and(|style| style.contains("inline") || style.contains("contents"))
    }

    /// Whether a rule could put letters before what is in the element, and after: then white space shows at that edge.
    pub(crate) fn letters_beside(&self, element: &Element) -> [bool; 2] {
        [self.before.may_match(element), self.after.may_match(element)]
    }

    /// Whether the element could keep its white space by a rule or by its own style.
    pub(crate) fn preserved(&self, element: &Element) -> bool {
        self.preserved.may_match(element)
            || element.get("style").is_some_and(|style| style.contains("white-space"))
    }
}

impl Keys {
    fn select(&mut self, prelude: &str) {
        for selector in split_selectors(prelude) {
            match key(&selector) {
                Some(name) => drop(self.names.insert(name)),
                None => self.all = true,
            }
        }
    }

    /// The elements in whose selectors this pseudo-element stands.
    fn select_owners(&mut self, prelude: &str, pseudo: &str) {
        for selector in split_selectors(prelude) {
            let Some(at) = selector.rfind(pseudo) else { continue };
            let owner = selector[..at].trim_end_matches(':').trim();
            match escaped_class(owner) {
                Some(class) => drop(self.names.insert(class)),
                None => self.select(owner),
            }
        }
    }

    fn may_match(&self, element: &Element) -> bool {
        self.all
            || self.names.contains(&element.name)
            || element.get("id").is_some_and(|id| self.names.contains(&format!("#{id}")))
            || element.get("class").is_some_and(|classes| {
                classes.split_ascii_whitespace().any(|class| self.names.contains(&format!(".{class}")))
            })
    }
}

fn skip_comment(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let mut last = ' ';
    chars.next();
    for c in chars.by_ref() {
        if last == '*' && c == '/' {
            return;
        }
        last = c;
    }
}

/// Answers whether it holds more than white space.
fn skip_string(quote: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let mut any = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => any |= chars.next().is_some(),
            '\n' => break,
            _ if c == quote => break,
            _ => any |= !c.is_ascii_whitespace(),
        }
    }
    any
}

/// Whether a value of `content` shows something.
fn says_something(value: &str) -> bool {
    !matches!(value.replace("!important", "").trim(), "" | "none" | "normal" | "initial" | "unset")
}

/// At commas outside brackets.
fn split_selectors(prelude: &str) -> Vec<String> {
    let (mut out, mut depth, mut current) = (Vec::new(), 0_i32, String::new());
    for c in prelude.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                out.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(c);
    }
    out.push(current);
    out
}

/// A selector that is one class with escaped characters in it, as frameworks of utilities have them: `.before\:block`.
fn escaped_class(selector: &str) -> Option<String> {
    let mut class = String::from(".");
    let mut chars = selector.strip_prefix('.')?.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => class.push(chars.next().filter(|c| !c.is_ascii_hexdigit() && !c.is_whitespace())?),
            '-' | '_' => class.push(c),
            _ if c.is_alphanumeric() => class.push(c),
            _ => return None,
        }
    }
    Some(class)
}

/// One name that every element matched by the selector has: a class, else an id, else a tag. `None`: it could be any.
fn key(selector: &str) -> Option<String> {
    let (mut depth, mut last) = (0_i32, String::new());
    for c in selector.trim().chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ if depth > 0 => {}
            ' ' | '\n' | '\t' | '\r' | '>' | '+' | '~' => last.clear(),
            _ => last.push(c),
        }
    }
    if last.contains("::") || last.contains(":before") || last.contains(":after") {
        return Some(String::from("::")); // generated content: no element of the page
    }
    let last = last.split(':').next().unwrap_or_default();
    let cut = |mark: char| {
        let rest = &last[last.find(mark)? + 1..];
        let end = rest.find(['.', '#']).unwrap_or(rest.len());
        Some(format!("{mark}{}", &rest[..end]))
    };
    if last.contains('\\') {
        return None;
    }
    cut('.').or_else(|| cut('#')).or_else(|| match last {
        "" | "*" => None,
        tag => Some(tag.to_ascii_lowercase()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_name_the_elements_that_they_could_match() {
        let mut hints = Hints::default();
        hints.add("/* { */ .nav > li.item:hover, a b{display : inline-block} @media x { .code{white-space:pre-wrap;} } .x::before{display:inline-block}");
        let element = |name: &str, class: &str| {
            let mut element = Element::new(name);
            element.set("class", class);
            element
        };
        assert!(hints.inline(&element("div", "some item")));
        assert!(hints.inline(&element("b", "")));
        assert!(!hints.inline(&element("div", "nav x")));
        assert!(hints.preserved(&element("div", "code")));
        assert!(!hints.preserved(&element("div", "nav")));
        hints.add(
            ".clearfix:after{content:' '} i::before{content:none} q.far:after, .quote footer::before{content:'\\2014'} .z{content:'z'}\
             .md\\:x\\.5:before{content:var(--c)}",
        );
        assert_eq!(hints.letters_beside(&element("q", "md:x.5")), [true, false]);
        assert_eq!(hints.letters_beside(&element("q", "far")), [false, true]);
        assert_eq!(hints.letters_beside(&element("footer", "")), [true, false]);
        for class in ["clearfix", "z", ""] {
            assert_eq!(hints.letters_beside(&element("q", class)), [false, false], "{class}");
        }
        assert_eq!(hints.letters_beside(&element("i", "")), [false, false]);
        hints.add("*{display:inline}");
        assert!(hints.inline(&element("div", "")));
    }
}
