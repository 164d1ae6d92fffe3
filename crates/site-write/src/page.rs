//! One page taken apart: what belongs to its layout, its head, its scripts, and the tree that is left to print.
//!
//! Addresses are resolved here, once, against the page's base: those of the site become root-relative, because every
//! route and every file keeps the path that it had.

pub(crate) mod address;
pub(crate) mod doctype;
pub(crate) mod handlers;
mod head;
pub(crate) mod hoisted;
mod next_js;
pub(crate) mod scripts;
pub(crate) mod shadows;
pub(crate) mod styles;

use std::{borrow::Cow, collections::BTreeSet};

use url::Url;

use crate::{
    css::hints::Hints,
    dom::{Document, Element, Node, comments, parse, whitespace},
    jsx,
    plan::{Form, Keep},
};

use handlers::Root;
pub(crate) use head::Head;
pub(crate) use scripts::Script;
pub(crate) use styles::Style;

/// A page, ready to be printed.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) html: Vec<(String, String)>,
    pub(crate) body_attributes: Vec<(String, String)>,
    pub(crate) styles: Vec<Style>,
    pub(crate) head: Head,
    pub(crate) body: Vec<Node>,
    pub(crate) scripts: Vec<Script>,
    /// Some element has a handler of its own, or attributes that only scripts understand.
    pub(crate) handlers: bool,
    pub(crate) forms: Vec<Form>,
    /// Inline styles that became classes.
    pub(crate) hoisted: hoisted::Rules,
    /// What could not be carried: code and note.
    pub(crate) findings: Vec<(&'static str, String)>,
}

impl Page {
    /// Must it be entered and left by full page loads?
    pub(crate) fn scripted(&self) -> bool {
        self.handlers || !self.scripts.is_empty()
    }
}

/// Takes a page apart; what it keeps stays as it was.
pub(crate) fn read(html: &str, url: &Url, hints: &Hints, kept: &BTreeSet<Keep>) -> Page {
    let mut document = parse::document(html);
    let mut findings = Vec::new();
    let by_next_js = next_js::leave_out(&mut document, &mut findings);
    address::of_all(&mut document, url);
    let mut scripts = scripts::of_head(&mut document.head, &mut findings);
    for (root, attributes) in [(Root::Html, &mut document.html), (Root::Body, &mut document.body_attributes)]
    {
        attributes.retain(|(name, value)| {
            let code = handlers::of_the_root(root, name, value);
            let stays = code.is_none();
            scripts.extend(code.map(Script::inline));
            stays
        });
    }
    scripts.extend(scripts::of_body(&mut document.body, &mut findings));
    let styles = styles::take(&mut document.head);
    if kept.contains(&Keep::Scripts) {
        scripts.iter_mut().for_each(Script::join);
    } else {
        scripts::tell_apart(&mut scripts);
    }
    scripts::unmark(&mut document.body, &mut scripts);
    shadows::tell_apart(&mut document.body);
    if comments::are_kept(&document.body) {
        if scripts.iter().any(|script| reads_comments(script, by_next_js)) {
            scripts.iter_mut().for_each(Script::wait_for_the_page);
        } else {
            comments::leave_out(&mut document.body);
        }
    }
    let read = scripts.iter().any(Script::reads_the_page);
    // A namespace means nothing to HTML.
    document.html.retain(|(name, _)| name != "xmlns");
    let handlers = handlers::lift(&mut document.body, read)
        | handlers::lift_of_the_root(&mut document.body_attributes, read)
        | handlers::lift_of_the_root(&mut document.html, read);
    // Those that wait for the whole document come last, each in their order.
    scripts.sort_by_key(|script| script.deferred);
    findings.extend(doctype::keep(document.mode, &mut document.html));
    let mut hints = Cow::Borrowed(hints);
    for style in &styles {
        if let Style::Inline { css, .. } = style {
            hints.to_mut().add(css);
        }
    }
    let mut hoisted = hoisted::Rules::new();
    if !kept.contains(&Keep::Space) {
        whitespace::collapse(&mut document.body, &hints);
    }
    hoisted::lift(&mut document.body, &mut hoisted);
    hoisted::lift_from(&mut document.html, &mut hoisted);
    hoisted::lift_from(&mut document.body_attributes, &mut hoisted);
    attributes_left_out(&document, &mut findings);
    let mut head = head::read(&document.head, &mut findings);
    if !hoisted.is_empty() {
        head.elements.push(hoisted::link());
    }
    Page {
        html: document.html,
        body_attributes: document.body_attributes,
        styles,
        head,
        forms: forms(&document.body, url),
        body: document.body,
        scripts,
        handlers,
        hoisted,
        findings,
    }
}

/// May it look for comments? What another Next.js left looks for none, but for React's own that puts in what came late.
fn reads_comments(script: &Script, by_next_js: bool) -> bool {
    let late = || script.code.as_ref().is_some_and(|code| next_js::is_reveal(code));
    script.reads_the_page() && (!by_next_js || late())
}

/// Names every attribute that React has no word for, once.
fn attributes_left_out(document: &Document, findings: &mut Vec<(&'static str, String)>) {
    let mut named = BTreeSet::new();
    let mut look = |element: &Element| {
        for name in jsx::left_out(element) {
            named.insert(format!(
                "`{name}` of <{}> was left out: React takes no attribute of that name",
                element.name
            ));
        }
    };
    for (name, attributes) in [("html", &document.html), ("body", &document.body_attributes)] {
        look(&Element { attributes: attributes.clone(), ..Element::new(name) });
    }
    each(&document.body, &mut look);
    findings.extend(named.into_iter().map(|note| ("attribute_left_out", note)));
}

fn forms(nodes: &[Node], page: &Url) -> Vec<Form> {
    let mut found = Vec::new();
    each(nodes, &mut |element| {
        if !element.is_html("form") {
            return;
        }
        let mut fields = Vec::new();
        each(&element.children, &mut |control| {
            if let Some(name) = control.get("name").filter(|_| is_control(control)) {
                fields.push(name.to_owned());
            }
        });
        let action = element.get("action").unwrap_or_default();
        let action = page.join(action).map_or_else(|_| action.to_owned(), String::from);
        let method = element.get("method").unwrap_or("get").to_ascii_lowercase();
        found.push(Form { page: page.to_string(), action, method, fields });
    });
    found
}

fn is_control(element: &Element) -> bool {
    matches!(element.name.as_str(), "input" | "select" | "textarea" | "button")
}

/// Visits every element, in document order.
pub(crate) fn each(nodes: &[Node], visit: &mut dyn FnMut(&Element)) {
    for node in nodes {
        if let Node::Element(element) = node {
            visit(element);
            each(&element.children, visit);
        }
    }
}

/// The addresses of a page's images as the project has to name them: `src` and `srcset` of images, sources and SVG images.
pub(crate) fn images(html: &str, url: &Url) -> Vec<String> {
    let document = parse::document(html);
    let base = address::base(&document.head, url);
    let mut body = document.body;
    address::resolve(&mut body, &base, url);
    let mut found = Vec::new();
    each(&body, &mut |element| {
        let names: &[&str] = match element.name.as_str() {
            "img" => &["src", "srcset"],
            "source" => &["srcset"],
            "image" => &["href", "xlink:href"],
            _ => &[],
        };
        let named = names.iter().filter_map(|name| element.get(name)).filter(|named| !named.is_empty());
        found.extend(named.map(str::to_owned));
    });
    found
}
