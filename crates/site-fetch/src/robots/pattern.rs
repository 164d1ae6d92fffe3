//! Path patterns with `*` and a final `$`.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What stays encoded when both sides are brought into one form.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}');

/// A rule's path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    /// Literal parts between the stars; the first is anchored at the start.
    parts: Vec<String>,
    /// Whether the last part is anchored at the end.
    to_end: bool,
    weight: usize,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let (body, to_end) = match text.strip_suffix('$') {
            Some(body) => (body, true),
            None => (text, false),
        };
        let parts: Vec<String> = body.split('*').map(normalise).collect();
        let stars = parts.len() - 1;
        let weight = parts.iter().map(String::len).sum::<usize>() + stars + usize::from(to_end);
        Self { parts, to_end, weight }
    }

    /// Length of the pattern: the longer one is the more specific one.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// Leftmost matching of each part is enough for stars, and never goes back.
    pub(super) fn matches(&self, path: &str) -> bool {
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

/// One spelling for each path: escapes of plain characters are undone, all others are written in
/// capitals, and raw characters beyond ASCII are escaped. Reserved characters keep the form they have,
/// since `%2F` and `/` differ.
pub(super) fn normalise(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        out.extend(utf8_percent_encode(&rest[..at], ESCAPED));
        let escape = rest[at..].get(..3);
        let byte = escape.and_then(|escape| u8::from_str_radix(&escape[1..], 16).ok());
        match (escape, byte) {
            (Some(escape), Some(byte)) => {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    out.push(char::from(byte));
                } else {
                    out.push_str(&escape.to_ascii_uppercase());
                }
                rest = &rest[at + 3..];
            }
            _ => {
                out.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    out.extend(utf8_percent_encode(rest, ESCAPED));
    out
}
