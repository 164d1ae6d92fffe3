//! Parameters that change nothing about the page: who sent the visitor, and the visitor's session.
//!
//! Names that sites use for their own matters too count only with a value that looks drawn at random.

use std::borrow::Cow;

use url::Url;

/// Beginnings of names that campaigns and counters use.
const TRACKING_FAMILIES: [&str; 7] = ["utm_", "mtm_", "matomo_", "piwik_", "pk_", "__hs", "_hs"];
const TRACKING: [&str; 29] = [
    "gclid",
    "gclsrc",
    "gbraid",
    "wbraid",
    "dclid",
    "fbclid",
    "msclkid",
    "yclid",
    "ysclid",
    "twclid",
    "ttclid",
    "li_fat_id",
    "igshid",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "_ga",
    "_gl",
    "hsctatracking",
    "vero_id",
    "vero_conv",
    "wickedid",
    "oly_enc_id",
    "oly_anon_id",
    "s_kwcid",
    "_openstat",
    "epik",
    "srsltid",
    "rb_clickid",
];
/// Names that mean a session whatever their value.
const SESSIONS: [&str; 6] = ["phpsessid", "jsessionid", "oscsid", "xtcsid", "zenid", "cftoken"];
/// Names that mean a session if the value looks like one.
const PERHAPS_SESSIONS: [&str; 7] = ["sid", "s", "session", "sessionid", "session_id", "sess", "sessid"];
/// A shorter value is rather a number or a word.
const SHORTEST_TOKEN: usize = 16;

/// Names of parameters by which scripts keep caches from answering.
const CACHE_BUSTERS: [&str; 16] = [
    "_",
    "_dc",
    "_t",
    "_ts",
    "bust",
    "cachebuster",
    "cb",
    "nocache",
    "r",
    "rand",
    "random",
    "rnd",
    "t",
    "time",
    "timestamp",
    "ts",
];

/// The address without tracking parameters and session ids; the rest stays as it was written.
pub(crate) fn without_noise(url: &Url) -> Cow<'_, Url> {
    let query = url.query().filter(|query| query.split('&').any(is_noise));
    let path = url.path();
    let marked = path.contains(';') || path.contains("(S(") || path.contains("(s(");
    if query.is_none() && !marked {
        return Cow::Borrowed(url);
    }
    let mut clean = url.clone();
    if let Some(query) = query {
        clean.set_query(without(query, is_noise).as_deref());
    }
    if marked {
        let segments: Vec<&str> = path.split('/').filter(|segment| !is_cookieless(segment)).collect();
        let segments: Vec<String> = segments.into_iter().map(without_parameters).collect();
        clean.set_path(&segments.join("/"));
    }
    Cow::Owned(clean)
}

/// What is left of a query when some of its parameters are taken out; none for nothing.
fn without(query: &str, goes: fn(&str) -> bool) -> Option<String> {
    let kept: Vec<&str> = query.split('&').filter(|parameter| !goes(parameter)).collect();
    Some(kept.join("&")).filter(|kept| !kept.is_empty())
}

/// The address without what scripts put there so that no cache answers: the time, or a number drawn by lot.
#[must_use]
pub fn without_cache_buster(url: &Url) -> Cow<'_, Url> {
    let Some(query) = url.query().filter(|query| query.split('&').any(is_cache_buster)) else {
        return Cow::Borrowed(url);
    };
    let mut clean = url.clone();
    clean.set_query(without(query, is_cache_buster).as_deref());
    Cow::Owned(clean)
}

fn is_cache_buster(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or(("_", parameter));
    if !CACHE_BUSTERS.contains(&name.to_ascii_lowercase().as_str()) {
        return false;
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // Seconds or milliseconds from 2001 to 2033.
    let time = digits(value) && value.starts_with('1') && matches!(value.len(), 10 | 13);
    time || value.strip_prefix("0.").is_some_and(|rest| rest.len() >= 8 && digits(rest))
}

fn is_noise(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let name = name.to_ascii_lowercase();
    let name = name.as_str();
    TRACKING.contains(&name)
        || TRACKING_FAMILIES.iter().any(|family| name.starts_with(family))
        || SESSIONS.contains(&name)
        || name.starts_with("aspsessionid")
        || (PERHAPS_SESSIONS.contains(&name) && is_token(value))
}

/// Long, of letters and digits mixed: drawn at random, not written by a person.
fn is_token(value: &str) -> bool {
    value.len() >= SHORTEST_TOKEN
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_,".contains(&byte))
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The segment `(S(lit3py55t21z5v55vlm25s55))` in which one server keeps its sessions.
fn is_cookieless(segment: &str) -> bool {
    let inner = segment.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    inner.is_some_and(|inner| inner.len() > 3 && inner[1..].starts_with('(') && inner.ends_with(')'))
}

/// A segment without `;jsessionid=…`.
fn without_parameters(segment: &str) -> String {
    let mut parts = segment.split(';');
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for parameter in parts.filter(|parameter| !is_noise(parameter)) {
        kept.push(';');
        kept.push_str(parameter);
    }
    kept
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::without_noise;

    #[test]
    fn marks_of_visits_go_and_the_rest_stays() {
        for (written, clean) in [
            ("/a?utm_source=n&UTM_Medium=m&id=7&fbclid=x", "/a?id=7"),
            ("/a?gclid=1", "/a"),
            ("/a?q=utm_source&b=%20&a", "/a?q=utm_source&b=%20&a"),
            ("/a?PHPSESSID=1&x=2", "/a?x=2"),
            ("/a?sid=3fa94b1c77d20e5519aa", "/a"),
            ("/a?sid=5&s=shoes&session=2026-summer", "/a?sid=5&s=shoes&session=2026-summer"),
            ("/a;jsessionid=1F0;v=2/b", "/a;v=2/b"),
            ("/(S(lit3py55t21z5v55vlm25s55))/a.aspx", "/a.aspx"),
            ("/(x)/a;b", "/(x)/a;b"),
            ("/a?ref=x&page=2", "/a?ref=x&page=2"),
        ] {
            let url = Url::parse("http://e.com").and_then(|base| base.join(written)).expect("a URL");
            let found = without_noise(&url);
            assert_eq!(&found.as_str()["http://e.com".len()..], clean, "{written}");
        }
    }
}
