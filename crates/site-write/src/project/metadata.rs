//! A head as Next.js says it: `metadata` and `viewport` where they can, elements where they cannot. React lifts those into the
//! head by itself.

use std::collections::BTreeMap;

use crate::{
    dom::{Element, Node},
    jsx::string,
    page::Head,
};

/// What the page's head says in exports.
pub(super) fn exports(head: &Head, viewport: Viewport) -> String {
    let mut out = String::new();
    let mut members = Vec::new();
    if let Some(title) = &head.title {
        members.push(format!("  title: {{ absolute: {} }},\n", string(title)));
    }
    if let Some(description) = head.description.as_ref().filter(|text| !text.is_empty()) {
        members.push(format!("  description: {},\n", string(description)));
    }
    if !members.is_empty() {
        out.push_str(&format!("export const metadata: Metadata = {{\n{}}};\n\n", members.concat()));
    }
    if viewport == Viewport::Own {
        out.push_str(&self::viewport(head));
    }
    out
}

/// Who says what the viewport is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Viewport {
    /// The page itself.
    Own,
    /// Its layout: all of its pages have the same.
    OfTheLayout,
}

/// The types that the exports are declared with.
pub(super) fn type_import(head: &Head, viewport: Viewport) -> String {
    let metadata = head.title.is_some() || head.description.as_ref().is_some_and(|text| !text.is_empty());
    match (metadata, viewport == Viewport::Own) {
        (true, true) => "import type { Metadata, Viewport } from \"next\";".into(),
        (true, false) => "import type { Metadata } from \"next\";".into(),
        (false, true) => "import type { Viewport } from \"next\";".into(),
        (false, false) => String::new(),
    }
}

/// The export that says the viewport as the page says it: what a page leaves out, Next.js would fill in, and phones would
/// show it in another size.
pub(super) fn viewport(head: &Head) -> String {
    let given = known(head).unwrap_or_default();
    let mut members = Vec::new();
    for name in ["width", "initialScale"] {
        if !given.iter().any(|(known, _)| *known == name) {
            members.push(format!("{name}: undefined"));
        }
    }
    members.extend(given.iter().map(|(name, value)| format!("{name}: {value}")));
    format!("export const viewport: Viewport = {{ {} }};\n\n", members.join(", "))
}

/// What a page's file says in elements besides those of its head: a description that is empty, which Next.js leaves out, and
/// a viewport that has words of its own.
pub(super) fn elements(head: &Head, viewport: Viewport) -> Vec<Node> {
    let mut elements = Vec::new();
    if viewport == Viewport::Own {
        elements.extend(spelt_viewport(head));
    }
    if head.description.as_ref().is_some_and(String::is_empty) {
        elements.push(meta("description", ""));
    }
    elements.extend(head.elements.iter().cloned());
    elements
}

/// The viewport as elements, if only they can say it.
pub(super) fn spelt_viewport(head: &Head) -> impl Iterator<Item = Node> {
    let spelt = if known(head).is_none() { head.viewports.as_slice() } else { &[] };
    spelt.iter().map(|content| meta("viewport", content.trim()))
}

fn meta(name: &str, content: &str) -> Node {
    let mut meta = Element::new("meta");
    meta.set("name", name);
    meta.set("content", content);
    Node::Element(meta)
}

/// The viewport in Next's own words; none if it has others, too, or is said more than once.
fn known(head: &Head) -> Option<Vec<(&'static str, String)>> {
    let content = match head.viewports.as_slice() {
        [] => return Some(Vec::new()),
        [content] => content,
        _ => return None,
    };
    let pairs = content.split([',', ';']).filter_map(|pair| pair.split_once('='));
    let pairs: BTreeMap<String, &str> =
        pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim())).collect();
    pairs.iter().map(|(name, value)| member(name, value)).collect()
}

fn member(name: &str, value: &str) -> Option<(&'static str, String)> {
    let number = || value.parse::<f64>().ok().map(|number| number.to_string());
    let size = || number().or_else(|| value.starts_with("device-").then(|| string(value)));
    let one_of = |words: &[&str]| words.contains(&value).then(|| string(value));
    Some(match name {
        "width" => ("width", size()?),
        "height" => ("height", size()?),
        "initial-scale" => ("initialScale", number()?),
        "minimum-scale" => ("minimumScale", number()?),
        "maximum-scale" => ("maximumScale", number()?),
        "user-scalable" if matches!(value, "yes" | "no") => ("userScalable", (value == "yes").to_string()),
        "viewport-fit" => ("viewportFit", one_of(&["auto", "cover", "contain"])?),
        "interactive-widget" => {
            ("interactiveWidget", one_of(&["resizes-visual", "resizes-content", "overlays-content"])?)
        }
        _ => return None,
    })
}

/// What the heads of all these pages have alike, and that does not belong to what stands beside it.
pub(super) fn common<'a>(heads: impl Iterator<Item = &'a Head> + Clone) -> Vec<Node> {
    let Some(first) = heads.clone().next() else { return Vec::new() };
    let several = heads.clone().nth(1).is_some();
    let once = |node: &Node| {
        heads.clone().all(|head| head.elements.iter().filter(|other| *other == node).count() == 1)
    };
    let alike = first.elements.iter().filter(|node| several && stands_alone(node) && once(node));
    alike.cloned().collect()
}

/// Pictures and their sizes, alternates and their page, data and its kin are told by their order: they stay together.
fn stands_alone(node: &Node) -> bool {
    let Node::Element(element) = node else { return false };
    let words = element.get("rel").unwrap_or_default().to_ascii_lowercase();
    let of_the_site = [
        "icon",
        "shortcut",
        "apple-touch-icon",
        "mask-icon",
        "manifest",
        "preconnect",
        "dns-prefetch",
        "search",
    ];
    let link = element.is_html("link")
        && !words.is_empty()
        && words.split_ascii_whitespace().all(|word| of_the_site.contains(&word));
    link || element.is_html("meta") && element.has("name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::none(&[], "{ width: undefined, initialScale: undefined }", 0)]
    #[case::usual(
        &["width=device-width, initial-scale=1.0"],
        "{ initialScale: 1, width: \"device-width\" }",
        0
    )]
    #[case::half(&["width=1024"], "{ initialScale: undefined, width: 1024 }", 0)]
    #[case::own_words(
        &["width=device-width, shrink-to-fit=no"],
        "{ width: undefined, initialScale: undefined }",
        1
    )]
    #[case::twice(
        &["width=device-width", "width=1024"],
        "{ width: undefined, initialScale: undefined }",
        2
    )]
    fn a_viewport_is_said_as_the_page_says_it(
        #[case] given: &[&str],
        #[case] said: &str,
        #[case] more: usize,
    ) {
        let viewports = given.iter().map(|content| (*content).to_owned()).collect();
        let head = Head { viewports, ..Head::default() };
        assert_eq!(viewport(&head), format!("export const viewport: Viewport = {said};\n\n"));
        let spelt: Vec<Node> = given.iter().take(more).map(|content| meta("viewport", content)).collect();
        assert_eq!(elements(&head, Viewport::Own), spelt);
    }

    #[test]
    fn what_all_heads_have_alike_is_said_once_and_what_belongs_together_stays() {
        let element = |name: &str, attributes: &[(&str, &str)]| {
            let mut element = Element::new(name);
            attributes.iter().for_each(|(name, value)| element.set(name, *value));
            Node::Element(element)
        };
        let icon = element("link", &[("rel", "shortcut icon"), ("href", "/i.ico")]);
        let width = element("meta", &[("property", "og:image:width"), ("content", "9")]);
        let own = |word: &str| element("meta", &[("name", "keywords"), ("content", word)]);
        let head =
            |word: &str| Head { elements: vec![icon.clone(), own(word), width.clone()], ..Head::default() };
        let heads = [head("a"), head("b")];
        assert_eq!(common(heads.iter()), std::slice::from_ref(&icon));
        assert_eq!(common(heads[..1].iter()), []);
    }
}
