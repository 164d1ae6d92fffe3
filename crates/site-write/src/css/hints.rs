//! What the site's style sheets say about white space.
//!
//! White space between two blocks shows only if a style sheet makes one of them inline, and line breaks in a text only if
//! one asks for it. So this looks for the elements that a rule could make inline or preserving. It may name too many, never
//! too few: its reader drops white space only where nothing is named.

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
                '"' | '\'' => skip_string(c, &mut chars),
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

fn skip_string(quote: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '\n' => return,
            _ if c == quote => return,
            _ => {}
        }
    }
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
        hints.add("*{display:inline}");
        assert!(hints.inline(&element("div", "")));
    }
}
