//! Sites over HTTPS in the browser: through the guard, under authorities of the fetcher's own, and with the site's
//! robots.txt in force although nobody but the browser can look into its tunnels.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use site_fetch::{Fetcher, Options as FetchOptions, Resolve, authorities};
use site_read::render::{Error, Options, Rendered};
use url::Url;

use super::renderer;
use crate::server::{Reply, Site};

/// Every name is on this machine.
pub(super) struct Here;

/// The same, and every name that was looked up.
#[derive(Default)]
struct Listening(Mutex<BTreeSet<String>>);

#[async_trait]
impl Resolve for Listening {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned());
        Here.resolve(host).await
    }
}

#[async_trait]
impl Resolve for Here {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![[127, 0, 0, 1].into()])
    }
}

/// An authority of the test's own, and a server that it has certified for these names.
fn certified(names: &[&str]) -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "the test's authority");
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(names).expect("names").signed_by(&key, &authority);
    let certificate = certificate.expect("a certificate").der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = builder.expect("versions").with_no_client_auth().with_single_cert(vec![certificate], key);
    (authority.pem(), Arc::new(config.expect("a server")))
}

struct Secure {
    site: Site,
    fetcher: Fetcher,
}

impl Secure {
    /// A server for `site.test` and `other.test`; its pages may name it by `PORT`.
    fn start(answer: impl Fn(&str, &str) -> Reply + Send + Sync + 'static) -> Self {
        let (authority, config) = certified(&["site.test", "other.test"]);
        let site = Site::over_tls(config, answer);
        let options = FetchOptions {
            allow: vec![site.address],
            extra_roots: authorities(authority.as_bytes()).expect("a certificate"),
            retries: 0,
            ..FetchOptions::default()
        };
        let fetcher = Fetcher::with_resolver(options, Arc::new(Here)).expect("a fetcher");
        Self { site, fetcher }
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("https://site.test:{}{path}", self.site.address.port())).expect("a URL")
    }

    async fn render(&self) -> Result<Rendered, Error> {
        renderer(Options::default()).render(&self.fetcher, &self.url("/")).await
    }
}

#[tokio::test]
async fn an_https_site_is_rendered_through_the_guard() {
    let secure = Secure::start(|host, path| {
        match (host.split(':').next().unwrap_or_default(), path) {
        ("site.test", "/") => Reply::html(
            "<!doctype html><title>x</title><p id=out>waiting</p><script>
            const port = location.port;
            const frame = document.createElement('iframe');
            frame.src = `https://other.test:${port}/frame`;
            document.body.append(frame);
            const there = new Promise((done) => onmessage = (event) => done(event.data));
            const kept = fetch(`https://wrong.test:${port}/x`, { mode: 'no-cors' }).then(() => 'ASKED', () => 'kept out');
            Promise.all([fetch('/api').then((a) => a.text()), there, kept]).then((all) => out.textContent = all.join(', '));
            </script>",
        ),
        ("site.test", "/api") => Reply::new("text/plain", "from the API"),
        ("other.test", "/frame") => Reply::html(
            "<script>fetch('/inside').then((a) => a.text()).then((t) => parent.postMessage(t, '*'))</script>",
        ),
        ("other.test", "/inside") => Reply::new("text/plain", "from the frame"),
        _ => Reply::status(404),
    }
    });
    let rendered = secure.render().await.expect("a rendered page");
    let text = "from the API, from the frame, kept out";
    assert!(rendered.html.contains(text), "{}\n{:?}", rendered.html, rendered.console);
    assert_eq!((rendered.status, &rendered.url), (Some(200), &secure.url("/")));
    let inside = rendered.requests.iter().find(|request| request.url.ends_with("/inside"));
    assert!(inside.is_some_and(|request| request.status == Some(200)), "what a frame asks for is told");
    assert_eq!(secure.site.hits("/x"), 0, "a name that the certificate does not have");
    assert!(rendered.refused.is_empty(), "{:?}", rendered.refused);
    assert_eq!(rendered.screenshots.len(), 2);
}

/// Asks for what robots.txt forbids in every way that a page has; each way names itself.
const CURIOUS: &str = r#"<!doctype html><title>x</title><p id=out>waiting</p><script>
    const at = (way) => `https://site.test:${location.port}/private/${way}`;
    const add = (tag, attributes) => document.body.append(Object.assign(document.createElement(tag), attributes));
    const ways = [fetch(at('fetch')).catch(() => 0)];
    add('img', { src: at('img') });
    add('iframe', { src: at('iframe') });
    add('iframe', { src: `https://other.test:${location.port}/frame` });
    add('iframe', { srcdoc: `<img src="${at('srcdoc')}">` });
    for (const rel of ['prefetch', 'preload', 'prerender', 'stylesheet', 'modulepreload'])
        add('link', { rel, href: at(rel), as: 'script' });
    const rules = document.createElement('script');
    rules.type = 'speculationrules';
    rules.textContent = JSON.stringify({ prefetch: [{ source: 'list', urls: [at('speculated')], eagerness: 'immediate' }],
        prerender: [{ source: 'list', urls: ['/next'], eagerness: 'immediate' }] });
    document.head.append(rules);
    navigator.sendBeacon(at('beacon'), 'x');
    fetch(at('keepalive'), { keepalive: true }).catch(() => 0);
    new EventSource(at('events'));
    window.open(at('window'));
    window.open('/next', '_blank', 'noopener');
    window.open(at('noopener'), '_blank', 'noopener');
    const worker = new Worker('/worker.js');
    ways.push(new Promise((done) => { worker.onmessage = done; worker.onerror = done; }));
    try { new SharedWorker('/shared.js').port.start(); } catch {}
    navigator.serviceWorker?.register('/service.js').catch(() => 0);
    ways.push(new Promise((done) => onmessage = done));
    const socket = (address) => new Promise((done) => { const made = new WebSocket(address); made.onerror = made.onclose = done; });
    ways.push(socket(at('socket').replace('https', 'wss')), socket('/open?socket'));
    const blank = document.createElement('iframe');
    document.body.append(blank);
    new blank.contentWindow.WebSocket(at('blank-socket').replace('https', 'wss'));
    new WebSocket.prototype.constructor(at('made-socket').replace('https', 'wss'));
    const code = `const made = new WebSocket('${at('worker-socket').replace('https', 'wss')}'); made.onclose = () => postMessage('x')`;
    const other = new Worker(URL.createObjectURL(new Blob([code])));
    ways.push(new Promise((done) => other.onmessage = done));
    Promise.all(ways).then(() => out.textContent = 'done');
</script>"#;

#[tokio::test]
async fn robots_txt_holds_in_tunnels_whoever_asks() {
    let asks = |way: &str| format!("fetch('/private/{way}').catch(() => 0)");
    let worker = format!(
        "{}.then(() => postMessage('x')); new Worker(URL.createObjectURL(new Blob([`fetch('${{location.origin}}/private/nested')`])))",
        asks("worker")
    );
    let secure = Secure::start(move |host, path| match (host.split(':').next().unwrap_or_default(), path) {
        (_, "/robots.txt") => Reply::new("text/plain", "User-agent: *\nDisallow: /private/\n"),
        ("site.test", "/") => Reply::html(CURIOUS),
        ("site.test", "/worker.js") => Reply::new("text/javascript", worker.clone()),
        ("site.test", "/shared.js") => Reply::new(
            "text/javascript",
            format!("{}; new WebSocket(`wss://${{location.host}}/private/shared-socket`)", asks("shared")),
        ),
        ("site.test", "/service.js") => {
            Reply::new("text/javascript", format!("{}; onfetch = () => 0;", asks("service")))
        }
        ("site.test", "/next") => Reply::html(format!("<script>{}</script>", asks("next"))),
        ("other.test", "/frame") => Reply::html(
            "<script>new Image().src = `https://site.test:${location.port}/private/other`;
                new WebSocket(`wss://site.test:${location.port}/private/far-socket`);
                const worker = new Worker('/worker.js'); parent.postMessage('x', '*')</script>",
        ),
        ("other.test", "/worker.js") => Reply::new(
            "text/javascript",
            "fetch(`https://site.test:${location.port}/private/far`, { mode: 'no-cors' })",
        ),
        _ => Reply::html("<p>private"),
    });
    let rendered = secure.render().await.expect("a rendered page");
    assert!(rendered.html.contains(">done<"), "{}\n{:?}", rendered.html, rendered.console);
    let asked = secure.site.all_requests();
    let private: Vec<_> = asked.iter().filter(|path| path.starts_with("/private/")).collect();
    assert!(private.is_empty(), "{private:?}");
    let sockets = ["socket", "blank-socket", "made-socket", "worker-socket", "far-socket"];
    for way in ["fetch", "img", "iframe", "srcdoc", "worker", "other"].into_iter().chain(sockets) {
        let path = format!("/private/{way}");
        assert!(
            rendered.refused.iter().any(|turned| turned.target.ends_with(&path)),
            "{way}: {:?}",
            rendered.refused
        );
    }
    for path in ["/worker.js", "/open?socket"] {
        assert!(asked.contains(&path.to_owned()), "what is allowed is asked for: {asked:?}");
    }
    let told = |what: &str| rendered.requests.iter().any(|request| request.url.contains(what));
    assert!(told("/private/fetch") && !told("web-socket"), "{:?}", rendered.requests);
    let nowhere = rendered.refused.iter().find(|turned| turned.target.contains("invalid"));
    assert_eq!(nowhere, None, "what stands for a refusal is not told beside it");
}

#[tokio::test]
async fn an_authority_that_the_fetcher_does_not_trust_is_not_trusted_by_the_browser() {
    let (_, config) = certified(&["stranger.test"]);
    let stranger = Site::over_tls(config, |_, _| Reply::new("text/javascript", "out.textContent = 'LEAK'"));
    let port = stranger.address.port();
    let page = format!("<p id=out>clean</p><script src=https://stranger.test:{port}/x.js></script>");
    let secure = Secure::start(move |_, path| match path {
        "/" => Reply::html(page.clone()),
        _ => Reply::status(404),
    });
    let options = FetchOptions {
        allow: vec![secure.site.address, stranger.address],
        ..secure.fetcher.options().clone()
    };
    let fetcher = Fetcher::with_resolver(options, Arc::new(Here)).expect("a fetcher");
    let rendered = renderer(Options::default()).render(&fetcher, &secure.url("/")).await;
    let rendered = rendered.expect("a rendered page");
    assert!(rendered.html.contains(">clean<"), "{}", rendered.html);
    assert_eq!(stranger.requests(), 0);
}

/// Some seconds after its start the browser would look for updates of its own; nobody is to hear of it.
#[tokio::test]
async fn the_browser_asks_for_nothing_that_no_page_asked_for() {
    let secure = Secure::start(|_, path| match path {
        "/" => Reply::html("<p id=out>x<script>fetch('/long').then(() => out.textContent = 'done')</script>"),
        "/long" => Reply::html("x").after(6000),
        _ => Reply::status(404),
    });
    let names = Arc::new(Listening::default());
    let options = secure.fetcher.options().clone();
    let fetcher = Fetcher::with_resolver(options, names.clone()).expect("a fetcher");
    let patient = Options { max_settle: Duration::from_secs(30), ..Options::default() };
    let rendered = renderer(patient).render(&fetcher, &secure.url("/")).await.expect("a rendered page");
    assert!(rendered.html.contains(">done<"), "{}", rendered.html);
    let names = names.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(names, BTreeSet::from(["site.test".to_owned()]));
    assert!(rendered.refused.is_empty(), "{:?}", rendered.refused);
}
