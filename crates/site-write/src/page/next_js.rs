//! A page that another Next.js built: its scripts would take the whole document from this project's own, and show nothing. They
//! are left out and named; what they only carry, scripts of the site's own (`next/script`'s `beforeInteractive`), runs.

use serde_json::Value;

use crate::dom::{Document, Element, Node};

/// Where its files are.
const FILES: &str = "/_next/static/";
/// What holds the data of a page, by the router of before.
const DATA: &str = "__NEXT_DATA__";

/// Takes them out; false if the page is none of those.
pub(super) fn leave_out(document: &mut Document, findings: &mut Vec<(&'static str, String)>) -> bool {
    let built = [&document.head, &document.body].into_iter().any(|nodes| any(nodes, &is_sign));
    if built {
        without(&mut document.head);
        without(&mut document.body);
        let note = "the page was built by Next.js, whose scripts cannot run beside this project's own: it shows what a browser \
                    showed of it, and what its components did there is to be written anew";
        findings.push(("next_js_left_out", note.into()));
    }
    built
}

fn any(nodes: &[Node], is_wanted: &dyn Fn(&Element) -> bool) -> bool {
    nodes.iter().any(
        |node| matches!(node, Node::Element(element) if is_wanted(element) || any(&element.children, is_wanted)),
    )
}

/// A file alone says nothing: a widget of another host may be made by it, too.
fn is_sign(element: &Element) -> bool {
    element.is_html("script") && (element.get("id") == Some(DATA) || starts_it(&element.text()))
}

/// Does it fill what the router reads, or the queue of scripts that come before it?
fn starts_it(code: &str) -> bool {
    let code = code.trim_start_matches(|c: char| c.is_whitespace() || "(;".contains(c));
    ["self.__next_", "window.__next_"].iter().any(|start| code.starts_with(start))
}

fn without(nodes: &mut Vec<Node>) {
    nodes.retain_mut(|node| {
        let Node::Element(element) = node else { return true };
        without(&mut element.children);
        if let Some(carried) = element.is_html("script").then(|| carried(&element.text())).flatten() {
            *element = carried;
            return true;
        }
        let address = if element.is_html("link") { "href" } else { "src" };
        let is_file = element.get(address).is_some_and(is_its_script);
        !(is_sign(element) || is_file && (element.is_html("script") || element.is_html("link")))
    });
}

fn is_its_script(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    path.contains(FILES) && path.ends_with(".js")
}

/// The script that is said as `self.__next_s.push([address, attributes])`, or as `[0, {"children": code}]`.
fn carried(code: &str) -> Option<Element> {
    let (queue, pushed) = code.trim().trim_end_matches(';').split_once(".push(")?;
    let pushed: (Value, serde_json::Map<String, Value>) =
        queue.contains("__next_s").then(|| serde_json::from_str(pushed.strip_suffix(')')?).ok()).flatten()?;
    let mut script = Element::new("script");
    let (address, attributes) = pushed;
    for (name, value) in &attributes {
        match (name.as_str(), value) {
            ("children" | "dangerouslySetInnerHTML", _) => {}
            (name, Value::String(value)) => script.set(name, value.as_str()),
            (name, Value::Bool(true)) => script.set(name, ""),
            _ => {}
        }
    }
    match (address, attributes.get("children"), attributes.get("dangerouslySetInnerHTML")) {
        (Value::String(address), ..) => script.set("src", address),
        (_, Some(Value::String(code)), _) => script.children.push(Node::Text(code.clone())),
        (_, _, Some(html)) => script.children.push(Node::Text(html.get("__html")?.as_str()?.to_owned())),
        _ => return None,
    }
    Some(script)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;
    use rstest::rstest;

    /// What is left of scripts and links: their addresses, or what they say.
    fn left(html: &str) -> (bool, Vec<String>) {
        let mut document = parse::document(html);
        let mut findings = Vec::new();
        let built = leave_out(&mut document, &mut findings);
        assert_eq!(findings.len(), usize::from(built), "named once: {findings:?}");
        let mut left = Vec::new();
        let mut look = |element: &Element| {
            if element.is_html("script") || element.is_html("link") {
                let address = element.get("src").or(element.get("href"));
                left.push(address.map_or_else(|| element.text(), str::to_owned));
            }
        };
        crate::page::each(&document.head, &mut look);
        crate::page::each(&document.body, &mut look);
        (built, left)
    }

    const APP: &str = "<link rel=preload as=script href=/_next/static/chunks/a.js><link rel=stylesheet href=/_next/static/css/a.css>\
                       <script src=/_next/static/chunks/main.js?v=1 async></script><body>";

    #[rstest]
    #[case::app_router("<script>(self.__next_f=self.__next_f||[]).push([0])</script><script>;self.__next_f.push([1])</script><script src=/own.js></script>", &["/own.js"])]
    #[case::pages_router("<script id=__NEXT_DATA__ type=application/json>{}</script><script>own()</script>", &["own()"])]
    #[case::scripts_that_it_carries(
        "<script>(self.__next_s=self.__next_s||[]).push([\"https://cdn.example/consent.js\",{\"id\":\"c\"}])</script>\
         <script>(self.__next_s=self.__next_s||[]).push([0,{\"children\":\"dark()\",\"id\":\"d\"}])</script>",
        &["https://cdn.example/consent.js", "dark()"]
    )]
    fn what_another_next_js_would_run_is_left_out(#[case] body: &str, #[case] wanted: &[&str]) {
        let (built, scripts) = left(&format!("<!doctype html>{APP}{body}"));
        assert!(built);
        assert_eq!(
            (scripts[0].as_str(), &scripts[1..]),
            ("/_next/static/css/a.css", &wanted.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..])
        );
    }

    #[test]
    fn a_page_with_a_widget_that_it_built_is_none() {
        let widget = "https://widget.example/_next/static/chunks/embed.js";
        let (built, scripts) = left(&format!("<!doctype html><script src={widget}></script><p>words"));
        assert_eq!((built, scripts.as_slice()), (false, &[widget.to_owned()][..]));
    }
}
