//! The candidates of a srcset attribute, as the HTML standard splits them.

use std::ops::Range;

/// The byte range of each URL in the attribute's value.
///
/// A comma ends a candidate only after white space or a descriptor, or at the end of the URL itself,
/// so that URLs with commas inside (image services, `data:`) stay whole.
#[must_use]
pub fn candidates(value: &str) -> Vec<Range<usize>> {
    let bytes = value.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii_whitespace() || bytes[at] == b',' {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && !bytes[at].is_ascii_whitespace() {
            at += 1;
        }
        let url = value[start..at].trim_end_matches(',');
        if !url.is_empty() {
            found.push(start..start + url.len());
        }
        if url.len() < at - start {
            continue;
        }
        at = after_descriptors(bytes, at);
    }
    found
}

/// Skips width and density descriptors up to the comma that ends them; commas in parentheses do not.
fn after_descriptors(bytes: &[u8], mut at: usize) -> usize {
    let mut open = false;
    while at < bytes.len() {
        match bytes[at] {
            b'(' => open = true,
            b')' => open = false,
            b',' if !open => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn splits_as_browsers_do() {
        for (value, urls) in [
            ("a.jpg", vec!["a.jpg"]),
            ("a.jpg 1x, b.jpg 2x", vec!["a.jpg", "b.jpg"]),
            ("a.jpg, b.jpg 2x", vec!["a.jpg", "b.jpg"]),
            ("a.jpg 100w,b.jpg 200w", vec!["a.jpg", "b.jpg"]),
            (" ,a,b.jpg 1x ,, c.jpg", vec!["a,b.jpg", "c.jpg"]),
            (
                "/f_auto,w_10/a.jpg 1x,\n\t/f_auto,w_20/a.jpg 2x",
                vec!["/f_auto,w_10/a.jpg", "/f_auto,w_20/a.jpg"],
            ),
            ("data:image/png;base64,AA 1x, b.jpg 2x", vec!["data:image/png;base64,AA", "b.jpg"]),
            ("a.jpg (x,y), b.jpg", vec!["a.jpg", "b.jpg"]),
            ("", vec![]),
            (" , ", vec![]),
        ] {
            let found: Vec<&str> = candidates(value).into_iter().map(|r| &value[r]).collect();
            assert_eq!(found, urls, "{value:?}");
        }
    }
}
