//! Every page has one route, and its file shows all that the page showed: the same words in the same order, the same images.

use std::collections::{BTreeMap, BTreeSet};

use site_write::{plan::Route, visible_text};

use super::{Held, Problem, problem};
use crate::source::{Said, Shown, Source};

/// What a component is given, by the name of the property.
type Given = BTreeMap<String, String>;

/// So deep may parts use parts.
const DEEPEST: usize = 20;
/// So many missing things are named for a page.
const NAMED: usize = 3;

impl Held<'_> {
    pub(super) fn routes(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut by_file: BTreeMap<&str, &str> = BTreeMap::new();
        for route in &self.plan.routes {
            if !self.sources.contains_key(route.file.as_str()) {
                problems.push(problem(&route.file, format!("the route of {} is missing", route.url)));
            }
            if let Some(other) = by_file.insert(&route.file, &route.url) {
                problems.push(problem(&route.file, format!("is the route of {other} and of {}", route.url)));
            }
        }
        let led_on: BTreeSet<&str> =
            self.plan.redirects.iter().map(|redirect| redirect.from.as_str()).collect();
        for url in self.snapshot.pages.keys() {
            let path = url.strip_prefix(&self.plan.origin).unwrap_or(url);
            let reachable = self.plan.route(url).is_some() || led_on.contains(path) || self.told_of(url);
            if !reachable {
                problems.push(problem("app", format!("the page {url} has no route")));
            }
        }
        problems
    }

    /// Was it said aloud that this page's address is another page's?
    fn told_of(&self, url: &str) -> bool {
        self.plan.findings.iter().any(|finding| finding.code == "same_route" && finding.url == url)
    }

    pub(super) fn text(&self) -> Vec<Problem> {
        let compared = self.plan.routes.iter().filter_map(|route| {
            let wanted = self.words_of_the_page(route)?;
            let shown = self.words_of_the_route(route);
            (wanted != shown).then(|| problem(&route.file, difference(&wanted, &shown)))
        });
        compared.collect()
    }

    fn html(&self, route: &Route) -> Option<String> {
        let page = self.snapshot.pages.get(&route.url)?;
        let bytes = self.bodies.get(route.markup(page))?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn words_of_the_page(&self, route: &Route) -> Option<Vec<String>> {
        Some(visible_text(&self.html(route)?))
    }

    fn words_of_the_route(&self, route: &Route) -> Vec<String> {
        let mut text = String::new();
        for source in self.sources_of(route) {
            self.spell(source, &Given::new(), &mut text, 0);
        }
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// What stands before the page in its layout, the page, and what stands behind it.
    fn sources_of(&self, route: &Route) -> Vec<&Source> {
        let group = self.plan.groups.iter().find(|group| group.name == route.group);
        let parts =
            |names: &[String]| -> Vec<&Source> { names.iter().filter_map(|name| self.part(name)).collect() };
        let mut sources = group.map(|group| parts(&group.before)).unwrap_or_default();
        sources.extend(self.sources.get(route.file.as_str()));
        sources.extend(group.map(|group| parts(&group.after)).unwrap_or_default());
        sources
    }

    fn part(&self, name: &str) -> Option<&Source> {
        let part = self.plan.shared.iter().find(|part| part.name == name).map(|part| &part.file);
        let card = || self.plan.cards.iter().find(|card| card.name == name).map(|card| &card.file);
        self.sources.get(part.or_else(card)?.as_str())
    }

    fn spell(&self, source: &Source, given: &Given, out: &mut String, depth: usize) {
        for shown in &source.shown {
            match shown {
                Shown::Text(text) => out.push_str(text),
                Shown::Given(name) => out.push_str(given.get(name).map_or("", String::as_str)),
                Shown::Part(name, given) => {
                    if let Some(part) = self.part(name).filter(|_| depth < DEEPEST) {
                        self.spell(part, given, out, depth + 1);
                    }
                }
            }
        }
    }

    pub(super) fn images(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for route in &self.plan.routes {
            let Some(html) = self.html(route) else { continue };
            let wanted = site_write::images(&html, &route.url);
            let mut shown = Vec::new();
            for source in self.sources_of(route) {
                self.images_of(source, &Given::new(), &mut shown, 0);
            }
            let missing: Vec<&String> = missing(&wanted, &shown);
            for image in missing.iter().take(NAMED) {
                problems.push(problem(&route.file, format!("the image {image} of {} is missing", route.url)));
            }
        }
        problems
    }

    fn images_of(&self, source: &Source, given: &Given, out: &mut Vec<String>, depth: usize) {
        out.extend(source.images.iter().filter_map(|image| match image {
            Said::Text(address) => Some(address.clone()),
            Said::Given(name) => given.get(name).cloned(),
        }));
        for shown in &source.shown {
            if let (Shown::Part(name, given), true) = (shown, depth < DEEPEST)
                && let Some(part) = self.part(name)
            {
                self.images_of(part, given, out, depth + 1);
            }
        }
    }
}

/// What is wanted and not shown, each as often as it is wanted.
fn missing<'a>(wanted: &'a [String], shown: &[String]) -> Vec<&'a String> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for image in shown {
        *left.entry(image).or_default() += 1;
    }
    let mut missing = Vec::new();
    for image in wanted {
        match left.get_mut(image.as_str()) {
            Some(count) if *count > 0 => *count -= 1,
            _ => missing.push(image),
        }
    }
    missing
}

/// Where two word sequences part.
pub(crate) fn difference(wanted: &[String], shown: &[String]) -> String {
    let at = wanted.iter().zip(shown).take_while(|(a, b)| a == b).count();
    let around =
        |words: &[String]| words[at.min(words.len())..].iter().take(6).cloned().collect::<Vec<_>>().join(" ");
    format!(
        "its text differs from the page's at word {}: the page has \"{}\", the file \"{}\"",
        at + 1,
        around(wanted),
        around(shown)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_missing_word_and_a_missing_second_image_are_found() {
        assert!(difference(&words("a b c"), &words("a c")).contains("word 2"));
        assert_eq!(missing(&words("x y x"), &words("y x")), ["x"]);
    }
}
