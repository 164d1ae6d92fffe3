//! Which addresses mean the same thing.
//!
//! The normal form is for comparing only; what is requested stays as the site wrote it.

use url::Url;

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

/// One spelling for all spellings of an address: no fragment, no empty query, plain characters
/// unescaped, other escapes in capitals. (Case of scheme and host, default port and dot segments are
/// settled by the URL parser.)
#[must_use]
pub fn normal_form(url: &Url) -> String {
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

fn unescape_plain(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let escape = rest[at..].get(..3);
        let byte = escape.and_then(|escape| u8::from_str_radix(&escape[1..], 16).ok());
        match (escape, byte) {
            (Some(_), Some(byte)) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
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

    use super::normal_form;

    #[test]
    fn spellings_of_one_address_have_one_form() {
        for (a, b) in [
            ("http://EX.com:80/a#x", "http://ex.com/a"),
            ("http://ex.com/%7euser/%c3%a9", "http://ex.com/~user/\u{e9}"),
            ("http://ex.com/a?", "http://ex.com/a"),
            ("http://ex.com/x/../a?q=%41", "http://ex.com/a?q=A"),
            ("http://ex.com", "http://ex.com/"),
        ] {
            let form = |text| normal_form(&Url::parse(text).expect("a URL"));
            assert_eq!(form(a), form(b), "{a} {b}");
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
        ] {
            let form = |text| normal_form(&Url::parse(text).expect("a URL"));
            assert_ne!(form(a), form(b), "{a} {b}");
        }
    }
}
