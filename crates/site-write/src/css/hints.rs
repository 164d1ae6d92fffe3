//! What the site's style sheets say about white space.
//!
//! White space between two blocks shows only if a style sheet makes one of them inline, and line breaks in a text only if
//! one asks for it; at the edge of a block, where a rule puts letters beside it; and beside a block that is taken away from between
//! two words. So this looks for the elements that a rule could make inline or preserving, give such letters, or take away. It may name
//! too many, never too few: its reader drops white space only where nothing is named.

use super::{keys::Keys, rules};
use crate::dom::Element;

/// What style sheets say about white space.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hints {
    inline: Keys,
    away: Keys,
    preserved: Keys,
    before: Keys,
    after: Keys,
}

impl Hints {
    /// Takes one style sheet in.
    pub(crate) fn add(&mut self, css: &str) {
        rules::each(css, &mut |preludes, declarations| {
            for (name, value) in declarations {
                preludes.last().into_iter().for_each(|prelude| self.declaration(prelude, name, value));
            }
        });
    }

    /// What other style sheets say, too.
    pub(crate) fn take_in(&mut self, other: Self) {
        self.inline.take_in(other.inline);
        self.away.take_in(other.away);
        self.preserved.take_in(other.preserved);
        self.before.take_in(other.before);
        self.after.take_in(other.after);
    }

    fn declaration(&mut self, prelude: &str, name: &str, value: &str) {
        if takes_away(name, value) {
            self.away.select(prelude);
        }
        match name {
            "display" if value.contains("inline") || value.contains("contents") || value.contains("var(") => {
                self.inline.select(prelude);
            }
            "white-space" | "white-space-collapse"
                if value.contains("pre") || value.contains("break-spaces") =>
            {
                self.preserved.select(prelude);
            }
            "content" if says_something(value) => {
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

    /// Whether the element could be out of the flow, or not be shown, by a rule, its own style or what browsers do with it: what stands
    /// before it and behind it is then side by side.
    pub(crate) fn away(&self, element: &Element) -> bool {
        let own = element.get("style").unwrap_or_default();
        self.away.may_match(element)
            || AWAY.iter().any(|word| own.contains(word))
            || element.has("hidden")
            || element.name == "dialog"
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

/// What a style says that takes its element away.
const AWAY: &[&str] = &["none", "float", "absolute", "fixed"];

fn takes_away(name: &str, value: &str) -> bool {
    let says = |words: &[&str]| words.iter().any(|word| value.contains(word)) || value.contains("var(");
    match name {
        "display" => says(&["none"]),
        "float" => says(&["left", "right", "inline-"]),
        "position" => says(&["absolute", "fixed"]),
        _ => false,
    }
}

/// Whether a value of `content` shows something.
fn says_something(value: &str) -> bool {
    !matches!(value.replace("!important", "").trim(), "" | "none" | "normal" | "initial" | "unset")
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
        hints.add(".a:hover{display:none}.b{float:left}.c{position:fixed}.d{float:none;position:static}.e:after{float:left}");
        for (class, away) in [("a", true), ("b", true), ("c", true), ("d", false), ("e", false)] {
            assert_eq!(hints.away(&element("div", class)), away, "{class}");
        }
        assert!(hints.away(&element("dialog", "")));
        hints.add("*{display:inline}");
        assert!(hints.inline(&element("div", "")));
    }
}
