//! Which addresses mean the same thing.
//!
//! The normal form is for comparing only; what is requested stays as the site wrote it, but for marks
//! that tell the site who came from where ([`without_noise`]). Spellings that often mean one page but need not, as
//! with and without a slash at the end, have one [`loose_form`]; whether they are one page only their
//! content can tell.

mod noise;

use url::Url;

pub use noise::without_cache_buster;
pub(crate) use noise::without_noise;

/// The address without its fragment.
#[must_use]
pub fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}

/// Whether both belong to one site: same scheme, host and port.
#[must_use]
pub fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host_str() == b.host_str()
        && a.port_or_known_default() == b.port_or_known_default()
}

/// Whether two origins are often one site: with and without `www.`, over http and https.
#[must_use]
pub(crate) fn are_siblings(a: &Url, b: &Url) -> bool {
    let bare = |url: &Url| {
        let host = url.host_str().unwrap_or_default();
        host.strip_prefix("www.").unwrap_or(host).to_owned()
    };
    // A port that is written out belongs to one scheme.
    let ports = a.port() == b.port() && (a.port().is_none() || a.scheme() == b.scheme());
    ports && bare(a) == bare(b)
}

/// One spelling for all spellings of an address: no fragment, no empty query, no tracking parameters
/// and session ids, plain characters unescaped, other escapes in capitals. (Case of scheme and host,
/// default port and dot segments are settled by the URL parser.)
#[must_use]
pub fn normal_form(url: &Url) -> String {
    let form = spelled(&without_noise(url));
    if !form.contains('%') && !url.as_str().contains('%') {
        return form;
    }
    // Names written with escapes are known for noise only now that they are written plainly.
    match Url::parse(&form) {
        Ok(plain) => spelled(&without_noise(&plain)),
        Err(_) => form,
    }
}

fn spelled(url: &Url) -> String {
    let mut out = String::with_capacity(url.as_str().len());
    out.push_str(url.scheme());
    out.push_str("://");
    out.push_str(url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        out.push(':');
        out.push_str(&port.to_string());
    }
    unescape_plain(url.path(), &mut out);
    if let Some(query) = url.query().filter(|query| !query.is_empty()) {
        out.push('?');
        unescape_plain(query, &mut out);
    }
    out
}

/// File names that servers answer for their folder.
const INDEX_PAGES: [&str; 10] = [
    "index.html",
    "index.htm",
    "index.php",
    "index.xhtml",
    "index.shtml",
    "index.asp",
    "index.aspx",
    "index.jsp",
    "default.aspx",
    "default.htm",
];

/// One spelling for all that servers often answer with the same page: besides the normal form without
/// regard to case, to a slash at the end, to the name of an index page and to the order of parameters.
#[must_use]
pub(crate) fn loose_form(url: &Url) -> String {
    let form = normal_form(url).to_lowercase();
    let (path, query) = form.split_once('?').unwrap_or((&form, ""));
    let index =
        INDEX_PAGES.iter().find_map(|name| path.strip_suffix(name)).filter(|rest| rest.ends_with('/'));
    let path = index.unwrap_or(path).trim_end_matches('/');
    let mut parameters: Vec<&str> = query.split('&').filter(|parameter| !parameter.is_empty()).collect();
    parameters.sort_unstable();
    format!("{path}?{}", parameters.join("&"))
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Whether the byte, written plainly, would make an escape of a percent sign that begins none.
fn would_complete(out: &str, byte: u8) -> bool {
    let out = out.as_bytes();
    let is_open = out.ends_with(b"%") || matches!(out, [.., b'%', digit] if digit.is_ascii_hexdigit());
    is_open && byte.is_ascii_hexdigit()
}

fn unescape_plain(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let escape =
            rest[at..].get(..3).filter(|escape| escape[1..].bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = escape.and_then(|escape| u8::from_str_radix(&escape[1..], 16).ok());
        match (escape, byte) {
            (Some(_), Some(byte)) if is_plain(byte) && !would_complete(out, byte) => {
                out.push(char::from(byte));
                rest = &rest[at + 3..];
            }
            (Some(escape), Some(_)) => {
                out.push_str(&escape.to_ascii_uppercase());
                rest = &rest[at + 3..];
            }
            _ => {
                out.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{are_siblings, loose_form, normal_form};

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn spellings_of_one_address_have_one_form() {
        for (a, b) in [
            ("http://EX.com:80/a#x", "http://ex.com/a"),
            ("http://ex.com/%7euser/%c3%a9", "http://ex.com/~user/\u{e9}"),
            ("http://ex.com/a?", "http://ex.com/a"),
            ("http://ex.com/x/../a?q=%41", "http://ex.com/a?q=A"),
            ("http://ex.com", "http://ex.com/"),
            ("http://ex.com/a?utm_source=x&id=1", "http://ex.com/a?id=1"),
            ("http://ex.com/a;jsessionid=1F?id=1", "http://ex.com/a?id=1"),
        ] {
            assert_eq!(normal_form(&url(a)), normal_form(&url(b)), "{a} {b}");
        }
    }

    #[test]
    fn different_addresses_stay_different() {
        for (a, b) in [
            ("http://ex.com/a%2Fb", "http://ex.com/a/b"),
            ("http://ex.com/a", "http://ex.com/a/"),
            ("http://ex.com/a", "http://ex.com/A"),
            ("http://ex.com/?a=1&b=2", "http://ex.com/?b=2&a=1"),
            ("http://ex.com/", "https://ex.com/"),
            ("http://ex.com/%25%", "http://ex.com/%%"),
            ("http://ex.com/?sid=5", "http://ex.com/?sid=6"),
        ] {
            assert_ne!(normal_form(&url(a)), normal_form(&url(b)), "{a} {b}");
        }
    }

    #[test]
    fn what_is_often_one_page_has_one_loose_form() {
        for (a, b) in [
            ("http://ex.com/a", "http://ex.com/a/"),
            ("http://ex.com/a/Index.HTML", "http://ex.com/A/"),
            ("http://ex.com/index.php", "http://ex.com/"),
            ("http://ex.com/?a=1&b=2", "http://ex.com/?b=2&a=1"),
        ] {
            assert_eq!(loose_form(&url(a)), loose_form(&url(b)), "{a} {b}");
        }
        for (a, b) in [
            ("http://ex.com/a", "http://ex.com/b"),
            ("http://ex.com/myindex.html", "http://ex.com/my"),
            ("http://ex.com/a?x=1", "http://ex.com/a?x=2"),
        ] {
            assert_ne!(loose_form(&url(a)), loose_form(&url(b)), "{a} {b}");
        }
    }

    #[test]
    fn siblings_differ_by_www_or_scheme_only() {
        for (a, b, siblings) in [
            ("http://ex.com/", "https://www.ex.com/x", true),
            ("http://www.ex.com:8080/", "http://ex.com:8080/", true),
            ("http://ex.com:8080/", "https://ex.com:8080/", false),
            ("http://ex.com/", "http://shop.ex.com/", false),
            ("http://ex.com/", "http://ex.org/", false),
        ] {
            assert_eq!(are_siblings(&url(a), &url(b)), siblings, "{a} {b}");
        }
    }
}
