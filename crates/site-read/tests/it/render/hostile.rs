//! A page does its worst, and no listener but the open one hears of it.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use site_fetch::{Fetcher, Options as FetchOptions, Resolve};
use site_read::render::{Options, Rendered};
use url::Url;

use super::{fetcher, renderer};
use crate::server::{Reply, Site};

/// Listeners at which nothing may arrive.
struct Forbidden {
    tcp: Vec<TcpListener>,
    udp: Vec<UdpSocket>,
}

impl Forbidden {
    fn start() -> Self {
        let tcp: Vec<TcpListener> =
            ["127.0.0.1:0", "[::1]:0"].map(|at| TcpListener::bind(at).expect("a free port")).into();
        let udp: Vec<UdpSocket> =
            ["127.0.0.1:0", "[::1]:0"].map(|at| UdpSocket::bind(at).expect("a free port")).into();
        tcp.iter().for_each(|listener| listener.set_nonblocking(true).expect("nonblocking"));
        udp.iter().for_each(|socket| socket.set_nonblocking(true).expect("nonblocking"));
        Self { tcp, udp }
    }

    fn tcp_ports(&self) -> Vec<u16> {
        self.tcp.iter().map(|listener| listener.local_addr().expect("an address").port()).collect()
    }

    fn udp_ports(&self) -> Vec<u16> {
        self.udp.iter().map(|socket| socket.local_addr().expect("an address").port()).collect()
    }

    fn assert_untouched(&self) {
        for listener in &self.tcp {
            let kind = listener.accept().map(|(_, from)| from).expect_err("a connection was made").kind();
            assert_eq!(kind, io::ErrorKind::WouldBlock);
        }
        for socket in &self.udp {
            let kind = socket.recv_from(&mut [0; 2048]).expect_err("a packet came").kind();
            assert_eq!(kind, io::ErrorKind::WouldBlock);
        }
    }
}

/// A page that tries every way there is to reach each of the targets.
fn attack(targets: &[String], udp: &[u16]) -> String {
    let targets = serde_json::to_string(targets).expect("JSON");
    let stun: Vec<String> = udp
        .iter()
        .flat_map(|port| [format!("stun:127.0.0.1:{port}"), format!("stun:[::1]:{port}")])
        .collect();
    let stun = serde_json::to_string(&stun).expect("JSON");
    format!(
        r#"<!doctype html><title>hostile</title><body><div id=out></div><script>
        const tell = (line) => {{ const p = document.createElement('p'); p.textContent = line; out.append(p); }};
        const add = (tag, attributes) => {{
            const element = Object.assign(document.createElement(tag), attributes);
            (tag === 'link' ? document.head : document.body).append(element);
            return element;
        }};
        const leaks = {targets}.map((target, i) => {{
            add('img', {{ src: target + 'img' }});
            add('script', {{ src: target + 'script' }});
            add('iframe', {{ src: target + 'iframe' }});
            add('iframe', {{ name: 'frame' + i }});
            add('video', {{ src: target + 'video', preload: 'auto' }});
            add('object', {{ data: target + 'object' }});
            add('embed', {{ src: target + 'embed' }});
            for (const rel of ['prefetch', 'preload', 'prerender', 'preconnect', 'dns-prefetch', 'stylesheet', 'modulepreload', 'icon', 'manifest'])
                add('link', {{ rel, href: target + rel, as: 'script' }});
            const form = add('form', {{ action: target + 'form', method: 'post', target: 'frame' + i }});
            form.submit();
            try {{ new WebSocket(target.replace('http', 'ws') + 'socket'); }} catch {{}}
            try {{ new EventSource(target + 'events'); }} catch {{}}
            try {{ navigator.sendBeacon(target + 'beacon', 'x'); }} catch {{}}
            try {{ new Worker(URL.createObjectURL(new Blob([`fetch('${{target}}worker')`]))); }} catch {{}}
            try {{ new WebTransport(target.replace('http:', 'https:')); }} catch {{}}
            try {{ window.open(target + 'window'); }} catch {{}}
            import(target + 'import').catch(() => {{}});
            fetch('/redirect?to=' + encodeURIComponent(target + 'redirected')).catch(() => {{}});
            return fetch(target + 'fetch', {{ mode: 'no-cors' }}).then(() => tell('answered ' + target), () => 0);
        }});
        navigator.serviceWorker?.register('/worker.js').catch(() => {{}});
        try {{
            const peer = new RTCPeerConnection({{ iceServers: {stun}.map((urls) => ({{ urls }})) }});
            peer.createDataChannel('x');
            peer.onicecandidate = (event) => event.candidate && tell('CANDIDATE ' + event.candidate.candidate);
            peer.createOffer().then((offer) => peer.setLocalDescription(offer));
        }} catch {{}}
        for (const address of ['file:///etc/passwd', 'file:///proc/self/environ', 'chrome://version/', 'view-source:file:///etc/passwd']) {{
            fetch(address).then((a) => a.text()).then((t) => tell('READ ' + t), () => 0);
            add('iframe', {{ src: address }});
            try {{ const asked = new XMLHttpRequest(); asked.open('GET', address); asked.onload = () => tell('READ ' + asked.response); asked.send(); }} catch {{}}
        }}
        Promise.allSettled(leaks).then(() => tell('done'));
        </script>"#
    )
}

fn site(page: String) -> Site {
    Site::of(move |path| match path {
        "/" => Reply::html(page.clone()),
        "/worker.js" => Reply::new("text/javascript", "fetch('/from-worker')"),
        path if path.starts_with("/redirect?to=") => {
            let query = Url::parse("http://x").and_then(|base| base.join(path)).expect("a path");
            let to = query.query_pairs().next().map(|(_, to)| to.into_owned()).unwrap_or_default();
            Reply::redirect(307, &to)
        }
        _ => Reply::status(404),
    })
}

async fn read(site: &Site) -> Rendered {
    // Hundreds of requests on a busy machine.
    let long = Duration::from_secs(60);
    let patient = Options { max_settle: long, max_time: 2 * long, ..Options::default() };
    let rendered = renderer(patient).render(&fetcher(&[site.address]), &site.url("/")).await;
    rendered.expect("a rendered page")
}

#[tokio::test]
async fn no_way_of_asking_reaches_a_forbidden_listener() {
    let forbidden = Forbidden::start();
    let mut targets = vec!["http://169.254.169.254/".to_owned(), "http://10.0.0.1/".to_owned()];
    for port in forbidden.tcp_ports() {
        for host in ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "0.0.0.0", "[::ffff:127.0.0.1]"] {
            targets.push(format!("http://{host}:{port}/"));
        }
    }
    let site = site(attack(&targets, &forbidden.udp_ports()));
    let rendered = read(&site).await;
    forbidden.assert_untouched();
    let html = &rendered.html;
    assert!(html.contains("<p>done</p>"), "the page did not do all it could");
    for sign in ["<p>READ", "<p>CANDIDATE", "root:"] {
        assert!(!html.contains(sign), "{sign} in what the page wrote");
    }
    assert!(site.requests() > targets.len(), "the open pair is reached: its redirects were asked for");
    let refused = |target: &str| rendered.refused.iter().any(|turned| turned.target.contains(target));
    assert!(refused("169.254.169.254") && refused("10.0.0.1"), "{:?}", rendered.refused);
    assert!(refused("redirected"), "{:?}", rendered.refused);
    for port in forbidden.tcp_ports() {
        assert!(refused(&format!(":{port}")), "{:?}", rendered.refused);
    }
}

#[tokio::test]
async fn the_listeners_are_reached_where_they_are_open() {
    // The control of the test above: the same page, with its targets named.
    let target = Site::of(|_| Reply::html("<p>reached"));
    let address = format!("http://{}/", target.address);
    let site = site(attack(std::slice::from_ref(&address), &[]));
    let open = fetcher(&[site.address, target.address]);
    let rendered = renderer(Options::default()).render(&open, &site.url("/")).await.expect("a rendered page");
    for way in
        ["/img", "/script", "/iframe", "/form", "/fetch", "/socket", "/stylesheet", "/worker", "/redirected"]
    {
        assert!(target.hits(way) > 0, "{way} did not reach it: {:?}", target.all_requests());
    }
    assert!(rendered.html.contains("<p>answered"), "{}", rendered.html);
}

/// The page's own name: good while it is checked and opened, then the address of a forbidden listener.
struct Rebinding(AtomicUsize);

/// Look-ups that are for the page itself: the guard's, that of robots.txt, and the browser's first.
const HONEST: usize = 3;

#[async_trait]
impl Resolve for Rebinding {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        let good = self.0.fetch_add(1, Ordering::Relaxed) < HONEST;
        Ok(vec![if good { "127.0.0.1" } else { "127.0.0.2" }.parse().expect("an address")])
    }
}

#[tokio::test]
async fn a_name_that_turns_after_the_page_was_opened_is_refused() {
    let page = "<!doctype html><title>turning</title><p id=out>waiting</p><script>
        fetch('/secret').then((a) => a.text()).then((t) => out.textContent = t ? 'LEAK ' + t : 'kept out', () => out.textContent = 'kept out');
        </script>";
    let site = site(page.to_owned());
    // The same port at the other address: what the name means later.
    let at = SocketAddr::new("127.0.0.2".parse().expect("an address"), site.address.port());
    let inner = TcpListener::bind(at).expect("the same port of another address");
    inner.set_nonblocking(true).expect("nonblocking");
    let options = FetchOptions { allow: vec![site.address], retries: 0, ..FetchOptions::default() };
    let turning = Arc::new(Rebinding(AtomicUsize::new(0)));
    let fetcher = Fetcher::with_resolver(options, turning).expect("a fetcher");
    let url = Url::parse(&format!("http://turning.test:{}/", site.address.port())).expect("a URL");
    let rendered = renderer(Options::default()).render(&fetcher, &url).await.expect("a rendered page");
    assert!(inner.accept().is_err(), "a connection was made");
    assert!(rendered.html.contains("<p id=\"out\">kept out</p>"), "{}", rendered.html);
    assert!(!rendered.refused.is_empty(), "the look-up after the first is refused");
}
