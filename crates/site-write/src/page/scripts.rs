//! The scripts of a page, in the order in which the browser met them. They are taken out of the tree and run by an island
//! once React has taken over, so that nothing they do is undone; those that are `async`, and analytics and widgets that are
//! known, are Next's own to load. Data that only looks like a script stays where it is.

use std::collections::{BTreeMap, BTreeSet};

use site_read::analysis::known::{self, Loading, Service};

use crate::dom::{Element, Node};

/// One script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) src: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) module: bool,
    /// Waits for the whole document, as `defer` and modules do.
    pub(crate) deferred: bool,
    /// How Next.js loads it: nothing of the page waits for it, and it waits for nothing. None for the chain.
    pub(crate) loading: Option<Loading>,
    /// Whose it is, if that is known.
    pub(crate) service: Option<Service>,
    /// What else its element says: `id`, `data-*`, `integrity`.
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Script {
    /// A script without a file.
    pub(crate) fn inline(code: String) -> Self {
        let (attributes, service) = (BTreeMap::new(), known::script_saying(&code));
        let code = Some(code);
        Self { src: None, code, module: false, deferred: false, loading: None, service, attributes }
    }
}

/// Takes the scripts out of these nodes.
pub(crate) fn take(nodes: &mut Vec<Node>, findings: &mut Vec<(&'static str, String)>) -> Vec<Script> {
    let mut scripts = Vec::new();
    walk(nodes, &mut scripts, findings);
    scripts
}

/// What an inline script says that does more than to start a service: it waits for others, or changes the page.
const OWN_WORK: &[&str] = &[
    "$(",
    "jquery",
    "document.write",
    "domcontentloaded",
    "getelementbyid",
    "innerhtml",
    "queryselector",
    "window.onload",
    "\"click\"",
    "'click'",
    "\"submit\"",
    "'submit'",
];
/// A start of a service is no longer than this, in bytes.
const LONGEST_START: usize = 4096;

/// Gives analytics and widgets to Next.js: all of a service, or nothing of it, since its scripts may wait for one another.
pub(crate) fn tell_apart(scripts: &mut [Script]) {
    let held: BTreeSet<&str> = scripts
        .iter()
        .filter(|script| script.apart().is_none())
        .filter_map(|script| script.service.map(|service| service.name))
        .collect();
    let loading: Vec<Option<Loading>> = scripts
        .iter()
        .map(|script| script.apart().filter(|_| script.service.is_some_and(|it| !held.contains(it.name))))
        .collect();
    for (script, apart) in scripts.iter_mut().zip(loading) {
        script.loading = apart.or(script.loading);
    }
}

impl Script {
    /// How its service lets it be loaded apart, if it does nothing else.
    fn apart(&self) -> Option<Loading> {
        let starts = self.code.as_ref().is_none_or(|code| {
            let text = code.to_ascii_lowercase();
            code.len() <= LONGEST_START && !OWN_WORK.iter().any(|word| text.contains(word))
        });
        self.service.and_then(|service| service.loading).filter(|_| starts && !self.module)
    }
}

fn walk(nodes: &mut Vec<Node>, scripts: &mut Vec<Script>, findings: &mut Vec<(&'static str, String)>) {
    nodes.retain_mut(|node| {
        let Node::Element(element) = node else { return true };
        if element.name != "script" {
            // What is inside <noscript> is for browsers that run none; what is inside <template> waits for others to run it.
            if !matches!(element.name.as_str(), "noscript" | "template") {
                walk(&mut element.children, scripts, findings);
            }
            return true;
        }
        if !runs(element) {
            return true;
        }
        let module = element.get("type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("module"));
        let src = element.get("src").map(str::to_owned).filter(|src| !src.is_empty());
        let code = element.text();
        if code.contains("document.write") {
            let note =
                "a script writes what it has computed into the page while it loads; that is left out".into();
            findings.push(("document_write", note));
        }
        // Browsers without modules are none of today's.
        let wanted = !element.has("nomodule") && (src.is_some() || !code.trim().is_empty());
        if wanted {
            let independent = !module && src.is_some() && element.has("async");
            let deferred = module || src.is_some() && (element.has("defer") || independent);
            let service = src.as_deref().map_or_else(|| known::script_saying(&code), known::script_at);
            let code = src.is_none().then_some(code);
            let loading = independent.then_some(Loading::AfterInteractive);
            let attributes = rest(element);
            scripts.push(Script { src, code, module, deferred, loading, service, attributes });
        }
        false
    });
}

fn rest(element: &Element) -> BTreeMap<String, String> {
    let said = ["src", "type", "async", "defer", "nomodule", "charset", "language"];
    let others = element
        .attributes
        .iter()
        .filter(|(name, _)| !said.contains(&name.as_str()) && !name.starts_with("on"));
    others.cloned().collect()
}

/// Would a browser run it? JSON, templates and other data carry a type of their own.
pub(crate) fn runs(element: &Element) -> bool {
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
    ) && element.is_html("script")
}
