//! Path patterns with `*` and a final `$`, and the spelling in which they meet addresses.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

/// What is written as an escape when both sides are brought into one spelling. `*` and `$` are among them
/// in addresses, since a pattern means them literally by `%2A` and `%24`.
const ESCAPED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}').add(b'*').add(b'$');

/// In a query the delimiters of an address inside it may stand as escapes or as themselves (RFC 9309,
/// section 2.2.2): in the second spelling they are all escapes.
const ESCAPED_IN_QUERY: &AsciiSet =
    &ESCAPED.add(b':').add(b'/').add(b'?').add(b'#').add(b'[').add(b']').add(b'@');

/// Path and query of an address in the spellings that patterns are matched against.
pub(super) struct Spelled {
    plain: String,
    /// Only where it differs.
    strict: Option<String>,
}

impl Spelled {
    pub(super) fn of(url: &Url) -> Self {
        let mut plain = normalise(url.path(), ESCAPED);
        let Some(query) = url.query() else {
            return Self { plain, strict: None };
        };
        plain.push('?');
        let strict = format!("{plain}{}", normalise(query, ESCAPED_IN_QUERY));
        plain.push_str(&normalise(query, ESCAPED));
        let strict = (strict != plain).then_some(strict);
        Self { plain, strict }
    }
}

/// A rule's path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    plain: Parts,
    /// The second spelling, for a pattern with a query where it differs.
    strict: Option<Parts>,
    weight: usize,
}

/// Literal parts between the stars.
#[derive(Debug, Clone, PartialEq)]
struct Parts {
    /// The first is anchored at the start.
    parts: Vec<String>,
    /// Whether the last is anchored at the end.
    to_end: bool,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let (body, to_end) = match text.strip_suffix('$') {
            Some(body) => (body, true),
            None => (text, false),
        };
        let parts: Vec<String> = body.split('*').map(|part| normalise(part, ESCAPED)).collect();
        let stars = parts.len() - 1;
        let weight = parts.iter().map(String::len).sum::<usize>() + stars + usize::from(to_end);
        let strict = strict_parts(body).filter(|strict| *strict != parts);
        let plain = Parts { parts, to_end };
        Self { plain, strict: strict.map(|parts| Parts { parts, to_end }), weight }
    }

    /// Length of the pattern: the longer one is the more specific one.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    pub(super) fn matches(&self, path: &Spelled) -> bool {
        if self.plain.matches(&path.plain) {
            return true;
        }
        if self.strict.is_none() && path.strict.is_none() {
            return false;
        }
        let path = path.strict.as_deref().unwrap_or(&path.plain);
        self.strict.as_ref().unwrap_or(&self.plain).matches(path)
    }
}

impl Parts {
    /// Leftmost matching of each part is enough for stars, and never goes back.
    fn matches(&self, path: &str) -> bool {
        let Some((first, rest)) = self.parts.split_first() else {
            return true;
        };
        let Some(mut left) = path.strip_prefix(first.as_str()) else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return !self.to_end || left.is_empty();
        };
        for part in middle {
            let Some(at) = left.find(part.as_str()) else {
                return false;
            };
            left = &left[at + part.len()..];
        }
        if self.to_end { left.ends_with(last.as_str()) } else { left.contains(last.as_str()) }
    }
}

/// The parts with what stands behind the first `?` in the second spelling; `None` without a query.
fn strict_parts(body: &str) -> Option<Vec<String>> {
    let (path, query) = body.split_once('?')?;
    let mut parts: Vec<String> = path.split('*').map(|part| normalise(part, ESCAPED)).collect();
    let mut behind = query.split('*').map(|part| normalise(part, ESCAPED_IN_QUERY));
    if let (Some(last), Some(first)) = (parts.last_mut(), behind.next()) {
        last.push('?');
        last.push_str(&first);
    }
    parts.extend(behind);
    Some(parts)
}

/// One spelling for each path: escapes of plain characters are undone, all others are written in
/// capitals, and raw characters beyond ASCII are escaped. Reserved characters of a path keep the form they
/// have, since `%2F` and `/` differ.
fn normalise(path: &str, escaped: &'static AsciiSet) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        out.extend(utf8_percent_encode(&rest[..at], escaped));
        let digits = rest.get(at + 1..at + 3).filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (digits, byte) {
            (Some(digits), Some(byte)) => {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    out.push(char::from(byte));
                } else {
                    out.push('%');
                    out.push_str(&digits.to_ascii_uppercase());
                }
                rest = &rest[at + 3..];
            }
            _ => {
                // A sign that begins no escape means itself; left alone it could become part of one.
                out.push_str("%25");
                rest = &rest[at + 1..];
            }
        }
    }
    out.extend(utf8_percent_encode(rest, escaped));
    out
}
