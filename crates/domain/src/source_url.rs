//! The address of the site to move: what is taken, and which addresses count as the same site.

use std::fmt;
use url::{Host, Url};

/// The longest address taken, in bytes.
pub const MAX_BYTES: usize = 2048;

/// An http(s) address without credentials, parsed by the URL standard (<https://url.spec.whatwg.org/>), which
/// turns octal, hexadecimal, internationalised and backslash tricks into the plain form that is then checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceUrl(Url);

/// Why an address is refused before anything is fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a URL at all.
    #[error("it is not a URL; write it in full, like https://example.com/")]
    NotAUrl,
    /// Over [`MAX_BYTES`].
    #[error("it is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// ftp:, file:, data:, …
    #[error("its scheme is {0:?}; only http and https can be moved")]
    Scheme(String),
    /// `user:password@host`.
    #[error("it has a user name or password in it; leave them out")]
    Credentials,
}

impl SourceUrl {
    /// Parses and judges an address as the user gave it.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        if text.len() > MAX_BYTES {
            return Err(Refused::TooLong);
        }
        let mut url = Url::parse(text.trim()).map_err(|_| Refused::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme(url.scheme().into()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        // `http://./` parses, and would be normalised to an address of no host at all.
        if url.host_str().is_none_or(|host| host.trim_end_matches('.').is_empty()) {
            return Err(Refused::NotAUrl);
        }
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// The address to fetch.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// The form under which two addresses count as the same site to move: no fragment, no default port, no
    /// trailing dot of the host, no trailing slash. Scheme, path and query stay: they may be other sites.
    pub fn normalised(&self) -> String {
        let host = match self.0.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.').to_owned(),
            Some(address) => address.to_string(),
            None => String::new(), // http(s) URLs always have a host; an empty one matches nothing else
        };
        let port = self.0.port().map(|p| format!(":{p}")).unwrap_or_default();
        let query = self.0.query().map(|q| format!("?{q}")).unwrap_or_default();
        format!("{}://{host}{port}{}{query}", self.0.scheme(), self.0.path().trim_end_matches('/'))
    }
}

impl fmt::Display for SourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("example.com", Refused::NotAUrl)]
    #[case("", Refused::NotAUrl)]
    #[case("http://./", Refused::NotAUrl)]
    #[case("ftp://example.com/", Refused::Scheme("ftp".into()))]
    #[case("javascript:alert(1)", Refused::Scheme("javascript".into()))]
    #[case("https://me:secret@example.com/", Refused::Credentials)]
    #[case("https://me@example.com/", Refused::Credentials)]
    fn what_is_not_taken(#[case] text: &str, #[case] why: Refused) {
        assert_eq!(SourceUrl::parse(text), Err(why));
    }

    #[rstest]
    #[case("HTTPS://Example.COM:443/#top", "https://example.com")]
    #[case("https://example.com./a/", "https://example.com/a")]
    #[case("http://0177.0.0.1/", "http://127.0.0.1")]
    #[case("http://example.com:8080/?q=1", "http://example.com:8080?q=1")]
    #[case(" https://bücher.example/ ", "https://xn--bcher-kva.example")]
    #[case("https:\\\\example.com\\a", "https://example.com/a")]
    fn which_addresses_are_the_same(#[case] text: &str, #[case] normalised: &str) {
        assert_eq!(SourceUrl::parse(text).expect("taken").normalised(), normalised);
    }
}
