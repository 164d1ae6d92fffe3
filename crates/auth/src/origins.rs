//! Where pages of ours may be opened, and which requests of a browser come from there.
//!
//! A browser sends its cookie along whoever asked for the request, so a cookie counts only with a `Host` that is
//! ours (a foreign name may be made to lead to our address) and an `Origin` that is the same. Bearer tokens need
//! none of this: no page of somebody else's has them.

use crate::Error;

/// The cookie over plain http, which is for this machine's own names.
const PLAIN: &str = "resettle_session";
/// Over https: browsers keep a cookie of such a name only if no other host can have set it.
const SECURE: &str = "__Host-resettle_session";

/// What of a request tells who sends it, header by header.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent<'a> {
    /// `Authorization`.
    pub authorization: Option<&'a str>,
    /// `Cookie`.
    pub cookie: Option<&'a str>,
    /// `Host`.
    pub host: Option<&'a str>,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// `Sec-Fetch-Site`, where a foreign page has no business; `None` for a page that may be linked to.
    pub fetch_site: Option<&'a str>,
}

/// The origins that pages are served at. With none named, this machine's own names, on any port.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    named: Vec<Origin>,
}

/// One origin (RFC 6454): how and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    authority: String,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (secure, authority) = match text.split_once("://")? {
            ("https", authority) => (true, authority.strip_suffix(":443").unwrap_or(authority)),
            ("http", authority) => (false, authority.strip_suffix(":80").unwrap_or(authority)),
            _ => return None,
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        let good = !authority.is_empty() && authority.bytes().all(plain);
        good.then(|| Self { secure, authority: authority.to_owned() })
    }

    fn cookie_name(&self) -> &'static str {
        if self.secure { SECURE } else { PLAIN }
    }

    /// The header that hands a session's token to the browser: out of reach of scripts, and not sent along with what
    /// other sites ask for.
    pub fn cookie(&self, token: &str, seconds: u64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", self.cookie_name())
    }

    /// The header that takes it back.
    pub fn no_cookie(&self) -> String {
        self.cookie("", 0)
    }
}

impl Origins {
    /// From configuration: `https://resettle.example`, with a port if it is not the scheme's own. The error is the
    /// one that is none.
    pub fn parse(named: &[String]) -> Result<Self, String> {
        let parsed = named.iter().map(|text| Origin::parse(text).ok_or_else(|| text.clone()));
        Ok(Self { named: parsed.collect::<Result<_, _>>()? })
    }

    /// The origin that a request was sent to, if it is one of ours.
    pub fn of(&self, host: Option<&str>) -> Result<Origin, Error> {
        let host = host.unwrap_or_default().to_ascii_lowercase();
        if self.named.is_empty() {
            let own = is_loopback(&host).then(|| Origin { secure: false, authority: host.clone() });
            return own.ok_or(Error::Host(host));
        }
        let here = |origin: &&Origin| {
            let port = if origin.secure { ":443" } else { ":80" };
            origin.authority == host.strip_suffix(port).unwrap_or(&host)
        };
        self.named.iter().find(here).cloned().ok_or(Error::Host(host))
    }

    /// The token in the cookie, if there is one, once it is sure that a page of ours sent it.
    pub(crate) fn token<'a>(&self, sent: &Sent<'a>) -> Result<&'a str, Error> {
        let cookies = sent.cookie.ok_or(Error::Missing)?;
        if ![PLAIN, SECURE].iter().any(|name| value(cookies, name).is_some()) {
            return Err(Error::Missing);
        }
        let here = self.of(sent.host)?;
        if let Some(origin) = sent.origin {
            same(&here, origin)?;
        }
        if let Some(site) = sent.fetch_site.filter(|site| !["same-origin", "none"].contains(site)) {
            return Err(Error::Origin(site.to_owned()));
        }
        value(cookies, here.cookie_name()).ok_or(Error::Missing)
    }

    /// Does a page of ours send this? For what changes something: browsers name the origin then.
    pub fn sent_by_us(&self, sent: &Sent<'_>) -> Result<Origin, Error> {
        let here = self.of(sent.host)?;
        same(&here, sent.origin.unwrap_or("none"))?;
        Ok(here)
    }
}

fn same(here: &Origin, origin: &str) -> Result<(), Error> {
    if Origin::parse(origin).as_ref() == Some(here) {
        return Ok(());
    }
    Err(Error::Origin(origin.to_owned()))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

/// A cookie's value (RFC 6265, section 5.4).
fn value<'a>(cookies: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, value)| *found == name && !value.is_empty()).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(origins: &Origins, sent: Sent<'_>) -> Result<String, String> {
        origins.token(&sent).map(str::to_owned).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn a_cookie_counts_only_where_we_are_and_only_from_there() {
        let local = Origins::default();
        let good =
            Sent { cookie: Some("a=b; resettle_session=t"), host: Some("localhost:8080"), ..Sent::default() };
        let table: [(Sent<'_>, Result<&str, &str>); 13] = [
            (good, Ok("t")),
            (Sent { host: Some("127.0.0.1"), ..good }, Ok("t")),
            (Sent { host: Some("[::1]:80"), ..good }, Ok("t")),
            (Sent { origin: Some("http://localhost:8080"), ..good }, Ok("t")),
            (Sent { fetch_site: Some("same-origin"), ..good }, Ok("t")),
            (Sent { cookie: None, ..good }, Err("Missing")),
            (Sent { cookie: Some("resettle_session="), ..good }, Err("Missing")),
            (Sent { host: None, ..good }, Err("Host")),
            (Sent { host: Some("evil.example:8080"), ..good }, Err("Host")),
            (Sent { host: Some("localhost.evil.example"), ..good }, Err("Host")),
            (Sent { origin: Some("http://localhost:8081"), ..good }, Err("Origin")),
            (Sent { origin: Some("null"), ..good }, Err("Origin")),
            (Sent { fetch_site: Some("cross-site"), ..good }, Err("Origin")),
        ];
        for (sent, expected) in table {
            match (token(&local, sent), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{sent:?}"),
                (Err(error), Err(expected)) => assert!(error.starts_with(expected), "{sent:?}: {error}"),
                (found, _) => panic!("{sent:?}: {found:?}"),
            }
        }
    }

    #[test]
    fn with_names_given_no_other_counts_and_https_has_a_cookie_of_its_own() {
        let origins = Origins::parse(&["https://Resettle.example".into()]).expect("an origin");
        let cookie = Some("resettle_session=plain; __Host-resettle_session=secure");
        let sent = Sent { cookie, host: Some("resettle.example"), ..Sent::default() };
        assert_eq!(token(&origins, sent).as_deref(), Ok("secure"));
        assert_eq!(
            token(&origins, Sent { host: Some("resettle.example:443"), ..sent }).as_deref(),
            Ok("secure")
        );
        for host in ["localhost:8080", "resettle.example:8080", "resettle.example.evil"] {
            assert!(token(&origins, Sent { host: Some(host), ..sent }).is_err(), "{host}");
        }
        let only_plain = Sent { cookie: Some("resettle_session=plain"), ..sent };
        assert!(token(&origins, only_plain).is_err(), "a cookie that another host could have set");
        let header = origins.of(Some("resettle.example")).expect("ours").cookie("t", 60);
        assert_eq!(header, "__Host-resettle_session=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
    }

    #[test]
    fn what_changes_something_names_its_origin() {
        let origins = Origins::default();
        let sent = |origin| Sent { host: Some("localhost:1"), origin, ..Sent::default() };
        assert!(origins.sent_by_us(&sent(Some("http://localhost:1"))).is_ok());
        for foreign in [None, Some("null"), Some("https://localhost:1"), Some("http://evil.example")] {
            assert!(matches!(origins.sent_by_us(&sent(foreign)), Err(Error::Origin(_))), "{foreign:?}");
        }
    }

    #[test]
    fn what_is_no_origin_is_named() {
        for wrong in ["resettle.example", "ftp://x", "https://", "https://x/path", "https://a b"] {
            assert_eq!(Origins::parse(&[wrong.into()]).err().as_deref(), Some(wrong));
        }
    }
}
