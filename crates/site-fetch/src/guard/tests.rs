//! Addresses as people and attackers write them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use super::{Guard, MAX_ADDRESSES};
use crate::error::Error;
use crate::resolve::Resolve;

/// Answers every name with one fixed list.
struct Fixed(Vec<IpAddr>);

#[async_trait]
impl Resolve for Fixed {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.0.clone())
    }
}

fn guard(answers: &[&str], allow: &[&str]) -> Guard {
    let answers = answers.iter().map(|a| a.parse().expect("an address"));
    let allow = allow.iter().map(|a| a.parse().expect("a pair"));
    let resolver = Arc::new(Fixed(answers.collect()));
    Guard::new(allow.collect(), resolver, Duration::from_secs(1))
}

async fn outcome(guard: &Guard, url: &str) -> Result<Vec<SocketAddr>, String> {
    let url = Url::parse(url).map_err(|error| format!("not a URL: {error}"))?;
    match guard.target(&url).await {
        Ok(target) => Ok(target.addresses),
        Err(Error::Refused(refused)) => Err(refused.rule().to_owned()),
        Err(other) => Err(other.to_string()),
    }
}

#[tokio::test]
async fn tricky_spellings_are_refused_by_the_right_rule() {
    let guard = guard(&["8.8.8.8"], &[]);
    for (url, rule) in [
        ("ftp://example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("data:text/html,x", "scheme"),
        ("http://user@example.com/", "credentials"),
        ("http://user:pw@example.com/", "credentials"),
        ("http://:pw@example.com/", "credentials"),
        ("http://example.com@127.0.0.1/", "credentials"),
        ("http://example.com:22/", "port"),
        ("http://example.com:8080/", "port"),
        ("http://8.8.8.8:25/", "port"),
        ("http://127.0.0.1/", "127.0.0.0/8"),
        ("http://127.1/", "127.0.0.0/8"),
        ("http://0177.0.0.1/", "127.0.0.0/8"),
        ("http://0x7f.1/", "127.0.0.0/8"),
        ("http://0x7f000001/", "127.0.0.0/8"),
        ("http://2130706433/", "127.0.0.0/8"),
        ("http://017700000001/", "127.0.0.0/8"),
        ("http://127.0.0.1./", "127.0.0.0/8"),
        ("http://%31%32%37.0.0.1/", "127.0.0.0/8"),
        ("http://\u{2460}\u{2461}\u{2466}.0.0.1/", "127.0.0.0/8"),
        ("http://127\u{3002}0\u{3002}0\u{3002}1/", "127.0.0.0/8"),
        ("http:\\\\127.0.0.1\\", "127.0.0.0/8"),
        ("http:/\\127.0.0.1/", "127.0.0.0/8"),
        ("http:127.0.0.1/", "127.0.0.0/8"),
        ("ht\ntp://127.\t0.0.1/", "127.0.0.0/8"),
        ("  http://127.0.0.1/  ", "127.0.0.0/8"),
        ("http://example.com\\@127.0.0.1/", "ok"),
        ("http://0/", "0.0.0.0/8"),
        ("http://169.254.169.254/latest/", "169.254.169.254/32 cloud metadata"),
        ("http://0xa9fea9fe/", "169.254.169.254/32"),
        ("http://metadata.google.internal./computeMetadata/v1/", "cloud metadata"),
        ("http://[::1]/", "::1/128"),
        ("http://[::]/", "::/128"),
        ("http://[::ffff:7f00:1]/", "::ffff:0:0/96"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:0:0/96"),
        ("http://[::127.0.0.1]/", "::/96"),
        ("http://[64:ff9b::7f00:1]/", "64:ff9b::/96"),
        ("http://[2002:7f00:1::]/", "2002::/16"),
        ("http://[2001:0:7f00:1::]/", "2001::/32"),
        ("http://[fd00:ec2::254]/", "fd00:ec2::254/128"),
        ("http://[fe80::1]/", "fe80::/10"),
        ("http://./", "host"),
        ("http://[fe80::1%25eth0]/", "not a URL"),
        ("http://256.0.0.1/", "not a URL"),
        ("http://exa mple.com/", "not a URL"),
        ("http:///", "not a URL"),
    ] {
        let found = outcome(&guard, url).await;
        match found {
            Ok(_) => assert_eq!(rule, "ok", "{url} passed"),
            Err(found) => assert!(found.starts_with(rule), "{url}: {found}, not {rule}"),
        }
    }
}

#[tokio::test]
async fn one_bad_address_refuses_the_name() {
    for bad in ["127.0.0.1", "10.0.0.1", "::1", "::ffff:8.8.8.8", "169.254.169.254"] {
        for answers in [["8.8.8.8", bad], [bad, "8.8.8.8"]] {
            let found = outcome(&guard(&answers, &[]), "https://example.com/").await;
            assert!(found.is_err(), "{answers:?} passed");
        }
    }
    let good = guard(&["8.8.8.8", "2606:4700::1111"], &[]);
    let found = outcome(&good, "https://example.com./").await.expect("public");
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn a_named_pair_opens_itself_and_nothing_else() {
    let guard = guard(&["127.0.0.1"], &["127.0.0.1:8100"]);
    assert!(outcome(&guard, "http://localhost:8100/").await.is_ok());
    assert!(outcome(&guard, "http://127.0.0.1:8100/").await.is_ok());
    for (url, rule) in [
        ("http://localhost/", "127.0.0.0/8"),
        ("http://127.0.0.1:8101/", "127.0.0.0/8"),
        ("http://127.0.0.2:8100/", "127.0.0.0/8"),
        ("http://[::ffff:127.0.0.1]:8100/", "::ffff:0:0/96"),
        ("http://8.8.8.8:8100/", "port"),
        ("http://localhost:8101/", "port"),
    ] {
        let found = outcome(&guard, url).await.expect_err(url);
        assert!(found.starts_with(rule), "{url}: {found}");
    }
}

#[tokio::test]
async fn a_name_without_addresses_does_not_resolve() {
    let found = outcome(&guard(&[], &[]), "http://example.com/").await;
    assert_eq!(found, Err("the name example.com does not resolve".to_owned()));
}

/// A name server that is away.
struct Away;

#[async_trait]
impl Resolve for Away {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

#[tokio::test]
async fn a_name_server_that_is_away_is_no_missing_name() {
    let guard = Guard::new(Vec::new(), Arc::new(Away), Duration::from_secs(1));
    let found =
        guard.target(&Url::parse("http://example.com/").expect("a URL")).await.expect_err("nobody knows");
    assert_eq!(found.to_string(), "the name example.com could not be looked up");
    assert!(found.is_transient());
}

#[tokio::test]
async fn very_many_addresses_are_all_checked_and_few_are_tried() {
    let many: Vec<String> = (0..4000).map(|n| format!("93.184.{}.{}", n / 250, n % 250)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let found = outcome(&guard(&many, &[]), "http://example.com/").await.expect("all are public");
    assert_eq!(found.len(), MAX_ADDRESSES);
    let one_is_bad = [&many[..], &["10.0.0.1"]].concat();
    let found = outcome(&guard(&one_is_bad, &[]), "http://example.com/").await.expect_err("the last is not");
    assert!(found.starts_with("10.0.0.0/8"), "{found}");
}
