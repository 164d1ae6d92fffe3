//! The one walk over a document: opens, texts and closes in their order, handed to the collectors. Does not
//! recurse, so that nesting cannot exhaust the stack.

use url::Url;

use super::forms::Forms;
use super::head::Head;
use super::media::Media;
use super::outline::Outline;
use super::parts::Parts;
use super::scripts::Scripts;
use super::text::Words;
use super::{PageAnalysis, PageInput};
use crate::page::base;
use crate::tree::{Document, Element, Step};

/// Where in the document the walk is.
pub(super) struct Place<'a> {
    /// The page's own address.
    pub(super) page: &'a Url,
    /// What addresses in it are relative to.
    pub(super) base: Url,
    /// Elements around that show no text: scripts, styles, templates.
    pub(super) silent: u32,
    /// Elements around that are not the page's own matter: header, navigation, aside, footer.
    pub(super) frame: u32,
    /// Navigations around.
    pub(super) navigation: u32,
}

impl Place<'_> {
    /// An address of the document, absolute; `None` for what is none.
    pub(super) fn url(&self, address: &str) -> Option<Url> {
        let address = address.trim();
        if address.is_empty() { None } else { self.base.join(address).ok() }
    }

    /// Is it plainly an address on this host? One that is not may be so all the same.
    pub(super) fn stays(&self, address: &str) -> bool {
        let address = address.trim();
        let end = address.find(['/', '?', '#']).unwrap_or(address.len());
        let no_host = !address.starts_with("//") && !address.contains('\\');
        no_host && !address.is_empty() && !address[..end].contains(':') && !self.is_foreign(&self.base)
    }

    /// Is it on another host?
    pub(super) fn is_foreign(&self, url: &Url) -> bool {
        matches!(url.scheme(), "http" | "https") && url.host_str() != self.page.host_str()
    }
}

/// Walks and collects.
pub(super) fn walk(document: &Document<'_>, input: &PageInput<'_>) -> PageAnalysis {
    let mut place =
        Place { page: input.url, base: base(document, input.url), silent: 0, frame: 0, navigation: 0 };
    let mut all = Collectors::default();
    for step in document.steps() {
        match step {
            Step::Open(element) => {
                enter(&mut place, element, 1);
                all.open(element, &place);
            }
            Step::Text(text) => all.text(text.text(), &place),
            Step::Close(element) => {
                all.close(element, &place);
                enter(&mut place, element, -1);
            }
        }
    }
    all.finish()
}

fn enter(place: &mut Place<'_>, element: Element<'_>, by: i32) {
    let add = |count: &mut u32| *count = count.saturating_add_signed(by);
    match element.name() {
        "script" | "style" | "template" | "noscript" | "noframes" | "title" => add(&mut place.silent),
        "header" | "aside" | "footer" => add(&mut place.frame),
        "nav" => {
            add(&mut place.frame);
            add(&mut place.navigation);
        }
        _ => {}
    }
}

#[derive(Default)]
struct Collectors {
    head: Head,
    outline: Outline,
    forms: Forms,
    scripts: Scripts,
    media: Media,
    parts: Parts,
    words: Words,
}

impl Collectors {
    fn open(&mut self, element: Element<'_>, place: &Place<'_>) {
        self.head.open(element, place);
        self.outline.open(element);
        self.forms.open(element, place);
        self.scripts.open(element, place);
        self.media.open(element, place);
        self.parts.open(element);
    }

    fn text(&mut self, text: &str, place: &Place<'_>) {
        self.head.text(text);
        self.scripts.text(text);
        if place.silent == 0 && !text.trim_ascii().is_empty() {
            self.outline.text(text);
            self.forms.text(text);
            self.media.text(text);
            self.parts.text(text);
            self.words.text(text, place);
        }
    }

    fn close(&mut self, element: Element<'_>, place: &Place<'_>) {
        self.head.close(element);
        self.outline.close(element);
        self.forms.close(element);
        self.scripts.close(element);
        self.media.close(element, place);
        self.parts.close();
    }

    fn finish(self) -> PageAnalysis {
        let mut page = PageAnalysis { version: PageAnalysis::VERSION, ..PageAnalysis::default() };
        self.head.finish(&mut page);
        self.outline.finish(&mut page);
        self.forms.finish(&mut page);
        self.scripts.finish(&mut page);
        self.media.finish(&mut page);
        self.parts.finish(&mut page);
        page.text = self.words.finish();
        page
    }
}
