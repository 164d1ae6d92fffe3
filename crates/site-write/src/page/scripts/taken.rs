//! Takes scripts out of a tree. Where one may look at the page, or write into it, a mark keeps its place: a script that no
//! browser runs, which the island that runs the page's scripts finds by its name.

use std::collections::{BTreeMap, BTreeSet};

use site_read::{
    ContentHash,
    analysis::known::{self, Loading},
};

use super::{Script, has_handler};
use crate::dom::{Element, Node, Space};

/// The attribute of a mark.
const MARK: &str = "data-legacy-script";
/// What an inline script says that asks where it stands.
const PLACES: &[&str] = &[
    ".write(",
    ".writeln(",
    "currentScript",
    "document.scripts",
    "scripts.length",
    "TagName('script')",
    "TagName(\"script\")",
    "('script:last",
    "$('script')",
];

/// Takes the scripts out of a head.
pub(crate) fn of_head(nodes: &mut Vec<Node>, findings: &mut Vec<(&'static str, String)>) -> Vec<Script> {
    let mut taken = Taken { scripts: Vec::new(), findings, shown: 0, depth: None };
    taken.walk(nodes);
    taken.scripts
}

/// Takes the scripts out of a body. They run at its end: those that stand there, with nothing behind them that shows, need no
/// mark.
pub(crate) fn of_body(nodes: &mut Vec<Node>, findings: &mut Vec<(&'static str, String)>) -> Vec<Script> {
    let shown = nodes.iter().map(shown).sum();
    let mut taken = Taken { scripts: Vec::new(), findings, shown, depth: Some(0) };
    taken.walk(nodes);
    taken.scripts
}

/// Elements that show nothing, with all that is in them.
const SILENT: &[&str] = &["script", "noscript", "template", "style", "link", "meta"];

/// How many elements and texts show.
fn shown(node: &Node) -> usize {
    match node {
        Node::Text(text) => usize::from(!text.trim().is_empty()),
        Node::Element(element) if SILENT.contains(&element.name.as_str()) => 0,
        Node::Element(element) => 1 + element.children.iter().map(shown).sum::<usize>(),
        Node::Part(_) => 1,
    }
}

/// What was taken on a walk in the order of the document.
struct Taken<'a> {
    scripts: Vec<Script>,
    findings: &'a mut Vec<(&'static str, String)>,
    /// What shows and is still to come: where nothing is, no place needs a mark.
    shown: usize,
    /// How many elements of the body it is in: none is open in a head, which keeps no marks.
    depth: Option<usize>,
}

impl Taken<'_> {
    fn walk(&mut self, nodes: &mut Vec<Node>) {
        nodes.retain_mut(|node| match node {
            Node::Element(element) if element.name == "script" => !runs(element) || self.take(element),
            Node::Element(element) => {
                // What is inside <noscript> is for browsers that run none; what is inside <template> waits for others to
                // run it.
                if !SILENT.contains(&element.name.as_str()) {
                    self.shown = self.shown.saturating_sub(1);
                    self.depth = self.depth.map(|depth| depth + 1);
                    self.walk(&mut element.children);
                    self.depth = self.depth.map(|depth| depth - 1);
                }
                true
            }
            Node::Text(_) | Node::Part(_) => {
                self.shown = self.shown.saturating_sub(shown(node));
                true
            }
        });
    }

    /// Takes a script, and leaves a mark if it needs one: false if nothing is left.
    fn take(&mut self, element: &mut Element) -> bool {
        let module = element.get("type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("module"));
        let src = file(element).map(str::to_owned).filter(|src| !src.is_empty());
        let code = element.text();
        if code.contains("document.write") {
            let note = "a script writes what it has computed into the page while it loads; here it does so later, \
                        and what it leaves open ends with what it wrote";
            self.findings.push(("document_write", note.into()));
        }
        // Browsers without modules are none of today's.
        if element.has("nomodule") || src.is_none() && code.trim().is_empty() {
            return false;
        }
        let independent = !module && src.is_some() && element.has("async");
        let deferred = module || src.is_some() && element.has("defer") && !independent;
        let attributes = rest(element, independent);
        // At the end of what is still open, only where it stands can make a difference. A mark is named by what its script says:
        // it would make of one footer as many as there are pages.
        let open = self.depth.is_some_and(|depth| depth > 0);
        let asks = src.is_some() || PLACES.iter().any(|word| code.contains(word));
        let at_the_end = self.shown == 0 && !(open && asks);
        let marked = !at_the_end && !deferred && !independent;
        let place = marked.then(|| place(src.as_deref(), &code)).flatten();
        let service = src.as_deref().map_or_else(|| known::script_saying(&code), known::script_at);
        let code = src.is_none().then_some(code);
        let loading = (independent && !has_handler(&attributes)).then_some(Loading::AfterInteractive);
        let mark = place.as_deref().map(|name| mark(name, element.space));
        self.scripts.push(Script { src, code, module, deferred, loading, service, place, attributes });
        let Some(mark) = mark else { return false };
        *element = mark;
        true
    }
}

/// The name of a script's place, the same on every page. One that neither calls anything nor says `document` does not look at
/// the page, and has none.
fn place(src: Option<&str>, code: &str) -> Option<String> {
    let wanted = src.is_some() || code.contains('(') || code.contains("document");
    wanted.then(|| ContentHash::of(src.unwrap_or(code).as_bytes()).as_str()[..8].to_owned())
}

/// The file of a script; one in an SVG has another word for it (SVG 2, 16.3.5).
fn file(element: &Element) -> Option<&str> {
    match element.space {
        Space::Svg => element.get("href").or_else(|| element.get("xlink:href")),
        Space::Html | Space::MathMl => element.get("src"),
    }
}

/// A script that no browser runs counts where the one that it stands for did: for `:last-child` and its like, too.
fn mark(name: &str, space: Space) -> Element {
    let mut mark = Element::new("script");
    mark.space = space;
    mark.attributes = vec![("type".to_owned(), "text/plain".to_owned()), (MARK.to_owned(), name.to_owned())];
    mark
}

/// What else the element says: its handlers, too. Next.js takes none, so that the chain, which waits for each script, has to know
/// of one that it is `independent`.
fn rest(element: &Element, independent: bool) -> BTreeMap<String, String> {
    let said = ["src", "href", "xlink:href", "type", "async", "defer", "nomodule", "charset", "language"];
    let others = element.attributes.iter().filter(|(name, _)| !said.contains(&name.as_str()));
    let mut rest: BTreeMap<String, String> = others.cloned().collect();
    if independent && has_handler(&rest) {
        rest.insert("async".to_owned(), String::new());
    }
    rest
}

/// Would a browser run it? JSON, templates and other data carry a type of their own.
fn runs(element: &Element) -> bool {
    let kind = element.get("type").unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        kind.as_str(),
        "" | "module"
            | "text/javascript"
            | "application/javascript"
            | "application/x-javascript"
            | "text/ecmascript"
            | "application/ecmascript"
            | "text/jscript"
    )
}

/// Takes away the marks of scripts that Next.js loads.
pub(crate) fn unmark(nodes: &mut Vec<Node>, scripts: &mut [Script]) {
    let apart = scripts.iter_mut().filter(|script| script.loading.is_some());
    let names: BTreeSet<String> = apart.filter_map(|script| script.place.take()).collect();
    if !names.is_empty() {
        without(nodes, &names);
    }
}

fn without(nodes: &mut Vec<Node>, names: &BTreeSet<String>) {
    nodes.retain_mut(|node| {
        let Node::Element(element) = node else { return true };
        without(&mut element.children, names);
        !element.get(MARK).is_some_and(|name| element.name == "script" && names.contains(name))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dom::parse;
    use rstest::rstest;

    #[rstest]
    #[case::behind_which_something_shows("<p><script>document.write(1 + 1)</script> words", true)]
    #[case::styles_show_nothing(
        "<style>a{}</style><p>a<script>document.write(1 + 1)</script><b>b</b></p>",
        true
    )]
    #[case::at_the_end("<p>words</p><script>document.write(1 + 1)</script><noscript>x</noscript>", false)]
    #[case::at_the_end_of_what_is_open("<p>words</p><div><script>document.write(1 + 1)</script></div>", true)]
    #[case::at_the_end_of_what_is_open_without_asking(
        "<p>words</p><footer><script>count('/page/1')</script></footer>",
        false
    )]
    #[case::at_the_end_of_what_is_open_by_its_elements(
        "<p>words</p><div><script>var s = document.getElementsByTagName('script'); s = s[s.length - 1]</script></div>",
        true
    )]
    #[case::that_calls_another("<script>start()</script><p>words", true)]
    #[case::that_looks("<script>document.currentScript.parentNode.id = 'a';</script><p>words", true)]
    #[case::that_calls_nothing("<script>var base = '/a/';</script><p>words", false)]
    #[case::of_a_file("<script src=x.js></script><p>words", true)]
    #[case::that_waits("<script src=x.js defer></script><p>words", false)]
    fn a_script_leaves_a_mark(#[case] html: &str, #[case] marked: bool) {
        let mut body = parse::document(&format!("<!doctype html><body>{html}")).body;
        let scripts = of_body(&mut body, &mut Vec::new());
        let [script] = scripts.as_slice() else { panic!("one script: {scripts:?}") };
        assert_eq!(script.place.is_some(), marked);
        let mut found = Vec::new();
        crate::page::each(&body, &mut |element| found.extend(element.get(MARK).map(str::to_owned)));
        assert_eq!(found, script.place.iter().cloned().collect::<Vec<_>>());
    }

    #[rstest]
    #[case::of_a_file("<svg><script xlink:href=x.js></script></svg>", Some("x.js"), None)]
    #[case::of_a_file_as_svg_2_has_it("<svg><script href=x.js></script></svg>", Some("x.js"), None)]
    #[case::inline("<svg><script>start()</script></svg>", None, Some("start()"))]
    #[case::html_knows_no_such_attribute("<script href=x.js>start()</script>", None, Some("start()"))]
    fn a_script_of_a_drawing_is_one_of_the_page(
        #[case] html: &str,
        #[case] src: Option<&str>,
        #[case] code: Option<&str>,
    ) {
        let mut body = parse::document(&format!("<!doctype html><body>{html}<p>words")).body;
        let scripts = of_body(&mut body, &mut Vec::new());
        let [script] = scripts.as_slice() else { panic!("one script: {scripts:?}") };
        assert_eq!((script.src.as_deref(), script.code.as_deref()), (src, code));
    }

    #[rstest]
    #[case::that_waits("<script src=x.js defer onload=start()></script>", &[("onload", "start()")])]
    #[case::that_nothing_waits_for("<script src=x.js async onerror=no()></script>", &[("async", ""), ("onerror", "no()")])]
    fn a_script_that_tells_of_itself_is_in_the_chain(#[case] html: &str, #[case] said: &[(&str, &str)]) {
        let mut body = parse::document(&format!("<!doctype html><body>{html}")).body;
        let scripts = of_body(&mut body, &mut Vec::new());
        let [script] = scripts.as_slice() else { panic!("one script: {scripts:?}") };
        let found: Vec<(&str, &str)> =
            script.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!((found.as_slice(), script.loading), (said, None));
    }
}
