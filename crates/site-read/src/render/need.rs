//! Whether a page is to be taken as a browser shows it: it shows itself only when its scripts run, or they cannot come along.
//! Judged from the markup alone, so that it costs little and says the same each time; when in doubt, the page is taken as it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::analysis::known;
use crate::tree::{Document, Element, Step, Text};

/// Letters of visible text that a page without scripts has at least; one with fewer is looked at closer.
const LITTLE: usize = 200;
/// Letters under which scripts alone are reason enough.
const NEXT_TO_NOTHING: usize = 30;

/// Ids of the elements that frameworks fill.
const ROOT_IDS: [&str; 12] = [
    "root",
    "app",
    "__next",
    "__nuxt",
    "___gatsby",
    "svelte",
    "app-root",
    "react-root",
    "q-app",
    "main-app",
    "ember-app",
    "application",
];
/// Elements of the same purpose.
const ROOT_NAMES: [&str; 4] = ["app-root", "my-app", "ng-app", "app-shell"];
/// What a page without scripts is told to do: words in any case, as they are in several languages.
const ASKS: [&str; 10] = [
    "enable javascript",
    "javascript enabled",
    "requires javascript",
    "need to enable javascript",
    "javascript is required",
    "javascript is disabled",
    "javascript aktivieren",
    "javascript aktiviert",
    "activer javascript",
    "habilitar javascript",
];

/// Why a page needs a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Reason {
    /// An element that a framework fills is empty, and there are scripts.
    EmptyRoot {
        /// The id or name of the element.
        root: String,
    },
    /// Markup of a framework that was not carried out: its attribute, or text in double braces.
    Template {
        /// The mark.
        mark: String,
    },
    /// Next.js built it: of all that its scripts do, only what a browser shows comes along.
    NextJs,
    /// It asks its visitor to turn scripts on, and says little else.
    AsksForScript,
    /// Scripts, and next to no text or pictures.
    NoText,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyRoot { root } => write!(f, "its element {root} is empty until a script fills it"),
            Self::Template { mark } => write!(f, "a framework has to carry out its markup ({mark})"),
            Self::NextJs => {
                f.write_str("Next.js built it, whose scripts cannot run beside those of another Next.js")
            }
            Self::AsksForScript => f.write_str("it asks its visitor to switch scripts on"),
            Self::NoText => f.write_str("it holds next to no text"),
        }
    }
}

impl Reason {
    /// Does the page show little without a browser?
    #[must_use]
    pub fn shows_little(&self) -> bool {
        *self != Self::NextJs
    }
}

/// Why this document needs its scripts to run, if it does.
#[must_use]
pub fn needs_script(document: &Document<'_>) -> Option<Reason> {
    if !document.named("script").any(runs) {
        return None;
    }
    let seen = Seen::of(document);
    if let Some(mark) = seen.template {
        return Some(Reason::Template { mark });
    }
    if document.named("script").any(is_next_js) {
        return Some(Reason::NextJs);
    }
    if seen.letters >= LITTLE {
        return None;
    }
    if let Some(root) = seen.empty_root {
        return Some(Reason::EmptyRoot { root });
    }
    if seen.asks {
        return Some(Reason::AsksForScript);
    }
    (seen.letters < NEXT_TO_NOTHING && !seen.media).then_some(Reason::NoText)
}

#[derive(Default)]
struct Seen {
    letters: usize,
    media: bool,
    asks: bool,
    empty_root: Option<String>,
    template: Option<String>,
}

impl Seen {
    fn of(document: &Document<'_>) -> Self {
        let mut seen = Self::default();
        // How many elements around the place hide what is in them.
        let mut hidden = 0_usize;
        for step in document.steps() {
            match step {
                Step::Open(element) => {
                    seen.element(element);
                    hidden += usize::from(hides(element));
                }
                Step::Text(text) if hidden == 0 => seen.text(text.text()),
                Step::Text(_) => {}
                Step::Close(element) => hidden -= usize::from(hides(element)),
            }
        }
        seen
    }

    fn text(&mut self, text: &str) {
        // Enough is enough.
        if self.letters < LITTLE {
            self.letters += text.chars().filter(|c| c.is_alphanumeric()).count();
        }
        if memchr::memchr(b'{', text.as_bytes()).is_some()
            && let Some((_, rest)) = text.split_once("{{")
            && rest.contains("}}")
        {
            self.template.get_or_insert_with(|| "{{ }}".to_owned());
        }
    }

    fn element(&mut self, element: Element<'_>) {
        match element.name() {
            "img" | "svg" | "video" | "iframe" | "frame" | "object" | "embed" | "canvas" => self.media = true,
            "noscript" => self.asks |= asks(element),
            _ => {}
        }
        let name = element.name();
        let mut id = "";
        for (attribute, value) in element.attrs() {
            match attribute {
                "id" => id = value,
                "v-cloak" | "ng-cloak" => {
                    self.template.get_or_insert_with(|| "cloak".to_owned());
                }
                _ => {}
            }
        }
        let root = if ROOT_IDS.contains(&id) { Some(id) } else { ROOT_NAMES.contains(&name).then_some(name) };
        if let Some(root) = root
            && is_empty(element)
        {
            self.empty_root.get_or_insert_with(|| root.to_owned());
        }
    }
}

fn hides(element: Element<'_>) -> bool {
    matches!(element.name(), "script" | "style" | "template" | "noscript" | "head" | "textarea")
}

/// Whether a script does something: data for machines does not.
pub(crate) fn runs(element: Element<'_>) -> bool {
    let kind = element.attr("type").unwrap_or_default().trim().to_ascii_lowercase();
    let code = kind.strip_prefix("text/").or_else(|| kind.strip_prefix("application/"));
    let code = code.map(|code| code.strip_prefix("x-").unwrap_or(code));
    matches!(kind.as_str(), "" | "module" | "text/babel")
        || matches!(code, Some("javascript" | "ecmascript" | "jscript"))
}

fn is_next_js(script: Element<'_>) -> bool {
    let id = script.attr("id");
    known::is_of_next_js(id, "") || script.texts().any(|text| known::is_of_next_js(id, text.text()))
}

fn asks(noscript: Element<'_>) -> bool {
    let text: String = noscript.texts().map(|text| text.text().to_lowercase()).collect();
    ASKS.iter().any(|phrase| text.contains(phrase))
}

/// Whether nothing in it can be seen; a spinner of empty elements is nothing.
fn is_empty(root: Element<'_>) -> bool {
    let shows = |text: Text<'_>| {
        let shown = text.parent().is_none_or(|parent| !hides(parent));
        // "Loading…" is what stands there until the scripts have run.
        shown && text.text().chars().filter(|c| c.is_alphanumeric()).count() > NEXT_TO_NOTHING
    };
    // A spinner has no navigation either, but what it will fill may stand there.
    let says = |element: Element<'_>| {
        element.attr("hidden").is_none()
            && element.texts().any(|text| text.text().contains(char::is_alphanumeric))
    };
    let is_seen = |element: Element<'_>| match element.name() {
        "form" | "iframe" | "img" | "input" | "video" => true,
        "button" | "nav" | "table" => says(element),
        _ => false,
    };
    !root.texts().any(shows) && !root.elements().any(is_seen)
}

#[cfg(test)]
mod tests;
