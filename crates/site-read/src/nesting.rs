//! How deep a document nests, judged before it is parsed.
//!
//! The parsing rules of HTML look up the stack of open elements again and again, so a document that
//! is nothing but opening tags takes time by the square of its length. Browsers stop at 512 levels.

/// Deeper documents are not read. Generous, because unclosed tags count although most do not nest.
const MAX_OPEN: usize = 5_000;

/// Elements that close themselves or whose end tag people leave out.
const NOT_COUNTED: [&[u8]; 25] = [
    b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta", b"param",
    b"source", b"track", b"wbr", b"p", b"li", b"td", b"th", b"tr", b"dt", b"dd", b"option", b"tbody",
    b"thead", b"frame",
];

/// Whether the document opens so many more elements than it closes that parsing it is not safe.
pub(crate) fn is_excessive(html: &str) -> bool {
    let bytes = html.as_bytes();
    let mut open = 0_usize;
    for (at, _) in html.match_indices('<') {
        match bytes.get(at + 1) {
            Some(b'/') => open = open.saturating_sub(1),
            Some(first) if first.is_ascii_alphabetic() => {
                open += usize::from(counts(&bytes[at + 1..]));
                if open > MAX_OPEN {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

fn counts(tag: &[u8]) -> bool {
    let length = tag.iter().position(|byte| !byte.is_ascii_alphanumeric());
    let name = &tag[..length.unwrap_or(tag.len()).min(16)];
    !NOT_COUNTED.iter().any(|other| name.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests {
    use super::is_excessive;

    #[test]
    fn only_towers_of_open_elements_are_excessive() {
        assert!(is_excessive(&"<div>".repeat(100_000)));
        assert!(is_excessive(&"<ul><li>".repeat(50_000)));
        assert!(!is_excessive(&"<div></div>".repeat(100_000)));
        assert!(!is_excessive(&"<p>a<br><img src=x>".repeat(100_000)));
        assert!(!is_excessive(&"<table><tr><td><b>x</b></table>".repeat(50_000)));
        assert!(!is_excessive(&"1 < 2 < ".repeat(10_000)));
    }
}
