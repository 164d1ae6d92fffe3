//! Bytes to text as the HTML standard orders it: byte order mark, header, declaration in the
//! document, then the default.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

use crate::media_type;

/// How far a declaration is looked for. Browsers stop at 1,024 bytes or wait longer, depending on the
/// network; real pages put comments and scripts before it.
const PRESCAN: usize = 4096;

/// A decoded document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without a byte order mark.
    pub text: String,
    /// Name of the encoding it was in.
    pub charset: &'static str,
}

/// Decodes an HTML document.
#[must_use]
pub fn decode_html(body: &[u8], content_type: Option<&str>) -> Decoded {
    let encoding = from_header(content_type)
        .or_else(|| prescan(&body[..body.len().min(PRESCAN)]))
        .unwrap_or_else(|| undeclared(body));
    decode(body, encoding)
}

/// Decodes a style sheet.
#[must_use]
pub fn decode_css(body: &[u8], content_type: Option<&str>) -> Decoded {
    let encoding = from_header(content_type).or_else(|| at_charset(body)).unwrap_or(UTF_8);
    decode(body, encoding)
}

fn decode(body: &[u8], encoding: &'static Encoding) -> Decoded {
    // A byte order mark outranks everything; `decode` looks for it and removes it.
    let (text, used, _) = encoding.decode(body);
    Decoded { text: text.into_owned(), charset: used.name() }
}

fn from_header(content_type: Option<&str>) -> Option<&'static Encoding> {
    Encoding::for_label(media_type::charset(content_type?)?.as_bytes())
}

/// Nothing declared: text that is valid UTF-8 beyond ASCII hardly ever is anything else; all other
/// gets the default of the web.
fn undeclared(body: &[u8]) -> &'static Encoding {
    if !body.is_ascii() && std::str::from_utf8(body).is_ok() { UTF_8 } else { WINDOWS_1252 }
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
mod tests {
    use super::{decode_css, decode_html};

    #[test]
    fn each_source_of_the_encoding_in_its_order() {
        for (body, header, charset, text) in [
            (&b"\xef\xbb\xbf\xc3\xa9"[..], Some("text/html; charset=latin1"), "UTF-8", "\u{e9}"),
            (b"\xff\xfea\0", None, "UTF-16LE", "a"),
            (b"<meta charset=utf-8>\xe9", Some("text/html;charset=ISO-8859-1"), "windows-1252", "\u{e9}"),
            (
                b"<!-- <meta charset=big5> --><META CHARSET = 'Shift_JIS'>\x83\x65",
                None,
                "Shift_JIS",
                "\u{30c6}",
            ),
            (
                b"<meta http-equiv=Content-Type content=\"text/html; charset=euc-kr\">\xb0\xa1",
                None,
                "EUC-KR",
                "\u{ac00}",
            ),
            (b"<meta name=description content='charset=big5'><p>\xe9", None, "windows-1252", "\u{e9}"),
            (b"<?xml version='1.0' encoding='iso-8859-2'?>\xe6", None, "ISO-8859-2", "\u{107}"),
            (b"<meta charset=utf-16>\xc3\xa9", None, "UTF-8", "\u{e9}"),
            (b"<meta charset=nonsense>\xe9", None, "windows-1252", "\u{e9}"),
            (b"undeclared \xc3\xa9", None, "UTF-8", "\u{e9}"),
            (b"undeclared \xe9", None, "windows-1252", "\u{e9}"),
            (b"plain", None, "windows-1252", "plain"),
        ] {
            let decoded = decode_html(body, header);
            assert_eq!(decoded.charset, charset, "{text}");
            assert!(decoded.text.ends_with(text), "{:?}", decoded.text);
        }
    }

    #[test]
    fn style_sheets_are_utf_8_unless_they_say_otherwise() {
        assert_eq!(decode_css(b"a{}", None).charset, "UTF-8");
        assert_eq!(decode_css(b"@charset \"iso-8859-1\";a{}", None).charset, "windows-1252");
    }
}
