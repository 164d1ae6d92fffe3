//! Addresses that never end: growing paths and query strings without number.

use std::collections::HashMap;

use url::Url;

/// A segment this often in one path means that relative links lead ever deeper into themselves.
const MAX_REPEATS: usize = 3;
const MAX_SEGMENTS: usize = 40;
const MAX_LENGTH: usize = 2000;

/// Why an address is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trap {
    /// The path repeats itself or is too long.
    GrowingPath,
    /// Too many query strings under one path.
    QueryVariants,
}

/// Whether the path grows by repeating itself.
pub(crate) fn is_growing(url: &Url) -> bool {
    if url.as_str().len() > MAX_LENGTH {
        return true;
    }
    let mut times: HashMap<&str, usize> = HashMap::new();
    let segments = url.path_segments().into_iter().flatten();
    for (count, segment) in segments.filter(|segment| !segment.is_empty()).enumerate() {
        let seen = times.entry(segment).or_default();
        *seen += 1;
        if *seen > MAX_REPEATS || count >= MAX_SEGMENTS {
            return true;
        }
    }
    false
}

/// Counts query strings, and path parameters such as `;jsessionid=…`, under each path.
#[derive(Debug, Default)]
pub(crate) struct Variants {
    taken: HashMap<String, usize>,
}

impl Variants {
    /// Whether one more variant of this address's path is within the cap; counts it if so.
    pub(crate) fn admit(&mut self, url: &Url, cap: usize) -> bool {
        let (path, parameters) = url.path().split_once(';').unwrap_or((url.path(), ""));
        if parameters.is_empty() && url.query().is_none_or(str::is_empty) {
            return true;
        }
        let taken = self.taken.entry(path.to_owned()).or_default();
        let room = *taken < cap;
        *taken += usize::from(room);
        room
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{Variants, is_growing};

    fn url(path: &str) -> Url {
        Url::parse("http://ex.com").and_then(|base| base.join(path)).expect("a path")
    }

    #[test]
    fn paths_that_repeat_are_growing() {
        assert!(is_growing(&url("/a/b/a/b/a/b/a/")));
        assert!(is_growing(&url(&"/x1/y".repeat(25))));
        assert!(is_growing(&url(&format!("/{}", "a".repeat(3000)))));
        assert!(!is_growing(&url("/2026/11/11/11.html")));
        assert!(!is_growing(&url("/a//b///c/")));
    }

    #[test]
    fn variants_are_counted_by_path() {
        let mut variants = Variants::default();
        assert!(variants.admit(&url("/a?x=1"), 2));
        assert!(variants.admit(&url("/a;s=1"), 2));
        assert!(!variants.admit(&url("/a?x=3"), 2));
        assert!(variants.admit(&url("/a"), 2));
        assert!(variants.admit(&url("/b?x=1"), 2));
    }
}
