//! Which attributes of which elements hold addresses, as data.

use super::Kind;
use crate::lazy;

/// What an attribute's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Address(Kind),
    Srcset,
    /// An address, if it looks like one.
    Late,
    /// The same, or CSS.
    LateBackground,
    /// The picture of a button, if the element is one.
    Button,
    /// A page or something else, by the element's type.
    Embedded,
    /// A whole document.
    Document,
}

/// What the attribute of this name means on this element.
pub(super) fn meaning(element: &str, attribute: &str) -> Option<Meaning> {
    use Meaning::{Address, Button, Document, Embedded, Late, LateBackground, Srcset};
    let found = match (attribute, element) {
        ("href", "a" | "area") => Address(Kind::Link),
        ("href", "image" | "use" | "feimage" | "feImage" | "script") => Address(Kind::Asset),
        ("src" | "data-src", "iframe" | "frame") => Address(Kind::Link),
        ("src", "script" | "img" | "source" | "video" | "audio" | "track") => Address(Kind::Asset),
        ("src", "input") => Button,
        ("src", "embed") | ("data", "object") => Embedded,
        ("poster", "video") | ("manifest", "html") => Address(Kind::Asset),
        ("longdesc", "img" | "iframe" | "frame") => Address(Kind::Link),
        ("srcdoc", "iframe") => Document,
        ("background", "body" | "table" | "td" | "th" | "tr") => Address(Kind::Asset),
        ("srcset", _) => Srcset,
        (name, _) if lazy::SETS.contains(&name) => Srcset,
        (name, _) if lazy::ADDRESSES.contains(&name) => Late,
        (name, _) if lazy::BACKGROUNDS.contains(&name) => LateBackground,
        _ => return None,
    };
    Some(found)
}

/// What a link of this `rel` and `type` is for; `None` for those that only prepare connections, and for
/// programs' views of a page, of which there is one for each page.
pub(super) fn link_kind(rel: &str, media_type: &str) -> Option<Kind> {
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
            | "image_src" => return Some(Kind::Asset),
            "canonical" | "alternate" | "next" | "prev" | "previous" | "prefetch" | "prerender" | "first"
            | "last" | "up" | "start" | "contents" | "index" | "author" | "license" | "help" | "search"
            | "amphtml" | "home" | "sitemap" | "feed" => kind = Some(Kind::Link),
            _ => {}
        }
    }
    kind.filter(|_| !media_type.contains("oembed"))
}

/// What the content of a meta element of this name is, if it is an address.
pub(super) fn meta_kind(name: &str) -> Option<Kind> {
    match name.to_ascii_lowercase().as_str() {
        "og:image"
        | "og:image:url"
        | "og:image:secure_url"
        | "og:video"
        | "og:video:url"
        | "og:video:secure_url"
        | "og:audio"
        | "og:audio:url"
        | "twitter:image"
        | "twitter:image:src"
        | "twitter:player:stream"
        | "msapplication-tileimage"
        | "msapplication-square70x70logo"
        | "msapplication-square150x150logo"
        | "msapplication-wide310x150logo"
        | "msapplication-square310x310logo"
        | "thumbnail" => Some(Kind::Asset),
        "og:url" => Some(Kind::Link),
        _ => None,
    }
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
