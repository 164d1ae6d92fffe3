//! Which elements the rules of a style sheet could match, by tags, classes, ids and what they stand in: too many, never too few.
//!
//! States, attributes and siblings are taken for given: a rule that asks for them may match. Names are compared without case, as
//! browsers do on a page without a doctype.

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
    str::CharIndices,
};

use super::rules;
use crate::dom::Element;

/// Of a selector so many parts are looked at, from the inside: as many as a number has bits.
const PARTS: usize = 60;
/// Where more rules of one kind ask for one name, each element of that name is taken for matched.
const MOST: usize = 4096;

/// An element, and the names by which rules find it.
pub(crate) struct Named<'e> {
    pub(crate) element: &'e Element,
    /// Its tag, `.classes`, `#id`, in small letters; read when they are first asked for.
    names: OnceCell<HashSet<String>>,
}

/// An element and what it stands in.
pub(crate) struct Place<'e> {
    pub(crate) named: &'e Named<'e>,
    /// From the outermost to its parent.
    pub(crate) ancestors: &'e [Named<'e>],
    /// Are these all of its ancestors?
    pub(crate) whole: bool,
}

/// Rules of one kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Selectors {
    /// By a name that the element itself has to have, if there is one.
    by_name: HashMap<Option<String>, HashSet<Selector>>,
}

/// What is asked of one element: a tag, `.classes`, `#ids`.
type Compound = Vec<String>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Selector {
    own: Compound,
    /// What it stands in, from the inside; the flag asks that it be the parent.
    around: Vec<(bool, Compound)>,
}

impl<'e> Named<'e> {
    pub(crate) fn of(element: &'e Element) -> Self {
        Self { element, names: OnceCell::new() }
    }

    fn names(&self) -> &HashSet<String> {
        self.names.get_or_init(|| {
            let said = |name: &str| self.element.get(name).unwrap_or_default().to_ascii_lowercase();
            let classes = said("class");
            let classes = classes.split_ascii_whitespace().map(|class| format!(".{class}"));
            classes.chain([format!("#{}", said("id")), self.element.name.to_ascii_lowercase()]).collect()
        })
    }

    fn has(&self, compound: &Compound) -> bool {
        compound.iter().all(|name| self.names().contains(name))
    }
}

impl Place<'_> {
    pub(crate) fn element(&self) -> &Element {
        self.named.element
    }

    /// The parent in its own place.
    pub(super) fn parent(&self) -> Option<Place<'_>> {
        let (named, ancestors) = self.ancestors.split_last()?;
        Some(Place { named, ancestors, whole: self.whole })
    }
}

impl Selectors {
    /// Takes in what stands before a block.
    pub(super) fn add(&mut self, prelude: &str) {
        for selector in rules::selectors(prelude).iter().filter_map(|text| Reader::read(text)) {
            // A class or an id, which come last, tells more elements apart than a tag.
            insert(self.by_name.entry(selector.own.last().cloned()).or_default(), selector);
        }
    }

    /// What other style sheets say, too.
    pub(super) fn take_in(&mut self, other: &Self) {
        for (name, selectors) in &other.by_name {
            let known = self.by_name.entry(name.clone()).or_default();
            selectors.iter().cloned().for_each(|selector| insert(known, selector));
        }
    }

    pub(super) fn may_match(&self, place: &Place<'_>) -> bool {
        let among = |all: &HashSet<Selector>| all.len() > MOST || all.iter().any(|it| it.may_match(place));
        let mut names = place.named.names().iter().cloned().map(Some).chain([None]);
        !self.by_name.is_empty() && names.any(|name| self.by_name.get(&name).is_some_and(among))
    }
}

/// Which of too many are known does not matter: see [`MOST`].
fn insert(known: &mut HashSet<Selector>, selector: Selector) {
    if known.len() <= MOST {
        known.insert(selector);
    }
}

impl Selector {
    fn may_match(&self, place: &Place<'_>) -> bool {
        place.named.has(&self.own) && self.stands_in(place.ancestors, place.whole)
    }

    /// May the element stand so? Goes through the ancestors once; each bit is a part of `around` that may be the next one asked.
    fn stands_in(&self, ancestors: &[Named<'_>], whole: bool) -> bool {
        let (mut open, all) = (1_u64, 1_u64 << self.around.len());
        for ancestor in ancestors.iter().rev() {
            if open & all != 0 || open == 0 {
                break;
            }
            let mut next = 0;
            for (at, (is_parent, compound)) in self.around.iter().enumerate() {
                if open & (1 << at) != 0 {
                    next |= u64::from(ancestor.has(compound)) << (at + 1);
                    next |= u64::from(!is_parent) << at;
                }
            }
            open = next;
        }
        open & all != 0 || !whole && open != 0
    }
}

/// Reads one selector.
#[derive(Default)]
struct Reader {
    /// What was read of the element's ancestors, and whether the next one has to be its child.
    around: Vec<(bool, Compound)>,
    own: Compound,
    /// Do letters belong to the last name of `own`? Else they belong to a state, or begin a tag.
    in_name: bool,
    /// Was anything read of this element?
    begun: bool,
    /// Blanks, or `>`, that come before the next element.
    combinator: Option<bool>,
}

impl Reader {
    /// None for what is no element of a page.
    fn read(text: &str) -> Option<Selector> {
        let mut reader = Self::default();
        let text = text.trim();
        let mut chars = text.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c.is_ascii_whitespace() => drop(reader.combinator.get_or_insert(false)),
                '>' => reader.combinator = Some(true),
                '+' | '~' => reader = Self::default(),
                _ => {
                    reader.next_element();
                    let rest = &text[at + c.len_utf8()..];
                    match c {
                        // Of what stands in another tree nothing is known here.
                        ':' if ["host", ":host", ":slotted"].iter().any(|it| rest.starts_with(it)) => {
                            return Some(Selector { own: vec![], around: vec![] });
                        }
                        ':' if [":", "before", "after"].iter().any(|it| rest.starts_with(it)) => return None,
                        '(' | '[' => skip(c, &mut chars),
                        '\\' => reader.escaped(&mut chars),
                        _ => reader.letter(c),
                    }
                }
            }
        }
        let mut around = reader.around;
        around.reverse();
        around.truncate(PARTS);
        Some(Selector { own: reader.own, around })
    }

    /// Begins another element if there was something between.
    fn next_element(&mut self) {
        if let Some(is_parent) = self.combinator.take().filter(|_| self.begun) {
            self.around.push((is_parent, std::mem::take(&mut self.own)));
            self.in_name = false;
            self.begun = false;
        }
    }

    fn letter(&mut self, c: char) {
        match c {
            '.' | '#' => {
                self.own.push(c.to_string());
                self.in_name = true;
            }
            ':' | '*' | '&' | '|' => self.in_name = false,
            _ if self.in_name => {
                self.own.last_mut().into_iter().for_each(|name| name.push(c.to_ascii_lowercase()));
            }
            _ if !self.begun => {
                self.own.push(c.to_ascii_lowercase().to_string());
                self.in_name = true;
            }
            _ => {}
        }
        self.begun = true;
    }

    /// A name with a letter that is said by its number is not asked for.
    fn escaped(&mut self, chars: &mut CharIndices<'_>) {
        self.begun = true;
        match chars.next().map(|(_, c)| c) {
            Some(c) if c.is_ascii_hexdigit() => {
                let rest = chars.as_str();
                let number = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit());
                let behind = number.strip_prefix(|c: char| c.is_ascii_whitespace()).unwrap_or(number);
                let count = rest[..rest.len() - behind.len()].chars().count();
                chars.by_ref().take(count).for_each(drop);
                if std::mem::take(&mut self.in_name) {
                    self.own.pop();
                }
            }
            Some(c) if self.in_name => {
                self.own.last_mut().into_iter().for_each(|name| name.push(c.to_ascii_lowercase()));
            }
            _ => {}
        }
    }
}

/// Up to the bracket that closes this one.
fn skip(open: char, chars: &mut impl Iterator<Item = (usize, char)>) {
    let close = if open == '(' { ')' } else { ']' };
    let mut depth = 1;
    for (_, c) in chars.by_ref() {
        depth += i32::from(c == open) - i32::from(c == close);
        if depth == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn element(said: &str) -> Element {
        let (name, class) = said.split_once('.').unwrap_or((said, ""));
        let mut element = Element::new(name);
        element.set("class", class.replace('.', " "));
        element
    }

    /// `path` is the element behind its ancestors, `div.row img.x`.
    fn may(selector: &str, path: &str, whole: bool) -> bool {
        let elements: Vec<Element> = path.split(' ').map(element).collect();
        let all: Vec<Named<'_>> = elements.iter().map(Named::of).collect();
        let (named, ancestors) = all.split_last().expect("an element");
        let mut selectors = Selectors::default();
        selectors.add(selector);
        selectors.may_match(&Place { named, ancestors, whole })
    }

    #[rstest]
    #[case("img", "body img", true)]
    #[case("IMG.x", "body img.y.x", true)]
    #[case("img.x.z", "body img.x", false)]
    #[case("p, .x", "body img.x", true)]
    #[case("*", "body img", true)]
    #[case(".row > *", "body div.row img", true)]
    #[case(".row > *", "body div.row p img", false)]
    #[case(".row>*", "body p img", false)]
    #[case(".card .body img", "body div.card p div.body a img", true)]
    #[case(".card .body img", "body div.body div.card img", false)]
    #[case(".card > .body img", "body div.card div.body div.body img", true)]
    #[case("body > p > img", "body p p img", false)]
    #[case(".a + .b img", "body div.b img", true)]
    #[case(".a ~ img", "body img", true)]
    #[case("a:hover img:not(.x)", "body a img.x", true)]
    #[case("a:hover img:not(.x)", "body p img", false)]
    #[case("[class*=col] img", "body p img", true)]
    #[case("p[class*=col] img", "body div img", false)]
    #[case(":root img", "body img", true)]
    #[case("img::before", "img", false)]
    #[case(".x:after", "img.x", false)]
    #[case(".md\\:w-1\\/2", "img.md:w-1/2", true)]
    #[case(".md\\:w-1\\/2", "img.md", false)]
    #[case(".\\31 0 img", "body img", true)]
    #[case(".Photo", "body img.pHOTO", true)]
    #[case("::slotted(img)", "body p", true)]
    #[case(":host", "body p", true)]
    fn a_rule_matches_by_names_and_by_what_is_around(
        #[case] selector: &str,
        #[case] path: &str,
        #[case] matches: bool,
    ) {
        assert_eq!(may(selector, path, true), matches, "{selector}");
    }

    #[test]
    fn what_is_not_known_to_stand_around_may_match() {
        assert!(may(".card img", "p img", false));
        assert!(may(".card > img", "img", false));
        assert!(!may(".card > img", "p img", false));
        assert!(!may(".card .x", "p img", false));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "[a-z.#:>+~*\\[\\]()\\\\ ,&|0-9]{0,40}") {
            may(&text, "body img.x", true);
        }
    }
}
