//! What a framework takes over in the browser. It looks for the very nodes that it wrote, each white space among them, and what it
//! does not find it writes anew.

use super::{Element, Node, comments};

/// What is named so is theirs: Docusaurus's, Gatsby's, Nuxt's.
const NAMES: &[&str] = &["__docusaurus", "___gatsby", "__nuxt", "__layout"];
/// Attributes of the roots of React, Vue 2, Angular and Qwik.
const ATTRIBUTES: &[&str] = &["data-reactroot", "data-server-rendered", "ng-server-context", "q:container"];

/// Does it say of itself that a framework takes it over?
pub(crate) fn is_root(element: &Element) -> bool {
    element.is_html("astro-island")
        || element.get("id").is_some_and(|id| NAMES.contains(&id))
        || ATTRIBUTES.iter().any(|name| element.has(name))
}

/// Are there marks in it that a framework left for itself? What [`is_root`] has its own.
pub(crate) fn holds_marks(element: &Element) -> bool {
    element.children.iter().any(|node| match node {
        Node::Element(element) => comments::is_mark(element) || !is_root(element) && holds_marks(element),
        Node::Text(_) | Node::Part(_) => false,
    })
}
