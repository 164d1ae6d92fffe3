//! Which attributes of which elements hold addresses, as data.

use super::Kind;

/// What an attribute's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Address(Kind),
    Srcset,
    /// An address or CSS.
    Background,
}

const ADDRESSES: &[(&str, &str, Kind)] = &[
    ("a", "href", Kind::Link),
    ("area", "href", Kind::Link),
    ("iframe", "src", Kind::Link),
    ("iframe", "data-src", Kind::Link),
    ("frame", "src", Kind::Link),
    ("script", "src", Kind::Asset),
    ("img", "src", Kind::Asset),
    ("source", "src", Kind::Asset),
    ("video", "src", Kind::Asset),
    ("video", "poster", Kind::Asset),
    ("audio", "src", Kind::Asset),
    ("track", "src", Kind::Asset),
    ("object", "data", Kind::Asset),
    ("embed", "src", Kind::Asset),
    ("input", "src", Kind::Asset),
    ("image", "href", Kind::Asset),
    ("use", "href", Kind::Asset),
    ("feimage", "href", Kind::Asset),
    ("feImage", "href", Kind::Asset),
];

/// Lazy loaders' attributes, wherever they stand.
const LAZY: &[&str] = &["data-src", "data-original", "data-lazy", "data-lazy-src", "data-poster"];
const LAZY_SRCSET: &[&str] = &["data-srcset", "data-lazy-srcset"];
const LAZY_BACKGROUND: &[&str] = &["data-bg", "data-background", "data-background-image", "data-bg-src"];

pub(super) fn meaning(element: &str, attribute: &str) -> Option<Meaning> {
    let row = ADDRESSES.iter().find(|row| row.0 == element && row.1 == attribute);
    if let Some(row) = row {
        return Some(Meaning::Address(row.2));
    }
    if attribute == "srcset" || LAZY_SRCSET.contains(&attribute) {
        return Some(Meaning::Srcset);
    }
    if LAZY.contains(&attribute) {
        return Some(Meaning::Address(Kind::Asset));
    }
    let old = attribute == "background" && matches!(element, "body" | "table" | "td" | "th" | "tr");
    if old || LAZY_BACKGROUND.contains(&attribute) {
        return Some(Meaning::Background);
    }
    None
}

/// What a `<link>` of this `rel` is for; `None` for those that only prepare connections.
pub(super) fn link_kind(rel: &str) -> Option<Kind> {
    let mut kind = None;
    for word in rel.split_ascii_whitespace() {
        match word.to_ascii_lowercase().as_str() {
            "stylesheet"
            | "icon"
            | "apple-touch-icon"
            | "apple-touch-icon-precomposed"
            | "mask-icon"
            | "fluid-icon"
            | "apple-touch-startup-image"
            | "manifest"
            | "preload"
            | "modulepreload"
            | "image_src"
            | "pingback-icon" => return Some(Kind::Asset),
            "canonical" | "alternate" | "next" | "prev" | "prefetch" | "prerender" | "first" | "last"
            | "up" | "start" | "contents" | "index" | "author" | "license" | "help" | "search"
            | "amphtml" | "home" => kind = Some(Kind::Link),
            _ => {}
        }
    }
    kind
}

/// Meta elements whose content is the address of an image.
pub(super) fn is_image_meta(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "og:image"
            | "og:image:url"
            | "og:image:secure_url"
            | "twitter:image"
            | "twitter:image:src"
            | "msapplication-tileimage"
            | "thumbnail"
    )
}

/// Elements that a visitor sees although they hold no text.
pub(super) fn shows(element: &str) -> bool {
    matches!(
        element,
        "img"
            | "svg"
            | "video"
            | "audio"
            | "canvas"
            | "iframe"
            | "frame"
            | "object"
            | "embed"
            | "input"
            | "button"
    )
}

/// The address in `5; url=next.html`.
pub(super) fn refresh_target(content: &str) -> Option<&str> {
    let (_, rest) = content.split_once([';', ','])?;
    let rest = rest.trim_start();
    let target = match rest.get(..3) {
        Some(word) if word.eq_ignore_ascii_case("url") => {
            rest[3..].trim_start().strip_prefix('=')?.trim_start()
        }
        _ => rest,
    };
    let target = target.trim_matches(['"', '\'', ' ']);
    (!target.is_empty()).then_some(target)
}
