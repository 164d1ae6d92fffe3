//! TLS as sites have it: the right name is asked for and checked, bad certificates are refused with a
//! reason, HTTP/2 is agreed on, connections are kept.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use site_fetch::{Error, Fetcher, Options, Resolve, authorities};
use url::Url;

use crate::server::options;
use crate::web;

/// Every name is here.
struct Here;

#[async_trait]
impl Resolve for Here {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![[127, 0, 0, 1].into()])
    }
}

/// An authority of the test's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn server(&self, change: impl FnOnce(&mut CertificateParams)) -> ServerConfig {
        let mut params = CertificateParams::new(vec!["site.test".to_owned()]).expect("parameters");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        config(certificate.der().clone(), &key)
    }
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("versions").with_no_client_auth();
    let mut config = builder.with_single_cert(vec![certificate], key).expect("a server");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

fn fetcher(address: SocketAddr, authority: Option<&Authority>) -> Fetcher {
    let extra_roots = authority.map(|one| authorities(one.pem().as_bytes()).expect("a certificate"));
    let options = Options { extra_roots: extra_roots.unwrap_or_default(), ..options(&[address]) };
    Fetcher::with_resolver(options, Arc::new(Here)).expect("a fetcher")
}

fn at(host: &str, address: SocketAddr) -> Url {
    Url::parse(&format!("https://{host}:{}/", address.port())).expect("a URL")
}

#[tokio::test]
async fn the_name_goes_out_though_the_checked_address_is_dialled() {
    let authority = Authority::new();
    let (address, seen) = web::start(Some(authority.server(|_| {})), |_| web::answer(200, &[], "secret"));
    let answer = fetcher(address, Some(&authority)).get(&at("site.test", address)).await.expect("an answer");
    assert_eq!(&answer.body[..], b"secret");
    assert_eq!(answer.remote_address, Some(address));
    assert_eq!(seen.names(), [Some("site.test".to_owned())]);
}

#[tokio::test]
async fn http2_is_agreed_on_and_one_connection_is_enough() {
    let authority = Authority::new();
    let (address, seen) = web::start(Some(authority.server(|_| {})), |_| web::answer(200, &[], "h2"));
    let fetcher = fetcher(address, Some(&authority));
    let url = at("site.test", address);
    fetcher.get(&url).await.expect("the first answer");
    let answers = join_all((0..20).map(|_| fetcher.get(&url))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert!(seen.requests().iter().all(|request| request.starts_with("HTTP/2.0")), "{:?}", seen.requests());
    assert_eq!((seen.requests().len(), seen.connections()), (21, 1));
}

/// Browsers ask another name over a connection whose certificate has it too; here the other name's addresses have
/// been checked for that name alone.
#[tokio::test]
async fn a_connection_serves_no_other_name() {
    let authority = Authority::new();
    let both = |params: &mut CertificateParams| {
        params.subject_alt_names.push(SanType::DnsName("other.test".try_into().expect("a name")));
    };
    let (address, seen) = web::start(Some(authority.server(both)), |_| web::answer(200, &[], "h2"));
    let fetcher = fetcher(address, Some(&authority));
    for host in ["site.test", "other.test", "site.test"] {
        fetcher.get(&at(host, address)).await.expect("an answer");
    }
    assert_eq!(seen.names(), [Some("site.test".to_owned()), Some("other.test".to_owned())]);
    assert_eq!((seen.requests().len(), seen.connections()), (3, 2));
}

#[tokio::test]
async fn http1_is_spoken_where_there_is_no_http2_and_connections_are_kept() {
    let authority = Authority::new();
    let mut config = authority.server(|_| {});
    config.alpn_protocols.clear();
    let (secure, seen) = web::start(Some(config), |_| web::answer(200, &[], "h1"));
    let (plain, seen_plain) = web::start(None, |_| web::answer(200, &[], "h1"));
    let plain_url = Url::parse(&format!("http://{plain}/")).expect("a URL");
    let over_tls = fetcher(secure, Some(&authority));
    let without = fetcher(plain, None);
    for _ in 0..20 {
        over_tls.get(&at("site.test", secure)).await.expect("an answer");
        without.get(&plain_url).await.expect("an answer");
    }
    for seen in [seen, seen_plain] {
        assert!(seen.requests().iter().all(|request| request.starts_with("HTTP/1.1")));
        assert_eq!((seen.requests().len(), seen.connections()), (20, 1));
    }
}

#[tokio::test]
async fn certificates_that_are_not_good_are_refused_with_the_reason() {
    let authority = Authority::new();
    let own_key = KeyPair::generate().expect("a key");
    let mut own = CertificateParams::new(vec!["site.test".to_owned()]).expect("parameters");
    own.distinguished_name.push(rcgen::DnType::CommonName, "nobody but itself");
    let own = own.self_signed(&own_key).expect("a certificate");
    for (what, server, host, trusted, reason) in [
        ("wrong name", authority.server(|_| {}), "other.test", true, "not valid for name"),
        ("an address", authority.server(|_| {}), "127.0.0.1", true, "not valid for name"),
        (
            "expired",
            authority.server(|params| params.not_after = date_time_ymd(2020, 1, 1)),
            "site.test",
            true,
            "expired",
        ),
        (
            "not yet valid",
            authority.server(|params| params.not_before = date_time_ymd(3000, 1, 1)),
            "site.test",
            true,
            "not valid yet",
        ),
        ("unknown authority", authority.server(|_| {}), "site.test", false, "no trusted authority"),
        ("signed by itself", config(own.der().clone(), &own_key), "site.test", true, "no trusted authority"),
    ] {
        let (address, seen) = web::start(Some(server), |_| web::answer(200, &[], "secret"));
        let fetcher = fetcher(address, trusted.then_some(&authority));
        let error = fetcher.get(&at(host, address)).await.expect_err(what);
        let Error::Certificate { host: named, problem, .. } = &error else { panic!("{what}: {error:?}") };
        assert_eq!(named, host);
        assert!(problem.contains(reason), "{what}: {problem}");
        assert!(!error.is_transient() && seen.requests().is_empty(), "{what}");
        assert_eq!(seen.connections(), 1, "{what}: tried again");
    }
}

#[tokio::test]
async fn plain_text_at_an_https_address_is_an_error() {
    let (address, seen) = web::start(None, |_| web::answer(200, &[], "plain"));
    let error = fetcher(address, None).get(&at("site.test", address)).await.expect_err("no TLS");
    assert!(matches!(error, Error::Network { .. }), "{error:?}");
    assert!(seen.requests().is_empty());
}

#[test]
fn authorities_are_read_or_refused() {
    let pem = Authority::new().pem();
    let two = format!("a comment\n{pem}\n{}", Authority::new().pem());
    assert_eq!(authorities(two.as_bytes()).expect("two").len(), 2);
    for bad in ["", "nothing", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
        assert!(matches!(authorities(bad.as_bytes()), Err(Error::Roots(_))), "{bad}");
    }
}

/// Nothing about us or about where we come from goes to another host.
#[tokio::test]
async fn nothing_goes_along_to_another_host() {
    let authority = Authority::new();
    let (other, seen_other) = web::start(Some(authority.server(|_| {})), |_| web::answer(200, &[], "there"));
    let location = at("site.test", other).to_string();
    let (first, _) = web::start(Some(authority.server(|_| {})), move |_| {
        let headers =
            [("set-cookie", "id=1; Path=/"), ("location", &location), ("www-authenticate", "Basic")];
        web::answer(302, &headers, "")
    });
    let options = Options {
        extra_roots: authorities(authority.pem().as_bytes()).expect("one"),
        ..options(&[first, other])
    };
    let fetcher = Fetcher::with_resolver(options, Arc::new(Here)).expect("a fetcher");
    for _ in 0..2 {
        let answer = fetcher.get(&at("site.test", first)).await.expect("an answer");
        assert_eq!((&answer.body[..], answer.hops.len()), (&b"there"[..], 1));
    }
    for request in seen_other.requests() {
        let mut names: Vec<_> = request.lines().skip(1).filter_map(|line| line.split(':').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "user-agent"], "{request}");
    }
}

#[tokio::test]
async fn header_floods_over_http2_are_refused() {
    let authority = Authority::new();
    let (address, _) = web::start(Some(authority.server(|_| {})), |_| {
        let long = "x".repeat(1000);
        let headers: Vec<(String, &str)> = (0..200).map(|at| (format!("x-{at}"), long.as_str())).collect();
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        web::answer(200, &headers, "flooded")
    });
    let error =
        fetcher(address, Some(&authority)).get(&at("site.test", address)).await.expect_err("too many");
    assert!(matches!(error, Error::Network { .. }), "{error:?}");
}
