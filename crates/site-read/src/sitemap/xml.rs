//! Sitemaps with their extensions for pictures, films, news and languages; RSS and Atom.
//!
//! One walk for all of them: what a text or an attribute means follows from its element's name and the
//! element around it. Prefixes are as the documents of the extensions write them.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{List, Named};

/// Open elements that are remembered; what nests deeper is no sitemap.
const MAX_DEPTH: usize = 64;

pub(super) fn read(text: &str) -> Named {
    let mut walk = Walk::default();
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    loop {
        let goes_on = match reader.read_event() {
            Ok(Event::Start(tag)) => walk.attributes(&tag) && walk.open(&tag),
            Ok(Event::Empty(tag)) => walk.attributes(&tag),
            Ok(Event::Text(part)) => walk.text(&String::from_utf8_lossy(&part)),
            Ok(Event::CData(part)) => walk.text(&String::from_utf8_lossy(&part)),
            Ok(Event::GeneralRef(name)) => walk.text(entity(&name)),
            Ok(Event::End(_)) => walk.close(),
            Ok(Event::Eof) | Err(_) => false,
            Ok(_) => true,
        };
        if !goes_on {
            return walk.found;
        }
    }
}

#[derive(Default)]
struct Walk {
    found: Named,
    /// Names of the open elements.
    open: Vec<Vec<u8>>,
    /// What the text of the innermost one is, if it is an address.
    list: Option<List>,
    address: String,
}

impl Walk {
    fn open(&mut self, tag: &BytesStart<'_>) -> bool {
        let name = tag.name().as_ref().to_ascii_lowercase();
        let outer = self.open.last().map(Vec::as_slice).unwrap_or_default();
        self.list = text_of(&name, outer);
        // A guid is an address unless it says that it is none.
        if name == b"guid" && attribute(tag, "isPermaLink").is_some_and(|value| value == "false") {
            self.list = None;
        }
        self.address.clear();
        self.open.push(name);
        self.open.len() <= MAX_DEPTH
    }

    fn text(&mut self, part: &str) -> bool {
        if self.list.is_some() && self.address.len() <= super::MAX_ADDRESS {
            self.address.push_str(part);
        }
        true
    }

    fn close(&mut self) -> bool {
        self.open.pop();
        match self.list.take() {
            Some(list) => self.found.add(list, &self.address),
            None => true,
        }
    }

    /// Addresses in attributes: alternates of a page, an Atom entry's links, what a feed encloses.
    fn attributes(&mut self, tag: &BytesStart<'_>) -> bool {
        let outer = self.open.last().map(Vec::as_slice).unwrap_or_default();
        let found = match tag.name().as_ref() {
            b"xhtml:link" => attribute(tag, "href").map(|href| (List::Pages, href)),
            b"link" | b"atom:link" if outer != b"item" => attribute(tag, "href").and_then(|href| {
                let list = match attribute(tag, "rel").as_deref() {
                    None | Some("alternate" | "next" | "prev" | "first" | "last") => List::Pages,
                    Some("enclosure") => List::Assets,
                    Some(_) => return None,
                };
                Some((list, href))
            }),
            b"enclosure" => attribute(tag, "url").map(|url| (List::Assets, url)),
            b"media:content" | b"media:thumbnail" => attribute(tag, "url").map(|url| (List::Assets, url)),
            b"itunes:image" => attribute(tag, "href").map(|href| (List::Assets, href)),
            b"content" => attribute(tag, "src").map(|src| (List::Pages, src)),
            _ => None,
        };
        found.is_none_or(|(list, address)| self.found.add(list, &address))
    }
}

/// What the text of an element is, by its name and that of the element around it.
fn text_of(name: &[u8], outer: &[u8]) -> Option<List> {
    match (name, outer) {
        (b"image:loc" | b"video:thumbnail_loc" | b"video:content_loc", _) => Some(List::Assets),
        (b"video:player_loc", _) => Some(List::Pages),
        (b"loc", b"sitemap") => Some(List::Sitemaps),
        (b"loc", _) => Some(List::Pages),
        (name, outer) if name.ends_with(b":loc") => {
            Some(if outer.ends_with(b":sitemap") { List::Sitemaps } else { List::Pages })
        }
        (b"link", b"item" | b"channel") | (b"guid" | b"comments", b"item") => Some(List::Pages),
        (b"url", b"image") | (b"logo" | b"icon", b"feed") => Some(List::Assets),
        _ => None,
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    let value = String::from_utf8_lossy(&attribute.value);
    Some(value.replace("&amp;", "&"))
}

fn entity(name: &[u8]) -> &'static str {
    match name {
        b"amp" | b"#38" | b"#x26" => "&",
        b"lt" => "<",
        b"gt" => ">",
        b"quot" => "\"",
        b"apos" | b"#39" | b"#x27" => "'",
        _ => "",
    }
}
