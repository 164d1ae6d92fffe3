//! How Next's configuration names an address: a pattern for the path, regular expressions for the query.

use url::Url;

use super::Matcher;

/// Matches this address and no other.
pub(crate) fn matcher(url: &Url) -> Matcher {
    let query = url
        .query_pairs()
        .map(|(name, value)| (name.into_owned(), escape(&value, REGULAR_EXPRESSION)))
        .collect();
    Matcher { source: escape(url.path(), PATTERN), query }
}

/// What means something in a path pattern.
const PATTERN: &str = "\\:(){}*+?";
/// What means something in a regular expression.
const REGULAR_EXPRESSION: &str = "\\^$.|?*+()[]{}";

fn escape(text: &str, special: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_mean_themselves() {
        let url = Url::parse("http://a.example/x(1)/:y?page=a.b*").expect("a URL");
        let made = matcher(&url);
        assert_eq!(made.source, "/x\\(1\\)/\\:y");
        assert_eq!(made.query["page"], "a\\.b\\*");
    }
}
