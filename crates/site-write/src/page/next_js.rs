//! A page that another Next.js built: its scripts would take the whole document from this project's own, and show nothing. They
//! are left out and named; what they only carry, scripts of the site's own (`next/script`'s `beforeInteractive`), runs.

use std::collections::BTreeSet;

use serde_json::Value;
use site_read::analysis::known;

use crate::dom::{Document, Element, Node};

/// Where its files are.
const FILES: &str = "_next/static/";
/// What it adds to a document to say aloud where a visitor came; this project's own adds another.
const ANNOUNCER: &str = "next-route-announcer";

/// Takes them out; false if the page is none of those.
pub(super) fn leave_out(document: &mut Document, findings: &mut Vec<(&'static str, String)>) -> bool {
    let built = [&document.head, &document.body].into_iter().any(|nodes| any(nodes, &is_sign));
    if built {
        let there = There::of(document);
        without(&mut document.head, &there);
        without(&mut document.body, &there);
        let note = "the page was built by Next.js, whose scripts cannot run beside this project's own: it shows what a browser \
                    showed of it, or, where none did, what was sent; what its components did there is to be written anew";
        findings.push(("next_js_left_out", note.into()));
    }
    built
}

fn any(nodes: &[Node], is_wanted: &dyn Fn(&Element) -> bool) -> bool {
    nodes.iter().any(
        |node| matches!(node, Node::Element(element) if is_wanted(element) || any(&element.children, is_wanted)),
    )
}

fn is_sign(element: &Element) -> bool {
    element.is_html("script") && known::is_of_next_js(element.get("id"), &element.text())
}

/// What stands in a document: of a page that a browser showed, its scripts have run.
#[derive(Default)]
struct There {
    ids: BTreeSet<String>,
    /// Something that came late is still to be put in place.
    late: bool,
    /// Of scripts: their addresses, and what they say.
    scripts: BTreeSet<String>,
}

impl There {
    fn of(document: &Document) -> Self {
        let mut there = Self::default();
        let mut look = |element: &Element| {
            there.ids.extend(element.get("id").map(str::to_owned));
            if element.is_html("script") {
                there.scripts.insert(element.get("src").map_or_else(|| element.text(), str::to_owned));
            }
        };
        crate::page::each(&document.head, &mut look);
        crate::page::each(&document.body, &mut look);
        there.late = there.is_late();
        there
    }

    fn has_script(&self, script: &Element) -> bool {
        let text = script.text();
        self.scripts.contains(script.get("src").unwrap_or(&text))
    }

    /// Is something still to be put in place? What does it may be said by a script before.
    fn is_late(&self) -> bool {
        let mut reveals = self.scripts.iter().filter(|code| is_reveal(code));
        reveals.any(|code| revealed(code).any(|id| self.ids.contains(id)))
    }
}

/// Does React's server say by it that something which came late is to be shown, or when it came? Its functions and their stores
/// are `$RB`, `$RC`, `$RM`, `$RR`, `$RS`, `$RT`, `$RV` and `$RX`.
pub(super) fn is_reveal(code: &str) -> bool {
    code.match_indices("$R").any(|(at, _)| {
        let rest = &code.as_bytes()[at + 2..];
        matches!(rest, [b'B' | b'C' | b'M' | b'R' | b'S' | b'T' | b'V' | b'X', b'(' | b'=', ..])
            && !code[..at].ends_with(is_of_a_name)
    })
}

fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '.')
}

/// The ids that it names first: of the place, or of what is put there.
fn revealed(code: &str) -> impl Iterator<Item = &str> {
    code.split("$R").skip(1).filter_map(|call| call.get(1..)?.strip_prefix("(\"")?.split('"').next())
}

fn without(nodes: &mut Vec<Node>, there: &There) {
    nodes.retain_mut(|node| {
        let Node::Element(element) = node else { return true };
        without(&mut element.children, there);
        let code = if element.is_html("script") { element.text() } else { String::new() };
        if let Some(carried) = carried(&code) {
            // Where they have run, they stand in the head.
            let stays = !there.has_script(&carried);
            *element = carried;
            return stays;
        }
        let address = if element.is_html("link") { "href" } else { "src" };
        let is_file = element.get(address).is_some_and(is_its_script);
        let is_loaded = is_file && (element.is_html("script") || element.is_html("link"));
        !(is_sign(element) || is_loaded || element.is_html(ANNOUNCER) || !there.late && is_reveal(&code))
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

    #[rstest]
    #[case::that_is_still_to_come(
        "<template id=B:0></template><div hidden id=S:0></div><script>$RC=function(a,b){};$RC(\"B:0\",\"S:0\")</script>",
        &["$RC=function(a,b){};$RC(\"B:0\",\"S:0\")"]
    )]
    #[case::of_which_one_is_still_to_come(
        "<template id=B:1></template><script>$RX=function(a){};$RX(\"B:0\")</script><script>$RX(\"B:1\")</script>",
        &["$RX=function(a){};$RX(\"B:0\")", "$RX(\"B:1\")"]
    )]
    #[case::that_came("<script>$RB=[];$RV=function(a){};$RC(\"B:0\",\"S:0\")</script>", &[])]
    #[case::in_parts("<script>$RS(\"S:1\",\"P:1\")</script><script>$RX(\"B:2\",\"1\")</script>", &[])]
    #[case::and_when("<script id=_R_>requestAnimationFrame(function(){$RT=performance.now()});</script>", &[])]
    #[case::of_another("<script>x.$RC(\"B:0\")</script>", &["x.$RC(\"B:0\")"])]
    #[case::scripts_that_have_run(
        "<script src=/consent.js></script><script>dark()</script>\
         <script>(self.__next_s=self.__next_s||[]).push([\"/consent.js\",{}])</script>\
         <script>(self.__next_s=self.__next_s||[]).push([0,{\"children\":\"dark()\"}])</script>",
        &["/consent.js", "dark()"]
    )]
    fn what_has_run_does_not_run_again(#[case] body: &str, #[case] wanted: &[&str]) {
        let announcer = "<next-route-announcer></next-route-announcer>";
        let (_, scripts) =
            left(&format!("<!doctype html>{APP}{body}<script>self.__next_f=[]</script>{announcer}"));
        assert_eq!(scripts[1..], *wanted);
    }

    #[test]
    fn what_another_next_js_says_aloud_is_left_to_this_one() {
        let html = "<!doctype html><body><script>self.__next_f=[]</script><next-route-announcer><b>a</b></next-route-announcer>";
        let mut document = parse::document(html);
        leave_out(&mut document, &mut Vec::new());
        assert!(document.body.is_empty(), "{:?}", document.body);
    }

    #[test]
    fn a_page_with_a_widget_that_it_built_is_none() {
        let widget = "https://widget.example/_next/static/chunks/embed.js";
        let (built, scripts) = left(&format!("<!doctype html><script src={widget}></script><p>words"));
        assert_eq!((built, scripts.as_slice()), (false, &[widget.to_owned()][..]));
    }
}
