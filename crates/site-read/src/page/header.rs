//! References in response headers: `Link` by RFC 8288, and `Refresh`.

use url::Url;

use super::{Kind, attributes};

/// Most links of one answer.
const MAX_LINKS: usize = 200;

/// What the headers of an answer from `address` refer to.
pub(crate) fn links<'a>(
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    address: &Url,
) -> Vec<(Kind, Url)> {
    let mut found = Vec::new();
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("link") {
            for (target, rel, media_type) in parse(value) {
                if let Some(kind) = attributes::link_kind(&rel, &media_type) {
                    found.extend(address.join(target).ok().map(|url| (kind, url)));
                }
            }
        } else if name.eq_ignore_ascii_case("refresh")
            && let Some(target) = attributes::refresh_target(value)
        {
            found.extend(address.join(target).ok().map(|url| (Kind::Link, url)));
        }
    }
    found.retain(|(_, url)| matches!(url.scheme(), "http" | "https"));
    found.truncate(MAX_LINKS);
    found
}

/// Target, `rel` and `type` of each link of a header's value.
fn parse(value: &str) -> Vec<(&str, String, String)> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(open) = rest.find('<') {
        let Some(length) = rest[open..].find('>') else { break };
        let target = &rest[open + 1..open + length];
        let parameters = &rest[open + length + 1..];
        let end = end_of_link(parameters);
        let get = |name| parameter(&parameters[..end], name).unwrap_or_default();
        found.push((target, get("rel"), get("type")));
        rest = &parameters[end..];
        if found.len() >= MAX_LINKS {
            break;
        }
    }
    found
}

/// Where the comma before the next link is: not inside a quoted string.
fn end_of_link(parameters: &str) -> usize {
    let mut quoted = false;
    let comma = parameters.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b',' && !quoted
    });
    comma.unwrap_or(parameters.len())
}

fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::Kind;
    use super::links;

    #[test]
    fn link_and_refresh_headers() {
        let base = Url::parse("http://e.com/dir/a").expect("a URL");
        for (name, value, expected) in [
            ("link", "</s.css>; rel=preload; as=style", vec![(Kind::Asset, "http://e.com/s.css")]),
            (
                "Link",
                "<b?x=1,2>; rel=\"next\"; title=\"a, b\", <c>; rel=\"prev nofollow\"",
                vec![(Kind::Link, "http://e.com/dir/b?x=1,2"), (Kind::Link, "http://e.com/dir/c")],
            ),
            (
                "link",
                "<https://e.com/>; rel=canonical, <x>; rel=preconnect",
                vec![(Kind::Link, "https://e.com/")],
            ),
            ("link", "<feed.xml>; rel=alternate; type=\"application/json+oembed\"", vec![]),
            ("refresh", "0; url=/next", vec![(Kind::Link, "http://e.com/next")]),
            ("link", "<broken; rel=next", vec![]),
            ("link", "<javascript:x>; rel=next", vec![]),
            ("x-link", "<a>; rel=next", vec![]),
        ] {
            let found = links([(name, value)].into_iter(), &base);
            let found: Vec<_> = found.iter().map(|(kind, url)| (*kind, url.as_str())).collect();
            assert_eq!(found, expected, "{name}: {value}");
        }
        let flood = "<a>; rel=next,".repeat(100_000);
        assert_eq!(links([("link", flood.as_str())].into_iter(), &base).len(), 200);
    }
}
