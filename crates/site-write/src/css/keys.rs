//! Which elements the rules of a style sheet could match, by the last parts of their selectors: too many, never too few.

use std::collections::HashSet;

use super::rules;
use crate::dom::Element;

/// Elements that rules of one kind could match, by the last part of their selectors.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    all: bool,
    tags: HashSet<String>,
    classes: HashSet<String>,
    ids: HashSet<String>,
}

impl Keys {
    pub(super) fn select(&mut self, prelude: &str) {
        for selector in rules::selectors(prelude) {
            match key(&selector) {
                Some(name) => self.insert(&name),
                None => self.all = true,
            }
        }
    }

    /// The elements in whose selectors this pseudo-element stands.
    pub(super) fn select_owners(&mut self, prelude: &str, pseudo: &str) {
        for selector in rules::selectors(prelude) {
            let Some(at) = selector.rfind(pseudo) else { continue };
            let owner = selector[..at].trim_end_matches(':').trim();
            match escaped_class(owner) {
                Some(class) => self.insert(&class),
                None => self.select(owner),
            }
        }
    }

    pub(super) fn take_in(&mut self, other: Self) {
        self.all |= other.all;
        self.tags.extend(other.tags);
        self.classes.extend(other.classes);
        self.ids.extend(other.ids);
    }

    /// A tag, a `.class` or an `#id`.
    fn insert(&mut self, name: &str) {
        let (names, name) = match name.split_at_checked(1) {
            Some((".", class)) => (&mut self.classes, class),
            Some(("#", id)) => (&mut self.ids, id),
            _ => (&mut self.tags, name),
        };
        names.insert(name.to_owned());
    }

    pub(super) fn may_match(&self, element: &Element) -> bool {
        let has_class = || {
            let mut classes = element.get("class").unwrap_or_default().split_ascii_whitespace();
            classes.any(|class| self.classes.contains(class))
        };
        self.all
            || self.tags.contains(&element.name)
            || !self.ids.is_empty() && element.get("id").is_some_and(|id| self.ids.contains(id))
            || !self.classes.is_empty() && has_class()
    }
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

/// What stands before the first colon that is none of a name's.
fn before_pseudo(compound: &str) -> &str {
    let mut escaped = false;
    let end = compound.find(|c| {
        let ends = c == ':' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    &compound[..end.unwrap_or(compound.len())]
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
    let last = before_pseudo(&last);
    let cut = |mark: char| {
        let rest = &last[last.find(mark)? + 1..];
        let end = rest.find(['.', '#']).unwrap_or(rest.len());
        Some(format!("{mark}{}", &rest[..end]))
    };
    if last.contains('\\') {
        return escaped_class(last);
    }
    cut('.').or_else(|| cut('#')).or_else(|| match last {
        "" | "*" => None,
        tag => Some(tag.to_ascii_lowercase()),
    })
}
