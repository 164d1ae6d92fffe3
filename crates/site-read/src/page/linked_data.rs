//! Addresses in JSON-LD: pictures that search engines show, and pages that an entry is about.

use serde_json::Value;

use super::Kind;

/// Values looked at in one script; the parser itself bounds how deep they nest.
const MAX_VALUES: usize = 20_000;

/// The addresses and what each is for. A script that is no JSON holds none.
pub(super) fn references(text: &str) -> Vec<(Kind, String)> {
    let Ok(whole) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let mut found = Vec::new();
    // Each value with the meaning of the member that it stands in.
    let mut waiting = vec![(None, &whole)];
    let mut seen = 0;
    while let Some((meaning, value)) = waiting.pop() {
        seen += 1;
        if seen > MAX_VALUES {
            break;
        }
        match value {
            Value::String(address) => {
                // `{search_term}` stands for what a visitor would type.
                if let Some(kind) = meaning.filter(|_| is_address(address)) {
                    found.push((kind, address.clone()));
                }
            }
            Value::Array(items) => waiting.extend(items.iter().rev().map(|item| (meaning, item))),
            Value::Object(members) => {
                let first = waiting.len();
                waiting.extend(members.iter().map(|(name, value)| (member(name, meaning), value)));
                waiting[first..].reverse();
            }
            _ => {}
        }
    }
    found
}

/// What an address under this name is for, in an object that stands for `outer`.
fn member(name: &str, outer: Option<Kind>) -> Option<Kind> {
    match name {
        "image" | "logo" | "photo" | "thumbnail" | "thumbnailUrl" | "primaryImageOfPage" | "contentUrl" => {
            Some(Kind::Asset)
        }
        // An image's own address is the image, anything else's is its page.
        "url" => Some(outer.unwrap_or(Kind::Link)),
        "@id" | "item" | "mainEntityOfPage" | "isPartOf" | "hasPart" | "significantLink" | "relatedLink" => {
            (outer != Some(Kind::Asset)).then_some(Kind::Link)
        }
        _ => None,
    }
}

fn is_address(text: &str) -> bool {
    let begins = text.starts_with("http://") || text.starts_with("https://") || text.starts_with('/');
    begins && !text.contains(['{', '}', ' ', '\n'])
}

#[cfg(test)]
mod tests {
    use super::super::Kind::{Asset, Link};
    use super::references;

    #[test]
    fn pictures_and_pages() {
        for (json, expected) in [
            (r#"{"@type":"Article","image":"https://e.com/a.png"}"#, vec![(Asset, "https://e.com/a.png")]),
            (
                r#"{"image":["/a.png",{"@type":"ImageObject","url":"/b.png"}]}"#,
                vec![(Asset, "/a.png"), (Asset, "/b.png")],
            ),
            (
                r#"{"@graph":[{"url":"/x"},{"mainEntityOfPage":{"@id":"/y"}}]}"#,
                vec![(Link, "/x"), (Link, "/y")],
            ),
            (r#"{"itemListElement":[{"position":1,"item":"/crumb"}]}"#, vec![(Link, "/crumb")]),
            (r#"{"potentialAction":{"target":"/s?q={q}"},"name":"/no"}"#, vec![]),
            (r#"{"url":"mailto:x@e.com"}"#, vec![]),
            ("not json", vec![]),
        ] {
            let found = references(json);
            let found: Vec<_> = found.iter().map(|(kind, url)| (*kind, url.as_str())).collect();
            assert_eq!(found, expected, "{json}");
        }
    }

    #[test]
    fn endless_and_deep_data_is_bounded() {
        assert_eq!(references(&("[".repeat(100_000) + &"]".repeat(100_000))), []);
        let many = format!("{{\"url\":[{}\"/x\"]}}", "\"/x\",".repeat(100_000));
        assert!(references(&many).len() <= super::MAX_VALUES);
    }
}
