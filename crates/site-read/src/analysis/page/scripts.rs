//! Scripts, handlers in attributes, marks of frameworks, and questions for consent.

use super::walk::Place;
use super::{PageAnalysis, Script, ScriptKind};
use crate::analysis::{clip, known};
use crate::tree::Element;

/// Bytes of a script's text that are looked at.
const LOOKED_AT: usize = 64 * 1024;
/// Attributes and elements that a framework leaves.
const MARKS: [&str; 5] =
    ["data-reactroot", "data-server-rendered", "ng-version", "data-v-app", "data-sveltekit-hydrate"];

#[derive(Default)]
pub(super) struct Scripts {
    scripts: Vec<Script>,
    open: Option<Open>,
    handlers: u32,
    mark: Option<&'static str>,
    /// What looks like a question for consent.
    wall: Option<String>,
}

/// The script that is being read.
struct Open {
    url: Option<String>,
    data: bool,
    text: String,
    bytes: u64,
}

impl Scripts {
    pub(super) fn open(&mut self, element: Element<'_>, place: &Place<'_>) {
        if element.name() == "script" {
            self.script(element, place);
        }
        self.attributes(element);
    }

    fn attributes(&mut self, element: Element<'_>) {
        let mut handled = false;
        let mut called = ["", ""];
        for (name, value) in element.attrs() {
            match name {
                "id" => called[0] = value,
                "class" => called[1] = value,
                _ => {}
            }
            handled |= name.len() > 2 && name.starts_with("on");
            handled |= matches!(name, "href" | "action" | "formaction")
                && value.trim_start().get(..11).is_some_and(|head| head.eq_ignore_ascii_case("javascript:"));
            if let Some(mark) = MARKS.iter().find(|mark| **mark == name) {
                self.mark = Some(mark);
            }
        }
        self.handlers += u32::from(handled);
        if self.wall.is_none() {
            let names = called.iter().flat_map(|names| names.split_ascii_whitespace());
            self.wall = names.take(8).find(|name| is_wall(name)).map(clip::text);
        }
    }

    fn script(&mut self, element: Element<'_>, place: &Place<'_>) {
        let kind = element.attr("type").unwrap_or_default().trim().to_ascii_lowercase();
        let runs = matches!(kind.as_str(), "" | "module")
            || kind.ends_with("/javascript")
            || kind.ends_with("ecmascript")
            || kind.contains("babel");
        let url = element.attr("src").and_then(|src| place.url(src)).map(String::from);
        self.open = Some(Open { url, data: !runs, text: String::new(), bytes: 0 });
    }

    pub(super) fn text(&mut self, text: &str) {
        if let Some(open) = &mut self.open {
            open.bytes += text.len() as u64;
            if open.text.len() < LOOKED_AT {
                open.text.push_str(text);
            }
        }
    }

    pub(super) fn close(&mut self, element: Element<'_>) {
        if element.name() == "script"
            && let Some(open) = self.open.take()
        {
            clip::push(&mut self.scripts, classify(open));
        }
    }

    pub(super) fn finish(self, page: &mut PageAnalysis) {
        page.inline_handlers = self.handlers;
        page.cookie_wall = self.wall;
        if let Some(mark) = self.mark {
            page.platforms.push(framework_of(mark).to_owned());
        }
        page.scripts = self.scripts;
    }
}

/// Is an element of this id or class a question for consent?
fn is_wall(name: &str) -> bool {
    let bytes = name.as_bytes();
    let begins = |at: usize, word: &str| {
        bytes[at..].get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
    };
    let asks = (0..bytes.len()).any(|at| match bytes[at] {
        b'c' | b'C' => begins(at, "cookie") || begins(at, "consent"),
        b'g' | b'G' => begins(at, "gdpr"),
        _ => false,
    });
    if !asks {
        return false;
    }
    let name = name.to_ascii_lowercase();
    ["wall", "banner", "bar", "notice", "popup", "overlay", "modal", "consent", "dialog", "box"]
        .iter()
        .any(|shape| name.contains(shape))
}

fn framework_of(mark: &str) -> &'static str {
    match mark {
        "data-reactroot" => "React",
        "ng-version" => "Angular",
        "data-sveltekit-hydrate" => "SvelteKit",
        _ => "Vue",
    }
}

fn classify(open: Open) -> Script {
    let Open { url, data, text, bytes } = open;
    let found = match &url {
        Some(url) => known::script_at(url),
        None if data => None,
        None => known::script_saying(&text),
    };
    let writes = !data && text.contains("document.write");
    let kind = match found {
        Some(service) => service.kind,
        None if data => ScriptKind::Data,
        None if writes || (url.is_none() && mutates(&text)) => ScriptKind::DomMutation,
        None => ScriptKind::Own,
    };
    let version = url.as_deref().filter(|_| found.is_some()).and_then(known::version_in);
    let name = found.map(|service| service.name.to_owned());
    Script { url, kind, name, version, bytes, writes }
}

fn mutates(text: &str) -> bool {
    const WAYS: [&str; 9] = [
        ".innerHTML",
        ".outerHTML",
        "appendChild(",
        "insertBefore(",
        "insertAdjacent",
        ".append(",
        "classList.",
        "$(",
        "jQuery(",
    ];
    WAYS.iter().any(|way| text.contains(way))
}
