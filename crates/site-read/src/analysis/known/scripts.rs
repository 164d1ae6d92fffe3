//! Scripts that are known by a piece of their address or text: what they are, whose, and how Next.js may load them. One table,
//! `known/scripts.tsv`, for the analysis of a site and for the project that is written. It never looks at what a script does.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::analysis::page::ScriptKind;

/// So much of a script's text is looked at.
const LOOKED_AT: usize = 64 * 1024;
const TABLE: &str = include_str!("../../../known/scripts.tsv");

/// A script of another party's, or a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// What it does.
    pub kind: ScriptKind,
    /// What people call it.
    pub name: &'static str,
    /// How it may be loaded apart from its page's other scripts; `None` if others may wait for it.
    pub loading: Option<Loading>,
}

/// When Next.js loads a script, by the names of `next/script`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Loading {
    /// As soon as the page answers.
    AfterInteractive,
    /// When the browser has nothing else to do.
    LazyOnload,
}

impl Loading {
    /// The name of the strategy.
    pub const fn strategy(self) -> &'static str {
        match self {
            Self::AfterInteractive => "afterInteractive",
            Self::LazyOnload => "lazyOnload",
        }
    }
}

struct Table {
    by_address: Vec<(&'static str, Service)>,
    by_text: Vec<(&'static str, Service)>,
}

static KNOWN: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { by_address: Vec::new(), by_text: Vec::new() };
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let (by_text, piece, service) = row(line).expect("a row of our own table, all of which a test reads");
        let rows = if by_text { &mut table.by_text } else { &mut table.by_address };
        rows.push((piece, service));
    }
    table
});

/// Is it about texts, which piece of them, and what has it?
fn row(line: &'static str) -> Option<(bool, &'static str, Service)> {
    let mut cells = line.split('\t');
    let by_text = match cells.next()? {
        "text" => true,
        "address" => false,
        _ => return None,
    };
    let piece = cells.next().filter(|piece| !piece.is_empty())?;
    let kind = match cells.next()? {
        "analytics" => ScriptKind::Analytics,
        "tag-manager" => ScriptKind::TagManager,
        "advertising" => ScriptKind::Advertising,
        "consent" => ScriptKind::Consent,
        "widget" => ScriptKind::Widget,
        "framework" => ScriptKind::Framework,
        "library" => ScriptKind::Library,
        _ => return None,
    };
    let name = cells.next().filter(|name| !name.is_empty())?;
    let loading = match cells.next()? {
        "-" => None,
        "afterInteractive" => Some(Loading::AfterInteractive),
        "lazyOnload" => Some(Loading::LazyOnload),
        _ => return None,
    };
    cells.next().is_none().then_some((by_text, piece, Service { kind, name, loading }))
}

/// What a script at this address is, if it is known.
pub fn at(address: &str) -> Option<Service> {
    find(&KNOWN.by_address, &address.to_ascii_lowercase())
}

/// What a script with this text is, if it is known. Reads the first 64 KiB of it.
pub fn saying(text: &str) -> Option<Service> {
    let end = text.floor_char_boundary(LOOKED_AT);
    find(&KNOWN.by_text, &text[..end].to_ascii_lowercase())
}

fn find(rows: &[(&str, Service)], text: &str) -> Option<Service> {
    rows.iter().find(|(piece, _)| text.contains(piece)).map(|(_, service)| *service)
}

/// Is a script of this `id`, or one that says this `code`, what Next.js reads of a page that it built, by its router of before
/// (`__NEXT_DATA__`) or today's (`self.__next_f`), or the queue of scripts that come first (`self.__next_s`)? A file alone says
/// nothing: a widget of another host may be made by Next.js, too.
#[must_use]
pub fn is_of_next_js(id: Option<&str>, code: &str) -> bool {
    let code = code.trim_start_matches(|c: char| c.is_whitespace() || "(;".contains(c));
    id == Some("__NEXT_DATA__") || ["self.__next_", "window.__next_"].iter().any(|it| code.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ScriptKind::{Analytics, Framework, Library, TagManager, Widget};

    #[test]
    fn every_row_is_read_in_lower_case_and_can_be_met() {
        let lines: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        let mut before: Vec<(bool, &str)> = Vec::new();
        for line in &lines {
            let (by_text, piece, _) = row(line).unwrap_or_else(|| panic!("{line:?} is no row"));
            assert_eq!(piece, piece.to_ascii_lowercase());
            let hidden = before.iter().find(|(text, earlier)| *text == by_text && piece.contains(earlier));
            assert_eq!(hidden, None, "{piece:?} is never met: a row before it fits whatever it fits");
            before.push((by_text, piece));
        }
        assert_eq!(KNOWN.by_address.len() + KNOWN.by_text.len(), lines.len());
    }

    #[test]
    fn well_known_scripts_are_named_with_how_they_are_loaded() {
        let named = |address: &str| at(address).map(|it| (it.kind, it.name, it.loading));
        let jquery = named("https://code.jquery.com/jquery-3.7.1.min.js");
        assert_eq!(jquery, Some((Library, "jQuery", None)));
        assert_eq!(named("/js/jquery-ui.min.js"), Some((Library, "jQuery UI", None)));
        let bootstrap = named("/vendor/bootstrap/js/bootstrap.bundle.min.js");
        assert_eq!(bootstrap, Some((Library, "Bootstrap", None)));
        let (after, lazy) = (Some(Loading::AfterInteractive), Some(Loading::LazyOnload));
        let tag = named("https://www.googletagmanager.com/gtag/js?id=G-1");
        assert_eq!(tag, Some((Analytics, "Google Analytics", after)));
        let manager = named("https://www.googletagmanager.com/gtm.js?id=GTM-1");
        assert_eq!(manager, Some((TagManager, "Google Tag Manager", after)));
        assert_eq!(named("https://client.crisp.chat/l.js"), Some((Widget, "Crisp", lazy)));
        let captcha = named("https://www.google.com/recaptcha/api.js");
        assert_eq!(captcha, Some((Widget, "reCAPTCHA", None)), "what is clicked may wait for it");
        assert_eq!(named("/_next/static/chunks/main.js"), Some((Framework, "Next.js", None)));
        assert_eq!(named("/js/site.js"), None);
        let says = |text: &str| saying(text).map(|it| (it.name, it.loading));
        assert_eq!(says("window.dataLayer=[];gtag('js',1)"), Some(("Google Analytics", after)));
        assert_eq!(says("var Tawk_API = Tawk_API || {}"), Some(("Tawk.to", lazy)));
        assert_eq!(says("_gat._getTracker('UA-1')"), Some(("Google Analytics", None)));
        assert_eq!(says("$('.menu').show()"), None);
    }
}
