//! A real website on the loopback: files from a folder or a map, with the bad manners that a test asks for.
//!
//! It remembers every request, and counts connections and bytes, so that a test can show that nothing at all
//! reached a listener. An answer with an `etag` is not sent again to who has it (304).

mod answer;
mod count;

pub use answer::Answer;

use crate::site::{answer::Sending, count::Counted};
use hyper::{Method, Request, Response, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Component, Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Below those that the kernel serves to whoever asks for any.
const STEADY_PORT: u16 = 8087;

/// A site that is served until this value is dropped.
#[derive(Debug)]
pub struct StaticSite {
    addr: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `GET`, …
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Seen {
    /// The value of the first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Where the pages come from.
#[derive(Debug)]
pub enum Content {
    /// Files; a folder's own address answers with its `index.html`.
    Folder(PathBuf),
    /// Path → answer. A path that ends in `/` may also be given as its `index.html`.
    Map(BTreeMap<String, Answer>),
}

impl From<&Path> for Content {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.to_owned())
    }
}

impl From<PathBuf> for Content {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl<const N: usize> From<[(&str, Answer); N]> for Content {
    fn from(pages: [(&str, Answer); N]) -> Self {
        Self::Map(pages.into_iter().map(|(path, answer)| (path.to_owned(), answer)).collect())
    }
}

impl From<BTreeMap<String, Answer>> for Content {
    fn from(pages: BTreeMap<String, Answer>) -> Self {
        Self::Map(pages)
    }
}

#[derive(Debug)]
struct Shared {
    content: Content,
    /// Path and query, or path alone → answer; goes before the content.
    special: Mutex<BTreeMap<String, Answer>>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicU64,
    received: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
}

impl StaticSite {
    /// Serves a folder or a map on a free port of 127.0.0.1.
    pub async fn serve(content: impl Into<Content>) -> Self {
        Self::serve_at(Ipv4Addr::LOCALHOST.into(), 0, content).await
    }

    /// Serves at an address of the loopback that is the same in every run, so that what is made of the site is the same,
    /// too. Where another run has it at this moment, on a free port of 127.0.0.1: no test may need the address.
    pub async fn serve_steadily(ip: Ipv4Addr, content: impl Into<Content>) -> Self {
        match TcpListener::bind((ip, STEADY_PORT)).await {
            Ok(listener) => Self::serve_on(listener, content),
            Err(_) => Self::serve(content).await,
        }
    }

    /// Serves at another address of the loopback, or on a port that must be a certain one.
    pub async fn serve_at(ip: IpAddr, port: u16, content: impl Into<Content>) -> Self {
        let bound = TcpListener::bind((ip, port)).await;
        let listener = bound.unwrap_or_else(|error| panic!("{ip}:{port} cannot be listened on: {error}"));
        Self::serve_on(listener, content)
    }

    fn serve_on(listener: TcpListener, content: impl Into<Content>) -> Self {
        let addr = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            content: content.into(),
            special: Mutex::default(),
            seen: Mutex::default(),
            connections: AtomicU64::new(0),
            received: Arc::default(),
            sent: Arc::default(),
        });
        #[expect(clippy::disallowed_methods, reason = "aborted when the site is dropped")]
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { addr, shared, accepting }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://ADDRESS:PORT/`
    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// From now on, this path (or path and query) answers so, whatever the content says.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.shared.special.lock().expect("no panic while the lock is held").insert(path.to_owned(), answer);
    }

    /// How often this path was asked for, whatever the query.
    pub fn hits(&self, path: &str) -> usize {
        self.requests().iter().filter(|seen| seen.target.split('?').next() == Some(path)).count()
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("no panic while the lock is held").clone()
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many bytes came in on all connections.
    pub fn bytes_received(&self) -> u64 {
        self.shared.received.load(Ordering::SeqCst)
    }

    /// How many bytes went out on all connections, heads included.
    pub fn bytes_sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }
}

impl Drop for StaticSite {
    fn drop(&mut self) {
        // Its connections are children of the task and go with it.
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        // A connection that is reset before it is accepted is no reason to stop.
        let Ok((stream, _)) = listener.accept().await else { continue };
        shared.connections.fetch_add(1, Ordering::SeqCst);
        while connections.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let io =
                TokioIo::new(Counted::new(stream, Arc::clone(&shared.received), Arc::clone(&shared.sent)));
            let service = service_fn(|request| respond(Arc::clone(&shared), request));
            // The client may leave in the middle of an answer, or be meant to.
            let _left = http1::Builder::new().serve_connection(io, service).await;
        });
    }
}

async fn respond(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Sending>, Infallible> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let path = request.uri().path().to_owned();
    shared.see(&request, &target);
    let readable = [Method::GET, Method::HEAD].contains(request.method());
    let answer = shared
        .special(&target, &path)
        .unwrap_or_else(|| if readable { shared.content.find(&path) } else { Answer::status(405) });
    let has = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = has.is_some_and(|has| answer.etag() == Some(has));
    Ok(if unchanged { answer.not_modified() } else { answer }.send().await)
}

impl Shared {
    fn see(&self, request: &Request<Incoming>, target: &str) {
        let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        let method = request.method().as_str().to_owned();
        let seen = Seen { method, target: target.to_owned(), headers: headers.collect() };
        self.seen.lock().expect("no panic while the lock is held").push(seen);
    }

    fn special(&self, target: &str, path: &str) -> Option<Answer> {
        let special = self.special.lock().expect("no panic while the lock is held");
        special.get(target).or_else(|| special.get(path)).cloned()
    }
}

impl Content {
    fn find(&self, path: &str) -> Answer {
        match self {
            Self::Folder(root) => in_folder(root, path),
            Self::Map(pages) => in_map(pages, path),
        }
    }
}

fn in_map(pages: &BTreeMap<String, Answer>, path: &str) -> Answer {
    let exact = pages.get(path);
    let index = || path.ends_with('/').then(|| pages.get(&format!("{path}index.html"))).flatten();
    let slash =
        || pages.contains_key(&format!("{path}/")) || pages.contains_key(&format!("{path}/index.html"));
    match exact.or_else(index) {
        Some(answer) => answer.clone(),
        None if slash() => Answer::redirect(301, &format!("{path}/")),
        None => Answer::status(404),
    }
}

fn in_folder(root: &Path, path: &str) -> Answer {
    let Ok(decoded) = percent_decode_str(path.trim_start_matches('/')).decode_utf8() else {
        return Answer::status(400);
    };
    let relative = Path::new(decoded.as_ref());
    if !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Answer::status(404);
    }
    let mut file = root.join(relative);
    if file.is_dir() {
        if !path.ends_with('/') {
            return Answer::redirect(301, &format!("{path}/"));
        }
        file.push("index.html");
    }
    match std::fs::read(&file) {
        Ok(bytes) => Answer::bytes(answer::content_type(&file.to_string_lossy()), bytes),
        Err(_) => Answer::status(404),
    }
}
