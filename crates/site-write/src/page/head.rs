//! What a head says about its page: the few things that Next's `metadata` can say, and the rest as elements, which React
//! lifts into the head by itself.

use crate::dom::{Element, Node};

/// A head without its styles and scripts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    /// `width=device-width` and its like, as often as the page says it.
    pub(crate) viewports: Vec<String>,
    /// Everything else that has to be in the head.
    pub(crate) elements: Vec<Node>,
}

pub(crate) fn read(nodes: &[Node], findings: &mut Vec<(&'static str, String)>) -> Head {
    let mut head = Head::default();
    for node in nodes {
        let Node::Element(element) = node else { continue };
        take(element, &mut head, findings);
    }
    head
}

fn take(element: &Element, head: &mut Head, findings: &mut Vec<(&'static str, String)>) {
    let name = element.get("name").unwrap_or_default().to_ascii_lowercase();
    let content = || element.get("content").unwrap_or_default().to_owned();
    match element.name.as_str() {
        "title" if head.title.is_none() => {
            let text = element.text();
            let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            head.title = Some(text).filter(|title| !title.is_empty());
        }
        "meta" if element.has("charset") => {}
        "meta" if element.get("http-equiv").is_some_and(|v| v.eq_ignore_ascii_case("content-type")) => {}
        "meta" if says_more(element) => head.elements.push(Node::Element(element.clone())),
        "meta" if name == "viewport" => head.viewports.push(content()),
        "meta" if name == "description" && head.description.is_none() => head.description = Some(content()),
        "meta" | "link" => head.elements.push(Node::Element(element.clone())),
        "script" => head.elements.push(Node::Element(element.clone())), // data: what runs was taken out before
        // What a base says is said at each address.
        "base" | "title" => {}
        // React does not lift it: it stands at the beginning of the body, where it means the same.
        "noscript" => {
            let mut element = element.clone();
            element.children.retain(|node| !matches!(node, Node::Text(text) if text.trim().is_empty()));
            head.elements.push(Node::Element(element));
        }
        other => findings.push(("head_element", format!("<{other}> in the head was left out"))),
    }
}

/// Has it attributes that `metadata` has no word for? Scripts that keep a head up to date know their own by them.
fn says_more(element: &Element) -> bool {
    element.attributes.iter().any(|(name, _)| name != "name" && name != "content")
}
