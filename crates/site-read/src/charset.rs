//! Bytes to text as the HTML standard orders it: byte order mark, header, declaration in the
//! document, then what browsers guess from the bytes.
//!
//! A declaration that the bytes contradict is followed all the same, since that is what visitors see; it is told.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use url::{Host, Url};

use crate::media_type;

/// How far a declaration is looked for. Browsers stop at 1,024 bytes or wait longer, depending on the
/// network; real pages put comments and scripts before it.
const PRESCAN: usize = 4096;
/// How much of a document is guessed from.
const GUESSED_FROM: usize = 256 * 1024;

/// A decoded document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without a byte order mark.
    pub text: String,
    /// Name of the encoding it was in.
    pub charset: &'static str,
    /// How the encoding was found.
    pub source: Source,
    /// What speaks against it.
    pub doubt: Option<Doubt>,
}

/// How an encoding was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A byte order mark.
    Mark,
    /// The answer's Content-Type.
    Header,
    /// The document.
    Document,
    /// The bytes.
    Guess,
}

/// What speaks against the encoding that was declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Some bytes mean nothing in it; visitors see replacement characters there.
    Malformed,
    /// The bytes are UTF-8; visitors see two or three wrong characters for each that is not ASCII.
    IsUtf8,
}

impl Doubt {
    /// What a person should know.
    #[must_use]
    pub const fn note(self) -> &'static str {
        match self {
            Self::Malformed => {
                "some bytes mean nothing in the encoding that is declared: declare the right one"
            }
            Self::IsUtf8 => "the text is UTF-8, but another encoding is declared: declare UTF-8",
        }
    }
}

/// Decodes an HTML document that came from `address`, whose top-level domain helps guessing.
#[must_use]
pub fn decode_html(body: &[u8], content_type: Option<&str>, address: &Url) -> Decoded {
    let declared = from_header(content_type).map(|found| (found, Source::Header));
    let declared = declared.or_else(|| Some((of_xml(body)?, Source::Document)));
    let head = &body[..body.len().min(PRESCAN)];
    let declared = declared.or_else(|| Some((prescan(head)?, Source::Document)));
    let (encoding, source) = declared.unwrap_or_else(|| (guess(body, content_type, address), Source::Guess));
    decode(body, encoding, source)
}

/// Decodes a style sheet.
#[must_use]
pub fn decode_css(body: &[u8], content_type: Option<&str>) -> Decoded {
    let declared = from_header(content_type).map(|found| (found, Source::Header));
    let declared = declared.or_else(|| Some((at_charset(body)?, Source::Document)));
    let (encoding, source) = declared.unwrap_or((UTF_8, Source::Guess));
    decode(body, encoding, source)
}

fn decode(body: &[u8], encoding: &'static Encoding, source: Source) -> Decoded {
    // A byte order mark outranks everything; `decode` looks for it and removes it.
    let (text, used, malformed) = encoding.decode(body);
    let source = if Encoding::for_bom(body).is_some() { Source::Mark } else { source };
    let doubt = if malformed {
        Some(Doubt::Malformed)
    } else if used != UTF_8 && source != Source::Mark && is_utf8(body) {
        Some(Doubt::IsUtf8)
    } else {
        None
    };
    let doubt = doubt.filter(|_| source != Source::Guess);
    Decoded { text: text.into_owned(), charset: used.name(), source, doubt }
}

/// Text that is valid UTF-8 beyond ASCII hardly ever is anything else. ISO-2022 is ASCII by its bytes.
fn is_utf8(body: &[u8]) -> bool {
    !body.is_ascii() && std::str::from_utf8(body).is_ok()
}

fn from_header(content_type: Option<&str>) -> Option<&'static Encoding> {
    Encoding::for_label(media_type::charset(content_type?)?.as_bytes())
}

/// Nothing declared: what browsers guess. XML that declares nothing is UTF-8.
fn guess(body: &[u8], content_type: Option<&str>, address: &Url) -> &'static Encoding {
    if content_type.is_some_and(|kind| kind.trim_start().starts_with("application/xhtml+xml")) {
        return UTF_8;
    }
    // Guessing ISO-2022-JP would let a page hide markup from whoever reads it as ASCII.
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&body[..body.len().min(GUESSED_FROM)], body.len() <= GUESSED_FROM);
    let domain = match address.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.').rsplit('.').next(),
        _ => None,
    };
    // Only plain lower-case labels are known to the detector.
    let domain = domain.filter(|label| label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
    detector.guess(domain.map(str::as_bytes), Utf8Detection::Allow)
}

/// UTF-16 that begins as an XML declaration does (HTML standard, "prescan a byte stream").
fn of_xml(body: &[u8]) -> Option<&'static Encoding> {
    if body.starts_with(b"<\0?\0x\0") {
        Some(UTF_16LE)
    } else if body.starts_with(b"\0<\0?\0x") {
        Some(UTF_16BE)
    } else {
        None
    }
}

fn at_charset(body: &[u8]) -> Option<&'static Encoding> {
    let rest = body.strip_prefix(b"@charset \"")?;
    let end = rest.iter().take(100).position(|byte| *byte == b'"')?;
    Encoding::for_label(&rest[..end]).map(readable)
}

/// What a declaration inside the document means: it was read as ASCII, so it cannot be UTF-16.
fn readable(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == UTF_16BE || encoding == UTF_16LE {
        UTF_8
    } else if encoding == X_USER_DEFINED {
        WINDOWS_1252
    } else {
        encoding
    }
}

fn prescan(head: &[u8]) -> Option<&'static Encoding> {
    let text: String = head.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    let mut rest = text.as_str();
    if rest.starts_with("<?xml") {
        let declaration = rest.split('>').next().unwrap_or_default();
        if let Some(found) = label_after(declaration, "encoding") {
            return Some(found);
        }
    }
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = &comment[comment.find("-->")?..];
        } else if let Some(tag) = rest.strip_prefix("<meta") {
            let end = tag.find('>').unwrap_or(tag.len());
            // Before the declaration the word can also stand in a description.
            let names_type = tag[..end].contains("content-type") || !tag[..end].contains("content=");
            let found = label_after(&tag[..end], "charset");
            if let (Some(found), true) = (found, names_type) {
                return Some(found);
            }
            rest = &tag[end..];
        } else {
            rest = &rest[1..];
        }
    }
    None
}

/// The encoding named after `word =`, quoted or not.
fn label_after(text: &str, word: &str) -> Option<&'static Encoding> {
    text.match_indices(word).find_map(|(at, _)| {
        let value = text[at + word.len()..].trim_start().strip_prefix('=')?;
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        let end = value.find(|c: char| c.is_ascii_whitespace() || "\"';/>?".contains(c));
        let label = &value[..end.unwrap_or(value.len())];
        Encoding::for_label(label.as_bytes()).map(readable)
    })
}

#[cfg(test)]
mod tests;
