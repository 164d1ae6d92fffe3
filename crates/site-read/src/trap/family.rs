//! What is left of an address when numbers and values are taken out.

use std::hash::{DefaultHasher, Hash, Hasher};

use url::Url;

use super::Trap;

/// Parameters of calendars.
const DATES: [&str; 9] =
    ["month", "year", "day", "date", "week", "ym", "yearmonth", "eventdate", "tribe-bar-date"];
/// Parameters that count the pages of a list.
const PAGES: [&str; 12] = [
    "page",
    "p",
    "paged",
    "pg",
    "start",
    "offset",
    "seite",
    "pagina",
    "pageno",
    "page_num",
    "pagenumber",
    "skip",
];
/// Parameters that only arrange what is shown.
const ARRANGEMENTS: [&str; 11] = [
    "sort", "sortby", "sort_by", "order", "orderby", "order_by", "sortdir", "dir", "per_page", "perpage",
    "pagesize",
];

#[derive(Debug)]
pub(super) struct Family {
    /// The whole pattern.
    pub(super) key: u64,
    /// The path's pattern alone.
    pub(super) path: u64,
    /// Names of the parameters, sorted.
    pub(super) parameters: Vec<u64>,
    /// Whether a parameter only arranges what is shown.
    pub(super) arranges: bool,
    /// What it would be as a trap.
    pub(super) trap: Trap,
}

impl Family {
    /// The family of an address; `None` for one that stands alone.
    pub(super) fn of(url: &Url) -> Option<Self> {
        let query = url.query().unwrap_or_default();
        let numbers = has_numbers(url.path());
        if !numbers && query.is_empty() {
            return None;
        }
        let mut names: Vec<String> = query.split('&').map(name).filter(|name| !name.is_empty()).collect();
        names.sort_unstable();
        names.dedup();
        let path = if numbers { pattern(url.path()) } else { url.path().to_owned() };
        let among = |list: &[&str]| names.iter().any(|name| list.contains(&name.as_str()));
        let trap = if among(&DATES) || is_dated(url.path()) {
            Trap::Calendar
        } else if among(&PAGES) || path.contains("/page/#") || path.contains("/seite/#") {
            Trap::Pagination
        } else {
            Trap::Alike
        };
        Some(Self {
            key: hash(&(&path, &names)),
            path: hash(&path),
            arranges: among(&ARRANGEMENTS),
            parameters: names.iter().map(hash).collect(),
            trap,
        })
    }
}

/// The same in each process of one build: no seed of chance is in it.
pub(super) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

pub(super) fn has_numbers(path: &str) -> bool {
    path.bytes().any(|byte| byte.is_ascii_digit())
}

fn name(parameter: &str) -> String {
    // `filter[color]` and `filter[size]` are different filters; `id[0]` and `id[1]` are not.
    let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
    if has_numbers(&name) { pattern(&name) } else { name }
}

/// The path with each number, and each word that holds one in its midst, replaced.
fn pattern(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        let letters = word.find(|c: char| c.is_ascii_digit());
        match letters {
            None => out.push_str(word),
            Some(at) => {
                // `page12` counts pages; `3fa94b` is one of many names.
                if word[at..].bytes().all(|byte| byte.is_ascii_digit()) {
                    out.push_str(&word[..at]);
                }
                out.push('#');
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// `/2026/11`, `/2026-11-21`, or a calendar by name.
fn is_dated(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    if path.contains("calendar") || path.contains("kalender") {
        return true;
    }
    let mut numbers = path.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let year = |part: &str| part.len() == 4 && (part.starts_with("19") || part.starts_with("20"));
    let month = |part: &str| part.len() <= 2 && part.parse().is_ok_and(|n: u8| (1..=12).contains(&n));
    numbers.any(year) && numbers.next().is_some_and(month)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Option<Family> {
        Family::of(&Url::parse("http://e.com").and_then(|base| base.join(path)).expect("a path"))
    }

    #[test]
    fn numbers_and_values_make_no_difference() {
        for (a, b) in [
            ("/a/12", "/a/7"),
            ("/page12.html", "/page7.html"),
            ("/session/3fa94b1c/", "/session/77d20e/"),
            ("/l?p=1&s=x", "/l?s=y&p=2"),
            ("/l?id[0]=1", "/l?id[1]=1"),
        ] {
            assert_eq!(of(a).expect(a).key, of(b).expect(b).key, "{a} {b}");
        }
        for (a, b) in
            [("/a/1", "/b/1"), ("/page1", "/item1"), ("/l?p=1", "/l?q=1"), ("/l?f[a]=1", "/l?f[b]=1")]
        {
            assert_ne!(of(a).expect(a).key, of(b).expect(b).key, "{a} {b}");
        }
        assert!(of("/about/us.html").is_none());
    }

    #[test]
    fn families_have_kinds() {
        for (path, trap) in [
            ("/events/2026/11/", Trap::Calendar),
            ("/events/2026-11-21", Trap::Calendar),
            ("/calendar?month=3", Trap::Calendar),
            ("/kalender/3", Trap::Calendar),
            ("/blog/page/7/", Trap::Pagination),
            ("/l?offset=20", Trap::Pagination),
            ("/article-2026", Trap::Alike),
            ("/index.php?id=7", Trap::Alike),
        ] {
            assert_eq!(of(path).expect(path).trap, trap, "{path}");
        }
    }
}
