//! What a browser was shown in plain HTTP in the place of a site that speaks TLS, as a folder of files is: with the addresses that it
//! stands for.

use std::collections::BTreeSet;

use memchr::memmem;
use url::Url;

use crate::render::{MAX_ADDRESS, Rendered, Request};
use crate::web_address::same_origin;

/// Gives these to the page and its requests. Not where the page named its own files by their full addresses: those were not
/// reached. What was `sent` in plain HTTP stays so; what scripts made of the address at which they ran does not.
pub(super) fn secured(mut rendered: Rendered, site: &Url, sent: &[u8]) -> Result<Rendered, String> {
    let missed = |request: &Request| {
        request.status.is_none() && Url::parse(&request.url).is_ok_and(|url| same_origin(&url, site))
    };
    if rendered.requests.iter().any(missed) {
        return Err("it asks for its own files by TLS, which a folder of files does not speak".to_owned());
    }
    rendered.url = with_tls(&rendered.url, site).unwrap_or(rendered.url);
    rendered.html = html_with_tls(&rendered.html, site, sent);
    for request in &mut rendered.requests {
        if let Some(url) = Url::parse(&request.url).ok().and_then(|url| with_tls(&url, site)) {
            request.url = url.into();
        }
    }
    Ok(rendered)
}

/// An address of the site's own host in plain HTTP as the one that it stands for.
fn with_tls(url: &Url, site: &Url) -> Option<Url> {
    let mut url = url.clone();
    let own = url.host() == site.host() && url.scheme() == "http" && url.set_scheme("https").is_ok();
    own.then_some(url)
}

fn html_with_tls(html: &str, site: &Url, sent: &[u8]) -> String {
    let plain = format!("http://{}", site.authority());
    let sent = String::from_utf8_lossy(sent);
    let sent: BTreeSet<&str> = own_addresses(&sent, &plain).map(|(_, address)| address).collect();
    let mut out = String::with_capacity(html.len());
    let mut done = 0;
    for (at, _) in own_addresses(html, &plain).filter(|(_, address)| !sent.contains(address)) {
        out.push_str(&html[done..at]);
        out.push_str("https");
        done = at + "http".len();
    }
    out.push_str(&html[done..]);
    out
}

/// The addresses that begin so, and where; a longer name is another host's.
fn own_addresses<'a>(text: &'a str, plain: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    memmem::find_iter(text.as_bytes(), plain).filter_map(move |at| {
        let rest = &text[at + plain.len()..];
        let own = !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | ':' | '@'));
        own.then(|| (at, &text[at..at + plain.len() + end_of_address(rest)]))
    })
}

/// Where an address ends, in an attribute, in a script or in text. The beginning of a very long one is enough.
fn end_of_address(text: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ')' | '\\' | '&');
    let at_most = text.floor_char_boundary(MAX_ADDRESS);
    text[..at_most].find(ends).unwrap_or(at_most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scripts_made_of_the_address_gets_tls_and_what_was_sent_stays() {
        let site = Url::parse("https://site.example/a/").expect("an address");
        let sent = b"<a href=http://site.example/old>Old</a><script src=/s.js></script>";
        let shown = "<link href=\"http://site.example/x.js\"><a href=\"http://site.example/old\">Old</a>\
                     <img src=\"http://site.example.org/y\"><p style=\"background:url(http://site.example)\">http://site.example:81/</p>";
        let wanted = "<link href=\"https://site.example/x.js\"><a href=\"http://site.example/old\">Old</a>\
                      <img src=\"http://site.example.org/y\"><p style=\"background:url(https://site.example)\">http://site.example:81/</p>";
        assert_eq!(html_with_tls(shown, &site, sent), wanted);
    }
}
